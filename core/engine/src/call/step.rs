//! What goes in and out of a call: facts and limits in, steps out, answers and failures back in.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::breaker::Seen;
use crate::defaults;
use crate::error::{ErrorKind, Retryability};
use crate::pacing::WaitReason;
use crate::problem::Problem;
use crate::retry::{FailureClass, NoRetry};
use crate::time::Instant;

/// What the decisions need to know of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    /// The method is idempotent, or the request carries an idempotency key.
    pub repeatable: bool,
    /// The body can be sent again (it is empty, in memory, or can be made anew).
    pub replayable: bool,
    /// The credential is a token that can be fetched anew.
    pub refreshable: bool,
}

/// What bounds one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// The deadline of everything, from the call's start. `None`: no deadline.
    pub timeout: Option<Duration>,
    /// From sending an attempt to its response head.
    pub attempt_timeout: Option<Duration>,
    /// Attempts in all; `None`: as the policy says.
    pub max_attempts: Option<u32>,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            timeout: Some(defaults::TIMEOUT),
            attempt_timeout: Some(defaults::ATTEMPT_TIMEOUT),
            max_attempts: None,
        }
    }
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send attempt `number`; give up on its response head at `timeout_at`.
    Send {
        /// 1 for the first.
        number: u32,
        /// When the attempt (or the call) times out.
        timeout_at: Instant,
    },
    /// Ask again at `until`, or when the waker is woken.
    Wait {
        /// When.
        until: Instant,
    },
    /// Take a permit of the shared quota, then [`Call::on_quota`](super::Call::on_quota).
    TakeQuota,
    /// Fetch a token (one fetch at a time, see `token.rs`), then [`Call::on_token`](super::Call::on_token).
    RefreshToken,
    /// The call is over.
    Done(Done),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// The last answer goes to the caller.
    Return,
    /// It failed.
    Fail(Failed),
}

/// A failed call, as far as the engine knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// What kind of error.
    pub kind: ErrorKind,
    /// Whether the same call could end differently.
    pub retryability: Retryability,
    /// Why there was no other attempt.
    pub no_retry: Option<NoRetry>,
    /// How long the server asked to wait, or how long the queue is.
    pub retry_after: Option<Duration>,
    /// Why it was held back, where it never was sent.
    pub held_for: Option<WaitReason>,
    /// What the breaker saw that refused it.
    pub breaker: Option<Box<Seen>>,
}

/// An answer, as far as the decisions need it.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its problem details, where it is an error that has them.
    pub problem: Option<&'a Problem>,
}

/// An attempt that brought no complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// The transport's own words, free of secrets.
    pub text: String,
}
