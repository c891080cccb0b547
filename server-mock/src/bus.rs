//! The event bus: topics that keep messages until every consumer group has acknowledged them. Who publishes does not wait for
//! who consumes, and a consumer that dies loses nothing.
//!
//! One trait, [`Bus`], and one suite of claims (`bus/suite.rs`) that every implementation passes:
//!
//! | Bus | Keeps messages | Shared by | Order within a key |
//! |---|---|---|---|
//! | [`memory`] | in memory | tasks of one process | kept |
//! | [`sqlite`] | in a file | processes of one machine | kept |
//! | [`nats`] (feature `nats`) | JetStream, file storage | anybody | of first hand-outs |
//! | [`redis`] (feature `redis`) | Redis Streams | anybody | of first hand-outs |
//!
//! A message in a group:
//!
//! | State | Leaves by | To |
//! |---|---|---|
//! | waiting | `take` | leased, for the topic's lease |
//! | leased | `ack` | gone |
//! | leased | `nack(delay)` | waiting, not handed out before the delay is over |
//! | leased | `extend` | leased, for a whole lease from now |
//! | leased | the lease's end | waiting |
//!
//! Each hand-out counts (`Lease::taken`). The instants of leases and delays are real time: a lease is about a process that
//! may be dead, not about the session's clock.

pub(crate) mod address;
pub(crate) mod link;
pub(crate) mod memory;
#[cfg(feature = "nats")]
pub(crate) mod nats;
#[cfg(feature = "redis")]
pub(crate) mod redis;
pub(crate) mod sqlite;
#[cfg(test)]
#[cfg_attr(
    not(any(feature = "nats", feature = "redis")),
    allow(dead_code, reason = "claims about brokers")
)]
mod suite;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use link::Link;

/// The largest payload of a message, which every bus takes: NATS has 1 MiB by default, with headers.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 768 * 1024;
/// The longest id and key of a message.
pub(crate) const MAX_NAME_BYTES: usize = 256;
/// How long a message id is remembered, so that a second message of the same id is a duplicate.
pub(crate) const DEDUP_WINDOW: Duration = Duration::from_secs(600);

/// What an operation of a bus answers, later.
pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, BusError>>;

/// A stream of messages and who consumes it. Everybody who uses a topic of a bus describes it alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    /// 1 to 64 letters, digits, `-` or `_`.
    pub(crate) name: String,
    /// The consumer groups: each gets every message. Without one messages are not kept.
    pub(crate) groups: Vec<String>,
    /// How long a message belongs to who took it.
    pub(crate) lease: Duration,
    /// Messages it holds; more are refused.
    pub(crate) most: u64,
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Known by it: one published again within [`DEDUP_WINDOW`] is a duplicate. At most 256 bytes.
    pub(crate) id: String,
    /// Messages of one key are in order, where the bus keeps that. At most 256 bytes.
    pub(crate) key: Option<String>,
    /// At most 768 KiB.
    pub(crate) payload: Bytes,
}

/// What became of a message that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// One of this id is known already; nothing was added.
    Duplicate,
    /// Every group will get it.
    Stored,
}

/// Which order a bus keeps among messages of one key, in one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    #[cfg_attr(
        not(any(feature = "nats", feature = "redis")),
        allow(dead_code, reason = "what brokers keep")
    )]
    /// They are handed out for the first time in the order in which they were published; one that was not acknowledged does
    /// not hold up the next.
    FirstHandOut,
    /// The next one is handed out when the one before it was acknowledged.
    PerKey,
}

/// A message that was handed out, for a time.
pub(crate) struct Lease {
    pub(crate) message: Message,
    /// How often it has been handed out in this group, this time included.
    pub(crate) taken: u64,
    pub(crate) held: Box<dyn Held>,
}

/// What the holder of a lease can do. Dropped without any of it, the message is handed out again when the lease ends.
///
/// Whoever has lost the lease is told [`BusError::LeaseLost`], except by NATS, which takes the acknowledgement of a message
/// from anybody who ever held it.
pub(crate) trait Held: Send + Sync {
    /// It is done; this group does not get it again.
    fn ack(&self) -> Answer<'_, ()>;
    /// It is not done: hand it out again after `delay`.
    fn nack(&self, delay: Duration) -> Answer<'_, ()>;
    /// Work goes on: a whole lease from now.
    fn extend(&self) -> Answer<'_, ()>;
}

/// A bus. Operations are bounded in time; one that fails with [`BusError::Away`] may be tried again, the connection comes back
/// by itself. Publishing again under the same id does no harm.
pub(crate) trait Bus: Send + Sync {
    /// Gives a message to every group of the topic. Once it is answered, the message survives what the bus survives.
    fn publish<'a>(&'a self, topic: &'a Topic, message: Message) -> Answer<'a, Published>;
    /// Takes up to `most` messages of a group; waits for the first one, at most for `wait`.
    fn take<'a>(
        &'a self,
        topic: &'a Topic,
        group: &'a str,
        most: usize,
        wait: Duration,
    ) -> Answer<'a, Vec<Lease>>;
    /// Which order it keeps.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "what the suite asks before it claims")
    )]
    fn order(&self) -> Order;
    /// Whether it can be reached, as far as is known.
    fn link(&self) -> &Arc<Link>;
}

/// Why a bus did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BusError {
    /// It cannot be reached, or does not answer in time. What was published may have arrived.
    Away(String),
    /// The topic holds as many messages as it may.
    Full { topic: String, most: u64 },
    /// The message belongs to somebody else by now, or is gone.
    LeaseLost,
    /// It understood and will not do it; trying again does not help.
    Refused(String),
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) => write!(f, "the bus is away: {why}"),
            Self::Full { topic, most } => {
                write!(f, "the topic {topic} is full: it holds {most} messages")
            }
            Self::LeaseLost => f.write_str("the lease has ended; the message belongs to another"),
            Self::Refused(why) => write!(f, "the bus refused: {why}"),
        }
    }
}

impl std::error::Error for BusError {}

impl Message {
    /// Refuses what some bus could not take.
    pub(crate) fn check(&self) -> Result<(), BusError> {
        let names = [Some(&self.id), self.key.as_ref()];
        for name in names.into_iter().flatten() {
            let plain = name.bytes().all(|byte| byte.is_ascii_graphic());
            if name.is_empty() || name.len() > MAX_NAME_BYTES || !plain {
                return Err(BusError::Refused(format!(
                    "a message's id and key are 1 to {MAX_NAME_BYTES} visible ASCII characters"
                )));
            }
        }
        if self.payload.len() > MAX_PAYLOAD_BYTES {
            return Err(BusError::Refused(format!(
                "a message has at most {MAX_PAYLOAD_BYTES} bytes, got {}",
                self.payload.len()
            )));
        }
        Ok(())
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("message", &self.message)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
