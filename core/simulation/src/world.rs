//! The world of one simulation: events in the order of their times, and what each does.
//!
//! Clients follow the engine exactly as the crate `gatewright` does (`send.rs` there): ask, wait, send, report. A client
//! whose device sleeps does nothing; what comes meanwhile it learns when it wakes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::call::{Call, CallLimits, RequestFacts, Step};
use gatewright_engine::host::Engine;
use gatewright_engine::problem::{Problem, read_problem};
use gatewright_engine::redirect::RedirectPolicy;
use gatewright_engine::regions::Regions;
use gatewright_engine::retry::FailureClass;
use gatewright_engine::token::Generation;

use crate::broken::BrokenRule;
use crate::check::{Came, Checker, Invariant, Violation};
use crate::clock::{Clock, MS, SECOND};
use crate::dice::Dice;
use crate::gateway::{GatewayModel, Reply};
use crate::script::{CallPlan, FaultKind, Method, Script, Start};
use crate::tokens::Tokens;
use crate::trace::Trace;

mod after;
mod exchange;
mod hedge;
mod redirect;
mod set_up;
use set_up::{engine, name_of, redirects, regions};
mod token_wait;

/// A connection that is not there by then is given up.
const CONNECT_TIMEOUT: u64 = 5 * SECOND;
/// After all is over, nothing happens for so long; then each place is called once more.
const QUIET: u64 = 25 * 3_600 * SECOND;
/// Numbers of the calls after the end.
const AFTER_THE_END: u32 = 1 << 30;

/// What one simulation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// What did not hold: the first of each invariant.
    pub violations: Vec<Violation>,
    /// Calls that were made.
    pub calls: u64,
    /// Requests that were sent.
    pub attempts: u64,
    /// Calls that ended with an answer below 400.
    pub succeeded: u64,
    /// Requests that a quota refused.
    pub refused: u64,
    /// Real time that went by, in milliseconds, until the last call had ended.
    pub took: u64,
    /// A line for each event, where it was asked for.
    pub trace: String,
}

/// Plays a script, with a rule switched off or none.
#[must_use]
pub fn play(script: &Script, broken: Option<BrokenRule>, traced: bool) -> Played {
    World::new(script, broken, traced).run()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// An answer reaches its client: a place in `wires`.
    Answer(usize),
    /// A request reaches the gateway.
    Arrive(usize),
    /// The caller goes away.
    Cancel(usize),
    /// The connection fails, as this class.
    Fail(usize, FailureClass),
    /// A token was fetched, or not: client and credential.
    Fetched(u32, u32, bool),
    /// A call begins.
    Start(usize),
    /// An answer has been waited for so long that a second copy may go.
    Slow(usize),
    /// An attempt has had its time.
    TimedOut(usize),
    /// A call wants to be asked: at its time (with the number of that wait), or because it was woken.
    Poll(usize, Option<u64>),
}

/// Notes which call was woken.
struct Bell {
    call: usize,
    rung: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.push(self.call);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not begun, or over.
    Out,
    /// Held back, or in its backoff.
    Waiting,
    /// A token is being fetched.
    Token,
    /// An attempt is under way.
    Flying,
}

/// A call as its client has it.
struct Live {
    plan: CallPlan,
    /// Where it goes and what it asks for, which redirects change.
    host: u32,
    method: Method,
    redirects: u32,
    /// It has left its origin, and its credential and key behind.
    anonymous: bool,
    phase: Phase,
    call: Option<Call>,
    waker: Option<Waker>,
    /// Tells the wait at hand from those before.
    wait: u64,
    asked_at: (u64, u32),
    backoff_until: Instant,
    sent: u32,
    wire: usize,
    token: Option<(u64, Generation)>,
    followers: Vec<usize>,
    /// The other copy of the same request.
    other: Option<usize>,
    /// It is the second of them.
    is_copy: bool,
    numbers: Arc<AtomicU32>,
}

/// A request on its way.
struct Wire {
    call: usize,
    attempt: u32,
    host: u32,
    method: Method,
    anonymous: bool,
    token: Option<u64>,
    reply: Option<Box<Reply>>,
}

struct World<'s> {
    script: &'s Script,
    broken: Option<BrokenRule>,
    now: u64,
    steps: u64,
    ties: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    engines: Vec<Engine>,
    /// The hosts as regions, of each client.
    regions: Vec<Regions>,
    clocks: Vec<Clock>,
    dice: Vec<Dice>,
    gateway: GatewayModel<'s>,
    tokens: HashMap<(u32, u32), Tokens>,
    faults: HashMap<(u32, u32), FaultKind>,
    calls: Vec<Live>,
    wires: Vec<Wire>,
    rung: Arc<Mutex<Vec<usize>>>,
    in_flight: Option<Problem>,
    redirects: RedirectPolicy,
    check: Checker<'s>,
    trace: Trace,
    played: Played,
    after_the_end: bool,
}

impl<'s> World<'s> {
    fn new(script: &'s Script, broken: Option<BrokenRule>, traced: bool) -> Self {
        let clients = 0..script.clients.count;
        let sleeps = |client: u32| {
            let own = script
                .sleeps
                .iter()
                .filter(move |sleep| sleep.client == client);
            own.map(|sleep| (sleep.from * MS, sleep.to * MS)).collect()
        };
        let faults = script
            .faults
            .iter()
            .map(|fault| ((fault.call, fault.attempt), fault.kind));
        let engines: Vec<Engine> = clients.clone().map(|_| engine(script, broken)).collect();
        let mut world = Self {
            regions: engines
                .iter()
                .map(|engine| regions(script, engine))
                .collect(),
            engines,
            script,
            broken,
            now: 0,
            steps: 0,
            ties: 0,
            events: BinaryHeap::new(),
            clocks: clients
                .clone()
                .map(|client| Clock::new(sleeps(client)))
                .collect(),
            dice: clients
                .map(|client| Dice::new(script.seed, 16 + u64::from(client)))
                .collect(),
            gateway: GatewayModel::new(script),
            tokens: HashMap::new(),
            faults: faults.collect(),
            calls: Vec::new(),
            wires: Vec::new(),
            rung: Arc::default(),
            in_flight: read_problem(
                br#"{"type":"https://gatewright.dev/problems/idempotency-in-flight"}"#,
            ),
            redirects: redirects(script, broken),
            check: Checker::new(script),
            trace: Trace::new(traced),
            played: Played::default(),
            after_the_end: false,
        };
        let places: HashMap<u32, usize> = script
            .calls
            .iter()
            .enumerate()
            .map(|(at, plan)| (plan.id, at))
            .collect();
        for plan in &script.calls {
            world.add(*plan);
        }
        for (at, plan) in script.calls.iter().enumerate() {
            match plan.start {
                Start::At(millis) => world.at(millis * MS, Event::Start(at)),
                Start::After(other) => match places.get(&other) {
                    Some(other) => world.calls[*other].followers.push(at),
                    None => world.at(0, Event::Start(at)),
                },
            }
        }
        world
    }

    fn add(&mut self, plan: CallPlan) -> usize {
        self.calls.push(Live {
            plan,
            host: plan.host,
            method: plan.method,
            redirects: 0,
            anonymous: false,
            phase: Phase::Out,
            call: None,
            waker: None,
            wait: 0,
            asked_at: (0, 0),
            backoff_until: Instant::ORIGIN,
            sent: 0,
            wire: 0,
            token: None,
            followers: Vec::new(),
            other: None,
            is_copy: false,
            numbers: Arc::default(),
        });
        self.calls.len() - 1
    }

    fn at(&mut self, real: u64, event: Event) {
        self.ties += 1;
        self.events.push(Reverse((real, self.ties, event)));
    }

    fn run(mut self) -> Played {
        self.go_on();
        self.played.took = self.now / MS;
        self.end();
        self.played.violations = std::mem::take(&mut self.check.violations);
        self.played.violations.sort_by_key(|violation| violation.at);
        self.played.trace = self.trace.take();
        self.played
    }

    /// Until nothing is left to happen.
    fn go_on(&mut self) {
        let most = 100_000 + 3_000 * self.calls.len() as u64;
        while let Some(Reverse((real, _, event))) = self.events.pop() {
            self.now = real;
            self.steps += 1;
            if self.steps > most {
                self.check
                    .violated(Invariant::Ends, real, None, "it goes on for ever");
                break;
            }
            if let Some(client) = self.client_of(event)
                && let Some(wakes) = self.clocks[client].wakes_at(real)
            {
                self.at(wakes, event);
                continue;
            }
            self.happen(event);
            self.answer_the_bells();
        }
    }

    /// Whose device has to be awake for this.
    fn client_of(&self, event: Event) -> Option<usize> {
        let call = match event {
            Event::Arrive(_) => return None,
            Event::Fetched(client, ..) => return Some(client as usize),
            Event::Answer(wire)
            | Event::Fail(wire, _)
            | Event::Slow(wire)
            | Event::TimedOut(wire) => self.wires[wire].call,
            Event::Cancel(call) | Event::Start(call) | Event::Poll(call, _) => call,
        };
        Some(self.calls[call].plan.client as usize)
    }

    fn answer_the_bells(&mut self) {
        let rung = std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner));
        for call in rung {
            self.at(self.now, Event::Poll(call, None));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(call) => self.start(call),
            Event::Poll(call, wait) => {
                let live = &self.calls[call];
                let waits = matches!(live.phase, Phase::Waiting | Phase::Token);
                if waits && wait.is_none_or(|wait| wait == live.wait) {
                    self.poll(call);
                }
            }
            Event::Arrive(wire) => self.arrive(wire),
            Event::Answer(wire) => self.answer(wire),
            Event::Fail(wire, class) => self.fail(wire, class),
            Event::Slow(wire) => self.slow(wire),
            Event::TimedOut(wire) => self.fail(wire, FailureClass::Timeout),
            Event::Cancel(call) => self.give_up(call),
            Event::Fetched(client, credential, good) => self.fetched(client, credential, good),
        }
    }

    fn clock(&self, call: usize) -> &Clock {
        &self.clocks[self.calls[call].plan.client as usize]
    }

    fn instant(&self, call: usize) -> Instant {
        self.clock(call).instant(self.now)
    }

    /// Tells the engine how long the device has slept, as clients do before they ask and before they report.
    fn tell_sleep(&self, call: usize) -> Instant {
        let slept = self.clock(call).slept(self.now);
        self.engines[self.calls[call].plan.client as usize].on_slept(slept);
        self.instant(call)
    }

    fn is(&self, rule: BrokenRule) -> bool {
        self.broken == Some(rule) && !self.after_the_end
    }

    fn start(&mut self, at: usize) {
        let plan = self.calls[at].plan;
        let now = self.instant(at);
        self.played.calls += 1;
        self.check.on_started(at, plan, now);
        self.trace
            .line(self.now, format_args!("call {} begins: {plan}", plan.id));
        let bell = Bell {
            call: at,
            rung: Arc::clone(&self.rung),
        };
        let mut call = self.begin(&plan, now);
        let live = &mut self.calls[at];
        if self.script.clients.hedge.is_some() {
            call.number_with(Arc::clone(&live.numbers));
        }
        live.call = Some(call);
        live.waker = Some(Arc::new(bell).into());
        live.phase = Phase::Waiting;
        if let Some(cancel) = plan.cancel {
            self.at(self.now + cancel * MS, Event::Cancel(at));
        }
        self.poll(at);
    }

    fn begin(&self, plan: &CallPlan, now: Instant) -> Call {
        let engine = &self.engines[plan.client as usize];
        let facts = RequestFacts {
            repeatable: plan.method != Method::Post || self.is(BrokenRule::AllRepeatable),
            replayable: !plan.once,
            refreshable: self.script.clients.token.is_some(),
        };
        let timeout = plan
            .deadline
            .filter(|_| !self.is(BrokenRule::DeadlineIgnored));
        let limits = CallLimits {
            timeout: timeout.map(Duration::from_millis),
            attempt_timeout: Some(Duration::from_millis(self.script.clients.attempt_timeout)),
            max_attempts: None,
        };
        if self.script.clients.regions {
            let regions = &self.regions[plan.client as usize];
            let (preferred, partition) = (plan.host as usize, plan.credential.into());
            if let Some(call) = engine.call_in(regions, preferred, facts, limits, partition, now) {
                return call;
            }
        }
        let host = engine.host(&name_of(plan.host));
        engine.call(host, facts, limits, plan.credential.into(), now)
    }

    fn poll(&mut self, at: usize) {
        let now = self.tell_sleep(at);
        if self.is(BrokenRule::PlaceLost) && self.calls[at].sent == 0 && self.calls[at].wait == 1 {
            let plan = self.calls[at].plan;
            let call = self.begin(&plan, now);
            if let Some(mut old) = self.calls[at].call.replace(call) {
                old.on_cancelled(now);
            }
        }
        let at_once = self.is(BrokenRule::RetryAtOnce);
        let live = &mut self.calls[at];
        let backing_off = now < live.backoff_until;
        let Some(call) = live.call.as_mut() else {
            return;
        };
        let asked = if at_once && backing_off {
            live.backoff_until
        } else {
            now
        };
        let step = call.next(asked, live.waker.as_ref());
        let host = host_of(live);
        if !backing_off {
            let credential = credential_of(live);
            self.check.on_turn(at, host, credential);
        }
        match step {
            Step::Wait { until } => {
                if !backing_off && self.calls[at].phase == Phase::Waiting {
                    self.check.on_held(at);
                }
                self.wait(at, until);
            }
            Step::RefreshToken => {
                self.check.on_admitted(at, self.now, now);
                self.want_token(at);
            }
            Step::Send { timeout_at, .. } => {
                self.check.on_admitted(at, self.now, now);
                self.send(at, timeout_at);
            }
            Step::Done(done) => self.over(at, Some(done)),
            // No client here shares a quota with other processes.
            Step::TakeQuota => self.strange(at),
        }
    }

    fn strange(&mut self, at: usize) {
        let what = "asked for a permit of a quota that nobody set";
        self.check
            .violated(Invariant::Ends, self.now, Some(at), what);
    }

    /// Asks again at `until`.
    fn wait(&mut self, at: usize, until: Instant) {
        let late = self.late(at);
        let real = self
            .clock(at)
            .real(until)
            .max(self.now)
            .saturating_add(late);
        let live = &mut self.calls[at];
        live.wait += 1;
        let (asked, times) = live.asked_at;
        live.asked_at = (self.now, if asked == self.now { times + 1 } else { 0 });
        if live.asked_at.1 > 1_000 {
            let what = "asked again and again at the same time";
            self.check
                .violated(Invariant::Ends, self.now, Some(at), what);
            live.phase = Phase::Out;
            return;
        }
        let event = Event::Poll(at, Some(live.wait));
        // The far future stands for no deadline: only a wake helps then.
        if until.as_nanos() < u64::MAX && !self.is(BrokenRule::TimerForgotten) {
            self.at(real, event);
        }
    }

    fn late(&mut self, at: usize) -> u64 {
        let late = self.script.clients.late * MS;
        self.dice_of(at).below(late + 1)
    }

    fn dice_of(&mut self, at: usize) -> &mut Dice {
        &mut self.dice[self.calls[at].plan.client as usize]
    }

    /// An attempt has come to its end: on with its call.
    fn came(&mut self, at: usize, now: Instant) {
        use gatewright_engine::attempts::Decision;
        let live = &mut self.calls[at];
        live.phase = Phase::Waiting;
        live.backoff_until = Instant::ORIGIN;
        if let Some(last) = live.call.as_ref().and_then(|call| call.attempts().last()) {
            if let Decision::Retry { wait, .. } = last.decision {
                live.backoff_until = now + wait;
            }
            self.trace
                .line(self.now, format_args!("call {} {last}", live.plan.id));
        }
        self.poll(at);
    }

    /// The caller goes away.
    fn give_up(&mut self, at: usize) {
        let other = self.calls[at].other;
        self.cancel(at);
        if let Some(other) = other {
            self.cancel(other);
        }
    }

    fn cancel(&mut self, at: usize) {
        if self.calls[at].phase == Phase::Out {
            return;
        }
        let now = self.instant(at);
        if self.calls[at].phase == Phase::Flying {
            self.check.on_came(at, self.now, now, Came::Cancelled);
        }
        let forgotten = self.is(BrokenRule::CancelForgotten);
        if let Some(call) = self.calls[at].call.as_mut()
            && !forgotten
        {
            call.on_cancelled(now);
        }
        self.over(at, None);
    }

    fn over(&mut self, at: usize, done: Option<gatewright_engine::call::Done>) {
        let now = self.instant(at);
        let live = &mut self.calls[at];
        live.phase = Phase::Out;
        let mut record = Vec::new();
        if let Some(mut call) = live.call.take() {
            record = call.take_attempts();
        }
        live.waker = None;
        let id = live.plan.id;
        if self.is(BrokenRule::RecordTampered) && record.len() > 1 {
            record.swap(0, 1);
        }
        let forgotten = done.is_none() && self.is(BrokenRule::CancelForgotten);
        if !forgotten {
            self.check
                .on_over(at, self.now, now, done.as_ref(), &record);
        }
        let succeeded = done == Some(gatewright_engine::call::Done::Return);
        self.played.succeeded += u64::from(succeeded);
        self.trace
            .line(self.now, format_args!("call {id} is over: {done:?}"));
        for follower in self.pair_over(at, succeeded) {
            self.at(self.now, Event::Start(follower));
        }
    }
}

/// Where the call's attempt goes.
fn host_of(live: &Live) -> u32 {
    let region = live.call.as_ref().and_then(Call::region);
    region.map_or(live.host, |at| u32::try_from(at).unwrap_or(0))
}

/// With which credential.
fn credential_of(live: &Live) -> Option<u32> {
    (!live.anonymous).then_some(live.plan.credential)
}
