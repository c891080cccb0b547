//! The counters of one server for one credential, as its answers name them, and which calls take from which.
//!
//! A call takes from the counters that the answers of its route named (`routes.rs`). While nothing is known of its route it
//! takes from the general ones: those that are their policy's only one and belong to no endpoint. Where a policy has
//! several, by partition key or because endpoints have limits of different sizes, a call of an unknown route takes from
//! none of them, and the first goes alone until its answer tells.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::bucket::after;
use super::counter::{Asking, Counter, Identity, Kind};
use super::gate::{Gate, LONGEST_WAIT, Usable};
use super::hold::{HeldBy, Hold};
use super::lanes::LaneKey;
use super::meter::Meter;
use super::route::Route;
use super::routes::Routes;
use super::server_clock::ServerClock;
use super::state::GateState;
use super::ticket::Ticket;
use super::window::Heard;
use crate::limits::{Dialect, LimitReadings, Reach, Reading, Scope, Unit};
use crate::time::Instant;

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

/// A quota that was not shown for so long, since before its reset, is none any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

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

    /// Pauses of one endpoint or path are given up an hour after they are over. Answers whether there were any.
    fn end_pauses(&mut self, now: Instant) -> bool {
        let mut ended = false;
        for slot in slots_of(self.quiet) {
            let over = self.get(slot).is_some_and(|counter| {
                let since = counter.paused_until.unwrap_or(counter.heard_at);
                now > after(since, LONGEST_WAIT / 24) && counter.under_way() == 0
            });
            if over {
                self.give_up(slot);
                ended = true;
            }
        }
        ended
    }

    /// A call goes: notes in its ticket what it is thought to take from.
    pub(super) fn take(&mut self, ticket: &mut Ticket, asking: &Asking) {
        ticket.counters = 0;
        ticket.scout = 0;
        if self.slots.is_empty() {
            return;
        }
        let lane = self.lane_of(ticket.route);
        if lane.unknown != 0 {
            ticket.scout = self.routes.scout_mut(ticket.route).on_admitted(asking.now);
        }
        for slot in slots_of(lane.mask) {
            let Some(counter) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
                continue;
            };
            let Some(place) = ticket.counted.get_mut(usize::from(ticket.counters)) else {
                break;
            };
            *place = (u8::try_from(slot).unwrap_or(u8::MAX), counter.take(asking));
            ticket.counters += 1;
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

    /// Takes in what an answer says, and does not say.
    pub(super) fn on_answer(&mut self, call: &Answered<'_>, readings: &LimitReadings) -> Taught {
        let mut taught = Taught::default();
        if let Some(date) = readings.served_at() {
            self.clock.on_date(date, call.ticket.sent_at, call.now);
        }
        // Who has room for one quota shows the one that is nearest to its end: now this, now that.
        let one_slot = readings.iter().len() == 1
            && !matches!(
                readings.dialect(),
                Some(Dialect::Draft10 | Dialect::Discord | Dialect::Shopify)
            );
        for reading in readings {
            if let Some(slot) = self.on_reading(call, reading, one_slot, &mut taught) {
                taught.named |= 1 << slot;
                if reading.remaining == Some(0) {
                    taught.exhausted |= 1 << slot;
                }
            }
        }
        taught.moved |= self.on_unnamed(call, taught.named, one_slot) | self.end_pauses(call.now);
        // What an error does not name says nothing; what it names does.
        let sure = call.status.as_u16() < 400 || taught.named != 0;
        if sure && !self.slots.is_empty() {
            let rivals = match one_slot {
                true => 0,
                // Each is the only one of its policy.
                false if self.partitioned | self.quiet == 0 => taught.named,
                false => self.rivals_of(taught.named),
            };
            taught.moved |= self.routes.learn(call.ticket.route, taught.named, rivals);
        }
        taught
    }

    fn on_reading(
        &mut self,
        call: &Answered<'_>,
        reading: &Reading,
        one_slot: bool,
        taught: &mut Taught,
    ) -> Option<usize> {
        let refused = call.status == StatusCode::TOO_MANY_REQUESTS;
        let usable = match reading.unit {
            Unit::Requests => {
                let at = reading.reset_at.and_then(|at| self.clock.bounds(at));
                Some(Usable::of(reading, at, call.ticket.sent_at, call.now)?)
            }
            Unit::ConcurrentRequests => {
                reading.limit?;
                None
            }
            _ => {
                reading.remaining?;
                None
            }
        };
        let route = call.ticket.route;
        let place = match reading.scope {
            Scope::Credential => 0,
            Scope::Endpoint => route.endpoint,
            Scope::Resource => route.resource,
        };
        let found = self.find(reading, place, route, one_slot);
        let Some(slot) = found else {
            let heard = self.heard(call, None, refused);
            let kind = match (usable, reading.unit) {
                (Some(usable), _) => {
                    Kind::Calls(Box::new(Gate::new(&usable, &usable.heard(&heard))))
                }
                (None, Unit::ConcurrentRequests) => Kind::Concurrent(reading.limit?.max(1)),
                (None, _) => Kind::Meter(Meter::new(reading, call.ticket.sent_at, call.now)),
            };
            let identity = Identity {
                policy: Arc::from(&*reading.policy),
                partition_key: reading.partition_key.clone(),
                place,
                scope: reading.scope,
                unit: reading.unit,
            };
            taught.moved = true;
            return Some(self.add(identity, kind, call));
        };
        let counter = self.slots.get_mut(slot).and_then(Option::as_mut)?;
        counter.heard_at = call.now;
        let place = call
            .ticket
            .places()
            .find(|(at, counted)| *at == slot && counted.id == counter.id)
            .map(|(_, counted)| *counted);
        let index = match place {
            Some(counted) => counted.index,
            None if call.ticket.index < counter.born => call.ticket.index,
            None => counter.join(call.ticket.sent_at),
        };
        let heard = Heard {
            index,
            admitted: counter.admitted,
            in_flight: counter.under_way(),
            alone: place.map_or(call.ticket.alone, |counted| counted.alone),
            ..heard(call, counter.admitted > index.saturating_add(1), refused)
        };
        match (&mut counter.kind, usable) {
            (Kind::Calls(gate), Some(usable)) => {
                let overruled = place.is_some_and(|counted| counted.overruled);
                let by_window = place.is_some_and(|counted| counted.by_window);
                gate.on_reading(&usable, &usable.heard(&heard), overruled, by_window);
            }
            (Kind::Concurrent(limit), _) => *limit = reading.limit.unwrap_or(*limit).max(1),
            (Kind::Meter(meter), _) => meter.on_reading(reading, call.ticket.sent_at, call.now),
            _ => {}
        }
        Some(slot)
    }

    /// What is known of when an answer was made, by a counter that is new.
    fn heard(&self, call: &Answered<'_>, index: Option<u64>, refused: bool) -> Heard {
        let index = index.unwrap_or(call.ticket.index);
        Heard {
            index,
            admitted: call.admitted,
            in_flight: call.in_flight.into(),
            alone: call.ticket.alone,
            ..heard(call, call.admitted > index.saturating_add(1), refused)
        }
    }

    /// The counter that a reading is of. Of several of one identity it is the one of the same size; else the one that the
    /// route is known to take from, whose size has changed. Where only one quota is shown, another size is another quota.
    fn find(&self, reading: &Reading, place: u64, route: Route, one_slot: bool) -> Option<usize> {
        let same = || {
            self.counters()
                .filter(|(_, counter)| counter.is_for(reading, place))
        };
        let of_this_size = same().find(|(_, counter)| counter.has_limit_of(reading));
        of_this_size
            .or_else(|| {
                let known = self.routes.known(route).unwrap_or(0);
                same().find(|(slot, counter)| {
                    !one_slot && (known & (1 << slot) != 0 || counter.scope != Scope::Credential)
                })
            })
            .map(|(slot, _)| slot)
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

    /// What an answer says by not naming a quota. An error or a redirect may come from in front of what counts, so that the call may
    /// have been counted or not; any other answer means that the call does not fall under that quota. Answers whether
    /// one was given up.
    fn on_unnamed(&mut self, call: &Answered<'_>, named: u64, one_slot: bool) -> bool {
        // Of any kind: a 400, a 401 or a redirect is as likely to come from in front of what counts as a 502 is.
        let error = !call.status.is_success();
        // What is not shown may be counted all the same.
        let unsure = error || (one_slot && named != 0);
        let mut over = 0u64;
        for (slot, counted) in call.ticket.places() {
            let Some(counter) = self
                .slots
                .get_mut(slot)
                .and_then(Option::as_mut)
                .filter(|counter| counter.id == counted.id && named & (1 << slot) == 0)
            else {
                continue;
            };
            let over_for_good = |counter: &Counter| match &counter.kind {
                // While calls are to be held back, that has to be remembered.
                _ if counter.paused_until.is_some_and(|until| call.now < until) => false,
                Kind::Calls(gate) => call.ticket.sent_at >= gate.window.resets_by,
                _ => false,
            };
            if unsure {
                counter.on_lost();
                // Of those that are shown in turn one that was reset long ago has been taken back.
                if !error
                    && call.now.since(counter.heard_at) > FORGOTTEN_AFTER
                    && over_for_good(counter)
                {
                    over |= 1 << slot;
                }
                continue;
            }
            counter.give_back();
            // Sent after the reset and not named: there is nothing left to remember, and maybe no such quota any more.
            if over_for_good(counter) {
                over |= 1 << slot;
            }
        }
        if over == 0 {
            return false;
        }
        let known = self.routes.known(call.ticket.route).unwrap_or(0);
        for slot in slots_of(over & known) {
            self.give_up(slot);
        }
        over & known != 0
    }

    /// The server refused the call of `ticket`, or asked for quiet: those that this is meant for are paused until then.
    /// `None`: everybody is to be; else a bit for each counter that is paused, and whether calls have to be sorted anew.
    pub(super) fn pause(
        &mut self,
        ticket: &Ticket,
        now: Instant,
        until: Instant,
    ) -> Option<(u64, bool)> {
        let route = ticket.route;
        match ticket.reach {
            Reach::Everything => return None,
            Reach::Endpoint => return Some(self.quiet(route.endpoint, ticket, now, until)),
            Reach::Path => return Some(self.quiet(route.path, ticket, now, until)),
            Reach::Partition => {}
        }
        let known = self.routes.known(route).unwrap_or(0);
        let first = |masks: [u64; 4]| masks.into_iter().find(|mask| *mask != 0);
        let meant = first([
            ticket.exhausted,
            ticket.named & self.partitioned,
            ticket.named,
            known & self.partitioned,
        ])?;
        for slot in slots_of(meant) {
            if let Some(counter) = self.get_mut(slot) {
                counter.pause(until);
            }
        }
        Some((meant, false))
    }

    fn quiet(&mut self, place: u64, ticket: &Ticket, now: Instant, until: Instant) -> (u64, bool) {
        let there = slots_of(self.quiet).find(|slot| {
            self.get(*slot)
                .is_some_and(|counter| counter.place == place)
        });
        let (slot, new) = match there {
            Some(slot) => (slot, false),
            None => {
                let identity = Identity {
                    policy: Arc::from("pause"),
                    partition_key: None,
                    place,
                    scope: Scope::Endpoint,
                    unit: Unit::Other,
                };
                let call = Answered {
                    ticket,
                    now,
                    status: StatusCode::TOO_MANY_REQUESTS,
                    within: Duration::ZERO,
                    admitted: 0,
                    in_flight: 0,
                    last_admitted: now,
                };
                (self.add(identity, Kind::Quiet, &call), true)
            }
        };
        if let Some(counter) = self.get_mut(slot) {
            counter.heard_at = now;
            counter.pause(until);
        }
        (1 << slot, new)
    }
}

/// What is known of when an answer was made. `later`: calls that take from the same were sent after it.
fn heard(call: &Answered<'_>, later: bool, refused: bool) -> Heard {
    // An answer can take long to compute, but the call was counted when it came in. The time of the answer is safer, and
    // costs nothing where no other call was sent meanwhile.
    let counted_by = if later {
        call.now.min(call.ticket.sent_at + call.within)
    } else {
        call.now
    };
    Heard {
        left: 0,
        resets_in: 0,
        whole: true,
        resets_from: 0,
        sent_at: call.ticket.sent_at,
        heard_at: call.now,
        counted_by,
        index: call.ticket.index,
        admitted: call.admitted,
        in_flight: call.in_flight.into(),
        alone: call.ticket.alone,
        refused,
    }
}
