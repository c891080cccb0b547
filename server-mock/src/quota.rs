//! Decides whether a tenant's call is let in, by the generic cell rate algorithm (ITU-T I.371) and a calendar day.
//!
//! All arithmetic is in integers of nanoseconds times `count`, so that a period that `count` does not divide is still
//! exact: in any window of `w` at most `burst + rate * w` calls are let in. A refusal changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::{MS, NS};
use crate::tier::Limits;
use crate::timestamp::{day_number, next_midnight_ns};

/// What one tenant has used of its limits.
pub(crate) struct Quota {
    limits: Limits,
    /// Theoretical arrival time of the next call if they came evenly, in nanoseconds times `count`.
    arrival: u128,
    day: u64,
    of_day: u32,
    in_progress: Arc<AtomicU32>,
    pub(crate) allowed: u64,
    pub(crate) refused: u64,
}

/// What the limit headers say after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limits: Limits,
    /// Whole calls that would be let in now.
    pub(crate) remaining: u64,
    /// Nanoseconds until the whole burst is restored.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violated {
    Burst,
    Concurrency,
    Day,
}

impl Violated {
    /// The policy's name in headers and problem details.
    pub(crate) fn policy(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Concurrency => "concurrency",
            Self::Day => "day",
        }
    }
}

/// The answer to a call.
pub(crate) enum Admission {
    Allowed(Standing, InProgress),
    Refused(Standing, Refusal),
}

/// Which limits refused a call, and how long a lone caller waits to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) violated: Vec<Violated>,
    pub(crate) wait_ns: u64,
}

/// Counts a call as in progress until dropped.
pub(crate) struct InProgress(Arc<AtomicU32>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Quota {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            arrival: 0,
            day: 0,
            of_day: 0,
            in_progress: Arc::default(),
            allowed: 0,
            refused: 0,
        }
    }

    /// Decides one call at `now_ns`; consumes from every limit or from none.
    pub(crate) fn admit(&mut self, now_ns: u64) -> Admission {
        self.turn_day(now_ns);
        let next = self.arrival.max(self.scaled(now_ns)) + self.period();
        let ahead = next - self.scaled(now_ns);
        let mut refusal = Refusal {
            violated: Vec::new(),
            wait_ns: 0,
        };
        let capacity = self.capacity();
        if ahead > capacity {
            refusal.because(Violated::Burst, self.unscaled(ahead - capacity));
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
        if !refusal.violated.is_empty() {
            self.refused += 1;
            return Admission::Refused(self.standing(now_ns), refusal);
        }
        self.arrival = next;
        self.of_day = self.of_day.saturating_add(1);
        self.allowed += 1;
        self.in_progress.fetch_add(1, Ordering::AcqRel);
        Admission::Allowed(
            self.standing(now_ns),
            InProgress(Arc::clone(&self.in_progress)),
        )
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

    /// The limits it was made for.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    fn standing(&self, now_ns: u64) -> Standing {
        let used = self.arrival.saturating_sub(self.scaled(now_ns));
        let left = self.capacity().saturating_sub(used) / self.period();
        Standing {
            limits: self.limits,
            remaining: u64::try_from(left).unwrap_or(u64::MAX),
            restored_in_ns: self.unscaled(used),
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

    /// An instant in nanoseconds times `count`.
    fn scaled(&self, ns: u64) -> u128 {
        u128::from(ns) * u128::from(self.limits.count)
    }

    /// A span back in nanoseconds, rounded up so that a wait is never too short.
    fn unscaled(&self, span: u128) -> u64 {
        u64::try_from(span.div_ceil(u128::from(self.limits.count.max(1)))).unwrap_or(u64::MAX)
    }

    /// What one call costs, in nanoseconds times `count`.
    fn period(&self) -> u128 {
        u128::from(self.limits.period_ms) * u128::from(MS)
    }

    fn capacity(&self) -> u128 {
        self.period() * u128::from(self.limits.burst)
    }
}

impl Refusal {
    fn because(&mut self, violated: Violated, wait_ns: u64) {
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
