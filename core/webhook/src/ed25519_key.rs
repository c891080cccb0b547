//! Ed25519 public keys, verified strictly (RFC 8032, section 5.1.7).

use ed25519_dalek::ed25519::signature::MultipartVerifier as _;
use ed25519_dalek::{Signature, StreamVerifier, VerifyingKey};

use crate::key_error::KeyErrorKind;

/// An Ed25519 public key on which strict verification is possible.
#[derive(Clone)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Result<Self, KeyErrorKind> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyErrorKind::BadPublicKey)?;
        if key.is_weak() {
            return Err(KeyErrorKind::WeakPublicKey);
        }
        // A second encoding of the same point would be a second key for one key pair.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyErrorKind::BadPublicKey);
        }
        Ok(Self(key))
    }

    pub(crate) fn verify(&self, message: &[&[u8]], signature: &[u8; 64]) -> bool {
        strict(signature)
            .is_some_and(|signature| self.0.multipart_verify(message, &signature).is_ok())
    }

    /// A running verification of one signature, or `None` if that signature fits no message.
    pub(crate) fn start(&self, signature: &[u8; 64]) -> Option<StreamVerifier> {
        self.0.verify_stream(&strict(signature)?).ok()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// Refuses signatures whose first half is a point of low order, as strict verifiers do. (That its
/// second half is reduced and that the first is canonical, ed25519-dalek checks itself.)
fn strict(signature: &[u8; 64]) -> Option<Signature> {
    let point = VerifyingKey::from_bytes(signature.first_chunk::<32>()?).ok()?;
    (!point.is_weak()).then(|| Signature::from_bytes(signature))
}
