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
#[derive(Clone, Debug, Default)]
pub(super) struct Window([Bucket; BUCKETS]);

fn stretch_of(now: Instant, window: Duration) -> u64 {
    let width = u64::try_from(window.as_nanos() / 10)
        .unwrap_or(u64::MAX)
        .max(1);
    (now.as_nanos() / width).saturating_add(1)
}

impl Window {
    /// Counts an attempt.
    pub(super) fn count(&mut self, now: Instant, window: Duration, failed: bool) {
        let stretch = stretch_of(now, window);
        let place = usize::try_from(stretch % 10).unwrap_or(0);
        let Some(bucket) = self.0.get_mut(place) else {
            return;
        };
        if bucket.stretch != stretch {
            *bucket = Bucket {
                stretch,
                ..Bucket::default()
            };
        }
        bucket.calls = bucket.calls.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(failed));
    }

    /// Failures and attempts of the window that ends now.
    pub(super) fn sums(&self, now: Instant, window: Duration) -> (u32, u32) {
        let newest = stretch_of(now, window);
        self.0
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
