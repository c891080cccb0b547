//! SHA-2, HMAC, and `Content-Digest` (RFC 9530).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

/// A hash of the SHA-2 family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 of `bytes` in base64url, as JOSE writes it.
#[must_use]
pub fn sha256_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(sha256(bytes))
}

/// The HMAC of `message` (RFC 2104).
#[must_use]
pub fn hmac(algorithm: HashAlgorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length is fine, so neither fails.
    match algorithm {
        HashAlgorithm::Sha256 => Hmac::<Sha256>::new_from_slice(key)
            .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
        HashAlgorithm::Sha512 => Hmac::<Sha512>::new_from_slice(key)
            .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
    }
    .unwrap_or_default()
}

/// The value of `Content-Digest` (RFC 9530, section 2).
#[must_use]
pub fn content_digest(algorithm: HashAlgorithm, body: &[u8]) -> String {
    match algorithm {
        HashAlgorithm::Sha256 => format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body))),
        HashAlgorithm::Sha512 => format!("sha-512=:{}:", STANDARD.encode(Sha512::digest(body))),
    }
}

/// Bytes in hexadecimal, in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_digests_are_those_of_the_rfcs() {
        // RFC 9421, appendix B.2; RFC 9530, appendix D.
        assert_eq!(
            content_digest(HashAlgorithm::Sha512, br#"{"hello": "world"}"#),
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
        );
        assert_eq!(
            content_digest(HashAlgorithm::Sha256, br#"{"hello": "world"}"#),
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
        );
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        // Test case 2.
        let mac = |algorithm| hex(&hmac(algorithm, b"Jefe", b"what do ya want for nothing?"));
        assert_eq!(
            mac(HashAlgorithm::Sha256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            mac(HashAlgorithm::Sha512),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
    }
}
