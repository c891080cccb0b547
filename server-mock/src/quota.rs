//! The limits of a tier: a rate, a calendar day, and calls in progress. A refusal changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::NS;
use crate::meter::{Meter, Terms, Window};
use crate::tier::Limits;
use crate::timestamp::{day_number, next_midnight_ns};

/// What one tenant has used of its limits.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: Limits,
    meter: Meter,
    day: u64,
    of_day: u32,
    in_progress: Arc<AtomicU32>,
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
pub(crate) struct InProgress(Arc<AtomicU32>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Quota {
    pub(crate) fn new(limits: Limits, window: Window) -> Self {
        Self {
            limits,
            meter: Meter::new(Terms {
                count: limits.count,
                period_ms: limits.period_ms,
                burst: limits.burst,
                window,
            }),
            day: 0,
            of_day: 0,
            in_progress: Arc::default(),
        }
    }

    /// What stands against one more call at `now_ns`, without consuming.
    pub(crate) fn check(&mut self, now_ns: u64) -> Refusal {
        self.turn_day(now_ns);
        let mut refusal = Refusal::default();
        if let Some(wait) = self.meter.wait(now_ns, 1) {
            refusal.because(Violated::Burst, wait);
        }
        if self.limits.per_day.is_some_and(|most| self.of_day >= most) {
            refusal.because(Violated::Day, next_midnight_ns(now_ns) - now_ns);
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
        self.turn_day(now_ns);
        self.meter.take(now_ns, 1);
        self.of_day = self.of_day.saturating_add(1);
        self.in_progress.fetch_add(1, Ordering::AcqRel);
        InProgress(Arc::clone(&self.in_progress))
    }

    /// What is left at `now_ns`, without consuming.
    pub(crate) fn standing_at(&mut self, now_ns: u64) -> Standing {
        self.turn_day(now_ns);
        self.standing(now_ns)
    }

    /// Calls in progress now.
    pub(crate) fn in_progress(&self) -> u32 {
        self.in_progress.load(Ordering::Acquire)
    }

    /// What it was made for.
    pub(crate) fn terms(&self) -> (Limits, Window) {
        (self.limits, self.meter.terms().window)
    }

    fn standing(&self, now_ns: u64) -> Standing {
        let level = self.meter.level(now_ns);
        let terms = self.meter.terms();
        Standing {
            limits: self.limits,
            limit: terms.limit(),
            window_s: terms.window_seconds(),
            remaining: level.remaining,
            restored_in_ns: level.restored_in_ns,
            day: self.limits.per_day.map(|limit| DayStanding {
                limit,
                remaining: limit.saturating_sub(self.of_day),
                ends_in_ns: next_midnight_ns(now_ns) - now_ns,
            }),
        }
    }

    fn turn_day(&mut self, now_ns: u64) {
        let today = day_number(now_ns);
        if today != self.day {
            self.day = today;
            self.of_day = 0;
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
