//! Makes new secrets and key pairs from random bytes the caller brings.

use std::fmt;

use ed25519_dalek::SigningKey;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::base64;
use crate::key::{PUBLIC_PREFIX, SECRET_PREFIX, SIGNING_PREFIX};
use crate::key_error::{KeyError, KeyErrorKind};
use crate::limits::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};

/// A secret as text (`whsec_…`, `whsk_…`). Redacted in `Debug`, without `Display`, zeroed when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl ZeroizeOnDrop for SecretText {}

impl SecretText {
    fn encode(prefix: &str, bytes: &[u8]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(
            prefix.len() + base64::encoded_len(bytes.len()),
        ));
        text.push_str(prefix);
        base64::encode_into(bytes, &mut text);
        Self(text)
    }

    /// The text itself, to be stored or shown to its owner once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}

/// A new Ed25519 key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPair {
    /// `whsk_…`, for the sender alone.
    pub signing: SecretText,
    /// `whpk_…`, for every receiver.
    pub public: String,
}

/// A new `whsec_` secret from 24 to 64 bytes of a cryptographic random source.
///
/// # Errors
///
/// [`KeyErrorKind::TooShort`] or [`KeyErrorKind::TooLong`].
pub fn generate_secret(random: &[u8]) -> Result<SecretText, KeyError> {
    match random.len() {
        0..MIN_SECRET_BYTES => Err(KeyError::new(KeyErrorKind::TooShort, 0)),
        MIN_SECRET_BYTES..=MAX_SECRET_BYTES => Ok(SecretText::encode(SECRET_PREFIX, random)),
        _ => Err(KeyError::new(KeyErrorKind::TooLong, 0)),
    }
}

/// A new key pair from 32 bytes of a cryptographic random source.
#[must_use]
pub fn generate_key_pair(random: &[u8; 32]) -> KeyPair {
    let key = SigningKey::from_bytes(random);
    let pair = Zeroizing::new(key.to_keypair_bytes());
    let mut public = PUBLIC_PREFIX.to_owned();
    base64::encode_into(key.verifying_key().as_bytes(), &mut public);
    KeyPair {
        signing: SecretText::encode(SIGNING_PREFIX, pair.as_slice()),
        public,
    }
}
