//! Who holds an access token, at `/v1` and at the userinfo endpoint.

use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};

use crate::call::Call;
use crate::key::Unauthorized;
use crate::oauth::dpop::{ProofFault, nonce, proof};
use crate::oauth::profile::Profile;
use crate::oauth::tokens::{Access, Rejected};
use crate::oauth::{DPOP_NONCE, OAuthOp, identity, uncached};
use crate::problem;
use crate::reply::Reply;
use crate::world::State;

/// The grant of an access token that is good, with the proof of its key where it is bound to one.
pub(crate) fn holder(state: &mut State, call: &Call, token: &str) -> Result<Access, Unauthorized> {
    let now_ns = call.world.clock.now_ns();
    let access = state.oauth.tokens.access(token, now_ns);
    let access = access.cloned().map_err(|why| match why {
        Rejected::Expired => Unauthorized::TokenExpired,
        Rejected::Revoked => Unauthorized::TokenRevoked,
        Rejected::Unknown => Unauthorized::TokenUnknown,
    })?;
    let header = call.parts.headers.get(AUTHORIZATION);
    let with_dpop = header.is_some_and(|value| {
        let scheme = value.as_bytes().get(..5);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop "))
    });
    let Some(key) = &access.grant.key else {
        // A token that is not bound says nothing with the DPoP scheme (RFC 9449, section 7.1).
        return if with_dpop {
            Err(Unauthorized::ProofInvalid)
        } else {
            Ok(access)
        };
    };
    if !with_dpop {
        return Err(Unauthorized::ProofMissing);
    }
    let (seed, needs_nonce) = (state.options.seed, state.options.oauth.dpop_nonce);
    match proof(call, &mut state.oauth, seed, needs_nonce, Some(token)) {
        Ok(Some(proven)) if proven == *key => Ok(access),
        Ok(None) => Err(Unauthorized::ProofMissing),
        Ok(Some(_)) | Err(ProofFault::Invalid(_)) => Err(Unauthorized::ProofInvalid),
        Err(ProofFault::Nonce) => Err(Unauthorized::ProofNonce),
    }
}

/// Who the user of a token is, as the provider says it.
pub(crate) fn userinfo(call: &Call, profile: &Profile, op: OAuthOp) -> Reply {
    let mut state = call.world.state();
    let token = call.credential.as_deref().unwrap_or_default();
    let held = if token.is_empty() {
        Err(Unauthorized::Missing)
    } else {
        holder(&mut state, call, token)
    };
    let new_nonce = state
        .options
        .oauth
        .dpop_nonce
        .then(|| nonce(state.options.seed, call.world.clock.now_ns()));
    drop(state);
    let reply = match held {
        Err(why) => {
            let (problem, challenge) = problem::unauthorized(why);
            problem::challenged(call.problem(problem), challenge)
        }
        Ok(access) => {
            let needed = identity::needed_scope(profile);
            let may = needed.is_none_or(|scope| identity::has(&access.grant, scope));
            if may && access.grant.subject.is_some() {
                let info = match op {
                    OAuthOp::Emails => identity::emails(),
                    _ => identity::userinfo(profile, &access.grant),
                };
                uncached(Reply::json(StatusCode::OK, &info))
            } else {
                let (problem, challenge) = problem::insufficient_scope(needed.unwrap_or("user"));
                problem::challenged(call.problem(problem), &challenge)
            }
        }
    };
    match new_nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        Some(nonce) => reply.with(DPOP_NONCE, nonce),
        None => reply,
    }
}
