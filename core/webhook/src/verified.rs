//! What a verification proved, and what it did not.

use std::fmt;

use crate::Scheme;
use crate::replay::ReplayKey;

/// The signature algorithm that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// A shared secret (`whsec_`), `v1` in Standard Webhooks.
    HmacSha256,
    /// A key pair (`whsk_`, `whpk_`), `v1a` in Standard Webhooks (RFC 8032, strictly checked).
    Ed25519,
}

impl Algorithm {
    /// A stable name for logs: `hmac-sha256` or `ed25519`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How firmly the signature ties the body down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BodyBound {
    /// Every byte of the body is signed.
    Full,
}

impl BodyBound {
    /// A stable name for logs: `full`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
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
}

impl Verified {
    /// The key under which a [`ReplayGuard`](crate::replay::ReplayGuard) remembers this message.
    ///
    /// `sender` is your own name for the endpoint or provider (`"billing"`). Ids are unique only
    /// within one sender; without it, one sender could use up the ids of another.
    #[must_use]
    pub fn replay_key(&self, sender: &str) -> ReplayKey {
        ReplayKey::for_message(
            sender,
            self.scheme,
            self.message_id.as_deref().unwrap_or_default(),
        )
    }
}
