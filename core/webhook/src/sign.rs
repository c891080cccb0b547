//! Signs webhooks, with one secret or, during a rotation, with several.

use std::error::Error;
use std::fmt;

use crate::key::SignKey;
use crate::key_error::KeyError;
use crate::layout::{MAX_TIMESTAMP, usable_id};
use crate::limits::MAX_MESSAGE_ID;
use crate::plain::Number;
use crate::schemes::standard::{ID, LAYOUT, SIGNATURE, TIMESTAMP};

/// Signs webhooks by Standard Webhooks. Make it once.
#[derive(Clone, Debug)]
pub struct Signer {
    keys: Vec<SignKey>,
}

impl Signer {
    /// A signer with one or several secrets, each `whsec_…` (HMAC, `v1`) or `whsk_…` (Ed25519,
    /// `v1a`). The signature header lists one signature for each, in this order, so that a receiver
    /// who knows any of them is served during a rotation.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for a secret that is empty, too short, of the wrong kind or malformed.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        Ok(Self {
            keys: SignKey::parse_all(LAYOUT.key, secrets)?,
        })
    }

    /// Signs `body`, sent as message `id` at `timestamp` (unix seconds).
    ///
    /// The id stays the same when the message is sent again; the timestamp is that of each attempt.
    /// Send exactly these body bytes.
    ///
    /// # Errors
    ///
    /// [`SignError`] for an id or a timestamp no receiver should accept.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<Signed, SignError> {
        let id = usable_id(id.as_bytes()).ok_or(SignError::BadMessageId)?;
        // Surrounding spaces are not part of a header's value (RFC 9110, section 5.5): they would
        // be signed here and lost on the way.
        if id.trim() != id || id.contains('.') {
            return Err(SignError::BadMessageId);
        }
        if !(0..=MAX_TIMESTAMP).contains(&timestamp) {
            return Err(SignError::BadTimestamp);
        }
        let timestamp = Number(timestamp.unsigned_abs()).to_string();
        let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        let mut signature = String::with_capacity(48 * self.keys.len());
        for key in &self.keys {
            key.sign_into(&message, &LAYOUT.form, &mut signature);
        }
        Ok(Signed {
            id: id.to_owned(),
            timestamp,
            signature,
        })
    }
}

/// The headers to send with a signed body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signed {
    /// The value of `webhook-id`.
    pub id: String,
    /// The value of `webhook-timestamp`.
    pub timestamp: String,
    /// The value of `webhook-signature`.
    pub signature: String,
}

impl Signed {
    /// The three headers as pairs of name and value.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            (ID, &self.id),
            (TIMESTAMP, &self.timestamp),
            (SIGNATURE, &self.signature),
        ]
    }
}

/// Without the signature: whoever reads it in a log could send the message again.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("signature", &format_args!("[redacted]"))
            .finish()
    }
}

/// Why a message cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignError {
    /// The id is empty, too long, has a dot or a control character, or spaces around it.
    BadMessageId,
    /// The timestamp is negative or has more than 11 digits.
    BadTimestamp,
}

impl SignError {
    /// Every variant, for bindings to walk.
    pub const ALL: &[Self] = &[Self::BadMessageId, Self::BadTimestamp];

    /// A stable code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadMessageId => "bad_message_id",
            Self::BadTimestamp => "bad_timestamp",
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMessageId => write!(
                f,
                "message id cannot be signed: expected 1 to {} bytes without \".\", control characters and spaces around it",
                Number::of(MAX_MESSAGE_ID),
            ),
            Self::BadTimestamp => write!(
                f,
                "timestamp cannot be signed: expected unix seconds from 0 to {}, not milliseconds",
                Number(MAX_TIMESTAMP.unsigned_abs()),
            ),
        }
    }
}

impl Error for SignError {}
