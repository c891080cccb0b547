//! Checks signatures of requests: an HMAC scheme in `Authorization`, and HTTP Message Signatures (RFC 9421) with
//! `Content-Digest` (RFC 9530). Nothing here is shared with a client that signs.
//!
//! A request is checked as soon as it has been read, whatever fault it then gets, so that a signature that is sent twice
//! is seen even if its first request was answered 503. A signature is fresh when its time is within 5 minutes of the
//! session's clock or of real time.

use http::header::AUTHORIZATION;

use crate::bounded::Bounded;
use crate::call::{Call, UploadEnd};
use crate::key::Identity;
use crate::op::Op;
use crate::options::Options;

mod base;
mod digest;
mod fields;
mod hmac_scheme;
mod message;
mod settings;

use settings::Found;
pub use settings::{SigningMode, SigningOptions, VerifyingKey};

/// Nonces a session remembers.
const MAX_NONCES: usize = 100_000;
const MAX_NONCE_BYTES: usize = 256;

/// The nonces of signatures that were good.
pub(crate) struct Nonces(Bounded<String, ()>);

impl Default for Nonces {
    fn default() -> Self {
        Self(Bounded::new(MAX_NONCES))
    }
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// `Content-Digest` is not that of the body.
    Digest,
    /// Too old, or from the future.
    Expired,
    /// It does not cover what it has to.
    Incomplete,
    /// It is that of no known key over this request.
    Invalid,
    /// No key has this name.
    KeyUnknown,
    /// It cannot be read.
    Malformed,
    /// There is none, and there has to be one.
    Missing,
    /// A signature with this nonce has been seen.
    NonceReused,
}

impl Flaw {
    /// The code of the 401, and what to do.
    pub(crate) fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Digest => (
                "content_digest_mismatch",
                "Content-Digest is not that of the body",
            ),
            Self::Expired => (
                "signature_expired",
                "the signature's time is not within 5 minutes of now; sign anew",
            ),
            Self::Incomplete => (
                "signature_incomplete",
                "the signature does not cover all it has to, or lacks its time or nonce",
            ),
            Self::Invalid => (
                "signature_invalid",
                "the signature is not that of the key over this request",
            ),
            Self::KeyUnknown => ("signature_key_unknown", "no key has this name"),
            Self::Malformed => ("signature_malformed", "the signature cannot be read"),
            Self::Missing => ("signature_missing", "sign the request"),
            Self::NonceReused => (
                "nonce_reused",
                "a signature with this nonce has been seen; sign each attempt anew",
            ),
        }
    }
}

/// Whose signature it is.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) identity: Identity,
    pub(crate) keyid: String,
    /// Whether it is the request's credential, in `Authorization`.
    pub(crate) in_authorization: bool,
}

/// A signature whose bytes are right; its nonce has not been looked up.
struct Verified {
    key: Found,
    nonce: Option<String>,
    in_authorization: bool,
}

/// Checks the signature of a request; `None` where there is nothing to check.
pub(crate) fn check(call: &Call) -> Option<Result<Signer, Flaw>> {
    let options = std::sync::Arc::clone(&call.world.state().options);
    let own = call.path().starts_with("/v1/") && call.op != Op::Preflight;
    if options.signing.mode == SigningMode::Off || !own || call.upload.end != UploadEnd::Complete {
        return None;
    }
    let verified = match verify(call, &options) {
        Ok(Some(verified)) => verified,
        Ok(None) if options.signing.mode == SigningMode::Required => {
            return Some(Err(Flaw::Missing));
        }
        Ok(None) => return None,
        Err(flaw) => return Some(Err(flaw)),
    };
    match &verified.nonce {
        Some(nonce) => {
            let once = format!("{} {nonce}", verified.key.keyid);
            let mut state = call.world.state();
            if state.nonces.0.contains(&once) {
                return Some(Err(Flaw::NonceReused));
            }
            state.nonces.0.insert(once, ());
        }
        None if options.signing.require_nonce => return Some(Err(Flaw::Incomplete)),
        None => {}
    }
    Some(Ok(Signer {
        identity: verified.key.identity(),
        keyid: verified.key.keyid.clone(),
        in_authorization: verified.in_authorization,
    }))
}

fn verify(call: &Call, options: &Options) -> Result<Option<Verified>, Flaw> {
    let scheme = call
        .parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| hmac_scheme::parameters(value.as_bytes()));
    if let Some(parameters) = scheme {
        return hmac_scheme::verify(call, &options.signing, parameters).map(Some);
    }
    if call.parts.headers.contains_key("signature-input") || call.header("signature").is_some() {
        return message::verify(call, &options.signing).map(Some);
    }
    Ok(None)
}

fn is_nonce(nonce: &str) -> bool {
    (1..=MAX_NONCE_BYTES).contains(&nonce.len())
}
