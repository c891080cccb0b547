//! The record of a transfer that is made of several calls: their attempts, one after the other, as those of one.

use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::attempts::{Attempt, Decision};
use gatewright_engine::error::ErrorParts;

use crate::Error;
use crate::runtime::Runtime;

/// Attempts that are kept; a transfer may go on for days.
const MOST: usize = 1000;

/// Attempts over all calls. Numbers count through, times from the start of the transfer.
#[derive(Debug)]
pub(crate) struct Record {
    started: Instant,
    attempts: Vec<Attempt>,
    number: u32,
    elapsed: Duration,
}

impl Record {
    pub(crate) fn begin(runtime: &dyn Runtime) -> Self {
        Self {
            started: runtime.instant(),
            attempts: Vec::new(),
            number: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// Adds the attempts of a call that began then.
    pub(crate) fn add(&mut self, begun: Instant, attempts: &[Attempt]) {
        let offset = begun.since(self.started);
        for attempt in attempts {
            self.number = self.number.saturating_add(1);
            let mut attempt = attempt.clone();
            attempt.number = self.number;
            attempt.started = attempt.started.saturating_add(offset);
            self.elapsed = attempt.started.saturating_add(attempt.took);
            if self.attempts.len() >= MOST {
                // The first stays, and the latest.
                self.attempts.remove(1);
            }
            self.attempts.push(attempt);
        }
    }

    /// What was decided after the last attempt, where its body broke.
    pub(crate) fn decide(&mut self, decision: Decision) {
        if let Some(last) = self.attempts.last_mut() {
            last.decision = decision;
        }
    }

    pub(crate) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    pub(crate) fn elapsed(&self, runtime: &dyn Runtime) -> Duration {
        runtime.instant().since(self.started)
    }

    /// The error of a call as that of the transfer.
    pub(crate) fn complete(&self, mut parts: ErrorParts) -> Error {
        parts.attempts.clone_from(&self.attempts);
        parts.elapsed = parts.elapsed.max(self.elapsed);
        parts.into()
    }
}
