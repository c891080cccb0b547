//! Handles each message once: reserve its id, run the handler, then commit or release.
//!
//! | State | On | Becomes | `reserve` in that state answers | Test |
//! |---|---|---|---|---|
//! | unknown | `reserve` | held, until the lease ends | [`Reserve::New`] | `a_committed_message_is_done_until_the_retention_ends` |
//! | held | `commit` | done, until the retention ends | [`Reserve::InProgress`] | the same |
//! | held | `release` (the handler failed) | unknown | | `a_released_message_can_be_tried_again_at_once` |
//! | held | the lease ends (the handler crashed) | unknown | | `a_crashed_handler_is_given_up_when_its_lease_ends` |
//! | done | the retention ends | unknown | [`Reserve::AlreadyDone`] | the first again |
//! | done | the store is full, the replay window over | unknown | | `a_full_store_forgets_the_oldest_that_nobody_can_replay` |
//!
//! A reservation whose lease ended can settle nothing any more ([`Settled::Lost`]), so a slow first
//! handler cannot undo the second one's work.
//!
//! ```
//! use gatewright_webhook::replay::{MemoryReplayGuard, ReplayGuard, Reserve};
//! # use gatewright_webhook::{Signer, Webhook};
//! # fn handle(_: &[u8]) -> Result<(), ()> { Ok(()) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! # let (body, now) = (b"{}".as_slice(), 1_614_265_330);
//! # let signed = Signer::new([secret])?.sign("msg_1", now, body)?;
//! # let headers = signed.headers();
//! # let webhook = Webhook::new([secret])?;
//! let guard = MemoryReplayGuard::new();
//!
//! let verified = webhook.verify(body, &headers, now)?;
//! let status = match guard.reserve(&verified.replay_key("billing"), now)? {
//!     Reserve::New(reservation) => match handle(body) {
//!         Ok(()) => { guard.commit(reservation, now)?; 200 }
//!         Err(_) => { guard.release(reservation, now)?; 500 } // the sender will try again
//!     },
//!     Reserve::AlreadyDone => 200,                            // say so again, do nothing
//!     Reserve::InProgress { .. } | Reserve::Full => 503,      // the sender will try again
//! };
//! # assert_eq!(status, 200);
//! # Ok(())
//! # }
//! ```

mod asynchronous;
pub use asynchronous::AsyncReplayGuard;

mod memory;
pub use memory::MemoryReplayGuard;

pub mod sql;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::Scheme;

/// What a guard remembers of one message: a hash of the sender's name and the signed id.
///
/// Its `Display` is 64 hexadecimal digits, fit for a key in Redis or a column in SQL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayKey([u8; 32]);

impl ReplayKey {
    /// The key of the message that `sender` (your own name for it) gave the signed id `message_id`.
    ///
    /// The algorithm and the secret are no part of it: the retry of one message may be signed with
    /// another secret.
    #[must_use]
    pub fn for_message(sender: &str, scheme: Scheme, message_id: &str) -> Self {
        Self::of_parts(&[
            sender.as_bytes(),
            scheme.name().as_bytes(),
            message_id.as_bytes(),
        ])
    }

    /// The key of a message without a signed id, of what [`Verified`](crate::Verified) says of it. For the bindings of this project.
    #[doc(hidden)]
    #[must_use]
    pub fn of_signed_hash(
        sender: &str,
        scheme: Scheme,
        timestamp: Option<i64>,
        hash: &[u8; 32],
    ) -> Self {
        let time = timestamp.unwrap_or_default().to_be_bytes();
        Self::for_signed(sender, scheme, &[&time, hash])
    }

    /// The key of a message without a signed id.
    pub(crate) fn for_signed(sender: &str, scheme: Scheme, signed: &[&[u8]; 2]) -> Self {
        let [time, content] = signed;
        // One part more than with an id, so that no id is ever taken for it.
        Self::of_parts(&[sender.as_bytes(), scheme.name().as_bytes(), time, content])
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Its length first, so that no two lists of parts run together into one text.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads what `Display` wrote, for stores and languages that have keys as texts.
impl FromStr for ReplayKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut key = [0; 32];
        match crate::hex::decode(text.as_bytes(), &mut key) {
            Some(32) => Ok(Self(key)),
            _ => Err(NotAKey),
        }
    }
}

/// A text that is no [`ReplayKey`]: not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAKey;

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a replay key is 64 hexadecimal digits")
    }
}

impl std::error::Error for NotAKey {}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplayKey({self})")
    }
}

/// Remembers which messages were handled. Each method must be atomic among all users of the store.
pub trait ReplayGuard {
    /// What can go wrong with the store; `Infallible` in memory.
    type Error;

    /// Asks for the message at `now` (unix seconds).
    ///
    /// # Errors
    ///
    /// The store's. Answer the sender 503, so that it tries again.
    fn reserve(&self, key: &ReplayKey, now: i64) -> Result<Reserve, Self::Error>;

    /// The handler succeeded: the message is done.
    ///
    /// # Errors
    ///
    /// The store's.
    fn commit(&self, reservation: Reservation, now: i64) -> Result<Settled, Self::Error>;

    /// The handler failed: the message may be tried again at once.
    ///
    /// # Errors
    ///
    /// The store's.
    fn release(&self, reservation: Reservation, now: i64) -> Result<Settled, Self::Error>;
}

/// The answer to [`ReplayGuard::reserve`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Reserve {
    /// Never seen, or its handler failed: handle it now, then commit or release.
    New(Reservation),
    /// Another handler has it now. Answer 503: should that one fail, the sender tries again.
    InProgress {
        /// Unix seconds at which that handler is taken for crashed.
        until: i64,
    },
    /// Already handled. Answer 200 and do nothing.
    AlreadyDone,
    /// The store has no room for more. Answer 503.
    Full,
}

/// The right to handle one message, until its lease ends.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "commit or release it, or the message waits until its lease ends"]
pub struct Reservation {
    key: ReplayKey,
    token: u64,
}

impl Reservation {
    /// For implementers of [`ReplayGuard`]: a reservation of `key`, whose `token` no other
    /// reservation of that key ever had.
    pub const fn new(key: ReplayKey, token: u64) -> Self {
        Self { key, token }
    }

    /// The message.
    #[must_use]
    pub const fn key(&self) -> &ReplayKey {
        &self.key
    }

    /// What tells this reservation from an earlier or later one of the same message.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }
}

/// The answer to [`ReplayGuard::commit`] and [`ReplayGuard::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Settled {
    /// As asked.
    Settled,
    /// The lease had ended: another handler may have the message now, or have handled it.
    Lost,
}

/// Whole seconds, at most 3000 years, so that every end keeps its distance from every other.
fn seconds(duration: Duration) -> i64 {
    const MOST: i64 = 100_000_000_000;
    i64::try_from(duration.as_secs()).unwrap_or(MOST).min(MOST)
}
