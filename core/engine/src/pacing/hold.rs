//! What holds a call back, and until when.

use crate::time::Instant;

/// The longest of the waits that stand before a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) until: Instant,
    pub(super) by: HeldBy,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum HeldBy {
    /// A quota of the server that is counted in calls under way: its slot among the counters.
    Calls(usize),
    /// A quota of the server: its slot among the counters.
    Gate(usize),
    /// The user's own quota.
    Local,
    /// A pause, or recovering from it.
    Pause,
    /// The answer to the first call.
    Scout,
}

impl Hold {
    /// The one of two waits that ends later than `now` and than the other.
    pub(super) fn later(
        held: Option<Self>,
        until: Instant,
        by: HeldBy,
        now: Instant,
    ) -> Option<Self> {
        if until > held.map_or(now, |hold| hold.until) {
            Some(Self { until, by })
        } else {
            held
        }
    }
}
