//! What an answer teaches of the counters: which it names, what is left of them, and what it says by not naming one.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::super::counter::{Counter, Identity, Kind};
use super::super::gate::{Gate, Usable};
use super::super::meter::Meter;
use super::super::route::Route;
use super::super::window::Heard;
use super::{Answered, Gates, Taught, slots_of};
use crate::limits::{Dialect, LimitReadings, Reading, Scope, Unit};

/// A quota that was not shown for so long, since before its reset, is none any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

impl Gates {
    /// Takes in what an answer says, and does not say.
    pub(in super::super) fn on_answer(
        &mut self,
        call: &Answered<'_>,
        readings: &LimitReadings,
    ) -> Taught {
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
