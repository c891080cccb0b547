//! ECDSA on P-256 with SHA-256 (FIPS 186-5, section 6).

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{DerSignature, Signature, VerifyingKey};

/// A point on the curve, which is what a public key is, and how its owner writes signatures.
#[derive(Clone)]
pub(crate) struct EcdsaKey {
    point: VerifyingKey,
    fixed: bool,
}

impl EcdsaKey {
    /// Reads an uncompressed point (SEC 1, section 2.3.3), whose signatures are in DER. `None`: not on the curve, infinity, compressed,
    /// or not a point at all.
    pub(crate) fn from_point(point: &[u8]) -> Option<Self> {
        // One key, one spelling.
        let [4, coordinates @ ..] = point else {
            return None;
        };
        if coordinates.len() != 64 {
            return None;
        }
        let point = VerifyingKey::from_sec1_bytes(point).ok()?;
        Some(Self {
            point,
            fixed: false,
        })
    }

    /// The same key, whose signatures are `r` and `s` of 32 bytes each (RFC 9421, section 3.3.4).
    pub(crate) fn of_fixed_length(self) -> Self {
        Self {
            fixed: true,
            ..self
        }
    }

    /// Whether `signature` is this key's over what has the SHA-256 `digest`. DER is read strictly: what is written in another way is
    /// refused.
    pub(crate) fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        if self.fixed {
            Signature::from_slice(signature)
                .is_ok_and(|signature| self.point.verify_prehash(digest, &signature).is_ok())
        } else {
            DerSignature::from_bytes(signature)
                .is_ok_and(|signature| self.point.verify_prehash(digest, &signature).is_ok())
        }
    }
}
