//! One allowance of so many units in a time, and what has been used of it.
//!
//! | Window | A call is let in while | The allowance is whole again |
//! |---|---|---|
//! | `rolling` (default) | the generic cell rate algorithm (ITU-T I.371) has room: in any window of `w` at most `burst + rate * w` units | bit by bit |
//! | `fixed` | fewer than `count` units were used since the period began; periods are counted from the Unix epoch | at the period's end |
//!
//! All arithmetic is in integers of nanoseconds times `count`, so that a period that `count` does not divide is still
//! exact.

use serde::{Deserialize, Serialize};

use crate::clock::{MS, NS};

/// How an allowance comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Window {
    /// `count` units in each period of the clock, all at once at its start; `burst` means nothing.
    Fixed,
    /// Evenly, by the generic cell rate algorithm; up to `burst` at once after a rest.
    #[default]
    Rolling,
}

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) count: u32,
    pub(crate) period_ms: u64,
    pub(crate) burst: u32,
    pub(crate) window: Window,
}

/// An allowance and what has been used of it.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    terms: Terms,
    tally: Tally,
}

/// What has been used, as stores keep it. The default: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Rolling: theoretical arrival time of the next unit if they came evenly, in nanoseconds times `count`.
    pub(crate) arrival: u128,
    /// Fixed: the number of the period that `used` is about.
    pub(crate) period: u64,
    /// Fixed: units used in it.
    pub(crate) used: u64,
}

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// Whole units that would be let in now.
    pub(crate) remaining: u64,
    /// Nanoseconds until all of the allowance is there.
    pub(crate) restored_in_ns: u64,
}

impl Terms {
    /// Units let in at once after a rest.
    pub(crate) fn limit(&self) -> u64 {
        match self.window {
            Window::Fixed => self.count.into(),
            Window::Rolling => self.burst.into(),
        }
    }

    /// Seconds in which the whole limit is restored, rounded up.
    pub(crate) fn window_seconds(&self) -> u64 {
        let period_ns = u128::from(self.period_ms) * u128::from(MS);
        let seconds = match self.window {
            Window::Fixed => period_ns.div_ceil(NS.into()),
            Window::Rolling => (period_ns * u128::from(self.burst))
                .div_ceil(u128::from(self.count.max(1)) * u128::from(NS)),
        };
        u64::try_from(seconds).unwrap_or(u64::MAX).max(1)
    }

    fn period_ns(&self) -> u64 {
        self.period_ms.saturating_mul(MS).max(1)
    }

    /// The number of the period that an instant is in.
    pub(crate) fn period_at(&self, now_ns: u64) -> u64 {
        now_ns / self.period_ns()
    }

    /// What is charged for `cost`: one above the limit counts as the limit, so that waiting always helps.
    pub(crate) fn charged(&self, cost: u64) -> u64 {
        cost.min(self.limit())
    }

    /// An instant, in nanoseconds times `count`.
    pub(crate) fn scaled(&self, ns: u64) -> u128 {
        u128::from(ns) * u128::from(self.count)
    }

    /// What one unit costs, in nanoseconds times `count`.
    pub(crate) fn price(&self) -> u128 {
        u128::from(self.period_ms) * u128::from(MS)
    }

    /// How far ahead of now the next unit's time may lie, in nanoseconds times `count`.
    pub(crate) fn capacity(&self) -> u128 {
        self.price() * u128::from(self.burst)
    }
}

impl Meter {
    pub(crate) fn new(terms: Terms) -> Self {
        Self::of(terms, Tally::default())
    }

    /// With so much used already.
    pub(crate) fn of(terms: Terms, tally: Tally) -> Self {
        Self { terms, tally }
    }

    /// With all of it used at `now_ns`.
    pub(crate) fn used_up(terms: Terms, now_ns: u64) -> Self {
        let tally = match terms.window {
            Window::Rolling => Tally {
                arrival: terms.scaled(now_ns) + terms.capacity(),
                ..Tally::default()
            },
            Window::Fixed => Tally {
                period: terms.period_at(now_ns),
                used: terms.limit(),
                ..Tally::default()
            },
        };
        Self::of(terms, tally)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    /// How long a lone caller waits until `cost` units are let in; `None` when they are now.
    pub(crate) fn wait(&self, now_ns: u64, cost: u64) -> Option<u64> {
        let cost = self.terms.charged(cost);
        match self.terms.window {
            Window::Rolling => {
                let ahead = self.ahead(now_ns) + self.terms.price() * u128::from(cost);
                let capacity = self.terms.capacity();
                (ahead > capacity).then(|| self.unscaled(ahead - capacity))
            }
            Window::Fixed => (self.used_at(now_ns).saturating_add(cost) > self.terms.limit())
                .then(|| self.ends_in(now_ns)),
        }
    }

    /// Uses `cost` units.
    pub(crate) fn take(&mut self, now_ns: u64, cost: u64) {
        let cost = self.terms.charged(cost);
        match self.terms.window {
            Window::Rolling => {
                self.tally.arrival = self.tally.arrival.max(self.terms.scaled(now_ns))
                    + self.terms.price() * u128::from(cost);
            }
            Window::Fixed => {
                self.tally.used = self.used_at(now_ns).saturating_add(cost);
                self.tally.period = self.period(now_ns);
            }
        }
    }

    /// What is left at `now_ns`.
    pub(crate) fn level(&self, now_ns: u64) -> Level {
        match self.terms.window {
            Window::Rolling => {
                let used = self.ahead(now_ns);
                let left = self.terms.capacity().saturating_sub(used) / self.terms.price().max(1);
                Level {
                    remaining: u64::try_from(left).unwrap_or(u64::MAX),
                    restored_in_ns: self.unscaled(used),
                }
            }
            Window::Fixed => {
                let used = self.used_at(now_ns);
                Level {
                    remaining: self.terms.limit().saturating_sub(used),
                    restored_in_ns: self.ends_in(now_ns),
                }
            }
        }
    }

    /// The period that units used now count for. A clock that went back gets no period anew.
    fn period(&self, now_ns: u64) -> u64 {
        self.terms.period_at(now_ns).max(self.tally.period)
    }

    fn used_at(&self, now_ns: u64) -> u64 {
        if self.period(now_ns) == self.tally.period {
            self.tally.used
        } else {
            0
        }
    }

    fn ends_in(&self, now_ns: u64) -> u64 {
        (self.period(now_ns).saturating_add(1))
            .saturating_mul(self.terms.period_ns())
            .saturating_sub(now_ns)
    }

    /// How far the next unit's time lies ahead, in nanoseconds times `count`.
    fn ahead(&self, now_ns: u64) -> u128 {
        self.tally.arrival.saturating_sub(self.terms.scaled(now_ns))
    }

    /// A span back in nanoseconds, rounded up so that a wait is never too short.
    fn unscaled(&self, span: u128) -> u64 {
        u64::try_from(span.div_ceil(u128::from(self.terms.count.max(1)))).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(window: Window) -> Meter {
        Meter::new(Terms {
            count: 10,
            period_ms: 1_000,
            burst: 4,
            window,
        })
    }

    #[test]
    fn windows_are_the_time_to_restore_the_limit() {
        use crate::tier::Tier;
        let seconds = |tier: Tier, window| {
            let limits = tier.limits().unwrap();
            Terms {
                count: limits.count,
                period_ms: limits.period_ms,
                burst: limits.burst,
                window,
            }
            .window_seconds()
        };
        let tiers = [
            Tier::Tiny,
            Tier::Free,
            Tier::Starter,
            Tier::Pro,
            Tier::Enterprise,
        ];
        assert_eq!(
            tiers.map(|tier| seconds(tier, Window::Rolling)),
            [2, 10, 5, 3, 3]
        );
        assert_eq!(
            tiers.map(|tier| seconds(tier, Window::Fixed)),
            [2, 60, 60, 60, 60]
        );
    }

    #[test]
    fn a_fixed_window_gives_all_of_it_at_its_start() {
        let mut meter = meter(Window::Fixed);
        let start = 5 * NS;
        meter.take(start, 10);
        assert_eq!(meter.wait(start + NS / 4, 1), Some(NS / 4 * 3));
        assert_eq!(meter.level(start + NS - 1).remaining, 0);
        assert_eq!(meter.wait(start + NS, 10), None);
        assert_eq!(meter.level(start + NS).remaining, 10);
    }

    #[test]
    fn a_rolling_window_comes_back_bit_by_bit() {
        let mut meter = meter(Window::Rolling);
        meter.take(NS, 4);
        assert_eq!(meter.wait(NS, 1), Some(NS / 10));
        assert_eq!(meter.wait(NS, 2), Some(NS / 5));
        assert_eq!(meter.wait(NS + NS / 5, 2), None);
        assert_eq!(
            meter.level(NS + NS / 5),
            Level {
                remaining: 2,
                restored_in_ns: NS / 5
            }
        );
    }

    #[test]
    fn a_cost_above_the_limit_is_let_in_when_all_is_there() {
        for window in [Window::Fixed, Window::Rolling] {
            let mut meter = meter(window);
            assert_eq!(meter.wait(NS, 1_000), None);
            meter.take(NS, 1_000);
            assert_eq!(meter.level(NS).remaining, 0);
            let wait = meter.wait(NS, 1_000).unwrap();
            assert_eq!(meter.wait(NS + wait, 1_000), None);
        }
    }
}
