//! The counters of one server for one credential, as its answers name them, and which calls take from which.
//!
//! A call takes from the counters that the answers of its route named (`routes.rs`). While nothing is known of its route it
//! takes from the general ones: those that are their policy's only one and belong to no endpoint. Where a policy has
//! several, by partition key or because endpoints have limits of different sizes, a call of an unknown route takes from
//! none of them, and the first goes alone until its answer tells.
//!
//! What an answer teaches is in `gates/answers.rs`, who is paused in `gates/pauses.rs`.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::counter::{Asking, Counter, Identity, Kind};
use super::hold::{HeldBy, Hold};
use super::lanes::LaneKey;
use super::route::Route;
use super::routes::Routes;
use super::server_clock::ServerClock;
use super::state::GateState;
use super::ticket::{MOST_COUNTED, Ticket};
use crate::limits::Scope;
use crate::time::Instant;

mod answers;
mod pauses;

/// Counters that are kept; the one that was not heard of for longest goes first. A mask has a bit for each.
const MAX_COUNTERS: usize = 64;

/// The counters, each in a slot that it keeps.
#[derive(Debug, Default)]
pub(super) struct Gates {
    slots: Vec<Option<Counter>>,
    routes: Routes,
    /// Counters that calls of unknown routes take from.
    general: u64,
    /// Counters of policies that have several.
    partitioned: u64,
    /// Counters of one endpoint or resource.
    placed: u64,
    /// Pauses of one endpoint or path.
    quiet: u64,
    last_id: u32,
    clock: ServerClock,
}

/// What the pacer knows of the call whose answer was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered<'a> {
    pub(super) ticket: &'a Ticket,
    pub(super) now: Instant,
    pub(super) status: StatusCode,
    /// How long a call may be under way before it is taken to have been counted.
    pub(super) within: Duration,
    /// Calls of the pacer so far, and of these under way.
    pub(super) admitted: u64,
    pub(super) in_flight: u32,
    pub(super) last_admitted: Instant,
}

/// What an answer taught.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taught {
    /// A bit for each counter that it named, and for each of them that had nothing left.
    pub(super) named: u64,
    pub(super) exhausted: u64,
    /// Calls take from other counters than was thought.
    pub(super) moved: bool,
}

/// The slots of a mask.
fn slots_of(mask: u64) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let slot = usize::try_from(rest.trailing_zeros())
            .ok()
            .filter(|_| rest != 0)?;
        rest &= rest - 1;
        Some(slot)
    })
}

impl Gates {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn counters(&self) -> impl Iterator<Item = (usize, &Counter)> {
        let all = self.slots.iter().enumerate();
        all.filter_map(|(slot, counter)| Some((slot, counter.as_ref()?)))
    }

    fn get(&self, slot: usize) -> Option<&Counter> {
        self.slots.get(slot)?.as_ref()
    }

    fn get_mut(&mut self, slot: usize) -> Option<&mut Counter> {
        self.slots.get_mut(slot)?.as_mut()
    }

    pub(super) fn policy(&self, slot: usize) -> Option<Arc<str>> {
        self.get(slot).map(|counter| Arc::clone(&counter.policy))
    }

    /// What is known of each, for people.
    pub(super) fn state(&self, now: Instant) -> Vec<GateState> {
        self.counters()
            .filter_map(|(_, counter)| counter.state(now))
            .collect()
    }

    /// Time until the end of a pause that everybody waits for whose route is unknown.
    pub(super) fn general_pause(&self) -> Option<Instant> {
        let general = slots_of(self.general).filter_map(|slot| self.get(slot));
        general.filter_map(|counter| counter.paused_until).max()
    }

    /// The line that a call stands in: what it takes from.
    pub(super) fn lane_of(&self, route: Route) -> LaneKey {
        if self.slots.is_empty() {
            return LaneKey::default();
        }
        let known = self.routes.known(route);
        let predicted = || {
            self.routes
                .predicted(route)
                .filter(|_| self.partitioned != 0)
        };
        let mut key = match known.or_else(predicted) {
            Some(mask) => LaneKey { mask, unknown: 0 },
            None if self.partitioned == 0 => LaneKey {
                mask: self.general,
                unknown: 0,
            },
            None => LaneKey {
                mask: self.general,
                unknown: self.routes.key_of(route).max(1),
            },
        };
        for slot in slots_of(key.mask & self.placed) {
            let Some(counter) = self.get(slot).filter(|counter| !counter.is_at(route)) else {
                continue;
            };
            // The server counts what is there by itself: with the same policy, but another counter.
            let twin = |other: &Counter| other.is_at(route) && other.is_twin_of(counter);
            let twin = self.counters().find(|(_, other)| twin(other));
            key.mask &= !(1 << slot);
            match twin {
                Some((twin, _)) => key.mask |= 1 << twin,
                None => key.unknown = route.resource.max(1),
            }
        }
        if self.quiet != 0 {
            let here = |slot: &usize| {
                self.get(*slot).is_some_and(|counter| {
                    counter.place == route.endpoint || counter.place == route.path
                })
            };
            key.mask |= slots_of(self.quiet)
                .filter(here)
                .fold(0, |mask, slot| mask | 1 << slot);
        }
        key
    }

    /// Adds to `held` what the counters of a line hold a call back for. `ahead`: those before it that take from a slot.
    pub(super) fn hold(
        &self,
        held: Option<Hold>,
        lane: LaneKey,
        route: Route,
        asking: &Asking,
        ahead: impl Fn(usize) -> u64,
    ) -> Option<Hold> {
        let mut held = held;
        if asking.polite
            && lane.unknown != 0
            && let Some(scout) = self.routes.scout(route)
            && let Some(until) = scout.held_until(asking.step)
        {
            held = Hold::later(held, until, HeldBy::Scout, asking.now);
        }
        for slot in slots_of(lane.mask) {
            if let Some(counter) = self.get(slot) {
                let asking = Asking {
                    ahead: ahead(slot),
                    ..*asking
                };
                held = counter.hold(held, slot, &asking);
            }
        }
        held
    }

    /// Whether a line waits for something that the calls of `other` do not take from.
    pub(super) fn is_stuck(
        &self,
        lane: LaneKey,
        other: LaneKey,
        route: Route,
        asking: &Asking,
    ) -> bool {
        let own = LaneKey {
            mask: lane.mask & !other.mask,
            ..lane
        };
        self.hold(None, own, route, asking, |_| 0).is_some()
    }

    /// Time passes for the counters of a line.
    pub(super) fn pass_time(&mut self, lane: LaneKey, route: Route, now: Instant, step: Duration) {
        for slot in slots_of(lane.mask) {
            if let Some(counter) = self.get_mut(slot) {
                counter.pass_time(now, step);
            }
        }
        if lane.unknown != 0
            && let Some(scout) = self.routes.scout_if_any(route)
        {
            scout.pass_time(now, step);
        }
    }

    /// A call goes: notes in its ticket what it is thought to take from.
    pub(super) fn take(&mut self, ticket: &mut Ticket, asking: &Asking) {
        ticket.counted.clear();
        ticket.scout = 0;
        if self.slots.is_empty() {
            return;
        }
        let lane = self.lane_of(ticket.route);
        if lane.unknown != 0 {
            ticket.scout = self.routes.scout_mut(ticket.route).on_admitted(asking.now);
        }
        for slot in slots_of(lane.mask) {
            if ticket.counted.len() == MOST_COUNTED {
                break;
            }
            let Some(counter) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
                continue;
            };
            let slot = u8::try_from(slot).unwrap_or(u8::MAX);
            ticket.counted.push((slot, counter.take(asking)));
        }
    }

    /// The call is only sent now.
    pub(super) fn on_sent(&mut self, ticket: &Ticket, now: Instant) {
        for (slot, counted) in ticket.places() {
            if let Some(counter) = self
                .get_mut(slot)
                .filter(|counter| counter.id == counted.id)
            {
                counter.release.on_sent(counted.generation, now);
            }
        }
        if ticket.scout != 0
            && let Some(scout) = self.routes.scout_if_any(ticket.route)
        {
            scout.on_sent(ticket.scout, now);
        }
    }

    /// A call is over; `answered` by the server, but not with a 429.
    pub(super) fn settle(&mut self, ticket: &Ticket, answered: bool) {
        let mut counted_by = 0u64;
        for (slot, counted) in ticket.places() {
            if let Some(counter) = self
                .get_mut(slot)
                .filter(|counter| counter.id == counted.id)
            {
                counted_by |= 1 << slot;
                counter.settle(counted, answered);
            }
        }
        for (slot, counter) in self.slots.iter_mut().enumerate() {
            if let Some(counter) = counter
                && counted_by & (1 << slot) == 0
                && ticket.index < counter.born
            {
                counter.settle_early();
            }
        }
        if ticket.scout != 0
            && let Some(scout) = self.routes.scout_if_any(ticket.route)
        {
            scout.on_over(ticket.scout, answered);
        }
    }

    /// A call did not reach the server.
    pub(super) fn never_sent(&mut self, ticket: &Ticket) {
        for (slot, counted) in ticket.places() {
            if let Some(counter) = self
                .get_mut(slot)
                .filter(|counter| counter.id == counted.id)
            {
                counter.never_sent(counted);
            }
        }
    }

    /// A call ended without an answer.
    pub(super) fn on_lost(&mut self, ticket: &Ticket) {
        let counts = |slot: usize, counter: &Counter| {
            ticket.index < counter.born
                || ticket
                    .places()
                    .any(|(at, counted)| at == slot && counted.id == counter.id)
        };
        for (slot, counter) in self.slots.iter_mut().enumerate() {
            if let Some(counter) = counter
                && counts(slot, counter)
            {
                counter.on_lost();
            }
        }
    }

    fn add(&mut self, identity: Identity, kind: Kind, call: &Answered<'_>) -> usize {
        self.last_id = self.last_id.wrapping_add(1);
        let new = Counter::new(
            self.last_id,
            identity,
            kind,
            call.now,
            call.admitted,
            call.in_flight,
            call.last_admitted,
        );
        let free = self.slots.iter().position(Option::is_none);
        let slot = match free {
            Some(slot) => slot,
            None if self.slots.len() < MAX_COUNTERS => {
                self.slots.push(None);
                self.slots.len() - 1
            }
            None => {
                let oldest = self.counters().min_by_key(|(_, counter)| counter.heard_at);
                let slot = oldest.map_or(0, |(slot, _)| slot);
                self.give_up(slot);
                slot
            }
        };
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(new);
        }
        self.classify();
        slot
    }

    fn give_up(&mut self, slot: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = None;
        }
        self.routes.forget(slot);
        self.classify();
    }

    /// Finds out which counters are general, and which are one of several.
    fn classify(&mut self) {
        while matches!(self.slots.last(), Some(None)) {
            self.slots.pop();
        }
        let (mut general, mut partitioned, mut placed, mut quiet) = (0, 0, 0, 0);
        for (slot, counter) in self.counters() {
            let bit = 1 << slot;
            if matches!(counter.kind, Kind::Quiet) {
                quiet |= bit;
                continue;
            }
            if counter.place != 0 {
                placed |= bit;
            }
            let several = || {
                let of_policy = self
                    .counters()
                    .filter(|(_, other)| other.is_policy_of(counter));
                of_policy.count() > 1
            };
            if counter.scope != Scope::Credential || several() {
                partitioned |= bit;
            } else {
                general |= bit;
            }
        }
        (self.general, self.partitioned) = (general, partitioned);
        (self.placed, self.quiet) = (placed, quiet);
    }

    /// All counters of the policies of these.
    fn rivals_of(&self, named: u64) -> u64 {
        let is_rival = |counter: &Counter| {
            slots_of(named)
                .filter_map(|slot| self.get(slot))
                // What differs by place alone is told apart by that.
                .any(|named| {
                    named.is_policy_of(counter)
                        && (named.place == counter.place || !named.is_twin_of(counter))
                })
        };
        self.counters()
            .filter(|(_, counter)| is_rival(counter))
            .fold(0, |mask, (slot, _)| mask | 1 << slot)
    }
}
