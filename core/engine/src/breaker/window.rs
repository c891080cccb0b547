//! The attempts of the last so many seconds, counted in ten buckets: what is forgotten goes a tenth at a time.

use std::time::Duration;

use crate::time::Instant;

const BUCKETS: usize = 10;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Which stretch of time it counts, from 1; 0 is none.
    stretch: u64,
    failures: u32,
    calls: u32,
}

/// Counts over a window that slides. All of it is in place: it does not grow.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// How long a bucket is, in nanoseconds.
    width: u64,
    /// Where the stretch that is counted now is in `buckets`, and its first nanosecond: most attempts fall into it.
    place: usize,
    begins: u64,
    buckets: [Bucket; BUCKETS],
}

impl Window {
    pub(super) fn new(window: Duration) -> Self {
        let width = u64::try_from(window.as_nanos() / 10).unwrap_or(u64::MAX);
        Self {
            width: width.max(1),
            place: 0,
            begins: u64::MAX,
            buckets: [Bucket::default(); BUCKETS],
        }
    }

    fn stretch_of(&self, now: Instant) -> u64 {
        (now.as_nanos() / self.width).saturating_add(1)
    }

    /// Counts an attempt.
    pub(super) fn count(&mut self, now: Instant, failed: bool) {
        let within = now.as_nanos().checked_sub(self.begins);
        if within.is_none_or(|nanos| nanos >= self.width) {
            self.turn_to(self.stretch_of(now));
        }
        let Some(bucket) = self.buckets.get_mut(self.place) else {
            return;
        };
        bucket.calls = bucket.calls.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(failed));
    }

    fn turn_to(&mut self, stretch: u64) {
        self.place = usize::try_from(stretch % 10).unwrap_or(0);
        self.begins = (stretch - 1).saturating_mul(self.width);
        if let Some(bucket) = self.buckets.get_mut(self.place)
            && bucket.stretch != stretch
        {
            *bucket = Bucket {
                stretch,
                ..Bucket::default()
            };
        }
    }

    /// Failures and attempts of the window that ends now.
    pub(super) fn sums(&self, now: Instant) -> (u32, u32) {
        let newest = self.stretch_of(now);
        self.buckets
            .iter()
            .filter(|bucket| bucket.stretch > 0 && bucket.stretch.saturating_add(10) > newest)
            .fold((0, 0), |(failures, calls), bucket| {
                (
                    u32::saturating_add(failures, bucket.failures),
                    u32::saturating_add(calls, bucket.calls),
                )
            })
    }
}
