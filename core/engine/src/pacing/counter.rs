//! One of the server's counters, by policy, partition key and unit: what is known of it, and which calls of ours it counts.
//!
//! | Unit | Kind | Holds back |
//! |---|---|---|
//! | calls | Calls | as its gate says (`gate.rs`) |
//! | calls in progress | Concurrent | while as many are under way as the server allows (`so_many_are_under_way_and_no_more`) |
//! | tokens | Meter | while none are left (`meter.rs`) |
//! | bytes, or unknown | Meter | never: it is reported (`units_that_a_call_may_not_take_from_hold_nobody`) |
//! | none: a pause of one endpoint or path | Quiet | until the pause is over (`a_refusal_for_one_endpoint_pauses_that_endpoint_only`) |
//!
//! Each may be paused by itself; after that its calls are released one after the other (`release.rs`).

use std::sync::Arc;
use std::time::Duration;

use super::gate::Gate;
use super::hold::{HeldBy, Hold};
use super::meter::Meter;
use super::release::{Phase, Release};
use super::route::Route;
use super::state::{GateModel, GateState};
use super::window::Asked;
use crate::limits::{Reading, Scope, Unit};
use crate::time::Instant;

/// How soon one asks again who waits for nothing but a call under way.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// One counter.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    /// Tells it from others that had its slot.
    pub(super) id: u32,
    pub(super) policy: Arc<str>,
    partition_key: Option<Box<[u8]>>,
    /// The endpoint, resource or path whose calls it counts, where it is not for all of its credential.
    pub(super) place: u64,
    pub(super) scope: Scope,
    unit: Unit,
    pub(super) kind: Kind,
    pub(super) heard_at: Instant,
    /// Calls that went before this had been admitted when it was first heard of: nobody knows whether it counts them.
    pub(super) born: u64,
    early: u32,
    /// Calls that went, in the order in which it counts them.
    pub(super) admitted: u64,
    in_flight: u32,
    last_admitted: Instant,
    /// The one before, for when the last is given back.
    previous_admitted: Instant,
    pub(super) paused_until: Option<Instant>,
    pub(super) release: Release,
}

/// What is counted.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Calls(Box<Gate>),
    Concurrent(u64),
    Meter(Meter),
    Quiet,
}

/// Whose counter it is to be.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) policy: Arc<str>,
    pub(super) partition_key: Option<Box<[u8]>>,
    pub(super) place: u64,
    pub(super) scope: Scope,
    pub(super) unit: Unit,
}

/// What the pacer knows when a call asks, beside what each counter knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) now: Instant,
    pub(super) ahead: u64,
    pub(super) followed: bool,
    pub(super) polite: bool,
    pub(super) at_best: bool,
    /// How long an answer may take before it is not waited for any longer.
    pub(super) step: Duration,
}

impl Counter {
    /// One that was just heard of. `admitted` calls have gone so far, and `in_flight` of them are under way.
    pub(super) fn new(
        id: u32,
        identity: Identity,
        kind: Kind,
        heard_at: Instant,
        admitted: u64,
        in_flight: u32,
        last_admitted: Instant,
    ) -> Self {
        Self {
            id,
            policy: identity.policy,
            partition_key: identity.partition_key,
            place: identity.place,
            scope: identity.scope,
            unit: identity.unit,
            kind,
            heard_at,
            born: admitted,
            early: in_flight,
            admitted,
            in_flight: 0,
            last_admitted,
            previous_admitted: last_admitted,
            paused_until: None,
            release: Release::new(Phase::Open),
        }
    }

    pub(super) fn is_for(&self, reading: &Reading, place: u64) -> bool {
        self.unit == reading.unit
            && self.place == place
            && *self.policy == *reading.policy
            && self.partition_key == reading.partition_key
            && !matches!(self.kind, Kind::Quiet)
    }

    /// Whether a reading of that limit and window can be of this counter as it is known.
    pub(super) fn has_limit_of(&self, reading: &Reading) -> bool {
        match &self.kind {
            Kind::Calls(gate) => gate.has_limit_of(reading),
            Kind::Concurrent(_) | Kind::Meter(_) | Kind::Quiet => true,
        }
    }

    pub(super) fn is_policy_of(&self, other: &Self) -> bool {
        self.unit == other.unit && self.policy == other.policy
    }

    /// Whether it counts calls that go there, as far as that decides.
    pub(super) fn is_at(&self, route: Route) -> bool {
        [0, route.endpoint, route.resource, route.path].contains(&self.place)
    }

    /// Whether it is the same but for where calls go.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        self.is_policy_of(other) && self.partition_key == other.partition_key
    }

    /// Calls under way that it counts, or may count.
    pub(super) fn under_way(&self) -> u64 {
        u64::from(self.in_flight) + u64::from(self.early)
    }

    fn asked(&self, asking: &Asking) -> Asked {
        Asked {
            now: asking.now,
            ahead: asking.ahead,
            admitted: self.admitted,
            in_flight: self.under_way(),
            last_admitted: self.last_admitted,
            followed: asking.followed,
            spread: true,
            polite: asking.polite,
            at_best: asking.at_best,
        }
    }

    /// Adds to `held` what this counter holds a call back for. `slot`: where it is among the counters.
    pub(super) fn hold(&self, held: Option<Hold>, slot: usize, asking: &Asking) -> Option<Hold> {
        let now = asking.now;
        let mut held = held;
        if let Some(until) = self.paused_until {
            held = Hold::later(held, until, HeldBy::Pause, now);
        }
        if asking.polite
            && let Some(until) = self.release.held_until(asking.step)
        {
            held = Hold::later(held, until, HeldBy::Pause, now);
        }
        let until = match &self.kind {
            Kind::Calls(gate) => Some(gate.ready_at(&self.asked(asking))),
            Kind::Concurrent(limit) if self.under_way() >= *limit => {
                return Hold::later(held, now + ASK_AGAIN, HeldBy::Calls(slot), now);
            }
            Kind::Meter(meter) => meter.held_until(),
            Kind::Concurrent(_) | Kind::Quiet => None,
        };
        match until {
            Some(until) => Hold::later(held, until, HeldBy::Gate(slot), now),
            None => held,
        }
    }

    /// Time passes. Answers whether something that held calls back is over.
    pub(super) fn pass_time(&mut self, now: Instant, step: Duration) {
        if self.paused_until.is_some_and(|until| now >= until) {
            self.paused_until = None;
            self.release.recover();
        }
        if let Kind::Meter(meter) = &mut self.kind
            && meter.is_refilled(now)
        {
            self.release.recover();
        }
        self.release.pass_time(now, step);
    }

    /// Nobody is let go before `until`; a pause is never shortened.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |paused| paused.max(until)));
    }

    /// A call goes: its place among those that are counted.
    pub(super) fn take(&mut self, asking: &Asking) -> Counted {
        let asked = self.asked(asking);
        let overruled = match &mut self.kind {
            Kind::Calls(gate) => gate.take(&asked),
            Kind::Concurrent(_) | Kind::Meter(_) | Kind::Quiet => false,
        };
        let counted = Counted {
            id: self.id,
            index: self.admitted,
            alone: self.under_way() == 0,
            overruled,
            by_window: matches!(&self.kind, Kind::Calls(gate) if !gate.is_continuous()),
            generation: self.release.on_admitted(asking.now),
        };
        self.admitted = self.admitted.saturating_add(1);
        self.in_flight = self.in_flight.saturating_add(1);
        self.previous_admitted = self.last_admitted;
        self.last_admitted = asking.now;
        counted
    }

    /// A call that it was known to count is over; `answered` by the server, but not with a 429.
    pub(super) fn settle(&mut self, counted: &Counted, answered: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.release.on_over(counted.generation, answered);
    }

    /// A call that went before it was heard of is over.
    pub(super) fn settle_early(&mut self) {
        self.early = self.early.saturating_sub(1);
    }

    /// A call that it was not known to count, sent at `sent_at`, turns out to be counted.
    pub(super) fn join(&mut self, sent_at: Instant) -> u64 {
        if let Kind::Calls(gate) = &mut self.kind {
            gate.join(sent_at);
        }
        let index = self.admitted;
        self.admitted = self.admitted.saturating_add(1);
        index
    }

    /// A call did not count after all.
    pub(super) fn give_back(&mut self) {
        if let Kind::Calls(gate) = &mut self.kind {
            gate.give_back();
        }
    }

    /// A call never reached the server.
    pub(super) fn never_sent(&mut self, counted: &Counted) {
        self.give_back();
        if counted.index.saturating_add(1) == self.admitted {
            self.last_admitted = self.previous_admitted;
        }
    }

    /// A call ended without a word on this quota, but may have been counted.
    pub(super) fn on_lost(&mut self) {
        if let Kind::Calls(gate) = &mut self.kind {
            gate.on_lost(self.admitted);
        }
    }

    /// What is known, for people. `None` for what is no quota.
    pub(super) fn state(&self, now: Instant) -> Option<GateState> {
        let asking = Asking {
            now,
            ahead: 0,
            followed: false,
            polite: true,
            at_best: false,
            step: Duration::ZERO,
        };
        let paused_for = self
            .paused_until
            .map(|until| until.since(now))
            .filter(|left| !left.is_zero());
        let mut state = match &self.kind {
            Kind::Calls(gate) => gate.state(&self.asked(&asking)),
            Kind::Concurrent(limit) => GateState {
                remaining: limit.saturating_sub(self.under_way()),
                ..GateState::of(GateModel::Concurrent, *limit)
            },
            Kind::Meter(meter) => GateState {
                window: meter.window,
                remaining: meter.left,
                next_in: meter
                    .held_until()
                    .map_or(Duration::ZERO, |until| until.since(now)),
                resets_in: Some(meter.resets_by.since(now)),
                ..GateState::of(GateModel::Reported, meter.limit)
            },
            Kind::Quiet => return None,
        };
        state.policy = self.policy.to_string();
        state.partition_key = self.partition_key.as_deref().map(<[u8]>::to_vec);
        state.unit = self.unit;
        state.paused_for = paused_for;
        Some(state)
    }
}

/// The place of one call among those that a counter counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// The counter's.
    pub(super) id: u32,
    /// How many it had counted before.
    pub(super) index: u64,
    /// No other call that it counts was under way.
    pub(super) alone: bool,
    /// It went though the window model held that nothing was left.
    pub(super) overruled: bool,
    /// It went because the window model held that something was left.
    pub(super) by_window: bool,
    /// What to hand in to the release when it is over.
    pub(super) generation: u32,
}
