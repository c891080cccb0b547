//! How each scheme writes its secrets, and what such a text becomes. An empty secret, one that is too short and one of another kind
//! are refused here, when they are given.

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::base64::{self, Padding};
use crate::ed25519_key::PublicKey;
use crate::hex;
use crate::hmac_key::HmacKey;
use crate::key::{PUBLIC_PREFIX, SECRET_PREFIX, SIGNING_PREFIX, SignKey, VerifyKey};
use crate::key_error::KeyErrorKind;
use crate::limits::{MAX_SECRET_BYTES, MAX_SECRET_TEXT, MIN_SECRET_BYTES};

/// How a scheme writes its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// Standard Webhooks: `whsec_`, `whpk_` or `whsk_`, then base64.
    Prefixed,
    /// The HMAC key is the text itself, which begins with `prefix`.
    Text {
        algorithm: Algorithm,
        prefix: &'static str,
        /// The fewest bytes.
        least: usize,
    },
    /// The HMAC key is written in base64.
    Base64 { algorithm: Algorithm },
    /// The HMAC key is written in hexadecimal.
    Hex { algorithm: Algorithm },
    /// An Ed25519 key in hexadecimal: the public one of 32 bytes verifies, the seed of 32 bytes signs.
    Ed25519Hex,
    /// An Ed25519 key in base64, as `Ed25519Hex`.
    Ed25519Base64,
    /// HTTP Message Signatures: `whsec_` and base64 for HMAC, `whpk_` (or `whsk_` to sign) and base64 for Ed25519; any other public
    /// key as SubjectPublicKeyInfo in PEM.
    HttpSignature,
    /// An ECDSA key on P-256, as SubjectPublicKeyInfo in base64. Its signatures are in DER.
    #[cfg(feature = "asymmetric")]
    EcdsaSpki,
    /// There is no secret: the keys come with a certificate.
    Certificate,
}

impl KeyForm {
    pub(crate) fn verify_key(self, text: &str) -> Result<VerifyKey, KeyErrorKind> {
        let text = checked(text)?;
        match self {
            Self::Prefixed => match split_prefix(text)? {
                Prefixed::Secret(rest) => hmac_key(rest).map(VerifyKey::Hmac),
                Prefixed::Public(rest) => {
                    PublicKey::new(&*decode_exact(rest)?).map(VerifyKey::Ed25519)
                }
                Prefixed::Signing(_) => Err(KeyErrorKind::SigningKeyCannotVerify),
            },
            Self::Ed25519Hex | Self::Ed25519Base64 => {
                PublicKey::new(&*self.thirty_two(text)?).map(VerifyKey::Ed25519)
            }
            Self::Text { .. } | Self::Base64 { .. } | Self::Hex { .. } => {
                self.shared_secret(text).map(VerifyKey::Hmac)
            }
            Self::HttpSignature => http_signature_key(text),
            #[cfg(feature = "asymmetric")]
            Self::EcdsaSpki => match crate::asymmetric::public_key(&decode(text)?) {
                Some(crate::asymmetric::PublicKey::Ecdsa(key)) => Ok(VerifyKey::Ecdsa(key)),
                _ => Err(KeyErrorKind::BadPublicKey),
            },
            Self::Certificate => Err(KeyErrorKind::NoSecretWanted),
        }
    }

    pub(crate) fn sign_key(self, text: &str) -> Result<SignKey, KeyErrorKind> {
        let text = checked(text)?;
        match self {
            Self::Prefixed => match split_prefix(text)? {
                Prefixed::Secret(rest) => hmac_key(rest).map(SignKey::Hmac),
                Prefixed::Signing(rest) => {
                    let pair = decode_exact::<64>(rest)?;
                    let key = SigningKey::from_keypair_bytes(&pair)
                        .map_err(|_| KeyErrorKind::MismatchedPair)?;
                    Ok(SignKey::Ed25519(Box::new(key)))
                }
                Prefixed::Public(_) => Err(KeyErrorKind::PublicKeyCannotSign),
            },
            Self::Ed25519Hex | Self::Ed25519Base64 => {
                let seed = self.thirty_two(text)?;
                Ok(SignKey::Ed25519(Box::new(SigningKey::from_bytes(&seed))))
            }
            Self::Text { .. } | Self::Base64 { .. } | Self::Hex { .. } => {
                self.shared_secret(text).map(SignKey::Hmac)
            }
            Self::HttpSignature => match split_prefix(text)? {
                Prefixed::Secret(rest) => any_hmac_key(rest).map(SignKey::Hmac),
                _ => Self::Prefixed.sign_key(text),
            },
            // Only their provider signs.
            #[cfg(feature = "asymmetric")]
            Self::EcdsaSpki => Err(KeyErrorKind::PublicKeyCannotSign),
            Self::Certificate => Err(KeyErrorKind::NoSecretWanted),
        }
    }

    /// An HMAC key that is not typed by a prefix. What is plainly another kind of key never becomes one.
    fn shared_secret(self, text: &str) -> Result<HmacKey, KeyErrorKind> {
        if text.starts_with(PUBLIC_PREFIX) || text.starts_with("-----BEGIN") {
            return Err(KeyErrorKind::PublicKeyAsSecret);
        }
        if text.starts_with(SIGNING_PREFIX) {
            return Err(KeyErrorKind::SigningKeyCannotVerify);
        }
        let (algorithm, bytes) = match self {
            Self::Text {
                algorithm,
                prefix,
                least,
            } => {
                let rest = text
                    .strip_prefix(prefix)
                    .ok_or(KeyErrorKind::OtherPrefix { expected: prefix })?;
                if rest.is_empty() {
                    return Err(KeyErrorKind::Empty);
                }
                if text.len() < least {
                    return Err(KeyErrorKind::TooShortText { least });
                }
                (algorithm, Zeroizing::new(text.as_bytes().to_vec()))
            }
            Self::Hex { algorithm } => (algorithm, decode_hex(text)?),
            Self::Base64 { algorithm } => (algorithm, decode(text)?),
            _ => return Err(KeyErrorKind::NoSecretWanted),
        };
        HmacKey::new(algorithm, &bytes).ok_or(KeyErrorKind::TooLong)
    }

    /// The 32 bytes of an Ed25519 key.
    fn thirty_two(self, text: &str) -> Result<Zeroizing<[u8; 32]>, KeyErrorKind> {
        let bytes = if self == Self::Ed25519Hex {
            decode_hex(text)?
        } else {
            decode(text)?
        };
        exact(&bytes)
    }
}

/// Refuses what no scheme's secret is.
fn checked(text: &str) -> Result<&str, KeyErrorKind> {
    if text.trim().is_empty() {
        return Err(KeyErrorKind::Empty);
    }
    // A PEM file ends with a line end.
    let text = if text.trim_start().starts_with("-----BEGIN") {
        text.trim()
    } else {
        text
    };
    if text.trim() != text {
        return Err(KeyErrorKind::Whitespace);
    }
    if text.starts_with("v1,") || text.starts_with("v1a,") {
        return Err(KeyErrorKind::VersionPrefix);
    }
    if text.len() > MAX_SECRET_TEXT {
        return Err(KeyErrorKind::TooLong);
    }
    Ok(text)
}

enum Prefixed<'t> {
    Secret(&'t str),
    Public(&'t str),
    Signing(&'t str),
}

fn split_prefix(text: &str) -> Result<Prefixed<'_>, KeyErrorKind> {
    let (kind, rest): (fn(_) -> _, &str) = if let Some(rest) = text.strip_prefix(SECRET_PREFIX) {
        (Prefixed::Secret, rest)
    } else if let Some(rest) = text.strip_prefix(PUBLIC_PREFIX) {
        (Prefixed::Public, rest)
    } else if let Some(rest) = text.strip_prefix(SIGNING_PREFIX) {
        (Prefixed::Signing, rest)
    } else {
        return Err(KeyErrorKind::UnknownPrefix);
    };
    if rest.is_empty() {
        Err(KeyErrorKind::Empty)
    } else {
        Ok(kind(rest))
    }
}

fn hmac_key(text: &str) -> Result<HmacKey, KeyErrorKind> {
    let bytes = decode(text)?;
    match bytes.len() {
        0..MIN_SECRET_BYTES => Err(KeyErrorKind::TooShort),
        MIN_SECRET_BYTES..=MAX_SECRET_BYTES => {
            HmacKey::new(Algorithm::HmacSha256, &bytes).ok_or(KeyErrorKind::TooLong)
        }
        _ => Err(KeyErrorKind::TooLong),
    }
}

/// An HMAC key of HTTP Message Signatures: no shorter than those of Standard Webhooks. RFC 9421 says no more, so longer ones are taken.
fn any_hmac_key(text: &str) -> Result<HmacKey, KeyErrorKind> {
    let bytes = decode(text)?;
    match bytes.len() {
        0..MIN_SECRET_BYTES => Err(KeyErrorKind::TooShort),
        MIN_SECRET_BYTES..=512 => {
            HmacKey::new(Algorithm::HmacSha256, &bytes).ok_or(KeyErrorKind::TooLong)
        }
        _ => Err(KeyErrorKind::TooLong),
    }
}

fn http_signature_key(text: &str) -> Result<VerifyKey, KeyErrorKind> {
    if text.starts_with("-----BEGIN") {
        return public_key(text);
    }
    match split_prefix(text)? {
        Prefixed::Secret(rest) => any_hmac_key(rest).map(VerifyKey::Hmac),
        _ => KeyForm::Prefixed.verify_key(text),
    }
}

/// A public key as SubjectPublicKeyInfo in PEM.
#[cfg(feature = "asymmetric")]
fn public_key(text: &str) -> Result<VerifyKey, KeyErrorKind> {
    use crate::asymmetric::{self, PublicKey as Public};
    let key = asymmetric::first_block(text.as_bytes(), "PUBLIC KEY")
        .and_then(|der| asymmetric::public_key(&der));
    match key.ok_or(KeyErrorKind::BadPublicKey)? {
        Public::Ecdsa(key) => Ok(VerifyKey::Ecdsa(key.of_fixed_length())),
        Public::Rsa(key) => Ok(VerifyKey::Rsa(key)),
        Public::Ed25519(bytes) => PublicKey::new(&bytes).map(VerifyKey::Ed25519),
    }
}

#[cfg(not(feature = "asymmetric"))]
fn public_key(_: &str) -> Result<VerifyKey, KeyErrorKind> {
    Err(KeyErrorKind::NeedsAsymmetric)
}

fn decode_exact<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, KeyErrorKind> {
    exact(&decode(text)?)
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<Zeroizing<[u8; N]>, KeyErrorKind> {
    match <&[u8; N]>::try_from(bytes) {
        Ok(exact) => Ok(Zeroizing::new(*exact)),
        Err(_) if bytes.len() < N => Err(KeyErrorKind::TooShort),
        Err(_) => Err(KeyErrorKind::TooLong),
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyErrorKind> {
    // Sized up front: growing would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(vec![0; text.len()]);
    let len = base64::decode(text.as_bytes(), Padding::Whole, &mut bytes)
        .ok_or(KeyErrorKind::BadBase64)?;
    bytes.truncate(len);
    Ok(bytes)
}

fn decode_hex(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyErrorKind> {
    let mut bytes = Zeroizing::new(vec![0; text.len()]);
    let len = hex::decode(text.as_bytes(), &mut bytes).ok_or(KeyErrorKind::BadHex)?;
    bytes.truncate(len);
    Ok(bytes)
}
