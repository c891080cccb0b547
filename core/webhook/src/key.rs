//! Turns secrets into keys typed by their prefix, so that a public key can never serve as an HMAC secret.

use std::fmt;

use ed25519_dalek::ed25519::signature::{MultipartSigner as _, MultipartVerifier as _};
use ed25519_dalek::{Signature, SigningKey, StreamVerifier, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::base64::{self, Padding};
use crate::key_error::{KeyError, KeyErrorKind};
use crate::limits::{MAX_SECRET_BYTES, MAX_SECRETS, MIN_SECRET_BYTES};

pub(crate) const SECRET_PREFIX: &str = "whsec_";
pub(crate) const PUBLIC_PREFIX: &str = "whpk_";
pub(crate) const SIGNING_PREFIX: &str = "whsk_";

/// The bytes of an HMAC-SHA256.
pub(crate) type Mac = [u8; 32];

/// An HMAC secret with both of its key blocks already hashed.
#[derive(Clone)]
pub(crate) struct HmacKey {
    keyed: Hmac<Sha256>,
    /// Only for `explain`, which tries other readings of the same secret.
    bytes: Zeroizing<Vec<u8>>,
}

impl HmacKey {
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            keyed: Hmac::new_from_slice(bytes).ok()?,
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// A running MAC with nothing in it yet.
    pub(crate) fn start(&self) -> Hmac<Sha256> {
        self.keyed.clone()
    }

    pub(crate) fn mac(&self, message: &[&[u8]]) -> Zeroizing<Mac> {
        let mut running = self.start();
        for part in message {
            running.update(part);
        }
        finish(running)
    }

    /// The secret as its owner wrote it, `whsec_` and base64. Canonical base64 has one spelling.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(
            SECRET_PREFIX.len() + 4 * MAX_SECRET_BYTES,
        ));
        text.push_str(SECRET_PREFIX);
        base64::encode_into(&self.bytes, &mut text);
        text
    }
}

/// Ends a running MAC.
pub(crate) fn finish(running: Hmac<Sha256>) -> Zeroizing<Mac> {
    let mut output = running.finalize().into_bytes();
    let mac = Zeroizing::new(output.into());
    output.as_mut_slice().zeroize();
    mac
}

/// Whether `expected` is among `candidates`. Looks at all of them, each in constant time.
pub(crate) fn is_among(expected: &Mac, candidates: impl Iterator<Item = Mac>) -> bool {
    let mut found = Choice::from(0);
    for candidate in candidates {
        found |= expected.ct_eq(&candidate);
    }
    found.into()
}

/// An Ed25519 public key on which strict verification is possible (RFC 8032, section 5.1.7).
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

/// A key that verifies.
#[derive(Clone)]
pub(crate) enum VerifyKey {
    Hmac(HmacKey),
    Ed25519(PublicKey),
}

impl VerifyKey {
    fn parse(text: &str) -> Result<Self, KeyErrorKind> {
        match split_prefix(text)? {
            Prefixed::Secret(rest) => hmac_key(rest).map(Self::Hmac),
            Prefixed::Public(rest) => PublicKey::new(&*decode_exact(rest)?).map(Self::Ed25519),
            Prefixed::Signing(_) => Err(KeyErrorKind::SigningKeyCannotVerify),
        }
    }

    /// All secrets of a verifier, at least one.
    pub(crate) fn parse_all<S: AsRef<str>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Self>, KeyError> {
        let keys = parse_each(secrets, Self::parse)?;
        match keys.iter().position(|key| key.is_published_by(&keys)) {
            Some(index) => Err(KeyError::new(KeyErrorKind::PublicKeyAsSecret, index)),
            None => Ok(keys),
        }
    }

    fn is_published_by(&self, keys: &[Self]) -> bool {
        let Self::Hmac(secret) = self else {
            return false;
        };
        keys.iter().any(|key| matches!(key, Self::Ed25519(public) if public.as_bytes().as_slice() == secret.bytes.as_slice()))
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "whsec_[redacted]",
            Self::Ed25519(_) => "whpk_[redacted]",
        })
    }
}

/// A key that signs.
#[derive(Clone)]
pub(crate) enum SignKey {
    Hmac(HmacKey),
    Ed25519(Box<SigningKey>),
}

impl SignKey {
    fn parse(text: &str) -> Result<Self, KeyErrorKind> {
        match split_prefix(text)? {
            Prefixed::Secret(rest) => hmac_key(rest).map(Self::Hmac),
            Prefixed::Signing(rest) => {
                let pair = decode_exact::<64>(rest)?;
                let key = SigningKey::from_keypair_bytes(&pair)
                    .map_err(|_| KeyErrorKind::MismatchedPair)?;
                Ok(Self::Ed25519(Box::new(key)))
            }
            Prefixed::Public(_) => Err(KeyErrorKind::PublicKeyCannotSign),
        }
    }

    /// All secrets of a signer, at least one.
    pub(crate) fn parse_all<S: AsRef<str>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Self>, KeyError> {
        parse_each(secrets, Self::parse)
    }

    /// Appends the token of one signature, `v1,…` or `v1a,…`.
    pub(crate) fn sign_into(&self, message: &[&[u8]], list: &mut String) {
        match self {
            Self::Hmac(key) => {
                list.push_str("v1,");
                base64::encode_into(&*key.mac(message), list);
            }
            Self::Ed25519(key) => {
                list.push_str("v1a,");
                base64::encode_into(&key.multipart_sign(message).to_bytes(), list);
            }
        }
    }
}

impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "whsec_[redacted]",
            Self::Ed25519(_) => "whsk_[redacted]",
        })
    }
}

enum Prefixed<'t> {
    Secret(&'t str),
    Public(&'t str),
    Signing(&'t str),
}

fn split_prefix(text: &str) -> Result<Prefixed<'_>, KeyErrorKind> {
    if text.trim().is_empty() {
        return Err(KeyErrorKind::Empty);
    }
    if text.trim() != text {
        return Err(KeyErrorKind::Whitespace);
    }
    if text.starts_with("v1,") || text.starts_with("v1a,") {
        return Err(KeyErrorKind::VersionPrefix);
    }
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
        MIN_SECRET_BYTES..=MAX_SECRET_BYTES => HmacKey::new(&bytes).ok_or(KeyErrorKind::TooLong),
        _ => Err(KeyErrorKind::TooLong),
    }
}

fn decode_exact<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, KeyErrorKind> {
    let bytes = decode(text)?;
    match <&[u8; N]>::try_from(bytes.as_slice()) {
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

fn parse_each<S: AsRef<str>, K>(
    secrets: impl IntoIterator<Item = S>,
    parse: impl Fn(&str) -> Result<K, KeyErrorKind>,
) -> Result<Vec<K>, KeyError> {
    let mut keys = Vec::new();
    for (index, secret) in secrets.into_iter().enumerate() {
        if index >= MAX_SECRETS {
            return Err(KeyError::new(KeyErrorKind::TooManySecrets, index));
        }
        keys.push(parse(secret.as_ref()).map_err(|kind| KeyError::new(kind, index))?);
    }
    if keys.is_empty() {
        return Err(KeyError::new(KeyErrorKind::NoSecret, 0));
    }
    Ok(keys)
}
