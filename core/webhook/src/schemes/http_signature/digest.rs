//! `Content-Digest` (RFC 9530), recomputed: without that a covered digest says nothing about the body.

use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::structured::byte_sequences;

/// The most digests in one field. There are two that count.
const MOST: usize = 8;

/// What the field says about a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// Every digest of a known hash is that of the body, and there is one.
    Fits,
    /// One is that of another body, or the field is malformed.
    Wrong,
    /// No hash that is known and not broken: MD5, SHA-1, `unixsum` and the like prove nothing.
    Unknown,
}

/// Checks a field's value against a body.
pub(crate) fn check(field: &[u8], body: &[u8]) -> Digest {
    let Some(members) = byte_sequences(field, MOST) else {
        return Digest::Wrong;
    };
    let mut verdict = Digest::Unknown;
    for (name, digest) in members {
        let fits = match name.as_str() {
            "sha-256" => Sha256::digest(body).as_slice().ct_eq(&digest),
            "sha-512" => Sha512::digest(body).as_slice().ct_eq(&digest),
            _ => continue,
        };
        if !bool::from(fits) {
            return Digest::Wrong;
        }
        verdict = Digest::Fits;
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::{Digest, check};

    #[test]
    fn digests_are_those_of_the_rfcs() {
        // RFC 9530, appendix D; RFC 9421, appendix B.2.
        const BODY: &[u8] = br#"{"hello": "world"}"#;
        const SHA_256: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        const SHA_512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        let both = format!("{SHA_256}, {SHA_512}");
        let other = SHA_512.replace("WZ", "WY");
        for (field, expected) in [
            (SHA_256, Digest::Fits),
            (SHA_512, Digest::Fits),
            (&both, Digest::Fits),
            (&format!("md5=:AAAA:, {SHA_256}"), Digest::Fits),
            (&other, Digest::Wrong),
            (&format!("{SHA_256}, {other}"), Digest::Wrong),
            ("sha-256=:AA==:", Digest::Wrong),
            ("sha-256=::", Digest::Wrong),
            ("sha-256", Digest::Wrong),
            ("md5=:AAAA:", Digest::Unknown),
            ("", Digest::Unknown),
        ] {
            assert_eq!(check(field.as_bytes(), BODY), expected, "{field}");
        }
        assert_eq!(check(SHA_256.as_bytes(), b"{}"), Digest::Wrong);
    }
}
