//! What a verification proved, and what it did not.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::algorithm::Algorithm;
use crate::key::Fits;
use crate::replay::ReplayKey;
use crate::schemes::Scheme;

/// How firmly the signature ties the body down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BodyBound {
    /// The body is not signed at all: whoever was on the way could have written it.
    None,
    /// Only a CRC-32 of the body is signed: anybody can make another body with the same one.
    Crc32,
    /// What the body says is signed, not how: a form's parameters without what separates them (Twilio), some members of JSON (SNS).
    Fields,
    /// The whole body is signed.
    Full,
}

impl BodyBound {
    /// Every variant, for bindings to walk.
    pub const ALL: &[Self] = &[Self::None, Self::Crc32, Self::Fields, Self::Full];

    /// A stable name for logs: `full`, `fields`, `crc32` or `none`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Crc32 => "crc32",
            Self::Fields => "fields",
            Self::Full => "full",
        }
    }
}

/// A webhook whose signature matched: what was really proven about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How the sender signs.
    pub scheme: Scheme,
    /// The algorithm of the signature that matched.
    pub algorithm: Algorithm,
    /// Which of the configured secrets matched, counted from 0 in the order given.
    pub key_index: usize,
    /// When this attempt was sent, unix seconds. `None` where a scheme has no timestamp.
    pub timestamp: Option<i64>,
    /// The sender's id of the message, the same over its retries. `None` where a scheme has none.
    pub message_id: Option<String>,
    /// How much of the body is signed.
    pub body_bound: BodyBound,
    /// Whether `timestamp` is signed. If not, anybody on the way could have set it.
    pub timestamp_signed: bool,
    /// Whether `message_id` is signed.
    pub id_signed: bool,
    /// Whether the receiving URL is signed.
    pub url_bound: bool,
    /// Set where no id is signed.
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl Verified {
    /// The key under which a [`ReplayGuard`](crate::replay::ReplayGuard) remembers this message.
    ///
    /// It is made of what was signed alone: the id, or, where no id is signed, what the signature covers: the timestamp and the
    /// body. In the latter case a replay has the same key, but a retry of the sender's, signed again with a new timestamp, has
    /// another. To know retries too, use [`ReplayKey::for_message`] with the event's id, read from the verified body.
    ///
    /// `sender` is your own name for the endpoint or provider (`"billing"`). Ids are unique only
    /// within one sender; without it, one sender could use up the ids of another.
    #[must_use]
    pub fn replay_key(&self, sender: &str) -> ReplayKey {
        match &self.fingerprint {
            None => ReplayKey::for_message(
                sender,
                self.scheme,
                self.message_id.as_deref().unwrap_or_default(),
            ),
            Some(Fingerprint(signed)) => {
                ReplayKey::of_signed_hash(sender, self.scheme, self.timestamp, signed)
            }
        }
    }

    /// What [`replay_key`](Self::replay_key) takes where no id is signed. For the bindings of this project, which hand a verdict around
    /// as text; a hash, and no signature.
    #[doc(hidden)]
    #[must_use]
    pub fn signed_hash(&self) -> Option<&[u8; 32]> {
        self.fingerprint.as_ref().map(|Fingerprint(hash)| hash)
    }
}

/// A hash of what was signed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The MAC that fitted is a hash of the message already. A signature by a key pair is not: some can be changed into another
    /// that fits as well, so there the message itself is hashed.
    pub(crate) fn of(fits: &Fits, message: &[&[u8]]) -> Self {
        match &fits.tag {
            Some(tag) => Self::of_mac(tag.as_bytes()),
            None => {
                let mut hash = Sha256::new();
                message.iter().for_each(|part| hash.update(part));
                Self(hash.finalize().into())
            }
        }
    }

    /// Hashed again: what is remembered of a message must not be its signature.
    pub(crate) fn of_mac(mac: &[u8]) -> Self {
        Self(Sha256::digest(mac).into())
    }

    pub(crate) fn of_hash(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
