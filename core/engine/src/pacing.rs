//! Holds calls back so that a server's quota lasts: one [`Pacer`] for each host and credential.
//!
//! 1. [`Pacer::poll`] answers `Go`, `Wait` or `Refuse`. Who waits asks again at `until`, or when woken.
//! 2. What came of a call that went is told: [`Pacer::on_response`], [`Pacer::on_failed`], [`Pacer::on_cancelled`],
//!    and [`Pacer::on_throttled`] where the server asked to be left alone.
//! 3. After every one of these, [`Pacer::take_wakes`]: wake what it returns once the pacer's lock is released.
//!
//! The one rule: **every ticket that was polled is handed back**, by its owner's `Drop` if need be.
//!
//! | Phase | Event | Next |
//! |---|---|---|
//! | Fresh | a call goes | Scouting: the others wait for its answer (`a_burst_at_the_start_waits_for_the_first_answer`) |
//! | Scouting | the scout's answer | Open, with or without gates (`without_limit_headers_everybody_goes`) |
//! | Scouting | the scout fails or is cancelled | Fresh: the next one scouts (`a_failed_scout_hands_its_role_on`) |
//! | Scouting | 150 ms pass | Open: all go (`a_slow_scout_does_not_hold_up_the_others`) |
//! | any | 429 or Retry-After | Paused: nobody goes (`a_pause_holds_everybody_and_is_never_shortened`) |
//! | Paused | the pause ends | Recovering: one goes, each good answer lets two more (`releases_after_a_pause_are_spread`) |
//! | Recovering | the 32nd good answer | Open (`releases_after_a_pause_are_spread`) |
//!
//! Each quota of the server is a gate (`gate.rs`) that follows one of two models (`window.rs`, `continuous.rs`), the
//! user's own quota is a bucket (`bucket.rs`), waiting calls stand in line (`queue.rs`), and each attempt has a
//! [`Ticket`] (`ticket.rs`). Why it is so: `docs/decisions/0003-pacing.md`.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use http::StatusCode;

use crate::limits::{LimitReadings, Unit};
use crate::time::{Instant, Now};

mod bucket;
mod continuous;
mod gate;
mod local_quota;
mod queue;
mod state;
mod ticket;
mod window;

use bucket::{Bucket, after};
use gate::{Gate, LONGEST_WAIT, Model, Usable};
pub use local_quota::{LocalQuota, LocalQuotaError};
use queue::Queue;
pub use state::{GateModel, GateState, PacerState};
pub use ticket::Ticket;
use ticket::TicketState;
use window::{Asked, Heard};

/// Quotas that are kept; the one that was not heard of for longest goes first.
const MAX_GATES: usize = 16;
/// Good answers after which a pause is got over.
const RECOVERED: u32 = 32;
/// After this, a call that is still under way is taken to have been counted.
const COUNTED_WITHIN: Duration = Duration::from_millis(500);
/// How soon one asks again who is not the head but has nothing to wait for but the head.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// A wait that grew by this much makes everybody look whether the deadline can still be made.
const MUCH_LATER: Duration = Duration::from_secs(1);

/// How a pacer behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacingSettings {
    /// Whether to learn from the server's headers and to pause when told to. Default: `true`. Where `false`, only
    /// `local` holds calls back.
    pub enabled: bool,
    /// A quota of one's own, kept beside the server's. Default: none.
    pub local: Option<LocalQuota>,
    /// Calls that may wait; more are refused. Default: 10 000.
    pub max_queue: usize,
    /// How long the first call of all goes alone at most. Default: 150 ms.
    pub scout: Duration,
}

impl Default for PacingSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            local: None,
            max_queue: 10_000,
            scout: Duration::from_millis(150),
        }
    }
}

/// The answer to a call that wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send it now.
    Go,
    /// It misses its deadline if it waits, or the queue is full ([`WaitReason::Queue`]): give up now.
    Refuse {
        /// Time until it could go.
        retry_after: Duration,
        /// What it would wait for.
        reason: WaitReason,
    },
    /// Ask again at `until`, or earlier if woken.
    Wait {
        /// When to ask again; not after the deadline.
        until: Instant,
        /// What it waits for.
        reason: WaitReason,
    },
}

/// What a call waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// The quota that the user set.
    LocalQuota,
    /// The end of a pause that the server asked for, or its turn after one.
    Paused,
    /// Those who came before.
    Queue,
    /// A quota of the server.
    Quota {
        /// The server's name for it.
        policy: Arc<str>,
    },
    /// The answer to the first call, which tells the limits.
    Scout,
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalQuota => f.write_str("local quota"),
            Self::Paused => f.write_str("pause asked for by the server"),
            Self::Queue => f.write_str("calls before it"),
            Self::Quota { policy } => write!(f, "quota {policy:?}"),
            Self::Scout => f.write_str("answer to the first call"),
        }
    }
}

/// Keeps the calls of one host and credential within the server's quotas.
#[derive(Debug)]
pub struct Pacer {
    settings: PacingSettings,
    phase: Phase,
    paused_until: Option<Instant>,
    recovery: Option<Recovery>,
    gates: Vec<Gate>,
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fresh,
    Scouting { until: Instant },
    Open,
}

/// The time after a pause: as many may be under way as good answers allow.
#[derive(Clone, Copy, Debug)]
struct Recovery {
    allowed: u32,
    under_way: u32,
}

/// What holds a call back, and until when.
#[derive(Clone, Copy, Debug)]
struct Hold {
    until: Instant,
    by: HeldBy,
}

#[derive(Clone, Copy, Debug)]
enum HeldBy {
    Gate(usize),
    Local,
    Pause,
    Scout,
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
            phase: if settings.enabled {
                Phase::Fresh
            } else {
                Phase::Open
            },
            settings,
            paused_until: None,
            recovery: None,
            gates: Vec::new(),
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
        }
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
        match ticket.state {
            TicketState::Idle if self.is_open() => {
                self.admit(ticket, now);
                return Admission::Go;
            }
            TicketState::Idle | TicketState::Queued => {}
            TicketState::Admitted => return Admission::Go,
        }
        self.pass_time(now);
        if ticket.order == 0 {
            self.last_order = self.last_order.saturating_add(1);
            ticket.order = self.last_order;
        }
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
        let too_late = forbidden.is_some_and(|hold| hold.until > deadline) || deadline < now;
        if full || too_late {
            self.leave(ticket);
            let retry_after = forbidden.map_or(ASK_AGAIN, |hold| hold.until.since(now));
            let reason = match forbidden {
                Some(hold) if !full => self.reason(hold.by),
                _ => WaitReason::Queue,
            };
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
        let until = hold.map_or(Instant::ORIGIN, |hold| hold.until);
        if ahead == 0 {
            self.head_waits_until = Some(until);
            return Admission::Wait {
                until,
                reason: hold.map_or(WaitReason::Queue, |hold| self.reason(hold.by)),
            };
        }
        let reason = match hold {
            Some(Hold {
                by: HeldBy::Scout, ..
            }) => WaitReason::Scout,
            Some(Hold {
                by: HeldBy::Pause, ..
            }) => WaitReason::Paused,
            _ => WaitReason::Queue,
        };
        Admission::Wait {
            until: until.min(deadline).max(now + ASK_AGAIN),
            reason,
        }
    }

    /// The call is only sent now: a token had to be fetched since it was admitted. Optional; without it, the time it
    /// was admitted counts as the time it was sent.
    pub fn on_sent(&mut self, ticket: &mut Ticket, now: Instant) {
        if ticket.state != TicketState::Admitted {
            return;
        }
        ticket.sent_at = now;
        if ticket.scout && matches!(self.phase, Phase::Scouting { .. }) {
            self.phase = Phase::Scouting {
                until: now + self.settings.scout,
            };
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
        if !self.settle(ticket) {
            return;
        }
        let now = now.instant;
        let took = now.since(ticket.sent_at);
        self.fastest = self.fastest.min(took);
        let refused = status == StatusCode::TOO_MANY_REQUESTS;
        if ticket.scout {
            self.phase = Phase::Open;
        }
        if let Some(recovery) = &mut self.recovery
            && ticket.trial
            && !refused
        {
            recovery.allowed = recovery.allowed.saturating_add(1);
            if recovery.allowed > RECOVERED {
                self.recovery = None;
            }
        }
        if self.settings.enabled && !(self.gates.is_empty() && readings.is_empty()) {
            self.learn(ticket, now, status, readings);
        }
        self.look_after_the_queue(now);
    }

    /// The server refused with 429, or asked for quiet by a `Retry-After` on a 503: nobody goes before `now + pause`.
    ///
    /// A later, shorter pause does not shorten it. At most 24 h.
    pub fn on_throttled(&mut self, ticket: &mut Ticket, now: Instant, pause: Duration) {
        self.settle(ticket);
        if !self.settings.enabled || pause.is_zero() {
            return;
        }
        let until = after(
            now,
            u64::try_from(pause.as_nanos())
                .unwrap_or(u64::MAX)
                .min(LONGEST_WAIT),
        );
        self.paused_until = Some(self.paused_until.map_or(until, |paused| paused.max(until)));
        self.recovery = None;
        self.phase = Phase::Open;
        // Some of those who wait may not make their deadlines any more.
        self.wake_all();
    }

    /// The call ended without an answer, and the server may have counted it.
    pub fn on_failed(&mut self, ticket: &mut Ticket, now: Instant) {
        if !self.settle(ticket) {
            return;
        }
        self.hand_scouting_on(ticket);
        for gate in &mut self.gates {
            gate.on_lost(self.admitted);
        }
        self.look_after_the_queue(now);
    }

    /// The caller went away. `sent`: the call may have reached the server; otherwise its place is given back.
    ///
    /// Also for a call that is known never to have reached the server, such as a refused connection.
    pub fn on_cancelled(&mut self, ticket: &mut Ticket, now: Instant, sent: bool) {
        match ticket.state {
            TicketState::Queued => {
                self.leave(ticket);
            }
            TicketState::Admitted if sent => self.on_failed(ticket, now),
            TicketState::Admitted => {
                self.settle(ticket);
                self.hand_scouting_on(ticket);
                for gate in &mut self.gates {
                    gate.give_back();
                }
                if let Some(local) = &mut self.local {
                    local.give_back();
                }
                if ticket.index.saturating_add(1) == self.admitted {
                    self.last_admitted = self.previous_admitted;
                }
                self.look_after_the_queue(now);
            }
            TicketState::Idle => {}
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

    /// What is known at `now`, for people.
    #[must_use]
    pub fn state(&self, now: Instant) -> PacerState {
        let asked = self.asked(now, 0, true);
        let mut gates: Vec<GateState> = self
            .gates
            .iter()
            .map(|gate| self.gate_state(gate, &asked))
            .collect();
        if let (Some(local), Some(quota)) = (&self.local, self.settings.local) {
            gates.push(GateState {
                policy: "local".to_owned(),
                partition_key: None,
                model: GateModel::Local,
                limit: quota.limit().get().into(),
                window: Some(quota.per()),
                remaining: local.left(now),
                next_in: local.ready_at(0).since(now),
                resets_in: None,
                shared: false,
            });
        }
        PacerState {
            gates,
            in_flight: self.in_flight,
            paused_for: self
                .paused_until
                .map(|until| until.since(now))
                .filter(|left| !left.is_zero()),
            queued: self.queue.len(),
            scouting: matches!(self.phase, Phase::Scouting { until } if until > now),
        }
    }

    fn gate_state(&self, gate: &Gate, asked: &Asked) -> GateState {
        let window = gate.model() == Model::Window;
        GateState {
            policy: gate.policy.to_string(),
            partition_key: gate.partition_key.as_deref().map(<[u8]>::to_vec),
            model: if window {
                GateModel::Window
            } else {
                GateModel::Continuous
            },
            limit: gate.limit,
            window: gate.span.map(Duration::from_nanos),
            remaining: gate.left(asked.now, asked.in_flight),
            next_in: gate.ready_at(asked).since(asked.now),
            resets_in: window.then(|| gate.window.resets_by.since(asked.now)),
            shared: gate.is_shared(),
        }
    }

    /// Whether there is nothing at all that could hold a call back.
    fn is_open(&self) -> bool {
        self.phase == Phase::Open
            && self.gates.is_empty()
            && self.local.is_none()
            && self.paused_until.is_none()
            && self.recovery.is_none()
            && self.queue.is_empty()
    }

    fn pass_time(&mut self, now: Instant) {
        if let Phase::Scouting { until } = self.phase
            && now >= until
        {
            self.phase = Phase::Open;
        }
        if self.paused_until.is_some_and(|until| now >= until) {
            self.paused_until = None;
            self.recovery = Some(Recovery {
                allowed: 1,
                under_way: 0,
            });
        }
        if self.queue.sweep(now, &mut self.wakes) {
            self.wake_head();
        }
    }

    fn asked(&self, now: Instant, ahead: u64, spread: bool) -> Asked {
        Asked {
            now,
            ahead,
            admitted: self.admitted,
            in_flight: self.in_flight.into(),
            last_admitted: self.last_admitted,
            spread,
        }
    }

    /// What holds back, at `now`, a call with `ahead` others before it. `polite`: waits that no server asks for count
    /// too, such as for the scout and for an even spread.
    fn hold(&self, now: Instant, ahead: usize, polite: bool) -> Option<Hold> {
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        let mut longest: Option<Hold> = None;
        let mut consider = |until: Instant, by: HeldBy| {
            if until > longest.map_or(now, |hold| hold.until) {
                longest = Some(Hold { until, by });
            }
        };
        if let Some(until) = self.paused_until {
            consider(until, HeldBy::Pause);
        }
        if polite {
            if let Phase::Scouting { until } = self.phase {
                consider(until, HeldBy::Scout);
            }
            if let Some(recovery) = self.recovery
                && recovery.under_way >= recovery.allowed
            {
                // Slow answers do not stop the recovery, they only make it slow.
                consider(self.last_admitted + self.settings.scout, HeldBy::Pause);
            }
        }
        if let Some(local) = &self.local {
            consider(local.ready_at(ahead), HeldBy::Local);
        }
        let asked = self.asked(now, ahead, polite);
        for (at, gate) in self.gates.iter().enumerate() {
            if gate.current {
                consider(gate.ready_at(&asked), HeldBy::Gate(at));
            }
        }
        longest
    }

    fn reason(&self, by: HeldBy) -> WaitReason {
        match by {
            HeldBy::Gate(at) => match self.gates.get(at) {
                Some(gate) => WaitReason::Quota {
                    policy: Arc::clone(&gate.policy),
                },
                None => WaitReason::Queue,
            },
            HeldBy::Local => WaitReason::LocalQuota,
            HeldBy::Pause => WaitReason::Paused,
            HeldBy::Scout => WaitReason::Scout,
        }
    }

    fn admit(&mut self, ticket: &mut Ticket, now: Instant) {
        if ticket.order == 0 {
            self.last_order = self.last_order.saturating_add(1);
            ticket.order = self.last_order;
        }
        let in_flight = self.in_flight.into();
        let mut overruled = 0;
        for (at, gate) in self.gates.iter_mut().enumerate() {
            if gate.current && gate.take(now, in_flight) {
                overruled |= 1 << at;
            }
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
            scout: self.phase == Phase::Fresh,
            trial: self.recovery.is_some(),
            overruled,
        };
        if let Some(recovery) = &mut self.recovery {
            recovery.under_way = recovery.under_way.saturating_add(1);
        }
        if self.phase == Phase::Fresh {
            self.phase = Phase::Scouting {
                until: now + self.settings.scout,
            };
        }
        self.admitted = self.admitted.saturating_add(1);
        self.in_flight = self.in_flight.saturating_add(1);
        self.previous_admitted = self.last_admitted;
        self.last_admitted = now;
    }

    /// Takes a call out of those under way. `false`: it was not.
    fn settle(&mut self, ticket: &mut Ticket) -> bool {
        if ticket.state != TicketState::Admitted {
            return false;
        }
        ticket.state = TicketState::Idle;
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(recovery) = &mut self.recovery
            && ticket.trial
        {
            recovery.under_way = recovery.under_way.saturating_sub(1);
        }
        true
    }

    fn leave(&mut self, ticket: &mut Ticket) {
        if ticket.state == TicketState::Queued && self.queue.remove(ticket.order) {
            self.wake_head();
        }
        ticket.state = TicketState::Idle;
    }

    fn hand_scouting_on(&mut self, ticket: &Ticket) {
        if ticket.scout && matches!(self.phase, Phase::Scouting { .. }) {
            self.phase = Phase::Fresh;
        }
    }

    fn learn(
        &mut self,
        ticket: &Ticket,
        now: Instant,
        status: StatusCode,
        readings: &LimitReadings,
    ) {
        let later = self.admitted > ticket.index.saturating_add(1);
        // An answer can take long to compute, but the call was counted when it came in. The time of the answer is
        // safer and costs nothing where no other call was sent meanwhile.
        let within = COUNTED_WITHIN.max(self.fastest.saturating_mul(2));
        let counted_by = if later {
            now.min(ticket.sent_at + within)
        } else {
            now
        };
        let call = Heard {
            left: 0,
            resets_in: 0,
            sent_at: ticket.sent_at,
            heard_at: now,
            counted_by,
            index: ticket.index,
            admitted: self.admitted,
            in_flight: self.in_flight.into(),
            alone: ticket.alone,
            refused: status == StatusCode::TOO_MANY_REQUESTS,
        };
        let mut named = 0u32;
        for reading in readings {
            let Some(usable) = Usable::of(reading).filter(|_| reading.unit == Unit::Requests)
            else {
                continue;
            };
            let heard = usable.heard(&call);
            let known = self.gates.iter().position(|gate| gate.is_for(reading));
            let at = known.unwrap_or_else(|| self.new_place());
            match (known, self.gates.get_mut(at)) {
                (Some(_), Some(gate)) => {
                    gate.on_reading(&usable, &heard, ticket.overruled & (1 << at) != 0)
                }
                (None, Some(gate)) => *gate = Gate::new(reading, &usable, &heard),
                (_, None) => self.gates.push(Gate::new(reading, &usable, &heard)),
            }
            named |= 1 << at;
            for (other, gate) in self.gates.iter_mut().enumerate() {
                if other != at && *gate.policy == *reading.policy {
                    gate.current = named & (1 << other) != 0;
                }
            }
        }
        self.on_unnamed(ticket, now, status, named);
    }

    /// Where a new gate goes: at the end, or in the place of the one that was not heard of for longest.
    fn new_place(&self) -> usize {
        if self.gates.len() < MAX_GATES {
            return self.gates.len();
        }
        let oldest = self
            .gates
            .iter()
            .enumerate()
            .min_by_key(|(_, gate)| gate.heard_at);
        oldest.map_or(0, |(at, _)| at)
    }

    /// What an answer says by not naming a gate. An error may come from in front of what counts, so that the call may
    /// have been counted or not; any other answer means that the call does not fall under that quota.
    fn on_unnamed(&mut self, ticket: &Ticket, now: Instant, status: StatusCode, named: u32) {
        let unsure = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let admitted = self.admitted;
        let mut at = 0usize;
        let mut gone = Vec::new();
        for gate in &mut self.gates {
            if gate.current && named & (1 << at) == 0 {
                if unsure {
                    gate.on_lost(admitted);
                } else {
                    gate.give_back();
                    if ticket.sent_at >= gate.window.resets_by && now >= gate.window.resets_by {
                        gone.push(at);
                    }
                }
            }
            at += 1;
        }
        // It was reset since it was last heard of: there is nothing left to remember.
        for at in gone.into_iter().rev() {
            self.gates.remove(at);
        }
    }

    /// Wakes the head where it may go earlier than it was told, and everybody where it is much later.
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
            Some(until) if ready > until + MUCH_LATER => self.wake_all(),
            _ => {}
        }
    }

    fn wake_head(&mut self) {
        self.head_waits_until = None;
        self.wakes.extend(self.queue.head_waker());
    }

    fn wake_all(&mut self) {
        self.head_waits_until = None;
        self.wakes.extend(self.queue.wakers());
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
