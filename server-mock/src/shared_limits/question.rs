//! What a store is asked about one call, and what it answers. The decision itself, for stores that are asked in Rust.

use crate::meter::{Meter, Tally, Terms};
use crate::quota::Day;

/// One call, and all limits it has to keep to.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Whose counts: `session/tenant/tier/terms`.
    pub(crate) place: String,
    /// The instant of the session's clock, in nanoseconds since the Unix epoch.
    pub(crate) now_ns: u64,
    /// The tier's rate first, then the policies.
    pub(crate) lines: Vec<Line>,
    pub(crate) per_day: Option<u32>,
    pub(crate) most_at_once: Option<u32>,
    /// The longest time after which any count of this caller means nothing any more, in seconds.
    pub(crate) longest_s: u64,
}

/// One rate, and what the call costs there.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its name among the caller's.
    pub(crate) name: String,
    pub(crate) terms: Terms,
    pub(crate) cost: u64,
}

/// Whether the call is let in, and the counts after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) admitted: bool,
    /// One for each line.
    pub(crate) tallies: Vec<Tally>,
    pub(crate) day: Day,
    /// Calls in progress before this one.
    pub(crate) at_once: u32,
}

impl Question {
    /// The decision on these counts: all are used, or none.
    pub(crate) fn decide(&self, tallies: Vec<Tally>, day: Day, at_once: u32) -> Answer {
        let now_ns = self.now_ns;
        let mut meters: Vec<(Meter, u64)> = (self.lines.iter().zip(&tallies))
            .map(|(line, tally)| (Meter::of(line.terms, *tally), line.cost))
            .collect();
        let today = day.at(now_ns);
        let admitted = meters
            .iter()
            .all(|(meter, cost)| meter.wait(now_ns, *cost).is_none())
            && self.per_day.is_none_or(|most| today.used < most)
            && self.most_at_once.is_none_or(|most| at_once < most);
        if !admitted {
            return Answer {
                admitted,
                tallies,
                day,
                at_once,
            };
        }
        for (meter, cost) in &mut meters {
            meter.take(now_ns, *cost);
        }
        Answer {
            admitted,
            tallies: meters.iter().map(|(meter, _)| meter.tally()).collect(),
            day: Day {
                used: today.used.saturating_add(1),
                ..today
            },
            at_once,
        }
    }

    /// How long a store keeps the counts of this caller after they were last used, in milliseconds of real time: a day
    /// longer than they mean anything, because the session's clock may stand still; a hundred years at most.
    pub(crate) fn kept_for_ms(&self) -> u64 {
        const DAY_S: u64 = 86_400;
        self.longest_s
            .min(36_500 * DAY_S)
            .saturating_add(DAY_S)
            .saturating_mul(1_000)
    }
}
