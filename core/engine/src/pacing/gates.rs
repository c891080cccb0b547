//! The quotas of one server, by policy and partition key, as its answers name them.
//!
//! Which counter of a policy a call falls under, only its answer tells. Of several partition keys of one policy the one
//! that was named last therefore holds calls back, and the others wait to be named again.

use std::sync::Arc;

use http::StatusCode;

use super::gate::{Gate, Usable};
use super::window::{Asked, Heard};
use crate::limits::{LimitReadings, Unit};
use crate::time::Instant;

/// Quotas that are kept; the one that was not heard of for longest goes first.
const MAX_GATES: usize = 16;

/// The quotas, in the order in which they were first named.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates(Vec<Gate>);

impl Gates {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Gate> {
        self.0.iter()
    }

    pub(super) fn policy(&self, at: usize) -> Option<Arc<str>> {
        self.0.get(at).map(|gate| Arc::clone(&gate.policy))
    }

    /// The gates that hold the call that asks, and until when; a time in the past means that it does not.
    pub(super) fn ready_at(&self, asked: &Asked) -> impl Iterator<Item = (usize, Instant)> {
        let current = self.0.iter().enumerate().filter(|(_, gate)| gate.current);
        current.map(|(at, gate)| (at, gate.ready_at(asked)))
    }

    /// A call goes. Answers a bit for each gate that let it go against what the window model holds.
    pub(super) fn take(&mut self, asked: &Asked) -> u32 {
        let mut overruled = 0;
        for (at, gate) in self.0.iter_mut().enumerate() {
            if gate.current && gate.take(asked) {
                overruled |= 1 << at;
            }
        }
        overruled
    }

    /// A call did not reach the server.
    pub(super) fn give_back(&mut self) {
        for gate in &mut self.0 {
            gate.give_back();
        }
    }

    /// A call ended without an answer; `admitted` have been let go by now.
    pub(super) fn on_lost(&mut self, admitted: u64) {
        for gate in &mut self.0 {
            gate.on_lost(admitted);
        }
    }

    /// Takes in what an answer says, and does not say. `overruled`: what [`take`](Self::take) answered for its call.
    pub(super) fn on_answer(
        &mut self,
        call: &Heard,
        status: StatusCode,
        readings: &LimitReadings,
        overruled: u32,
    ) {
        let mut named = 0u32;
        for reading in readings {
            let Some(usable) = Usable::of(reading).filter(|_| reading.unit == Unit::Requests)
            else {
                continue;
            };
            let heard = usable.heard(call);
            let at = match self.0.iter().position(|gate| gate.is_for(reading)) {
                Some(at) => {
                    if let Some(gate) = self.0.get_mut(at) {
                        gate.on_reading(&usable, &heard, overruled & (1 << at) != 0);
                    }
                    at
                }
                None => self.add(Gate::new(reading, &usable, &heard)),
            };
            named |= 1 << at;
            for (other, gate) in self.0.iter_mut().enumerate() {
                if other != at && *gate.policy == *reading.policy {
                    gate.current = named & (1 << other) != 0;
                }
            }
        }
        self.on_unnamed(call, status, named);
    }

    fn add(&mut self, new: Gate) -> usize {
        if self.0.len() < MAX_GATES {
            self.0.push(new);
            return self.0.len() - 1;
        }
        let oldest = self
            .0
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, gate)| gate.heard_at);
        let Some((at, gate)) = oldest else { return 0 };
        *gate = new;
        at
    }

    /// What an answer says by not naming a quota. An error may come from in front of what counts, so that the call may
    /// have been counted or not; any other answer means that the call does not fall under that quota.
    fn on_unnamed(&mut self, call: &Heard, status: StatusCode, named: u32) {
        let unsure = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let mut at = 0;
        self.0.retain_mut(|gate| {
            let is_named = named & (1 << at) != 0;
            at += 1;
            if is_named || !gate.current {
                return true;
            }
            if unsure {
                gate.on_lost(call.admitted);
                return true;
            }
            gate.give_back();
            // Sent after the reset and not named: there is nothing left to remember, and maybe no such quota any more.
            call.sent_at < gate.window.resets_by
        });
    }
}
