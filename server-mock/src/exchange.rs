//! The data port: takes a request in, records it, chooses its fault, executes it, and sends or withholds the answer.
//!
//! Order, and where a refusal stops: read, record, fault (statuses and cuts before execution), authentication 401,
//! body size 413, scope 403, limits 429, path 404 and method 405, idempotency, the operation, faults on the response.

mod answer;
mod execute;
mod kept;
mod played;
mod preflight;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use answer::{answer, invalid_session, unreadable_session};
use execute::execute;
use kept::{carry_out, fault_kept};
use played::play_out;
use preflight::is_preflight;

use crate::call::{Call, UploadEnd};
use crate::fault::Fault;
use crate::files::FileOp;
use crate::journal::{Arrival, Ending, request_id};
use crate::key::credential;
use crate::logical::Logical;
use crate::noted::Noted;
use crate::op::Op;
use crate::receive::receive;
use crate::reply::Body;
use crate::routes::{route, session_in_path};
use crate::stable_hash::stable_hash;
use crate::wire::Connection;
use crate::world::{DEFAULT_SESSION, NoWorld, World, Worlds};
use crate::{https, problem, signing};

/// The connection ends without a response, as planned.
#[derive(Debug)]
pub(crate) struct NoResponse;

impl std::fmt::Display for NoResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection ends without a response")
    }
}

impl std::error::Error for NoResponse {}

/// Serves one request of a connection.
pub(crate) async fn serve(
    worlds: &Worlds,
    connection: &Connection,
    request: Request<Incoming>,
) -> Result<Response<Body>, NoResponse> {
    let received = Instant::now();
    connection.begin();
    let (mut parts, incoming) = request.into_parts();
    // HTTP/2 says it as `:authority` (RFC 9113, section 8.3.1).
    if !parts.headers.contains_key(HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(HOST, host);
    }
    let world = session_name(&parts).map(|name| worlds.world(&name));
    let world = match world.unwrap_or(Err(NoWorld::InvalidName)) {
        Ok(world) => world,
        Err(NoWorld::InvalidName) => return Ok(invalid_session(parts.uri.path())),
        Err(NoWorld::Unreadable(trouble)) => {
            return Ok(unreadable_session(&trouble, parts.uri.path()));
        }
    };
    let op = if is_preflight(&parts) {
        Op::Preflight
    } else {
        route(&parts.method, parts.uri.path()).op
    };
    let at_ns = world.clock.now_ns();
    let upload = receive(incoming, &parts.headers, op, &world).await;
    let credential = credential(&parts.headers, parts.uri.query());
    let mut call = Call {
        world,
        parts,
        op,
        region: connection.region.clone(),
        via: connection.via.clone(),
        upload,
        credential,
        signature: None,
        request_id: String::new(),
        received,
        at_ns,
        noted: Noted::default(),
    };
    call.world.surroundings.metrics.requests.begin();
    let (seq, logical) = record(&mut call, at_ns, connection.number);
    let _watch = Watch::over(&call.world, seq);
    check_signature(&mut call, seq);
    if call.upload.end == UploadEnd::Broken {
        if is_upload(call.op) {
            // What came of an upload is kept: that is what its offset is for.
            execute(&call, Duration::ZERO).await;
        }
        call.ended(seq, Ending::default());
        return Err(NoResponse);
    }
    if let Some(reply) = https::refusal(&call) {
        return Ok(answer(&call, seq, reply));
    }
    let epoch = call.world.fresh_epoch();
    let fault = match choose_fault(&call, &logical, seq) {
        Ok(fault) => fault,
        Err(problem) => {
            let reply = call.problem(problem);
            return Ok(answer(&call, seq, reply));
        }
    };
    let Some(fault) = fault else {
        let call = Arc::new(call);
        let reply = carry_out(&call, Duration::ZERO).await?;
        return Ok(answer(&call, seq, reply));
    };
    if let Err(reply) = fault_kept(&call, epoch).await {
        return Ok(answer(&call, seq, *reply));
    }
    play_out(call, seq, fault, connection).await
}

/// Notes in the journal when a client leaves before it has its answer: the task that serves it is dropped then.
struct Watch {
    world: Arc<World>,
    seq: u64,
}

impl Watch {
    fn over(world: &Arc<World>, seq: u64) -> Self {
        Self {
            world: Arc::clone(world),
            seq,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.world.journal().left(self.seq);
    }
}

/// Checks the request's signature, once: its nonce is used up whatever becomes of the request.
fn check_signature(call: &mut Call, seq: u64) {
    call.signature = signing::check(call);
    let verdict = match &call.signature {
        None => return,
        Some(Ok(_)) => "valid",
        Some(Err(flaw)) => flaw.told().0,
    };
    call.world.journal().signed(seq, verdict);
    if let Some(Ok(signer)) = &call.signature
        && signer.in_authorization
    {
        // Another signature with each attempt is the same credential.
        call.credential = Some(signer.keyid.clone());
    }
}

/// Whether what came of a broken body counts.
fn is_upload(op: Op) -> bool {
    matches!(op, Op::File(FileOp::Append | FileOp::Create))
}

/// The session in the path, else in the header, else the default.
fn session_name(parts: &Parts) -> Option<Cow<'_, str>> {
    if let Some(name) = session_in_path(parts.uri.path()) {
        return percent_decode_str(name).decode_utf8().ok();
    }
    match parts.headers.get("x-mock-session") {
        None => Some(DEFAULT_SESSION.into()),
        Some(name) => name.to_str().ok().map(Into::into),
    }
}

/// Enters the request in the journal and gives it its id.
fn record(call: &mut Call, at_ns: u64, connection: u64) -> (u64, Logical) {
    let parts = &call.parts;
    let logical = Logical::of(
        &parts.method,
        &parts.uri,
        &parts.headers,
        &call.upload.bytes,
    );
    let (number, attempt, most) = {
        let mut state = call.world.state();
        state.requests += 1;
        let seed = state.options.seed.to_le_bytes();
        let count = state.requests.to_le_bytes();
        let number = match state.life {
            0 => stable_hash(&[&seed, &count]),
            life => stable_hash(&[&seed, &count, &life.to_le_bytes()]),
        };
        let attempt = state.attempts.next(logical.hash()).seen;
        (number, attempt, state.options.journal_entries)
    };
    let arrival = Arrival {
        received: call.received,
        at_ns,
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body: &call.upload.bytes,
        body_length: call.upload.length,
        body_sha256: call.upload.sha256,
        body_complete: call.upload.end == UploadEnd::Complete,
        credential: call.credential.as_deref(),
        op: call.op,
        connection,
        region: call.region.clone(),
        logical: logical.clone(),
        attempt,
        request_id: number,
    };
    let seq = call.world.journal().record(arrival, most);
    call.request_id = request_id(number);
    (seq, logical)
}

fn choose_fault(
    call: &Call,
    logical: &Logical,
    seq: u64,
) -> Result<Option<Fault>, problem::Problem> {
    let fault = {
        let now_ns = call.world.clock.now_ns();
        let mut state = call.world.state();
        match call.parts.headers.get("x-mock-fault") {
            Some(inline) => state
                .rules
                .inline(&String::from_utf8_lossy(inline.as_bytes()), logical)
                .map_err(|error| {
                    problem::Problem::new(
                        StatusCode::BAD_REQUEST,
                        "invalid_fault",
                        error.to_string(),
                    )
                })?,
            None => {
                let method = call.parts.method.as_str();
                let rules = &mut state.rules;
                let region = call.region.as_deref();
                rules.choose((call.op, method, call.path(), region), logical, now_ns)
            }
        }
    };
    let fault = fault.filter(|fault| !fault.is_none());
    if let Some(fault) = &fault {
        let fault = fault.to_string();
        call.world.journal().faulted(seq, &fault);
        call.noted.fault(&fault);
    }
    Ok(fault)
}
