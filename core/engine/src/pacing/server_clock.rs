//! How far the server's clock is from ours, by the `Date` of its answers, for resets that are times of that clock.
//!
//! A `Date` is cut to whole seconds. An answer that says `d`, to a call sent at `x` and heard at `a`, was made between `x` and
//! `a`, when the server's clock showed something from `d` to `d + 1 s`. So the server is ahead of us by at least `d - a` and
//! by at most `d + 1 s - x`. Answers intersect: after a few seconds what is left is about as narrow as a round trip.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Unknown | a date | Known, within a second and a round trip |
//! | Known | a date that agrees | Known, narrower (`dates_intersect`) |
//! | Known | a date that does not | Known by that date alone: a clock was set (`a_clock_that_was_set_is_noticed`) |

use crate::time::{Instant, UnixMillis};

const SECOND: i128 = 1_000_000_000;

/// Bounds of the server's clock minus ours, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServerClock(Option<(i128, i128)>);

/// A time of the server's clock by ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) earliest: Instant,
    pub(super) latest: Instant,
}

impl ServerClock {
    /// An answer to a call sent at `sent` and heard at `heard` says `date`.
    pub(super) fn on_date(&mut self, date: UnixMillis, sent: Instant, heard: Instant) {
        let date = i128::from(date.0) * 1_000_000;
        let least = date - i128::from(heard.as_nanos());
        let most = date + SECOND - i128::from(sent.as_nanos());
        let (low, high) = self.0.unwrap_or((least, most));
        let both = (low.max(least), high.min(most));
        self.0 = Some(if both.0 <= both.1 {
            both
        } else {
            (least, most)
        });
    }

    /// When our clock shows what the server's shows at `at`.
    pub(super) fn bounds(&self, at: UnixMillis) -> Option<Bounds> {
        let (low, high) = self.0?;
        let at = i128::from(at.0) * 1_000_000;
        let instant =
            |nanos: i128| Instant::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX));
        Some(Bounds {
            earliest: instant(at - high),
            latest: instant(at - low),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    /// A server whose clock shows `1_000_000` ms when ours shows 400; answers take 20 ms.
    fn hear(clock: &mut ServerClock, sent: u64) {
        let shows = 1_000_000 + i64::try_from(sent + 10).unwrap() - 400;
        clock.on_date(UnixMillis(shows / 1_000 * 1_000), at(sent), at(sent + 20));
    }

    #[test]
    fn dates_intersect() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.bounds(UnixMillis(0)), None);
        hear(&mut clock, 700);
        let wide = clock.bounds(UnixMillis(1_010_000)).unwrap();
        assert_eq!((wide.earliest, wide.latest), (at(9_700), at(10_720)));
        for sent in (900..5_000).step_by(130) {
            hear(&mut clock, sent);
        }
        let narrow = clock.bounds(UnixMillis(1_010_000)).unwrap();
        assert!(narrow.earliest <= at(10_400) && at(10_400) <= narrow.latest);
        assert!(
            narrow.latest.since(narrow.earliest).as_millis() < 200,
            "{narrow:?}"
        );
    }

    #[test]
    fn a_clock_that_was_set_is_noticed() {
        let mut clock = ServerClock::default();
        hear(&mut clock, 700);
        clock.on_date(UnixMillis(5_000), at(800), at(820));
        let bounds = clock.bounds(UnixMillis(5_000)).unwrap();
        assert_eq!((bounds.earliest, bounds.latest), (at(0), at(820)));
    }

    #[test]
    fn extremes_saturate() {
        let mut clock = ServerClock::default();
        for date in [i64::MIN, 0, i64::MAX] {
            for instant in [0, u64::MAX] {
                let instant = Instant::from_nanos(instant);
                clock.on_date(UnixMillis(date), instant, instant);
                assert!(clock.bounds(UnixMillis(-date.max(-i64::MAX))).is_some());
            }
        }
    }
}
