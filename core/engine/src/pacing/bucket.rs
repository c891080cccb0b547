//! A bucket that refills evenly, kept as the instant at which it will be full again (generic cell rate algorithm).
//!
//! All in whole nanoseconds: a call takes exactly one interval, so that nothing drifts however many calls there are.

use crate::time::Instant;

/// `nanos` after `at`, saturating.
pub(crate) fn after(at: Instant, nanos: u64) -> Instant {
    Instant::from_nanos(at.as_nanos().saturating_add(nanos))
}

/// `nanos` before `at`, saturating at the origin.
pub(super) fn before(at: Instant, nanos: u64) -> Instant {
    Instant::from_nanos(at.as_nanos().saturating_sub(nanos))
}

/// Calls that fit, and when they come back.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    /// Time in which one call comes back; at least 1 ns.
    pub(super) interval: u64,
    /// Calls that fit when it is full; at least 1.
    pub(super) capacity: u64,
    /// When it is full again if nothing more is taken.
    pub(super) full_at: Instant,
}

impl Bucket {
    /// A full bucket that gets `quota` calls in `window` nanoseconds and holds `capacity`.
    pub(crate) fn new(quota: u64, window: u64, capacity: u64) -> Self {
        // Rounded up: a refill that is a nanosecond late is never refused.
        let interval = window.div_ceil(quota.max(1)).max(1);
        Self {
            interval,
            capacity: capacity.max(1),
            full_at: Instant::ORIGIN,
        }
    }

    /// A bucket that is empty at `at` and gets a call each `interval` from then on.
    pub(crate) fn empty(interval: u64, capacity: u64, at: Instant) -> Self {
        let (interval, capacity) = (interval.max(1), capacity.max(1));
        Self {
            interval,
            capacity,
            full_at: after(at, interval.saturating_mul(capacity)),
        }
    }

    /// The time in which `calls` come back.
    pub(super) fn time_for(&self, calls: u64) -> u64 {
        self.interval.saturating_mul(calls)
    }

    /// When a call may be taken that has `ahead` others before it.
    pub(crate) fn ready_at(&self, ahead: u64) -> Instant {
        let may_be_missing = self.time_for(self.capacity.saturating_sub(1));
        before(after(self.full_at, self.time_for(ahead)), may_be_missing)
    }

    /// Takes one call at `at`.
    pub(crate) fn take(&mut self, at: Instant) {
        self.full_at = after(self.full_at.max(at), self.interval);
    }

    /// Puts one call back that was not used.
    pub(crate) fn give_back(&mut self) {
        self.full_at = before(self.full_at, self.interval);
    }

    /// Whole calls that are there at `now`.
    pub(crate) fn left(&self, now: Instant) -> u64 {
        let missing = self.full_at.as_nanos().saturating_sub(now.as_nanos());
        self.capacity
            .saturating_sub(missing.div_ceil(self.interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_full_bucket_gives_its_capacity_at_once_and_then_one_each_interval() {
        let mut bucket = Bucket::new(10, SECOND, 2);
        for expected in [0, 0, 100, 200, 300] {
            let now = bucket.ready_at(0).max(at(0));
            assert_eq!(now, at(expected));
            bucket.take(now);
        }
    }

    #[test]
    fn those_ahead_push_back_by_an_interval_each() {
        let bucket = Bucket::new(10, SECOND, 1);
        assert_eq!(bucket.ready_at(3), at(300));
    }

    #[test]
    fn what_is_given_back_can_be_taken_at_once() {
        let mut bucket = Bucket::new(1, SECOND, 1);
        bucket.take(at(5));
        assert_eq!((bucket.ready_at(0), bucket.left(at(5))), (at(1005), 0));
        bucket.give_back();
        assert_eq!((bucket.ready_at(0), bucket.left(at(5))), (at(5), 1));
    }

    #[test]
    fn odd_rates_round_up_and_never_come_early() {
        let bucket = Bucket::new(3, 2 * SECOND, 3);
        assert_eq!(bucket.interval, 666_666_667);
        assert!(3 * bucket.interval >= 2 * SECOND);
    }

    #[test]
    fn extremes_saturate() {
        let mut bucket = Bucket::new(0, u64::MAX, u64::MAX);
        bucket.take(at(1));
        assert_eq!(bucket.full_at, Instant::from_nanos(u64::MAX));
        assert_eq!(bucket.left(at(1)), u64::MAX - 1);
        assert!(bucket.ready_at(u64::MAX) <= Instant::from_nanos(u64::MAX));
        assert_eq!(Bucket::new(u64::MAX, 0, 0).interval, 1);
    }
}
