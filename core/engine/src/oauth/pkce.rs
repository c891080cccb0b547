//! The proof key of a login (RFC 7636): who ends a login is who began it. S256 only; `plain` would show the key itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::redact::Secret;

/// 32 random bytes as text: 43 characters of base64url, for verifiers, `state`, nonces and ids.
#[must_use]
pub fn random_text(entropy: &[u8; 32]) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(entropy))
}

/// A proof key: the verifier stays here until the code is exchanged, its hash goes along with the user.
#[derive(Clone, Debug)]
pub struct Pkce {
    verifier: Secret,
    challenge: String,
}

impl Pkce {
    /// A key from 32 random bytes (RFC 7636, section 4.1: at least 256 bits).
    #[must_use]
    pub fn new(entropy: &[u8; 32]) -> Self {
        Self::from_verifier(random_text(entropy))
    }

    /// The key with this verifier.
    #[must_use]
    pub fn from_verifier(verifier: Secret) -> Self {
        let hash: Zeroizing<[u8; 32]> =
            Zeroizing::new(Sha256::digest(verifier.expose().as_bytes()).into());
        Self {
            challenge: URL_SAFE_NO_PAD.encode(*hash),
            verifier,
        }
    }

    /// `code_verifier`.
    #[must_use]
    pub const fn verifier(&self) -> &Secret {
        &self.verifier
    }

    /// `code_challenge`, by the method S256.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B.
        let pkce = Pkce::from_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        assert_eq!(
            pkce.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn verifiers_are_43_characters_that_need_no_escape_and_are_not_shown() {
        let pkce = Pkce::new(&[0xff; 32]);
        let verifier = pkce.verifier().expose();
        assert_eq!(verifier.len(), 43);
        assert!(
            verifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        );
        assert!(!format!("{pkce:?}").contains(verifier));
    }
}
