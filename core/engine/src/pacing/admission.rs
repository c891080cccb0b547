//! What a pacer answers to a call that wants to go.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::Instant;

/// The answer to a call that wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send it now.
    Go,
    /// It misses its deadline if it waits, or the queue is full ([`WaitReason::Queue`]): give up now.
    Refuse {
        /// Time until it could go.
        retry_after: Duration,
        /// What it would wait for.
        reason: WaitReason,
    },
    /// Ask again at `until`, or earlier if woken.
    Wait {
        /// When to ask again; not after the deadline.
        until: Instant,
        /// What it waits for.
        reason: WaitReason,
    },
}

/// What a call waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// The limit of attempts at once that the user set.
    Concurrency,
    /// The quota that the user set.
    LocalQuota,
    /// The end of a pause that the server asked for, or its turn after one.
    Paused,
    /// Those who came before.
    Queue,
    /// A quota of the server.
    Quota {
        /// The server's name for it.
        policy: Arc<str>,
    },
    /// The answer to the first call, which tells the limits.
    Scout,
    /// The quota that several processes share.
    SharedQuota {
        /// What they share it through cannot be reached: this process keeps to its part of the quota by itself.
        away: bool,
    },
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency => f.write_str("limit of calls at once"),
            Self::LocalQuota => f.write_str("local quota"),
            Self::Paused => f.write_str("pause asked for by the server"),
            Self::Queue => f.write_str("calls before it"),
            Self::Quota { policy } => write!(f, "quota {policy:?}"),
            Self::Scout => f.write_str("answer to the first call"),
            Self::SharedQuota { away: false } => f.write_str("shared quota"),
            Self::SharedQuota { away: true } => {
                f.write_str("its part of the shared quota, whose store cannot be reached")
            }
        }
    }
}
