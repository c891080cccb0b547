//! Holds calls back so that a server's quotas last: one [`Pacer`] for each host and credential.
//!
//! 1. [`Pacer::poll`] answers `Go`, `Wait` or `Refuse`. Who waits asks again at `until`, or when woken.
//! 2. What came of a call that went is told: [`Pacer::on_response`], [`Pacer::on_failed`], [`Pacer::on_cancelled`],
//!    and [`Pacer::on_throttled`] where the server asked to be left alone.
//! 3. After every one of these, [`Pacer::take_wakes`]: wake what it returns once the pacer's lock is released.
//!
//! The one rule: **every ticket that was polled is handed back**, by its owner's `Drop` if need be.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | Unhindered: no quota known, nobody waits | `poll` | Unhindered: everybody goes (`without_limit_headers_everybody_goes`) |
//! | Unhindered | an answer names a quota | Paced: calls go as its gate allows (`a_burst_at_the_start_waits_for_the_first_answer`) |
//! | Paced | `poll` by who is not first in its line, or too early | Paced: waits in line (`waiting_calls_go_in_the_order_they_came`) |
//! | Paced | `poll` by who cannot make its deadline | Paced: refused at once (`who_cannot_make_the_deadline_is_refused_at_once`) |
//! | Paced | `on_cancelled` | Paced: the next one has the place (`a_cancelled_call_gives_its_place_to_the_next`) |
//! | any | `on_throttled`, partition unknown | Paused: nobody goes (`a_pause_holds_everybody_and_is_never_shortened`) |
//! | any | `on_throttled`, partition known | that partition is paused, and only that (`a_refusal_pauses_its_partition_and_only_that`) |
//! | Paused | the time comes | Recovering, see `release.rs` (`releases_after_a_pause_are_spread`) |
//!
//! How freely calls go at the start and after a pause is in `release.rs`. Which of the server's counters a call takes from
//! is learned (`gates.rs`, `routes.rs`); each counter (`counter.rs`) of calls is a gate (`gate.rs`) that follows one of two
//! models (`window.rs`, `continuous.rs`), one of something else a meter (`meter.rs`), the user's own quotas are buckets
//! (`bucket.rs`), waiting calls stand in lines (`lanes.rs`, `queue.rs`), and each attempt has a [`Ticket`] (`ticket.rs`).
//! Why it is so: `docs/decisions/0003-pacing.md` and `0017-partitions.md`.

use std::task::Waker;
use std::time::Duration;

use http::StatusCode;

use crate::limits::LimitReadings;
use crate::time::{Instant, Now, Slept};

mod admission;
pub(crate) mod bucket;
mod continuous;
mod counter;
mod gate;
mod gates;
mod hold;
mod lanes;
mod local_quota;
mod meter;
mod queue;
mod rate;
mod release;
mod route;
mod routes;
mod server_clock;
mod settings;
mod state;
mod ticket;
mod window;

pub use admission::{Admission, WaitReason};
use bucket::{Bucket, after};
use counter::Asking;
use gate::LONGEST_WAIT;
use gates::{Answered, Gates};
use hold::{HeldBy, Hold};
use lanes::{LaneKey, Lanes};
pub use local_quota::{LocalQuota, LocalQuotaError, MAX_LOCAL_QUOTAS};
use queue::Waiter;
use release::{Phase, Release};
pub use route::Route;
pub use settings::PacingSettings;
pub use state::{GateModel, GateState, PacerState};
pub use ticket::Ticket;
use ticket::TicketState;

/// After this, a call that is still under way is taken to have been counted.
const COUNTED_WITHIN: Duration = Duration::from_millis(500);
/// How soon one asks again who waits for nothing but those ahead, and cannot be woken, or can.
const ASK_AGAIN: Duration = Duration::from_millis(10);
const ASK_AGAIN_WOKEN: Duration = Duration::from_secs(1);
/// A wait that grew by this much makes everybody look whether the deadline can still be made.
const MUCH_LATER: Duration = Duration::from_secs(1);

/// Keeps the calls of one host and credential within the server's quotas.
#[derive(Debug)]
pub struct Pacer {
    settings: PacingSettings,
    release: Release,
    paused_until: Option<Instant>,
    gates: Gates,
    local: Vec<Bucket>,
    lanes: Lanes,
    /// Calls that went so far.
    admitted: u64,
    in_flight: u32,
    last_admitted: Instant,
    /// The shortest time an answer took, in nanoseconds.
    fastest: u64,
    last_order: u64,
    wakes: Vec<Waker>,
    /// How long the device has slept. Callers count the time they were awake; servers count all of it, and so do gates.
    slept: Slept,
}

impl Pacer {
    /// A pacer that has heard nothing yet.
    #[must_use]
    pub fn new(settings: PacingSettings) -> Self {
        let bucket = |quota: &LocalQuota| {
            let per = u64::try_from(quota.per().as_nanos()).unwrap_or(u64::MAX);
            Bucket::new(quota.limit().get().into(), per, quota.burst().get().into())
        };
        let local = settings.local.iter().map(bucket).collect();
        Self {
            release: Release::new(if settings.enabled {
                Phase::Fresh
            } else {
                Phase::Open
            }),
            settings,
            paused_until: None,
            gates: Gates::default(),
            local,
            lanes: Lanes::default(),
            admitted: 0,
            in_flight: 0,
            last_admitted: Instant::ORIGIN,
            fastest: u64::MAX,
            last_order: 0,
            wakes: Vec::new(),
            slept: Slept::default(),
        }
    }

    /// The device has slept for `slept` in all since the origin: what a server forbade for a time is over that much sooner
    /// by the clock of the callers, which stood still. Nobody's deadline comes nearer.
    #[inline]
    pub(crate) fn on_slept(&mut self, slept: Slept) {
        if slept > self.slept {
            self.sleep_on(slept);
        }
    }

    #[cold]
    fn sleep_on(&mut self, slept: Slept) {
        let more = slept.since(self.slept);
        self.slept = slept;
        self.lanes.postpone(more);
        self.wake_heads();
    }

    /// Whether the call may go at `now`. One that waits is in the queue until it goes, is refused, or is cancelled.
    ///
    /// `waker` is woken (through [`take_wakes`](Self::take_wakes)) when asking again is worth while before `until`.
    /// Without one, asking again at `until` is enough. A ticket that was admitted already is told `Go` again.
    pub fn poll(
        &mut self,
        ticket: &mut Ticket,
        now: Instant,
        deadline: Instant,
        waker: Option<&Waker>,
    ) -> Admission {
        let slept = self.slept;
        match self.place(ticket, now + slept, deadline + slept, waker) {
            Admission::Wait { until, reason } => Admission::Wait {
                until: until - slept,
                reason,
            },
            settled => settled,
        }
    }

    /// As [`poll`](Self::poll), in the time of servers.
    fn place(
        &mut self,
        ticket: &mut Ticket,
        now: Instant,
        deadline: Instant,
        waker: Option<&Waker>,
    ) -> Admission {
        match ticket.state {
            TicketState::Idle if self.is_unhindered() => {
                self.admit(ticket, now);
                return Admission::Go;
            }
            TicketState::Idle | TicketState::Queued => {}
            TicketState::Admitted => return Admission::Go,
        }
        let lane = self.lane_of(ticket);
        self.pass_time(now, lane, ticket.route);
        self.line_up(ticket, now);
        let ((own, queued), is_pressed) = match self.lanes.get(lane) {
            Some(lane) => (lane.queue.place_of(ticket.order), lane.queue.is_pressed()),
            None => ((0, false), false),
        };
        let place = Place {
            lane,
            route: ticket.route,
            order: ticket.order,
            own,
        };
        let manners = if is_pressed {
            Manners::Pressed
        } else {
            Manners::Polite
        };
        let polite = self.hold(now, &place, manners);
        if own == 0 && polite.is_none() {
            self.leave(ticket);
            self.admit(ticket, now);
            return Admission::Go;
        }
        let forbidden = if is_pressed {
            polite
        } else {
            self.hold(now, &place, Manners::Pressed)
        };
        // A wait that no server asks for is not worth a missed deadline. But the first answer is waited for with half of the time that
        // there is: whoever it takes longer than that would not have theirs in time either.
        let impatient = polite.is_some_and(|hold| hold.until > deadline);
        let patience = polite
            .filter(|hold| impatient && matches!(hold.by, HeldBy::Scout))
            .map(|_| ticket.came_at + deadline.since(ticket.came_at) / 2)
            .filter(|until| now < *until);
        let pressed = impatient && patience.is_none();
        let hold = if pressed { forbidden } else { polite };
        if own == 0 && hold.is_none() {
            self.leave(ticket);
            self.admit(ticket, now);
            return Admission::Go;
        }
        let full = !queued && self.lanes.len() >= self.settings.max_queue;
        let late = |hold: Option<Hold>| hold.is_some_and(|hold| hold.until > deadline);
        // What is under way may turn out to have been counted.
        let in_doubt = late(forbidden) && !late(self.hold(now, &place, Manners::None));
        let too_late = deadline < now || (late(forbidden) && !in_doubt);
        if full || too_late {
            self.leave(ticket);
            let retry_after = forbidden.map_or(ASK_AGAIN, |hold| hold.until.since(now));
            let reason = forbidden
                .filter(|_| !full)
                .map_or(WaitReason::Queue, |hold| self.reason(hold.by));
            return Admission::Refuse {
                retry_after,
                reason,
            };
        }
        let waiter = Waiter {
            order: ticket.order,
            deadline,
            waker: waker.cloned(),
            pressed,
            route: ticket.route,
        };
        self.lanes.put(lane, waiter);
        ticket.state = TicketState::Queued;
        // Who has a waker is woken when its turn comes, and asks again only to see whether the deadline still holds.
        let soonest = if waker.is_some() {
            ASK_AGAIN_WOKEN
        } else {
            ASK_AGAIN
        };
        let latest = deadline.max(now + ASK_AGAIN);
        let until = hold.map_or(now, |hold| hold.until);
        let until = match hold {
            // It may be over at any time, and then the head is woken.
            Some(Hold {
                by: HeldBy::Calls(_),
                ..
            }) => until.max(now + soonest).min(latest),
            // It is asked again whether there is any hope left.
            _ if in_doubt => until.min(now + soonest).min(latest),
            _ => patience.unwrap_or(until),
        };
        let reason = match hold {
            Some(hold) if own == 0 => self.reason(hold.by),
            Some(Hold {
                by: by @ (HeldBy::Scout | HeldBy::Pause),
                ..
            }) => self.reason(by),
            _ => WaitReason::Queue,
        };
        if let Some(lane) = self.lanes.get_mut(lane) {
            if own == 0 {
                lane.head_waits_until = Some(until);
            } else if pressed && !is_pressed {
                lane.wake_head(&mut self.wakes);
            }
        }
        if own == 0 {
            return Admission::Wait { until, reason };
        }
        let until = until.max(now + soonest).min(patience.unwrap_or(latest));
        Admission::Wait { until, reason }
    }

    /// The call is only sent now: a token had to be fetched since it was admitted. Optional; without it, the time it
    /// was admitted counts as the time it was sent.
    pub fn on_sent(&mut self, ticket: &mut Ticket, now: Instant) {
        let now = now + self.slept;
        if ticket.state == TicketState::Admitted {
            ticket.sent_at = now;
            self.release.on_sent(ticket.generation, now);
            self.gates.on_sent(ticket, now);
        }
    }

    /// The head of an answer arrived. For a 429, [`on_throttled`](Self::on_throttled) comes after this.
    pub fn on_response(
        &mut self,
        ticket: &mut Ticket,
        now: Now,
        status: StatusCode,
        readings: &LimitReadings,
    ) {
        let refused = status == StatusCode::TOO_MANY_REQUESTS;
        if !self.settle(ticket, !refused) {
            return;
        }
        let now = now.instant + self.slept;
        let took = now.as_nanos().saturating_sub(ticket.sent_at.as_nanos());
        self.fastest = self.fastest.min(took);
        ticket.reach = readings.reach();
        (ticket.named, ticket.exhausted) = (0, 0);
        if self.settings.enabled && !(self.gates.is_empty() && readings.is_empty()) {
            let answered = Answered {
                ticket,
                now,
                status,
                within: COUNTED_WITHIN.max(Duration::from_nanos(self.fastest.saturating_mul(2))),
                admitted: self.admitted,
                in_flight: self.in_flight,
                last_admitted: self.last_admitted,
            };
            let taught = self.gates.on_answer(&answered, readings);
            (ticket.named, ticket.exhausted) = (taught.named, taught.exhausted);
            if taught.moved {
                self.sort_lanes();
            }
        }
        self.look_after_the_queue(now);
    }

    /// The server refused with 429, or asked for quiet by a `Retry-After` on a 503: no call of that partition goes before
    /// `now + pause`. Where it is not known what the partition is, no call goes at all.
    ///
    /// The partition is: what the answer's `Reach` says; else the counters that it named, those with nothing left before
    /// others; else those of a partitioned policy that earlier answers of the same route named. A later, shorter pause does
    /// not shorten it. At most 24 h.
    pub fn on_throttled(&mut self, ticket: &mut Ticket, now: Instant, pause: Duration) {
        self.settle(ticket, false);
        if !self.settings.enabled || pause.is_zero() {
            return;
        }
        let nanos = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
        let now = now + self.slept;
        let until = after(now, nanos.min(LONGEST_WAIT));
        match self.gates.pause(ticket, now, until) {
            Some((paused, moved)) => {
                if moved {
                    self.sort_lanes();
                }
                // Some of those who wait may not make their deadlines any more.
                for lane in self.lanes.iter_mut() {
                    if lane.key.mask & paused != 0 {
                        lane.wake_head(&mut self.wakes);
                        self.wakes.extend(lane.queue.late_wakers(until));
                    }
                }
            }
            None => {
                self.paused_until =
                    Some(self.paused_until.map_or(until, |paused| paused.max(until)));
                self.wake_heads();
                for lane in self.lanes.iter() {
                    self.wakes.extend(lane.queue.late_wakers(until));
                }
            }
        }
    }

    /// The call ended without an answer, and the server may have counted it.
    pub fn on_failed(&mut self, ticket: &mut Ticket, now: Instant) {
        if self.settle(ticket, false) {
            self.gates.on_lost(ticket);
            self.look_after_the_queue(now + self.slept);
        }
    }

    /// The caller went away. `sent`: the call may have reached the server; otherwise its place is given back.
    ///
    /// Also for a call that is known never to have reached the server, such as a refused connection.
    pub fn on_cancelled(&mut self, ticket: &mut Ticket, now: Instant, sent: bool) {
        match ticket.state {
            TicketState::Idle => {}
            TicketState::Queued => self.leave(ticket),
            TicketState::Admitted if sent => self.on_failed(ticket, now),
            TicketState::Admitted => {
                self.settle(ticket, false);
                self.gates.never_sent(ticket);
                for local in &mut self.local {
                    local.give_back();
                }
                self.look_after_the_queue(now + self.slept);
            }
        }
    }

    /// Those to wake, once the lock that guards this pacer is released. Empty, and free, most of the time.
    #[must_use = "who is not woken waits longer than it has to"]
    pub fn take_wakes(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakes)
    }

    /// Whether nobody waits and nothing is under way, so that forgetting this pacer costs no more than a new scout.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lanes.is_empty() && self.in_flight == 0
    }

    /// Whether the server has named a quota.
    pub(crate) fn knows_a_quota(&self) -> bool {
        !self.gates.is_empty()
    }

    /// What is known at `now`, for people.
    #[must_use]
    pub fn state(&self, now: Instant) -> PacerState {
        let now = now + self.slept;
        let mut gates = self.gates.state(now);
        for (local, quota) in self.local.iter().zip(&self.settings.local) {
            gates.push(GateState::local(*quota, local, now));
        }
        let paused_until = self.paused_until.max(self.gates.general_pause());
        PacerState {
            gates,
            in_flight: self.in_flight,
            paused_for: paused_until
                .map(|until| until.since(now))
                .filter(|left| !left.is_zero()),
            queued: self.lanes.len(),
            scouting: self.release.phase() == Phase::Scouting,
        }
    }

    /// Whether there is nothing at all that could hold a call back.
    fn is_unhindered(&self) -> bool {
        self.release.phase() == Phase::Open
            && self.gates.is_empty()
            && self.local.is_empty()
            && self.paused_until.is_none()
            && self.lanes.is_empty()
    }

    fn pass_time(&mut self, now: Instant, lane: LaneKey, route: Route) {
        if self.paused_until.is_some_and(|until| now >= until) {
            self.paused_until = None;
            self.release.recover();
        }
        self.release.pass_time(now, self.settings.scout);
        self.gates.pass_time(lane, route, now, self.settings.scout);
        self.lanes.sweep(now, &mut self.wakes);
    }

    fn asking(&self, now: Instant, manners: Manners, followed: bool) -> Asking {
        Asking {
            now,
            ahead: 0,
            followed,
            polite: manners == Manners::Polite,
            at_best: manners == Manners::None,
            step: self.settings.scout,
        }
    }

    /// What holds back, at `now`, a call in that place.
    fn hold(&self, now: Instant, place: &Place, manners: Manners) -> Option<Hold> {
        let polite = manners == Manners::Polite;
        let own = u64::try_from(place.own).unwrap_or(u64::MAX);
        let mut held = None;
        if let Some(until) = self.paused_until {
            held = Hold::later(held, until, HeldBy::Pause, now);
        }
        if polite && let Some(until) = self.release.held_until(self.settings.scout) {
            let scouting = self.release.phase() == Phase::Scouting;
            let by = if scouting {
                HeldBy::Scout
            } else {
                HeldBy::Pause
            };
            held = Hold::later(held, until, by, now);
        }
        let behind = self
            .lanes
            .get(place.lane)
            .map_or(0, |lane| lane.queue.len());
        let asking = self.asking(now, manners, behind > place.own.saturating_add(1));
        let alone = self.lanes.iter().all(|lane| lane.key == place.lane);
        if alone {
            for local in &self.local {
                held = Hold::later(held, local.ready_at(own), HeldBy::Local, now);
            }
            return self
                .gates
                .hold(held, place.lane, place.route, &asking, |_| own);
        }
        // Those who came before it, stand in another line, and wait for nothing but what both take from.
        let before: Vec<(u64, u64)> = self
            .lanes
            .iter()
            .filter(|lane| lane.key != place.lane)
            .map(|lane| (lane, lane.queue.place_of(place.order).0))
            .filter(|(lane, before)| {
                *before > 0
                    && !self
                        .gates
                        .is_stuck(lane.key, place.lane, lane.route, &asking)
            })
            .map(|(lane, before)| (lane.key.mask, u64::try_from(before).unwrap_or(u64::MAX)))
            .collect();
        let all = before
            .iter()
            .fold(own, |all, (_, before)| all.saturating_add(*before));
        for local in &self.local {
            held = Hold::later(held, local.ready_at(all), HeldBy::Local, now);
        }
        self.gates
            .hold(held, place.lane, place.route, &asking, |slot| {
                before
                    .iter()
                    .filter(|(mask, _)| mask & (1 << slot) != 0)
                    .fold(own, |all, (_, before)| all.saturating_add(*before))
            })
    }

    fn reason(&self, by: HeldBy) -> WaitReason {
        match by {
            HeldBy::Gate(slot) | HeldBy::Calls(slot) => self
                .gates
                .policy(slot)
                .map_or(WaitReason::Queue, |policy| WaitReason::Quota { policy }),
            HeldBy::Local => WaitReason::LocalQuota,
            HeldBy::Pause => WaitReason::Paused,
            HeldBy::Scout => WaitReason::Scout,
        }
    }

    /// The line that a call stands in, or would.
    fn lane_of(&self, ticket: &Ticket) -> LaneKey {
        let key = self.gates.lane_of(ticket.route);
        let queued = ticket.state == TicketState::Queued;
        let stands_in = queued.then(|| self.lanes.line_of(key, ticket.order));
        stands_in
            .flatten()
            .unwrap_or_else(|| self.lanes.key_for(key))
    }

    /// Gives a ticket its place in line, once.
    fn line_up(&mut self, ticket: &mut Ticket, now: Instant) {
        if ticket.order == 0 {
            ticket.came_at = now;
            self.last_order = self.last_order.saturating_add(1);
            ticket.order = self.last_order;
        }
    }

    fn admit(&mut self, ticket: &mut Ticket, now: Instant) {
        self.line_up(ticket, now);
        let followed = !self.lanes.is_empty();
        for local in &mut self.local {
            local.take(now);
        }
        ticket.state = TicketState::Admitted;
        ticket.index = self.admitted;
        ticket.sent_at = now;
        ticket.alone = self.in_flight == 0;
        ticket.generation = self.release.on_admitted(now);
        let asking = self.asking(now, Manners::Polite, followed);
        self.gates.take(ticket, &asking);
        self.admitted = self.admitted.saturating_add(1);
        self.in_flight = self.in_flight.saturating_add(1);
        self.last_admitted = now;
    }

    /// Takes a call out of those under way. `false`: it was not.
    fn settle(&mut self, ticket: &mut Ticket, answered: bool) -> bool {
        if ticket.state != TicketState::Admitted {
            return false;
        }
        ticket.state = TicketState::Idle;
        self.in_flight = self.in_flight.saturating_sub(1);
        self.release.on_over(ticket.generation, answered);
        self.gates.settle(ticket, answered);
        true
    }

    fn leave(&mut self, ticket: &mut Ticket) {
        if ticket.state == TicketState::Queued {
            let lane = self.lane_of(ticket);
            self.lanes.remove(lane, ticket.order, &mut self.wakes);
        }
        ticket.state = TicketState::Idle;
    }

    /// Which calls take from what is known better now.
    fn sort_lanes(&mut self) {
        let gates = &self.gates;
        self.lanes
            .sort(|route| gates.lane_of(route), &mut self.wakes);
    }

    /// Wakes heads that may go earlier than they were told, and those who are late where all is much later.
    fn look_after_the_queue(&mut self, now: Instant) {
        if self.lanes.is_empty() {
            return;
        }
        let heads: Vec<(Place, bool, Option<Instant>)> = self
            .lanes
            .iter()
            .map(|lane| {
                let place = Place {
                    lane: lane.key,
                    route: lane.route,
                    order: lane.queue.first(),
                    own: 0,
                };
                (place, lane.queue.is_pressed(), lane.head_waits_until)
            })
            .collect();
        for (place, is_pressed, waits_until) in heads {
            self.pass_time(now, place.lane, place.route);
            let manners = if is_pressed {
                Manners::Pressed
            } else {
                Manners::Polite
            };
            let ready = self
                .hold(now, &place, manners)
                .map_or(now, |hold| hold.until);
            let (Some(until), Some(lane)) = (waits_until, self.lanes.get_mut(place.lane)) else {
                continue;
            };
            if ready < until {
                lane.wake_head(&mut self.wakes);
            } else if ready > until + MUCH_LATER {
                lane.wake_head(&mut self.wakes);
                self.wakes.extend(lane.queue.late_wakers(ready));
            }
        }
    }

    fn wake_heads(&mut self) {
        for lane in self.lanes.iter_mut() {
            lane.wake_head(&mut self.wakes);
        }
    }
}

/// What a call is held back for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manners {
    /// For waits that no server asks for too, such as for the scout and for an even spread.
    Polite,
    /// For what would be over the limit as far as is known.
    Pressed,
    /// Only for what is over the limit however things are.
    None,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    lane: LaneKey,
    /// Where it goes.
    route: Route,
    /// Its place in the order of all that came.
    order: u64,
    /// How many are before it in its line.
    own: usize,
}

#[cfg(test)]
mod tests;
