//! The key in a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7): P-256 (RFC 5480), Ed25519 (RFC 8410), RSA (RFC 3279, and RFC 4055 for PSS).

use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::{EcdsaKey, RsaKey};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// A key of a kind that verifies here.
#[derive(Clone)]
pub(crate) enum PublicKey {
    Ecdsa(EcdsaKey),
    Rsa(RsaKey),
    /// Not looked at yet.
    Ed25519([u8; 32]),
}

/// Reads a key in DER. `None`: not DER, another algorithm or curve, or a key that nobody should use.
pub(crate) fn public_key(der: &[u8]) -> Option<PublicKey> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let key = info.subject_public_key.as_bytes()?;
    match info.algorithm.oid {
        EC_PUBLIC_KEY => {
            let curve = info.algorithm.parameters?.decode_as::<ObjectIdentifier>();
            (curve.ok()? == P256)
                .then(|| EcdsaKey::from_point(key))
                .flatten()
                .map(PublicKey::Ecdsa)
        }
        RSA => {
            let null = info.algorithm.parameters? == AnyRef::NULL;
            null.then(|| rsa_key(key)).flatten()
        }
        // RFC 8410, section 3: there are none.
        ED25519 if info.algorithm.parameters.is_none() => {
            key.try_into().ok().map(PublicKey::Ed25519)
        }
        // With parameters the key would be for one hash and salt only; those who publish such keys leave them out.
        RSA_PSS if info.algorithm.parameters.is_none() => rsa_key(key),
        _ => None,
    }
}

/// `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn rsa_key(der: &[u8]) -> Option<PublicKey> {
    let mut reader = SliceReader::new(der).ok()?;
    let (modulus, exponent) = reader
        .sequence(|numbers| {
            Ok::<_, x509_cert::der::Error>((UintRef::decode(numbers)?, UintRef::decode(numbers)?))
        })
        .ok()?;
    if !reader.is_finished() {
        return None;
    }
    RsaKey::new(modulus.as_bytes(), exponent.as_bytes()).map(PublicKey::Rsa)
}
