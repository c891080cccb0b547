//! `Content-Digest` (RFC 9530): whether it is that of the body that came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};

use super::fields::bytes_of;
use crate::call::Call;

/// The SHA-256 of the whole body.
pub(super) fn sha256(call: &Call) -> [u8; 32] {
    let known = call.upload.sha256;
    known.unwrap_or_else(|| Sha256::digest(&call.upload.bytes).into())
}

/// The same in base64.
pub(super) fn sha256_base64(call: &Call) -> String {
    STANDARD.encode(sha256(call))
}

/// Whether a `Content-Digest` has a digest that is known here, and each such one is right.
pub(super) fn is_right(call: &Call, header: &str) -> bool {
    let sha_256 = bytes_of(header, "sha-256");
    let sha_512 = bytes_of(header, "sha-512");
    let right_512 = || {
        // Of a body that is not kept only SHA-256 is known.
        call.upload
            .sha256
            .is_none()
            .then(|| Sha512::digest(&call.upload.bytes).to_vec())
    };
    match (sha_256, sha_512) {
        (None, None) => false,
        (said_256, said_512) => {
            said_256.is_none_or(|said| said == sha256(call))
                && said_512.is_none_or(|said| right_512().is_some_and(|right| said == right))
        }
    }
}
