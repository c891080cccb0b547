//! How many calls came lately, which is how many are likely to come soon. Counted as they come, not as they go: a batch
//! that is worked off says nothing of the next.

use std::time::Duration;

use crate::time::Instant;

/// Counts in two spans of time, the one that runs and the one before.
#[derive(Debug)]
pub(super) struct Demand {
    span: Duration,
    since: Instant,
    now: u32,
    before: u32,
}

impl Demand {
    pub(super) fn new(span: Duration) -> Self {
        Self {
            span,
            since: Instant::ORIGIN,
            now: 0,
            before: 0,
        }
    }

    pub(super) fn on_call(&mut self, now: Instant) {
        self.pass_time(now);
        self.now = self.now.saturating_add(1);
    }

    /// Calls that are likely to come beside the one that came last; none where none came lately.
    pub(super) fn expected(&mut self, now: Instant) -> u32 {
        self.pass_time(now);
        self.now.max(self.before).saturating_sub(1)
    }

    fn pass_time(&mut self, now: Instant) {
        let passed = now.since(self.since);
        if passed >= self.span * 2 {
            (self.before, self.now, self.since) = (0, 0, now);
        } else if passed >= self.span {
            (self.before, self.now) = (self.now, 0);
            self.since = self.since + self.span;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_lately_is_expected_again_for_a_while() {
        let at = |millis: u64| Instant::from_nanos(millis * 1_000_000);
        let mut demand = Demand::new(Duration::from_secs(1));
        for call in 0..10 {
            demand.on_call(at(5_000 + call * 100));
        }
        assert_eq!(demand.expected(at(5_950)), 9);
        assert_eq!(demand.expected(at(6_950)), 9);
        assert_eq!(demand.expected(at(7_050)), 0);
    }
}
