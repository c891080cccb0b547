//! Who is paused when a server refuses or asks for quiet, and for how long that is remembered.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::super::bucket::after;
use super::super::counter::{Identity, Kind};
use super::super::gate::LONGEST_WAIT;
use super::super::ticket::Ticket;
use super::{Answered, Gates, slots_of};
use crate::limits::{Reach, Scope, Unit};
use crate::time::Instant;

impl Gates {
    /// Pauses of one endpoint or path are given up an hour after they are over. Answers whether there were any.
    pub(super) fn end_pauses(&mut self, now: Instant) -> bool {
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

    /// The server refused the call of `ticket`, or asked for quiet: those that this is meant for are paused until then.
    /// `None`: everybody is to be; else a bit for each counter that is paused, and whether calls have to be sorted anew.
    pub(in super::super) fn pause(
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
