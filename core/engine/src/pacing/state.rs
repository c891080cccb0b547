//! What a pacer knows, as values for people: `client.state()`.

use std::time::Duration;

use super::LocalQuota;
use super::bucket::Bucket;
use crate::limits::Unit;
use crate::time::Instant;

/// What a pacer knows and does at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PacerState {
    /// The quotas that calls must pass.
    pub gates: Vec<GateState>,
    /// Calls sent and not yet answered.
    pub in_flight: u32,
    /// Time until the pause that a 429 or `Retry-After` asked for is over.
    pub paused_for: Option<Duration>,
    /// Calls that wait.
    pub queued: usize,
    /// One call goes ahead to learn the limits, the others wait for its answer.
    pub scouting: bool,
}

/// What is known of one quota.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GateState {
    /// The server's name for it; `local` for the quota that the user set.
    pub policy: String,
    /// Which of the server's counters it is.
    pub partition_key: Option<Vec<u8>>,
    /// How it comes back.
    pub model: GateModel,
    /// Calls in a window.
    pub limit: u64,
    /// The window's length, where it is told.
    pub window: Option<Duration>,
    /// Calls that may go now.
    pub remaining: u64,
    /// Time until the next call may go.
    pub next_in: Duration,
    /// Time until the reset, where it is reset as a whole.
    pub resets_in: Option<Duration>,
    /// Others were seen to take from it.
    pub shared: bool,
    /// What it counts.
    pub unit: Unit,
    /// Time until a pause of its calls is over that a 429 or `Retry-After` asked for.
    pub paused_for: Option<Duration>,
}

impl GateState {
    /// One of which nothing else is known.
    pub(super) fn of(model: GateModel, limit: u64) -> Self {
        Self {
            policy: String::new(),
            partition_key: None,
            model,
            limit,
            window: None,
            remaining: 0,
            next_in: Duration::ZERO,
            resets_in: None,
            shared: false,
            unit: Unit::Requests,
            paused_for: None,
        }
    }

    pub(super) fn local(quota: LocalQuota, bucket: &Bucket, now: Instant) -> Self {
        Self {
            policy: "local".to_owned(),
            window: Some(quota.per()),
            remaining: bucket.left(now),
            next_in: bucket.ready_at(0).since(now),
            ..Self::of(GateModel::Local, quota.limit().get().into())
        }
    }
}

/// How a quota comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateModel {
    /// Calls in progress: one comes back when one ends.
    Concurrent,
    /// Call by call (token bucket, GCRA).
    Continuous,
    /// Set by the user; comes back call by call.
    Local,
    /// Not counted in calls: `remaining` is what the server last said.
    Reported,
    /// As a whole, at its reset.
    Window,
}
