//! ECDSA on P-256 with SHA-256 (FIPS 186-5, section 6).

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{DerSignature, Signature, VerifyingKey};

/// A point on the curve, which is what a public key is.
#[derive(Clone)]
pub(crate) struct EcdsaKey(VerifyingKey);

impl EcdsaKey {
    /// Reads an uncompressed point (SEC 1, section 2.3.3). `None`: not on the curve, infinity, compressed, or not a point at all.
    pub(crate) fn from_point(point: &[u8]) -> Option<Self> {
        // One key, one spelling.
        matches!(point, [4, rest @ ..] if rest.len() == 64)
            .then(|| VerifyingKey::from_sec1_bytes(point).ok())
            .flatten()
            .map(Self)
    }

    /// Whether `signature`, in strict DER as SendGrid sends it, is this key's over what has the SHA-256 `digest`.
    pub(crate) fn verify_der(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        DerSignature::from_bytes(signature)
            .is_ok_and(|signature| self.0.verify_prehash(digest, &signature).is_ok())
    }

    /// Whether `signature`, `r` and `s` of 32 bytes each as RFC 9421 has it (section 3.3.4), is this key's over what has the
    /// SHA-256 `digest`.
    pub(crate) fn verify_fixed(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_prehash(digest, &signature).is_ok())
    }
}
