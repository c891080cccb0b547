//! Permits that a process has taken ahead: each has a time before which it is not used, and one after which it is void.
//!
//! Times are counted from when the store's answer came, which is after it was made: nothing is ever early. They end counted
//! from when the store was asked, which is before: nothing is used later than agreed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Instant;

/// A permit is not void before one had the time to use it.
const CHANCE: Duration = Duration::from_millis(10);

/// Permits of one answer of the store, one after the other.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// When the store was asked, and answered.
    asked: Instant,
    answered: Instant,
    /// The first permit's time from the answer on, in nanoseconds; below zero: it has been due for a while.
    first: i64,
    /// From one to the next.
    interval: u64,
    /// How long after its time a permit is void.
    keep: Duration,
    /// The first that is not used, and how many there were.
    next: u32,
    count: u32,
}

impl Span {
    fn left(&self) -> u32 {
        self.count.saturating_sub(self.next)
    }

    fn time_of(&self, index: u32) -> Instant {
        let after = self.interval.saturating_mul(index.into());
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let from_answer = self.first.saturating_add(after).max(0);
        self.answered + Duration::from_nanos(from_answer.unsigned_abs())
    }

    fn void_at(&self, index: u32) -> Instant {
        let time = self.time_of(index);
        let round_trip = self.answered.since(self.asked);
        time + self.keep.saturating_sub(round_trip).max(CHANCE)
    }
}

/// What a process holds.
#[derive(Debug, Default)]
pub(super) struct Lease {
    spans: VecDeque<Span>,
}

/// What is to be given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unused {
    /// All permits, and those of the last answer alone.
    pub(super) all: u32,
    pub(super) last: u32,
    /// When the store was first asked for one of them.
    pub(super) since: Instant,
}

impl Lease {
    pub(super) fn add(
        &mut self,
        asked: Instant,
        answered: Instant,
        first: i64,
        interval: u64,
        keep: Duration,
        count: u32,
    ) {
        if count > 0 {
            self.spans.push_back(Span {
                asked,
                answered,
                first,
                interval,
                keep,
                next: 0,
                count,
            });
        }
    }

    /// One more that may be used at once, until `void_at`.
    pub(super) fn put_back(&mut self, now: Instant, void_at: Instant) {
        if void_at > now {
            self.spans.push_front(Span {
                asked: now,
                answered: now,
                first: 0,
                interval: 0,
                keep: void_at.since(now),
                next: 0,
                count: 1,
            });
        }
    }

    /// Takes one whose time has come. Answers when it would have been void.
    pub(super) fn take(&mut self, now: Instant) -> Option<Instant> {
        self.drop_void(now);
        let span = self.spans.front_mut()?;
        if span.time_of(span.next) > now {
            return None;
        }
        let void_at = span.void_at(span.next);
        span.next = span.next.saturating_add(1);
        if span.left() == 0 {
            self.spans.pop_front();
        }
        Some(void_at)
    }

    pub(super) fn drop_void(&mut self, now: Instant) {
        while let Some(span) = self.spans.front_mut() {
            while span.left() > 0 && span.void_at(span.next) <= now {
                span.next = span.next.saturating_add(1);
            }
            if span.left() > 0 {
                return;
            }
            self.spans.pop_front();
        }
    }

    pub(super) fn held(&self) -> u32 {
        self.spans
            .iter()
            .fold(0, |sum, span| sum.saturating_add(span.left()))
    }

    /// The time of the permit that has `ahead` others before it.
    pub(super) fn time_of(&self, ahead: usize) -> Option<Instant> {
        let mut ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        for span in &self.spans {
            if ahead < span.left() {
                return Some(span.time_of(span.next.saturating_add(ahead)));
            }
            ahead = ahead.saturating_sub(span.left());
        }
        None
    }

    /// When the first has lain unused for half of the time for which it is good.
    pub(super) fn idle_at(&self) -> Option<Instant> {
        let span = self.spans.front()?;
        let time = span.time_of(span.next);
        Some(time + span.void_at(span.next).since(time) / 2)
    }

    /// Takes all out, to be given back.
    pub(super) fn take_unused(&mut self) -> Unused {
        let unused = Unused {
            all: self.held(),
            last: self.spans.back().map_or(0, Span::left),
            since: self
                .spans
                .iter()
                .map(|span| span.asked)
                .min()
                .unwrap_or_default(),
        };
        self.spans.clear();
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    const KEEP: Duration = Duration::from_millis(500);
    const INTERVAL: u64 = 100_000_000;

    #[test]
    fn permits_are_used_at_their_times_and_never_before() {
        let mut lease = Lease::default();
        lease.add(at(0), at(20), -150_000_000, INTERVAL, KEEP, 4);
        assert!(lease.take(at(20)).is_some());
        assert!(lease.take(at(20)).is_some());
        assert_eq!(lease.take(at(20)), None);
        assert_eq!(lease.time_of(0), Some(at(70)));
        assert_eq!(lease.time_of(1), Some(at(170)));
        assert!(lease.take(at(70)).is_some());
        assert_eq!((lease.held(), lease.time_of(1)), (1, None));
    }

    #[test]
    fn permits_are_void_in_time_counted_from_the_question() {
        let mut lease = Lease::default();
        lease.add(at(0), at(200), 0, INTERVAL, KEEP, 2);
        assert_eq!(lease.idle_at(), Some(at(350)));
        assert_eq!(lease.take(at(500)), Some(at(600)), "the first was void");
        let mut lease = Lease::default();
        lease.add(at(0), at(600), 0, INTERVAL, KEEP, 1);
        assert!(lease.take(at(609)).is_some(), "a chance to use it");
    }

    #[test]
    fn what_is_put_back_is_good_for_as_long_as_it_was() {
        let mut lease = Lease::default();
        lease.add(at(0), at(0), 0, INTERVAL, KEEP, 1);
        let void_at = lease.take(at(100)).unwrap();
        lease.put_back(at(300), void_at);
        assert_eq!(lease.take(at(499)), Some(at(500)));
        lease.put_back(at(500), void_at);
        assert_eq!(lease.held(), 0);
    }

    #[test]
    fn what_is_unused_is_taken_out_whole() {
        let mut lease = Lease::default();
        lease.add(at(0), at(1), 0, INTERVAL, KEEP, 3);
        lease.add(at(5), at(6), 0, INTERVAL, KEEP, 2);
        lease.take(at(10));
        let unused = lease.take_unused();
        assert_eq!((unused.all, unused.last, unused.since), (4, 2, at(0)));
        assert_eq!(lease.held(), 0);
    }
}
