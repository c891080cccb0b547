//! The rules by which a store gives out the permits of a shared quota: what the Lua script does in Redis, in Rust.
//!
//! The script in `core/src/fleet/take.lua` is tested against this, number by number. It serves the simulation too, and
//! whoever writes a store of their own.
//!
//! The quota is kept as the instant at which the last permit given would be paid for (GCRA). A permit's time is that
//! instant less the tolerance: in the past, it may be used at once; ahead, from then on. So permits are given ahead, one
//! after the other, and whoever asks next gets the times after them.
//!
//! | Event | What is done |
//! |---|---|
//! | first question, or all was forgotten | one permit at once, the burst comes back with time: before, it may have been used (`what_was_forgotten_was_used`) |
//! | permits asked for | as many as there are up to the horizon, and within the asker's patience (`permits_are_given_up_to_the_horizon`) |
//! | permits given back | the last ones given: as if they had not been; others: only while none is given ahead, less what would have come back meanwhile (`what_is_given_back_is_there_again`) |
//! | pause | no permit before it is over, and no burst after it (`a_pause_is_for_all`) |
//! | somebody was away, and nobody has asked since long | all stay by themselves for a while, so that nobody takes from both (`those_who_were_away_wait_for_each_other`) |
//! | the clock goes back | so does all that is kept (`a_clock_that_goes_back_stops_nobody`) |

use std::collections::BTreeMap;
use std::time::Duration;

use super::terms::{Terms, nanos};
use crate::time::Instant;

/// A pause longer than this is cut.
const LONGEST_PAUSE: u64 = 86_400 * 1_000_000_000;

/// What a process asks of the store in one round trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask {
    /// Permits wanted.
    pub want: u32,
    /// A permit that is not before this, from now, is of no use to anybody.
    pub patience: Duration,
    /// Permits given back: all of them, and those of the last answer.
    pub back: u32,
    /// Those of the last answer alone.
    pub back_last: u32,
    /// How long ago the first of these was asked for.
    pub back_age: Duration,
    /// What [`Grant::end`] was in the last answer with permits.
    pub back_end: Instant,
    /// The server asks all to be quiet for so long.
    pub pause: Option<Duration>,
    /// The asker could not reach the store.
    pub away: bool,
    /// The asker goes.
    pub leave: bool,
}

/// What the store answers. Times are from now on, by its clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Permits given, one interval after the other.
    pub granted: u32,
    /// The time of the first, in nanoseconds, given or not; zero or below: at once.
    pub first: i64,
    /// The store's clock at which the last permit would be paid for.
    pub end: Instant,
    /// Processes that share the quota.
    pub processes: u32,
    /// For so long, those who were away are to stay by themselves.
    pub stay_away: Duration,
    /// For so long, a server has asked all to be quiet.
    pub paused: Duration,
}

impl Grant {
    /// An answer, as a store of one's own makes it.
    #[must_use]
    pub fn new(
        granted: u32,
        first: i64,
        end: Instant,
        processes: u32,
        stay_away: Duration,
        paused: Duration,
    ) -> Self {
        Self {
            granted,
            first,
            end,
            processes,
            stay_away,
            paused,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    end: u64,
    last: u64,
    stay_away: u64,
    paused: u64,
}

/// The state of one shared quota.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    kept: Option<Kept>,
    alive: BTreeMap<u64, u64>,
}

impl Ledger {
    /// Answers the process `id` at `now` by the store's clock.
    pub fn answer(&mut self, terms: &Terms, id: u64, ask: &Ask, now: Instant) -> Grant {
        let now = now.as_nanos();
        let tolerance = terms.tolerance();
        let processes = self.meet(terms, id, ask.leave, now);
        let settle = terms.settle();
        let (mut kept, known) = match self.kept {
            Some(kept) => (kept.at(now), true),
            None => (
                Kept {
                    end: now.saturating_add(tolerance),
                    last: now,
                    stay_away: 0,
                    paused: 0,
                },
                false,
            ),
        };
        if ask.back > 0 {
            let back = if kept.end <= now.saturating_add(tolerance) {
                ask.back
            } else if kept.end == ask.back_end.as_nanos() {
                ask.back_last
            } else {
                0
            };
            let worth = terms.interval.saturating_mul(back.into());
            kept.end = kept
                .end
                .saturating_sub(worth.saturating_sub(nanos(ask.back_age)));
        }
        if ask.away && (!known || now.saturating_sub(kept.last) > settle) {
            kept.stay_away = now.saturating_add(settle);
        }
        if let Some(pause) = ask.pause {
            let until = now.saturating_add(nanos(pause).min(LONGEST_PAUSE));
            kept.paused = kept.paused.max(until);
        }
        let quiet_until = kept.stay_away.max(kept.paused);
        if quiet_until > now {
            kept.end = kept.end.max(quiet_until.saturating_add(tolerance));
        }
        kept.end = kept.end.max(now);
        let first = i64::try_from(i128::from(kept.end) - i128::from(tolerance) - i128::from(now))
            .unwrap_or(i64::MAX);
        let ahead = first.max(0).unsigned_abs();
        let horizon = terms.horizon(processes);
        let mut granted = 0;
        if ask.want > 0 && ahead <= horizon && ahead <= nanos(ask.patience) {
            let room = i128::from(horizon) - i128::from(first);
            let fit = u32::try_from(room / i128::from(terms.interval) + 1).unwrap_or(u32::MAX);
            granted = ask.want.min(terms.most_held(processes)).min(fit);
            kept.end = kept
                .end
                .saturating_add(terms.interval.saturating_mul(granted.into()));
        }
        kept.last = now;
        self.kept = Some(kept);
        Grant {
            granted,
            first,
            end: Instant::from_nanos(kept.end),
            processes,
            stay_away: Duration::from_nanos(kept.stay_away.saturating_sub(now)),
            paused: Duration::from_nanos(kept.paused.saturating_sub(now)),
        }
    }

    /// Forgets all, as a store does that is started anew with nothing on disk.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn meet(&mut self, terms: &Terms, id: u64, leaves: bool, now: u64) -> u32 {
        let counts_for = nanos(terms.settings.beat).saturating_mul(3) / 1_000_000;
        let now = now / 1_000_000;
        if leaves {
            self.alive.remove(&id);
        } else {
            self.alive.insert(id, now);
        }
        self.alive
            .retain(|_, seen| *seen >= now.saturating_sub(counts_for));
        u32::try_from(self.alive.len()).unwrap_or(u32::MAX).max(1)
    }
}

impl Kept {
    /// All that is kept goes back with the clock.
    fn at(self, now: u64) -> Self {
        let back = self.last.saturating_sub(now);
        Self {
            end: self.end.saturating_sub(back),
            last: self.last,
            stay_away: self.stay_away.saturating_sub(back),
            paused: self.paused.saturating_sub(back),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ShareSettings;
    use super::*;

    fn terms() -> Terms {
        // 10/s, 55 at once, a second ahead.
        Terms::new(
            "600/min, burst 60".parse().unwrap(),
            ShareSettings::default(),
        )
        .unwrap()
    }

    fn at(millis: u64) -> Instant {
        Instant::from_nanos((1_000_000 + millis) * 1_000_000)
    }

    fn want(want: u32) -> Ask {
        Ask {
            want,
            patience: Duration::from_secs(60),
            ..Ask::default()
        }
    }

    /// Granted, and the time of the first in milliseconds.
    fn ask(ledger: &mut Ledger, id: u64, ask: Ask, millis: u64) -> (u32, i64) {
        let grant = ledger.answer(&terms(), id, &ask, at(millis));
        (grant.granted, grant.first / 1_000_000)
    }

    #[test]
    fn what_was_forgotten_was_used() {
        let mut ledger = Ledger::default();
        assert_eq!(ask(&mut ledger, 1, want(5), 0), (5, 0));
        assert_eq!(ask(&mut ledger, 1, want(5), 0), (5, 500));
        assert_eq!(ask(&mut ledger, 1, want(1), 60_000), (1, -5_400));
        ledger.forget();
        assert_eq!(ask(&mut ledger, 1, want(2), 60_000), (2, 0));
    }

    #[test]
    fn permits_are_given_up_to_the_horizon() {
        let mut ledger = Ledger::default();
        assert_eq!(ask(&mut ledger, 1, want(100), 0), (10, 0));
        assert_eq!(ask(&mut ledger, 1, want(100), 0), (1, 1000));
        assert_eq!(ask(&mut ledger, 1, want(100), 0), (0, 1100));
        let grant = ledger.answer(&terms(), 2, &want(100), at(500));
        assert_eq!((grant.granted, grant.processes), (5, 2));
        let hasty = Ask {
            patience: Duration::from_millis(300),
            ..want(1)
        };
        assert_eq!(ask(&mut ledger, 2, hasty, 900), (0, 700));
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let mut ledger = Ledger::default();
        let first = ledger.answer(&terms(), 1, &want(10), at(0));
        let back = Ask {
            back: 4,
            back_last: 4,
            back_age: Duration::from_millis(100),
            back_end: first.end,
            ..Ask::default()
        };
        assert_eq!(ask(&mut ledger, 1, back, 100), (0, 600));
        // Somebody has asked since, and has times ahead: what lies before them is lost.
        let mine = ledger.answer(&terms(), 1, &want(2), at(100));
        assert_eq!(ask(&mut ledger, 2, want(2), 100), (2, 800));
        let back = Ask {
            back: 2,
            back_last: 2,
            back_end: mine.end,
            ..Ask::default()
        };
        assert_eq!(ask(&mut ledger, 1, back, 100), (0, 1_000));
        // None is given ahead: all come back, but for those that would have come back anyway.
        assert_eq!(ask(&mut ledger, 1, want(4), 10_000), (4, -5_400));
        let back = Ask {
            back: 4,
            back_age: Duration::from_millis(300),
            ..Ask::default()
        };
        assert_eq!(ask(&mut ledger, 1, back, 10_000), (0, -5_100));
    }

    #[test]
    fn a_pause_is_for_all() {
        let mut ledger = Ledger::default();
        ask(&mut ledger, 1, want(1), 0);
        let pause = Ask {
            pause: Some(Duration::from_secs(20)),
            ..Ask::default()
        };
        ask(&mut ledger, 1, pause, 1_000);
        let other = ledger.answer(&terms(), 2, &want(1), at(2_000));
        assert_eq!((other.granted, other.paused), (0, Duration::from_secs(19)));
        // And they do not all go at once after it.
        assert_eq!(ask(&mut ledger, 2, want(100), 21_000), (10, 0));
    }

    #[test]
    fn those_who_were_away_wait_for_each_other() {
        let settle = i64::try_from(terms().settle() / 1_000_000).unwrap();
        let away = Ask {
            away: true,
            ..want(1)
        };
        let mut ledger = Ledger::default();
        ask(&mut ledger, 1, want(1), 0);
        // One alone was away: the others kept asking.
        assert_eq!(ask(&mut ledger, 2, away, 1_000), (1, -900));
        // All were, and come back one after the other.
        assert_eq!(ask(&mut ledger, 2, away, 9_000), (0, settle));
        let grant = ledger.answer(&terms(), 1, &away, at(9_200));
        assert_eq!(
            grant.stay_away + Duration::from_millis(200),
            Duration::from_nanos(terms().settle())
        );
        // It had forgotten everything.
        ledger.forget();
        assert_eq!(ask(&mut ledger, 1, away, 9_300), (0, settle));
    }

    #[test]
    fn a_clock_that_goes_back_stops_nobody() {
        let mut ledger = Ledger::default();
        ask(&mut ledger, 1, want(5), 5_000_000);
        assert_eq!(ask(&mut ledger, 1, want(1), 0), (1, 500));
    }

    #[test]
    fn who_says_nothing_for_three_beats_is_not_counted() {
        let mut ledger = Ledger::default();
        ask(&mut ledger, 1, Ask::default(), 0);
        let both = ledger.answer(&terms(), 2, &Ask::default(), at(15_000));
        let one = ledger.answer(&terms(), 2, &Ask::default(), at(15_001));
        assert_eq!((both.processes, one.processes), (2, 1));
        let leave = Ask {
            leave: true,
            ..Ask::default()
        };
        ledger.answer(&terms(), 2, &leave, at(15_002));
        assert!(ledger.alive.is_empty());
    }
}
