//! How many calls may be under way while little is known of the server: at the start, and after a pause.
//!
//! | Phase | Event | Next |
//! |---|---|---|
//! | Fresh | a call goes | Scouting: it goes alone (`a_burst_at_the_start_waits_for_the_first_answer`) |
//! | Scouting | an answer | Open (`without_limit_headers_everybody_goes`) |
//! | Scouting | the call fails, or is cancelled, and no other is under way | Fresh: the next one scouts (`a_failed_scout_hands_its_role_on`) |
//! | Scouting | 150 ms without an answer | Scouting: twice as many may be under way (`a_slow_scout_does_not_hold_up_the_others_for_long`) |
//! | any | the server asks for a pause | Recovering, once the pause is over: one may go |
//! | Recovering | an answer that is no 429 | Recovering: one more may be under way (`releases_after_a_pause_are_spread`) |
//! | Recovering | 150 ms without an answer | Recovering: twice as many may be under way |
//! | Recovering | 32 may be under way | Open (`releases_after_a_pause_are_spread`) |

use std::time::Duration;

use crate::time::Instant;

/// From here on nobody is held back any more.
const RECOVERED: u32 = 32;

/// How freely calls go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    phase: Phase,
    allowed: u32,
    under_way: u32,
    /// When it was last known that an answer is due.
    since: Instant,
    /// Tells the calls of this phase from those of phases before.
    generation: u32,
}

/// How much is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing was ever sent.
    Fresh,
    /// Calls are let go as far as other rules allow.
    Open,
    /// A pause is over.
    Recovering,
    /// The first call is under way.
    Scouting,
}

impl Release {
    pub(super) fn new(phase: Phase) -> Self {
        Self {
            phase,
            allowed: 1,
            under_way: 0,
            since: Instant::ORIGIN,
            generation: 1,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    fn enter(&mut self, phase: Phase) {
        *self = Self {
            phase,
            generation: self.generation.wrapping_add(1).max(1),
            ..Self::new(phase)
        };
    }

    /// A pause is over.
    pub(super) fn recover(&mut self) {
        self.enter(Phase::Recovering);
    }

    /// Until when a call is held back at `now`; answers that come earlier change it. `step`: how long an answer may
    /// take before it is not waited for any longer.
    pub(super) fn held_until(&self, step: Duration) -> Option<Instant> {
        let holds = matches!(self.phase, Phase::Scouting | Phase::Recovering)
            && self.under_way >= self.allowed;
        holds.then(|| self.since + step)
    }

    pub(super) fn pass_time(&mut self, now: Instant, step: Duration) {
        if self.held_until(step).is_some_and(|until| until <= now) {
            self.allowed = self.allowed.saturating_mul(2);
            self.since = now;
        }
    }

    /// A call goes. Answers what to hand in when it is over.
    pub(super) fn on_admitted(&mut self, now: Instant) -> u32 {
        match self.phase {
            Phase::Open => return 0,
            Phase::Fresh => self.enter(Phase::Scouting),
            Phase::Recovering | Phase::Scouting => {}
        }
        self.on_sent(self.generation, now);
        self.under_way = self.under_way.saturating_add(1);
        self.generation
    }

    /// A call that was let go before is sent only now.
    pub(super) fn on_sent(&mut self, generation: u32, now: Instant) {
        if generation == self.generation {
            self.since = now;
        }
    }

    /// A call is over; `answered` by the server, but not with a 429.
    pub(super) fn on_over(&mut self, generation: u32, answered: bool) {
        if generation != self.generation {
            return;
        }
        self.under_way = self.under_way.saturating_sub(1);
        match self.phase {
            Phase::Scouting if answered => self.enter(Phase::Open),
            Phase::Scouting if self.under_way == 0 => self.enter(Phase::Fresh),
            Phase::Recovering if answered => {
                self.allowed = self.allowed.saturating_add(1);
                if self.allowed >= RECOVERED {
                    self.enter(Phase::Open);
                }
            }
            _ => {}
        }
    }
}
