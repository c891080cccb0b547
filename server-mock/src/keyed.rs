//! The HTTP of idempotency keys: reads a request's key, stores it before anything happens, and answers its repetitions
//! (draft-ietf-httpapi-idempotency-key-header).

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::call::Call;
use crate::clock::NS;
use crate::durable::{Trouble, abort_at};
use crate::idempotency::{MAX_KEY_BYTES, Verdict};
use crate::key::Identity;
use crate::logical::unquoted;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::world::State;

/// What [`idempotency_key`] takes, as a regular expression: 1 to 255 visible characters, bare or as a structured field's
/// string (RFC 9651, section 3.3.3).
pub(crate) const KEY_PATTERN: &str =
    "^(\"[!#-~]([!-~]{0,253}[!#-~])?\"|[!#-~]([!-~]{0,253}[!#-~])?)$";
/// Says that an answer was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Carries out an operation, once for each key: the key is stored, then `latency` passes, then `act` is called with the
/// session's state and the key, and its answer is kept in the same transaction.
///
/// Never dropped before the answer: where there is anything to wait for, the caller runs this as a task.
pub(crate) async fn once(
    call: &Call,
    identity: &Identity,
    latency: Duration,
    act: impl FnOnce(&mut State, Option<&str>) -> Reply + Send,
) -> Reply {
    let key = match idempotency_key(call) {
        Ok(key) => key,
        Err(problem) => return call.problem(problem),
    };
    let scope = key
        .as_deref()
        .map(|key| Scope::of_call(call, identity, key, &call.upload.bytes));
    once_as(call, scope, latency, |state| act(state, key.as_deref())).await
}

/// The same for a key whose request asks for something else than the bytes of its body.
pub(crate) async fn once_as(
    call: &Call,
    scope: Option<Scope>,
    latency: Duration,
    act: impl FnOnce(&mut State) -> Reply + Send,
) -> Reply {
    let reserved = match reserved(call, scope).await {
        Ok(reserved) => reserved,
        Err(reply) => return *reply,
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let mut state = call.world.state();
    if let Some(Err(problem)) = reserved.as_ref().map(|reserved| reserved.check(&state)) {
        return call.problem(problem);
    }
    let reply = act(&mut state);
    if let Some(reserved) = reserved {
        reserved.answered(&mut state, &reply);
    }
    reply
}

/// Stores the key of a request that has one, on disk where there is one, or answers for it.
///
/// Never dropped before the answer: where there is a disk to wait for, the caller runs this as a task.
pub(crate) async fn reserved(
    call: &Call,
    scope: Option<Scope>,
) -> Result<Option<Reserved>, Box<Reply>> {
    let Some(scope) = scope else {
        return Ok(None);
    };
    let epoch = call.world.fresh_epoch();
    abort_at("before-key");
    let reserved = reserve_in(call, &mut call.world.state(), scope)?;
    if call.world.kept.is_kept() {
        if let Err(trouble) = call.world.kept.settled(epoch).await {
            reserved.release(&mut call.world.state());
            return Err(Box::new(call.problem(trouble.problem())));
        }
        abort_at("after-key");
    }
    Ok(Some(reserved))
}

/// A key that is stored while its request is executed.
pub(crate) struct Reserved {
    scope: String,
    number: u64,
}

impl Reserved {
    /// Refuses to go on where the key is no longer stored for this request: another may have it by now.
    pub(crate) fn check(&self, state: &State) -> Result<(), Problem> {
        if state.keys.holds(&self.scope, self.number) {
            return Ok(());
        }
        Err(Trouble::Gone.problem())
    }

    /// Frees the key, because its request will not be executed.
    pub(crate) fn release(&self, state: &mut State) {
        let keys = &mut state.keys;
        keys.release(&self.scope, self.number, &mut state.changes);
    }

    /// Keeps the answer with the key. Under the same lock as the side effect: nobody sees one without the other.
    pub(crate) fn answered(&self, state: &mut State, reply: &Reply) {
        let keys = &mut state.keys;
        keys.answered(&self.scope, self.number, reply, &mut state.changes);
    }
}

/// The key of a request that may have one.
pub(crate) fn idempotency_key(call: &Call) -> Result<Option<String>, Problem> {
    if !matches!(call.parts.method, Method::POST | Method::PATCH) {
        return Ok(None);
    }
    let Some(value) = call.header("idempotency-key") else {
        let required = call
            .parameter("require_key")
            .is_some_and(|value| value == "1" || value == "true")
            || call.world.state().options.require_idempotency_key;
        return if required {
            Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_required",
                "send an Idempotency-Key header with this request",
            ))
        } else {
            Ok(None)
        };
    };
    checked(value).map(Some)
}

/// A key as a header has it, quoted or bare.
pub(crate) fn checked(value: &[u8]) -> Result<String, Problem> {
    let key = unquoted(value);
    let is_key = (1..=MAX_KEY_BYTES).contains(&key.len())
        && key.iter().all(u8::is_ascii_graphic)
        // A lone quotation mark at an end is what is left of a string that was cut.
        && !key.starts_with(b"\"")
        && !key.ends_with(b"\"");
    match std::str::from_utf8(key) {
        Ok(text) if is_key => Ok(text.into()),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_idempotency_key",
            format!(
                "an Idempotency-Key has 1 to {MAX_KEY_BYTES} visible ASCII characters, and quotation marks at both ends or at none"
            ),
        )),
    }
}

/// What a key belongs to, and what was asked under it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) text: String,
    fingerprint: [u8; 32],
}

impl Scope {
    /// The key of a tenant for a method and a path, with what is asked.
    pub(crate) fn of(tenant: &str, method: &str, path: &str, key: &str, asked: &[u8]) -> Self {
        Self {
            text: format!("{tenant}\n{method}\n{path}\n{key}"),
            fingerprint: Sha256::digest(asked).into(),
        }
    }

    /// The key of a request, with what it asks.
    pub(crate) fn of_call(call: &Call, identity: &Identity, key: &str, asked: &[u8]) -> Self {
        let method = call.parts.method.as_str();
        Self::of(&identity.tenant, method, call.path(), key, asked)
    }
}

/// Stores a key before anything happens, or answers for it. Under the session's lock.
pub(crate) fn reserve_in(
    call: &Call,
    state: &mut State,
    scope: Scope,
) -> Result<Reserved, Box<Reply>> {
    let now_ns = call.world.clock.now_ns();
    let Scope { text, fingerprint } = scope;
    let keys = &mut state.keys;
    let verdict = keys.reserve(&text, fingerprint, now_ns, &mut state.changes);
    let problem = match verdict {
        Verdict::Execute(number) => {
            return Ok(Reserved {
                scope: text,
                number,
            });
        }
        Verdict::Replay(reply) => {
            return Err(Box::new(
                reply.with(REPLAYED, HeaderValue::from_static("true")),
            ));
        }
        Verdict::InFlight => {
            let problem = Problem::new(
                StatusCode::CONFLICT,
                "idempotency_in_flight",
                "a request with this Idempotency-Key is still in progress; retry it with the same key",
            )
            .retryable(true);
            let retry_after = state.options.retry_after;
            let mut reply = call.problem(problem);
            retry_after.write(&mut reply.headers, NS, now_ns);
            return Err(Box::new(reply));
        }
        Verdict::Reused => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used with another body; use a new key for a new request",
        ),
    };
    Err(Box::new(call.problem(problem)))
}
