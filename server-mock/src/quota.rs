//! The limits of a tier: a rate, a calendar day, and calls in progress. A refusal changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::NS;
use crate::meter::{Meter, Tally, Window};
use crate::shared_limits::Lease;
use crate::tier::Limits;
use crate::timestamp::{day_number, midnight_after_ns};

/// What one tenant has used of its limits.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: Limits,
    meter: Meter,
    day: Day,
    in_progress: Arc<AtomicU32>,
}

/// Calls of one UTC day, as stores keep them. The default: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
    /// Days since the epoch.
    pub(crate) number: u64,
    pub(crate) used: u32,
}

/// What the limit headers say after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limits: Limits,
    /// Calls let in at once after a rest.
    pub(crate) limit: u64,
    /// Seconds in which they are restored.
    pub(crate) window_s: u64,
    /// Whole calls that would be let in now.
    pub(crate) remaining: u64,
    /// Nanoseconds until the whole limit is restored.
    pub(crate) restored_in_ns: u64,
    pub(crate) day: Option<DayStanding>,
}

/// What is left of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayStanding {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) ends_in_ns: u64,
}

/// A limit that a call ran into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violated {
    Burst,
    Concurrency,
    Day,
    /// A policy of the session, by its name.
    Policy(Arc<str>),
}

impl Violated {
    /// The policy's name in headers and problem details.
    pub(crate) fn policy(&self) -> &str {
        match self {
            Self::Burst => "burst",
            Self::Concurrency => "concurrency",
            Self::Day => "day",
            Self::Policy(name) => name,
        }
    }
}

/// Which limits refused a call, and how long a lone caller waits to be let in. Nothing violated is no refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) violated: Vec<Violated>,
    pub(crate) wait_ns: u64,
}

/// Counts a call as in progress until dropped.
#[derive(Debug)]
pub(crate) struct InProgress {
    count: Arc<AtomicU32>,
    /// The place it has in a shared store.
    _lease: Option<Lease>,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Day {
    /// The same at `now_ns`: a new day begins at midnight. A clock that went back gets no day anew.
    pub(crate) fn at(self, now_ns: u64) -> Self {
        let today = day_number(now_ns);
        if today > self.number {
            Self {
                number: today,
                used: 0,
            }
        } else {
            self
        }
    }

    /// Nanoseconds until it is over, at `now_ns`.
    pub(crate) fn ends_in_ns(self, now_ns: u64) -> u64 {
        midnight_after_ns(self.number).saturating_sub(now_ns)
    }

    /// What headers say of it.
    pub(crate) fn standing(self, limit: u32, now_ns: u64) -> DayStanding {
        DayStanding {
            limit,
            remaining: limit.saturating_sub(self.used),
            ends_in_ns: self.ends_in_ns(now_ns),
        }
    }
}

impl Quota {
    pub(crate) fn new(limits: Limits, window: Window) -> Self {
        Self {
            limits,
            meter: Meter::new(limits.terms(window)),
            day: Day::default(),
            in_progress: Arc::default(),
        }
    }

    /// A part of a quota that others have the rest of: so much is used up at the start.
    pub(crate) fn used_up(limits: Limits, window: Window, now_ns: u64) -> Self {
        Self {
            meter: Meter::used_up(limits.terms(window), now_ns),
            ..Self::new(limits, window)
        }
    }

    /// What stands against one more call at `now_ns`, without consuming.
    pub(crate) fn check(&self, now_ns: u64) -> Refusal {
        let day = self.day.at(now_ns);
        let mut refusal = Refusal::default();
        if let Some(wait) = self.meter.wait(now_ns, 1) {
            refusal.because(Violated::Burst, wait);
        }
        if self.limits.per_day.is_some_and(|most| day.used >= most) {
            refusal.because(Violated::Day, day.ends_in_ns(now_ns));
        }
        let in_progress = self.in_progress.load(Ordering::Acquire);
        if self
            .limits
            .concurrency
            .is_some_and(|most| in_progress >= most)
        {
            // Nobody knows when a call in progress ends; a second is the shortest wait the header can say.
            refusal.because(Violated::Concurrency, NS);
        }
        refusal
    }

    /// Consumes one call from every limit.
    pub(crate) fn take(&mut self, now_ns: u64) -> InProgress {
        self.day = self.day.at(now_ns);
        self.meter.take(now_ns, 1);
        self.day.used = self.day.used.saturating_add(1);
        self.begun(None)
    }

    /// One more call in progress, and its place in a shared store.
    pub(crate) fn begun(&self, lease: Option<Lease>) -> InProgress {
        self.in_progress.fetch_add(1, Ordering::AcqRel);
        InProgress {
            count: Arc::clone(&self.in_progress),
            _lease: lease,
        }
    }

    /// What a shared store has counted.
    pub(crate) fn learn(&mut self, tally: Tally, day: Day) {
        self.meter = Meter::of(self.meter.terms(), tally);
        self.day = day;
    }

    /// What is left of the day, as far as is known.
    pub(crate) fn of_day_left(&self, now_ns: u64) -> Option<u32> {
        let used = self.day.at(now_ns).used;
        self.limits
            .per_day
            .map(|per_day| per_day.saturating_sub(used))
    }

    /// What is left at `now_ns`, without consuming.
    pub(crate) fn standing_at(&self, now_ns: u64) -> Standing {
        Standing::of(self.limits, &self.meter, self.day.at(now_ns), now_ns)
    }

    /// Calls in progress now.
    pub(crate) fn in_progress(&self) -> u32 {
        self.in_progress.load(Ordering::Acquire)
    }

    /// What it was made for.
    pub(crate) fn terms(&self) -> (Limits, Window) {
        (self.limits, self.meter.terms().window)
    }
}

impl Standing {
    /// Of a tier's rate and day at `now_ns`.
    pub(crate) fn of(limits: Limits, meter: &Meter, day: Day, now_ns: u64) -> Self {
        let level = meter.level(now_ns);
        let terms = meter.terms();
        Self {
            limits,
            limit: terms.limit(),
            window_s: terms.window_seconds(),
            remaining: level.remaining,
            restored_in_ns: level.restored_in_ns,
            day: limits.per_day.map(|limit| day.standing(limit, now_ns)),
        }
    }
}

impl Refusal {
    pub(crate) fn because(&mut self, violated: Violated, wait_ns: u64) {
        self.violated.push(violated);
        self.wait_ns = self.wait_ns.max(wait_ns);
    }

    /// Whole seconds to wait, rounded up: at the end of them a lone caller is let in.
    pub(crate) fn retry_after_seconds(&self) -> u64 {
        self.wait_ns.div_ceil(NS).max(1)
    }
}

#[cfg(test)]
mod tests;
