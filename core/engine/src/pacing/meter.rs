//! A quota that is not counted in calls: what a call takes is not known beforehand. It is reported, and where nothing is left
//! of one that every call takes from (tokens), calls are held back until it is reset.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Some left | reading with nothing left | Empty: calls wait for the reset (`calls_wait_while_no_token_is_left`) |
//! | Empty | reading of a call sent later, with something left | Some left (`a_later_answer_ends_the_wait`) |
//! | Empty | the reset comes | Some left, and calls are released one after the other (`releases_after_an_empty_meter_are_spread`) |

use std::time::Duration;

use super::bucket::after;
use super::gate::LONGEST_WAIT;
use crate::limits::{Reading, Unit};
use crate::time::Instant;

/// What is known of such a quota.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    pub(super) limit: u64,
    pub(super) window: Option<Duration>,
    pub(super) left: u64,
    pub(super) resets_by: Instant,
    /// Calls wait where nothing is left.
    pub(super) holds: bool,
    sent_at: Instant,
}

impl Meter {
    pub(super) fn new(reading: &Reading, sent_at: Instant, heard_at: Instant) -> Self {
        let mut meter = Self {
            limit: 0,
            window: None,
            left: u64::MAX,
            resets_by: Instant::ORIGIN,
            holds: reading.unit == Unit::Tokens,
            sent_at: Instant::ORIGIN,
        };
        meter.on_reading(reading, sent_at, heard_at);
        meter
    }

    pub(super) fn on_reading(&mut self, reading: &Reading, sent_at: Instant, heard_at: Instant) {
        // Answers that come out of order say what was, not what is.
        if sent_at < self.sent_at {
            return;
        }
        self.sent_at = sent_at;
        let left = reading.remaining.unwrap_or(self.left);
        self.left = left;
        self.limit = reading.limit.unwrap_or(self.limit.max(left));
        self.window = reading.window.or(self.window);
        let resets_in = reading.reset_after.or(reading.window).unwrap_or_default();
        let nanos = u64::try_from(resets_in.as_nanos()).unwrap_or(u64::MAX);
        self.resets_by = after(heard_at, nanos.min(LONGEST_WAIT));
    }

    /// Until when calls wait for it.
    pub(super) fn held_until(&self) -> Option<Instant> {
        (self.holds && self.left == 0).then_some(self.resets_by)
    }

    /// Whether the wait is over at `now`: it was empty, and was reset.
    pub(super) fn is_refilled(&mut self, now: Instant) -> bool {
        let refilled = self.held_until().is_some_and(|until| until <= now);
        if refilled {
            self.left = self.limit.max(1);
        }
        refilled
    }
}
