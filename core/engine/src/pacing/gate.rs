//! One quota of the server, by policy and partition key: which of two models it follows, and when it lets a call go.
//!
//! | Model | Event | Next |
//! |---|---|---|
//! | Window | the time to the reset rose, or calls came back, though no reset was possible | Continuous (`a_rising_reset_shows_a_bucket`) |
//! | Window | the same, where a reset was possible but a new window would have more left | Continuous (`three_answers_of_a_tiny_bucket_are_enough`) |
//! | Window | any reading that no evenly restored quota can give | Window for good (`a_fixed_window_is_never_taken_for_a_bucket`) |
//! | Continuous | a refusal that it did not foresee, before it proved itself | Window, for ten windows at least (`a_wrong_guess_is_taken_back_after_one_refusal`) |
//! | Continuous | the same after it proved itself | Continuous, shared with others (see `continuous.rs`) |
//!
//! Both models see every reading, so that changing between them loses nothing.

use std::sync::Arc;
use std::time::Duration;

use super::bucket::after;
use super::continuous::{Blame, Continuous};
use super::window::{Asked, Heard, Relation, Window};
use crate::limits::Reading;
use crate::time::Instant;

const SECOND: u64 = 1_000_000_000;
/// The longest a header may make a call wait, whatever it says.
pub(super) const LONGEST_WAIT: u64 = 24 * 3600 * SECOND;

/// One quota.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) policy: Arc<str>,
    pub(super) partition_key: Option<Box<[u8]>>,
    /// Of all partition keys of its policy, this is the one that the server named last.
    pub(super) current: bool,
    pub(super) limit: u64,
    /// The window's length in nanoseconds, where it is told.
    pub(super) span: Option<u64>,
    pub(super) heard_at: Instant,
    pub(super) window: Window,
    continuous: Option<Continuous>,
    model: Model,
    /// Every reading so far fits a quota that is restored evenly.
    fits_a_bucket: bool,
    /// It was wrongly taken for one; not again before this.
    window_until: Instant,
}

/// How a quota comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// As a whole, at the reset.
    Window,
    /// Call by call.
    Continuous,
}

/// A reading that says enough to hold calls back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usable {
    left: u64,
    resets_in: u64,
    limit: Option<u64>,
    span: Option<u64>,
}

impl Usable {
    /// `None` where it does not say what is left, or for how long.
    pub(super) fn of(reading: &Reading) -> Option<Self> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let span = reading.window.map(nanos).filter(|&window| window > 0);
        let remaining = reading.remaining?;
        Some(Self {
            left: reading
                .limit
                .map_or(remaining, |limit| remaining.min(limit)),
            // A window is reset within its own length at the latest.
            resets_in: reading.reset_after.map(nanos).or(span)?.min(LONGEST_WAIT),
            limit: reading.limit,
            span,
        })
    }

    /// The reading as heard by `call`.
    pub(super) fn heard(&self, call: &Heard) -> Heard {
        Heard {
            left: self.left,
            resets_in: self.resets_in,
            ..*call
        }
    }
}

impl Gate {
    pub(super) fn new(reading: &Reading, usable: &Usable, heard: &Heard) -> Self {
        let mut gate = Self {
            policy: Arc::from(&*reading.policy),
            partition_key: reading.partition_key.clone(),
            current: true,
            limit: usable.limit.unwrap_or(heard.left.saturating_add(1)),
            span: usable.span,
            heard_at: heard.heard_at,
            window: Window::new(heard),
            continuous: None,
            model: Model::Window,
            fits_a_bucket: true,
            window_until: Instant::ORIGIN,
        };
        gate.restart(heard);
        gate
    }

    fn restart(&mut self, heard: &Heard) {
        self.continuous = self
            .span
            .and_then(|span| Continuous::new(self.limit, span, heard));
        self.model = Model::Window;
        self.fits_a_bucket = self.fits(heard);
    }

    pub(super) fn is_for(&self, reading: &Reading) -> bool {
        *self.policy == *reading.policy && self.partition_key == reading.partition_key
    }

    pub(super) fn model(&self) -> Model {
        self.model
    }

    /// Takes in what an answer said. `overruled`: the call went though the window model held that nothing was left.
    pub(super) fn on_reading(&mut self, usable: &Usable, heard: &Heard, overruled: bool) {
        self.current = true;
        self.heard_at = heard.heard_at;
        let limit = usable
            .limit
            .unwrap_or(self.limit.max(heard.left.saturating_add(1)));
        if limit != self.limit || (usable.span.is_some() && usable.span != self.span) {
            self.limit = limit;
            self.span = usable.span.or(self.span);
            self.window.on_reading(heard);
            self.restart(heard);
            return;
        }
        if heard.refused && overruled && self.model == Model::Continuous {
            self.on_surprise(heard.heard_at);
        }
        self.fits_a_bucket &= self.fits(heard);
        if self.model == Model::Window && self.shows_a_bucket(heard) {
            self.model = Model::Continuous;
        }
        self.window.on_reading(heard);
        if let Some(continuous) = &mut self.continuous {
            if overruled && !heard.refused {
                continuous.on_proof();
            }
            continuous.on_reading(heard);
        }
    }

    fn on_surprise(&mut self, now: Instant) {
        let Some(continuous) = &mut self.continuous else {
            return;
        };
        if continuous.on_surprise() == Blame::Model {
            self.model = Model::Window;
            self.window_until = after(
                now,
                self.span.unwrap_or(0).saturating_mul(10).max(60 * SECOND),
            );
        }
    }

    /// Whether a quota that is restored evenly can have given this reading: all is restored in the time that what is
    /// missing takes, in whole seconds. A fixed window's reset is further away, unless it is nearly used up or over.
    fn fits(&self, heard: &Heard) -> bool {
        let Some(continuous) = &self.continuous else {
            return false;
        };
        let missing = continuous.time_for(self.limit.saturating_sub(heard.left));
        heard.resets_in <= missing.div_ceil(SECOND).saturating_mul(SECOND)
    }

    /// Whether this reading, with those before it, can only come from a quota that is restored evenly.
    fn shows_a_bucket(&self, heard: &Heard) -> bool {
        if !self.fits_a_bucket || heard.heard_at < self.window_until {
            return false;
        }
        match self.window.relation(heard) {
            // More is left, or the reset has moved away, and no reset can have come: no window does that.
            Relation::Refilled
            | Relation::Later {
                reset_possible: false,
            } => true,
            // A reset may have come. Then a new window would have all left but what we took since the least reading,
            // and as we see less, it would have to be others' doing; that this also makes the count go down by
            // exactly our own calls is too much of a coincidence.
            Relation::Later {
                reset_possible: true,
            } => {
                let ours = heard
                    .admitted
                    .saturating_sub(self.window.least_index.saturating_add(1));
                let taken = self.window.least.checked_sub(heard.left);
                heard.left.saturating_add(ours) < self.limit
                    && taken.is_some_and(|taken| (1..=ours).contains(&taken))
            }
            Relation::Same | Relation::Earlier => false,
        }
    }

    /// A call of ours ended without a word on this quota, but may have been counted.
    pub(super) fn on_lost(&mut self, admitted: u64) {
        self.window.on_lost(admitted);
    }

    /// A call of ours did not count after all.
    pub(super) fn give_back(&mut self) {
        if let Some(continuous) = &mut self.continuous {
            continuous.give_back();
        }
    }

    /// A call goes. Answers whether the window model would have held it back.
    pub(super) fn take(&mut self, now: Instant, in_flight: u64) -> bool {
        let overruled = self.model == Model::Continuous && self.window.is_used_up(now, in_flight);
        if let Some(continuous) = &mut self.continuous {
            continuous.take(now);
        }
        overruled
    }

    /// When the call that asks may go; a time in the past means now.
    pub(super) fn ready_at(&self, asked: &Asked) -> Instant {
        let ready = match (self.model, &self.continuous) {
            (Model::Continuous, Some(continuous)) => continuous.ready_at(asked),
            _ => self.window.ready_at(asked, self.limit, self.span),
        };
        if asked.ahead == 0 {
            ready.min(after(self.heard_at, LONGEST_WAIT))
        } else {
            ready
        }
    }

    /// Calls that may go at `now`, as far as is known.
    pub(super) fn left(&self, now: Instant, in_flight: u64) -> u64 {
        match (self.model, &self.continuous) {
            (Model::Continuous, Some(continuous)) => continuous.left(now),
            _ if now >= self.window.resets_by => self.limit,
            _ => self.window.left(in_flight),
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.model == Model::Continuous
            && self.continuous.as_ref().is_some_and(Continuous::is_shared)
    }
}
