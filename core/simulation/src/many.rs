//! Many seeds, on as many threads as are wanted. What comes of it does not depend on how many those are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::broken::BrokenRule;
use crate::check::Violation;
use crate::derive::derive;
use crate::world::play;

/// What many simulations came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Seeds that were played.
    pub seeds: u64,
    /// Calls that were made.
    pub calls: u64,
    /// Requests that were sent.
    pub attempts: u64,
    /// Calls that ended with an answer below 400.
    pub succeeded: u64,
    /// Requests that a quota refused.
    pub refused: u64,
    /// Virtual time, in seconds.
    pub seconds: u64,
    /// What did not hold, by seed, lowest first.
    pub violations: Vec<(u64, Violation)>,
}

/// Plays the seeds from `first` on, `seeds` of them, with `calls` calls each.
#[must_use]
pub fn play_many(
    first: u64,
    seeds: u64,
    calls: u32,
    broken: Option<BrokenRule>,
    threads: usize,
) -> Sum {
    let next = AtomicU64::new(0);
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= seeds {
                        break;
                    }
                    let seed = first.wrapping_add(nth);
                    let played = play(&derive(seed, calls), broken, false);
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.seeds += 1;
                    sum.calls += played.calls;
                    sum.attempts += played.attempts;
                    sum.succeeded += played.succeeded;
                    sum.refused += played.refused;
                    sum.seconds += played.took / 1_000;
                    let violations = played.violations.into_iter();
                    sum.violations
                        .extend(violations.map(|violation| (seed, violation)));
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.violations
        .sort_by_key(|(seed, violation)| (*seed, violation.invariant));
    sum
}
