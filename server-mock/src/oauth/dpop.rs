//! Proofs that the caller holds the key its token is bound to (RFC 9449), checked once each.
//!
//! A proof is fresh when its `iat` is within 5 minutes of the session's clock or of real time: a test that moves the
//! clock to let a token expire does not make its client's own clock wrong. Nonces change every 5 minutes of the
//! session's clock; the one before is still good.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::call::Call;
use crate::clock::{NS, real_now_ns};
use crate::oauth::OAuth;
use crate::oauth::jose::{Jws, encode, thumbprint};
use crate::stable_hash::{mix, stable_hash};

const LEEWAY_S: u64 = 300;
const NONCE_S: u64 = 300;

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofFault {
    Invalid(&'static str),
    /// The server's nonce is missing or too old.
    Nonce,
}

/// The nonce that proofs made now need.
pub(crate) fn nonce(seed: u64, now_ns: u64) -> String {
    nonce_of(seed, now_ns / NS / NONCE_S)
}

fn nonce_of(seed: u64, slot: u64) -> String {
    let hash = stable_hash(&[b"dpop nonce", &seed.to_le_bytes(), &slot.to_le_bytes()]);
    format!("{hash:016x}{:016x}", mix(hash))
}

/// Checks the one `DPoP` header of a call and returns the thumbprint of its key; `None` without a header.
pub(crate) fn proof(
    call: &Call,
    oauth: &mut OAuth,
    seed: u64,
    needs_nonce: bool,
    token: Option<&str>,
) -> Result<Option<String>, ProofFault> {
    let mut headers = call.parts.headers.get_all("dpop").iter();
    let Some(header) = headers.next() else {
        return Ok(None);
    };
    let wrong = |what| Err(ProofFault::Invalid(what));
    if headers.next().is_some() {
        return wrong("there is more than one DPoP header");
    }
    let Some(jws) = header.to_str().ok().and_then(Jws::parse) else {
        return wrong("the DPoP header is no signed token");
    };
    let head = |name: &str| jws.header.get(name);
    if head("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return wrong("typ is not dpop+jwt");
    }
    let Some(jwk) = head("jwk") else {
        return wrong("there is no jwk");
    };
    if jwk.get("d").is_some() {
        return wrong("the jwk contains a private key");
    }
    if !jws.is_signed_by(jwk) {
        return wrong(
            "the signature is not of the key in jwk, or its alg is not ES256, EdDSA, RS256 or PS256",
        );
    }
    let Some(thumbprint) = thumbprint(jwk) else {
        return wrong("the jwk is of no known kind");
    };
    if jws.text("htm") != Some(call.parts.method.as_str()) {
        return wrong("htm is not the request's method");
    }
    let url = call.own_url();
    let meant = jws.text("htu").and_then(|htu| htu.split(['?', '#']).next());
    if !meant.is_some_and(|meant| meant.eq_ignore_ascii_case(&url)) {
        return wrong("htu is not the request's address");
    }
    let now_ns = call.world.clock.now_ns();
    if !jws.number("iat").is_some_and(|iat| is_near(iat, now_ns)) {
        return wrong("iat is not within 5 minutes of now");
    }
    if let Some(token) = token {
        let hash = encode(Sha256::digest(token));
        if jws.text("ath") != Some(hash.as_str()) {
            return wrong("ath is not the hash of the token");
        }
    }
    if needs_nonce {
        let slot = now_ns / NS / NONCE_S;
        let good = [slot, slot.saturating_sub(1)].map(|slot| nonce_of(seed, slot));
        if !jws
            .text("nonce")
            .is_some_and(|nonce| good.iter().any(|good| good == nonce))
        {
            return Err(ProofFault::Nonce);
        }
    }
    let Some(id) = jws.text("jti").filter(|id| (1..=256).contains(&id.len())) else {
        return wrong("jti is missing or too long");
    };
    let once = format!("{thumbprint} {id}");
    if oauth.proofs.contains(&once) {
        return wrong("this proof was used before");
    }
    oauth.proofs.insert(once, ());
    Ok(Some(thumbprint))
}

/// Whether a moment in seconds is within the leeway of the session's clock or of real time.
pub(crate) fn is_near(seconds: u64, now_ns: u64) -> bool {
    [now_ns, real_now_ns()]
        .iter()
        .any(|now| (now / NS).abs_diff(seconds) <= LEEWAY_S)
}
