//! RSA signatures (RFC 8017): PKCS #1 v1.5 with SHA-1 or SHA-256, PSS with SHA-512.

use rsa::{BoxedUint, Pss, PublicKey};
use sha1::Sha1;
use sha2::digest::Output;
use sha2::{Digest, Sha256, Sha512};

use crate::algorithm::Algorithm;

/// The sizes of a modulus, in bits: below is too weak (NIST SP 800-131A), above costs a stranger less than us.
pub(crate) const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The salt of `rsa-pss-sha512` (RFC 9421, section 3.3.1), in bytes.
const PSS_SALT: usize = 64;

/// A public key.
#[derive(Clone)]
pub(crate) struct RsaKey(PublicKey);

impl RsaKey {
    /// A key of modulus and exponent, most significant byte first. `None`: of another size, even, or with an exponent so large
    /// that it costs time (more than 33 bits).
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8]| {
            let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
            BoxedUint::from_be_slice(bytes, bits).ok()
        };
        if modulus.len() > MODULUS_BITS.end() / 8 || exponent.len() > 8 {
            return None;
        }
        PublicKey::new_with_size_limits(number(modulus)?, number(exponent)?, MODULUS_BITS)
            .ok()
            .map(Self)
    }

    /// Whether `signature` is this key's over `message` by one of the RSA algorithms.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[&[u8]], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::RsaSha1 => self.verify_pkcs1_sha1(&hash::<Sha1>(message).into(), signature),
            Algorithm::RsaSha256 => {
                self.verify_pkcs1_sha256(&hash::<Sha256>(message).into(), signature)
            }
            Algorithm::RsaPssSha512 => {
                self.verify_pss_sha512(&hash::<Sha512>(message).into(), signature)
            }
            _ => false,
        }
    }

    /// PKCS #1 v1.5 over what has this SHA-1. Only AWS SNS still sends it (`SignatureVersion` 1).
    pub(crate) fn verify_pkcs1_sha1(&self, digest: &[u8; 20], signature: &[u8]) -> bool {
        self.0
            .pkcs1v15_verify_prehash::<Sha1>(digest, signature)
            .is_ok()
    }

    /// PKCS #1 v1.5 over what has this SHA-256.
    pub(crate) fn verify_pkcs1_sha256(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        self.0
            .pkcs1v15_verify_prehash::<Sha256>(digest, signature)
            .is_ok()
    }

    /// PSS over what has this SHA-512, with a salt of 64 bytes.
    pub(crate) fn verify_pss_sha512(&self, digest: &[u8; 64], signature: &[u8]) -> bool {
        let scheme = Pss::<Sha512>::new_with_salt(PSS_SALT);
        self.0.verify(scheme, digest, signature).is_ok()
    }
}

fn hash<D: Digest>(message: &[&[u8]]) -> Output<D> {
    let mut hash = D::new();
    message.iter().for_each(|part| hash.update(part));
    hash.finalize()
}
