//! The beginning of a login: the attempt is remembered, the browser gets its cookie and is sent to the provider.

use http::StatusCode;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::call::Call;
use crate::clock::MS;
use crate::login::plan::{Plan, failed, plan};
use crate::login::{Answer, cookies, problem, provider_name, redirect};
use crate::oauth::jose::encode;
use crate::world::State;

/// A login that is under way.
pub(super) struct Attempt {
    pub(super) plan: Plan,
    pub(super) redirect_uri: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// What the browser's cookie says.
    pub(super) browser: String,
    /// Where the browser goes in the end: a path of the gateway.
    pub(super) return_to: String,
    pub(super) expires_ns: u64,
}

/// Where a browser is sent to that said nothing else.
const SESSION_PATH: &str = "/login/session";

pub(super) async fn begin(call: &Call) -> Answer {
    let provider = provider_name(call);
    let session = provider.split_once('~').map(|(_, session)| session);
    let return_to = match call.parameter("return_to") {
        None => session.map_or(SESSION_PATH.into(), |name| format!("{SESSION_PATH}~{name}")),
        Some(path) if is_own_path(&path) => path,
        Some(_) => {
            return Err(problem(
                StatusCode::BAD_REQUEST,
                "invalid_return_to",
                "return_to must be a path of this gateway that begins with one /",
            ));
        }
    };
    let plan = plan(call, provider).await?;
    let redirect_uri = format!("{}/login/{provider}/callback", call.origin());
    let now_ns = call.world.clock.now_ns();
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = std::sync::Arc::clone(&state.options);
    let mut fresh = || secret(state, plan.own);
    let (name, nonce, verifier, browser) = (fresh()?, fresh()?, fresh()?, fresh()?);
    let mut to = Url::parse(&plan.authorization_endpoint)
        .map_err(|_| failed("its authorization endpoint is no address"))?;
    to.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &plan.client_id)
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("scope", &plan.scopes.join(" "))
        .append_pair("state", &name)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &encode(Sha256::digest(&verifier)))
        .append_pair("code_challenge_method", "S256");
    let ttl_ms = options.login.attempt_ttl_ms;
    let cookie = cookies::of_attempt(&name);
    let cookie = cookies::set(call, &cookie, &browser, "/login", ttl_ms.div_ceil(1_000));
    let attempt = Attempt {
        plan,
        redirect_uri,
        nonce,
        verifier,
        browser,
        return_to,
        expires_ns: now_ns.saturating_add(ttl_ms.saturating_mul(MS)),
    };
    state.logins.attempts.insert(name, attempt);
    Ok(redirect(StatusCode::FOUND, to.as_str(), &[cookie]))
}

/// 43 characters that nobody guesses: of the system's randomness, and at the gateway's own providers of the session's
/// seed, so that a test is the same each time.
pub(super) fn secret(state: &mut State, own: bool) -> Result<String, Box<crate::problem::Problem>> {
    use ring::rand::SecureRandom as _;
    if own {
        let seed = state.options.seed;
        let text = state.oauth.tokens.secret("login ", seed);
        return Ok(encode(Sha256::digest(text)));
    }
    let mut bytes = [0; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| {
            let what = "the system gives no random bytes";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", what)
        })?;
    Ok(encode(bytes))
}

/// The longest path to come back to.
pub(super) const MAX_OWN_PATH: usize = 2_048;
/// What [`is_own_path`] takes, as a regular expression.
pub(super) const OWN_PATH_PATTERN: &str = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$";

/// A path of this origin: browsers read `//` and `/\` as another host.
fn is_own_path(path: &str) -> bool {
    path.len() <= MAX_OWN_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        assert!(is_own_path("/login/session") && is_own_path("/a?b=c"));
        for bad in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\n",
        ] {
            assert!(!is_own_path(bad), "{bad:?}");
        }
    }
}
