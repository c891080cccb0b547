//! Holds calls back so that a server's quota lasts: one [`Pacer`] for each host and credential.
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
//! | Paced | `poll` by who is not first, or too early | Paced: waits in line (`waiting_calls_go_in_the_order_they_came`) |
//! | Paced | `poll` by who cannot make its deadline | Paced: refused at once (`who_cannot_make_the_deadline_is_refused_at_once`) |
//! | Paced | `on_cancelled` | Paced: the next one has the place (`a_cancelled_call_gives_its_place_to_the_next`) |
//! | any | `on_throttled` | Paused: nobody goes (`a_pause_holds_everybody_and_is_never_shortened`) |
//! | Paused | the time comes | Recovering, see `release.rs` (`releases_after_a_pause_are_spread`) |
//!
//! How freely calls go at the start and after a pause is in `release.rs`. Each quota of the server is a gate (`gate.rs`,
//! all of them in `gates.rs`) that follows one of two models (`window.rs`, `continuous.rs`), the user's own quota is a
//! bucket (`bucket.rs`), waiting calls stand in line (`queue.rs`), and each attempt has a [`Ticket`] (`ticket.rs`). Why
//! it is so: `docs/decisions/0003-pacing.md`.

use std::task::Waker;
use std::time::Duration;

use http::StatusCode;

use crate::limits::LimitReadings;
use crate::time::{Instant, Now};

mod admission;
mod bucket;
mod continuous;
mod gate;
mod gates;
mod hold;
mod local_quota;
mod queue;
mod release;
mod settings;
mod state;
mod ticket;
mod window;

pub use admission::{Admission, WaitReason};
use bucket::{Bucket, after};
use gate::LONGEST_WAIT;
use gates::Gates;
use hold::{HeldBy, Hold};
pub use local_quota::{LocalQuota, LocalQuotaError};
use queue::Queue;
use release::{Phase, Release};
pub use settings::PacingSettings;
pub use state::{GateModel, GateState, PacerState};
pub use ticket::Ticket;
use ticket::TicketState;
use window::{Asked, Heard};

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
    local: Option<Bucket>,
    queue: Queue,
    /// Calls that went so far.
    admitted: u64,
    in_flight: u32,
    last_admitted: Instant,
    /// The one before, for when the last is given back.
    previous_admitted: Instant,
    /// The shortest time an answer took.
    fastest: Duration,
    last_order: u64,
    /// What the head was told to wait for; `None` where it has been woken since.
    head_waits_until: Option<Instant>,
    wakes: Vec<Waker>,
    /// How long the device has slept. Callers count the time they were awake; servers count all of it, and so do gates.
    slept: Duration,
}

impl Pacer {
    /// A pacer that has heard nothing yet.
    #[must_use]
    pub fn new(settings: PacingSettings) -> Self {
        let local = settings.local.map(|quota| {
            let per = u64::try_from(quota.per().as_nanos()).unwrap_or(u64::MAX);
            Bucket::new(quota.limit().get().into(), per, quota.burst().get().into())
        });
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
            queue: Queue::default(),
            admitted: 0,
            in_flight: 0,
            last_admitted: Instant::ORIGIN,
            previous_admitted: Instant::ORIGIN,
            fastest: Duration::MAX,
            last_order: 0,
            head_waits_until: None,
            wakes: Vec::new(),
            slept: Duration::ZERO,
        }
    }

    /// The device has slept for `slept` in all since the origin: what a server forbade for a time is over that much sooner
    /// by the clock of the callers, which stood still. Nobody's deadline comes nearer.
    pub fn on_slept(&mut self, slept: Duration) {
        let more = slept.saturating_sub(self.slept);
        if more.is_zero() {
            return;
        }
        self.slept = slept;
        self.queue.postpone(more);
        self.wake_head();
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
        self.pass_time(now);
        self.line_up(ticket);
        let (ahead, queued) = self.queue.place_of(ticket.order);
        let forbidden = self.hold(now, ahead, false);
        let polite = if self.queue.is_pressed() {
            forbidden
        } else {
            self.hold(now, ahead, true)
        };
        // A wait that no server asks for is not worth a missed deadline.
        let pressed = polite.is_some_and(|hold| hold.until > deadline);
        let hold = if pressed { forbidden } else { polite };
        if ahead == 0 && hold.is_none() {
            self.leave(ticket);
            self.admit(ticket, now);
            return Admission::Go;
        }
        let full = !queued && self.queue.len() >= self.settings.max_queue;
        let too_late = deadline < now || forbidden.is_some_and(|hold| hold.until > deadline);
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
        let was_pressed = self.queue.is_pressed();
        self.queue.put(ticket.order, deadline, waker, pressed);
        ticket.state = TicketState::Queued;
        if pressed && !was_pressed && ahead > 0 {
            self.wake_head();
        }
        let until = hold.map_or(now, |hold| hold.until);
        if ahead == 0 {
            self.head_waits_until = Some(until);
            return Admission::Wait {
                until,
                reason: hold.map_or(WaitReason::Queue, |hold| self.reason(hold.by)),
            };
        }
        // Who has a waker is woken when its turn comes, and asks again only to see whether the deadline still holds.
        let soonest = if waker.is_some() {
            ASK_AGAIN_WOKEN
        } else {
            ASK_AGAIN
        };
        let until = until.max(now + soonest).min(deadline.max(now + ASK_AGAIN));
        let reason = match hold {
            Some(Hold {
                by: by @ (HeldBy::Scout | HeldBy::Pause),
                ..
            }) => self.reason(by),
            _ => WaitReason::Queue,
        };
        Admission::Wait { until, reason }
    }

    /// The call is only sent now: a token had to be fetched since it was admitted. Optional; without it, the time it
    /// was admitted counts as the time it was sent.
    pub fn on_sent(&mut self, ticket: &mut Ticket, now: Instant) {
        let now = now + self.slept;
        if ticket.state == TicketState::Admitted {
            ticket.sent_at = now;
            self.release.on_sent(ticket.generation, now);
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
        self.fastest = self.fastest.min(now.since(ticket.sent_at));
        if self.settings.enabled && !(self.gates.is_empty() && readings.is_empty()) {
            let call = self.heard(ticket, now, refused);
            self.gates
                .on_answer(&call, status, readings, ticket.overruled);
        }
        self.look_after_the_queue(now);
    }

    /// The server refused with 429, or asked for quiet by a `Retry-After` on a 503: nobody goes before `now + pause`.
    ///
    /// A later, shorter pause does not shorten it. At most 24 h.
    pub fn on_throttled(&mut self, ticket: &mut Ticket, now: Instant, pause: Duration) {
        self.settle(ticket, false);
        if !self.settings.enabled || pause.is_zero() {
            return;
        }
        let nanos = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
        let until = after(now + self.slept, nanos.min(LONGEST_WAIT));
        self.paused_until = Some(self.paused_until.map_or(until, |paused| paused.max(until)));
        self.wake_head();
        // Some of those who wait may not make their deadlines any more.
        self.wakes.extend(self.queue.late_wakers(until));
    }

    /// The call ended without an answer, and the server may have counted it.
    pub fn on_failed(&mut self, ticket: &mut Ticket, now: Instant) {
        if self.settle(ticket, false) {
            self.gates.on_lost(self.admitted);
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
                self.gates.give_back();
                if let Some(local) = &mut self.local {
                    local.give_back();
                }
                if ticket.index.saturating_add(1) == self.admitted {
                    self.last_admitted = self.previous_admitted;
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
        self.queue.is_empty() && self.in_flight == 0
    }

    /// Whether the server has named a quota.
    pub(crate) fn knows_a_quota(&self) -> bool {
        !self.gates.is_empty()
    }

    /// What is known at `now`, for people.
    #[must_use]
    pub fn state(&self, now: Instant) -> PacerState {
        let now = now + self.slept;
        let asked = self.asked(now, 0, true);
        let mut gates: Vec<GateState> = self.gates.iter().map(|gate| gate.state(&asked)).collect();
        if let (Some(local), Some(quota)) = (&self.local, self.settings.local) {
            gates.push(GateState::local(quota, local, now));
        }
        PacerState {
            gates,
            in_flight: self.in_flight,
            paused_for: self
                .paused_until
                .map(|until| until.since(now))
                .filter(|left| !left.is_zero()),
            queued: self.queue.len(),
            scouting: self.release.phase() == Phase::Scouting,
        }
    }

    /// Whether there is nothing at all that could hold a call back.
    fn is_unhindered(&self) -> bool {
        self.release.phase() == Phase::Open
            && self.gates.is_empty()
            && self.local.is_none()
            && self.paused_until.is_none()
            && self.queue.is_empty()
    }

    fn pass_time(&mut self, now: Instant) {
        if self.paused_until.is_some_and(|until| now >= until) {
            self.paused_until = None;
            self.release.recover();
        }
        self.release.pass_time(now, self.settings.scout);
        if self.queue.sweep(now, &mut self.wakes) {
            self.wake_head();
        }
    }

    fn asked(&self, now: Instant, ahead: u64, polite: bool) -> Asked {
        Asked {
            now,
            ahead,
            admitted: self.admitted,
            in_flight: self.in_flight.into(),
            last_admitted: self.last_admitted,
            followed: u64::try_from(self.queue.len()).unwrap_or(u64::MAX) > ahead.saturating_add(1),
            spread: true,
            polite,
        }
    }

    /// What holds back, at `now`, a call with `ahead` others before it. `polite`: waits that no server asks for count
    /// too, such as for the scout and for an even spread.
    fn hold(&self, now: Instant, ahead: usize, polite: bool) -> Option<Hold> {
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
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
        if let Some(local) = &self.local {
            held = Hold::later(held, local.ready_at(ahead), HeldBy::Local, now);
        }
        for (at, until) in self.gates.ready_at(&self.asked(now, ahead, polite)) {
            held = Hold::later(held, until, HeldBy::Gate(at), now);
        }
        held
    }

    fn reason(&self, by: HeldBy) -> WaitReason {
        match by {
            HeldBy::Gate(at) => self
                .gates
                .policy(at)
                .map_or(WaitReason::Queue, |policy| WaitReason::Quota { policy }),
            HeldBy::Local => WaitReason::LocalQuota,
            HeldBy::Pause => WaitReason::Paused,
            HeldBy::Scout => WaitReason::Scout,
        }
    }

    /// Gives a ticket its place in line, once.
    fn line_up(&mut self, ticket: &mut Ticket) {
        if ticket.order == 0 {
            self.last_order = self.last_order.saturating_add(1);
            ticket.order = self.last_order;
        }
    }

    fn admit(&mut self, ticket: &mut Ticket, now: Instant) {
        self.line_up(ticket);
        let mut overruled = 0;
        if !self.gates.is_empty() {
            let asked = Asked {
                followed: !self.queue.is_empty(),
                ..self.asked(now, 0, true)
            };
            overruled = self.gates.take(&asked);
        }
        if let Some(local) = &mut self.local {
            local.take(now);
        }
        *ticket = Ticket {
            state: TicketState::Admitted,
            order: ticket.order,
            index: self.admitted,
            sent_at: now,
            alone: self.in_flight == 0,
            generation: self.release.on_admitted(now),
            overruled,
        };
        self.admitted = self.admitted.saturating_add(1);
        self.in_flight = self.in_flight.saturating_add(1);
        self.previous_admitted = self.last_admitted;
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
        true
    }

    fn leave(&mut self, ticket: &mut Ticket) {
        if ticket.state == TicketState::Queued && self.queue.remove(ticket.order) {
            self.wake_head();
        }
        ticket.state = TicketState::Idle;
    }

    /// All that is known of when an answer was made.
    fn heard(&self, ticket: &Ticket, now: Instant, refused: bool) -> Heard {
        // An answer can take long to compute, but the call was counted when it came in. The time of the answer is
        // safer, and costs nothing where no other call was sent meanwhile.
        let later = self.admitted > ticket.index.saturating_add(1);
        let within = COUNTED_WITHIN.max(self.fastest.saturating_mul(2));
        let counted_by = if later {
            now.min(ticket.sent_at + within)
        } else {
            now
        };
        Heard {
            left: 0,
            resets_in: 0,
            sent_at: ticket.sent_at,
            heard_at: now,
            counted_by,
            index: ticket.index,
            admitted: self.admitted,
            in_flight: self.in_flight.into(),
            alone: ticket.alone,
            refused,
        }
    }

    /// Wakes the head where it may go earlier than it was told, and those who are late where all is much later.
    fn look_after_the_queue(&mut self, now: Instant) {
        if self.queue.is_empty() {
            return;
        }
        self.pass_time(now);
        let ready = self
            .hold(now, 0, !self.queue.is_pressed())
            .map_or(now, |hold| hold.until);
        match self.head_waits_until {
            Some(until) if ready < until => self.wake_head(),
            Some(until) if ready > until + MUCH_LATER => {
                self.wake_head();
                self.wakes.extend(self.queue.late_wakers(ready));
            }
            _ => {}
        }
    }

    fn wake_head(&mut self) {
        self.head_waits_until = None;
        self.wakes.extend(self.queue.head_waker());
    }
}

#[cfg(test)]
mod tests;
