//! The world of one simulation: events in the order of their times, and what each does.
//!
//! Clients follow the engine exactly as the crate `gatewright` does (`send.rs` there): ask, wait, send, report. A client
//! whose device sleeps does nothing; what comes meanwhile it learns when it wakes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::breaker::BreakerSettings;
use gatewright_engine::call::{Answer, Call, CallLimits, Failure, RequestFacts, Step};
use gatewright_engine::host::{Engine, EngineSettings};
use gatewright_engine::pacing::LocalQuota;
use gatewright_engine::problem::{Problem, read_problem};
use gatewright_engine::regions::{Region, Regions};
use gatewright_engine::retry::{FailureClass, RetryPolicy};
use gatewright_engine::token::Generation;
use http::{HeaderMap, StatusCode};

use crate::broken::BrokenRule;
use crate::check::{Came, Checker, Invariant, Violation};
use crate::clock::{Clock, MS, SECOND};
use crate::dice::Dice;
use crate::gateway::{Arrival, GatewayModel, Reply, Served, Told};
use crate::script::{CallPlan, Death, FaultKind, Method, Script, Start};
use crate::tokens::{Tokens, Wanted};
use crate::trace::Trace;

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
}

/// A request on its way.
struct Wire {
    call: usize,
    attempt: u32,
    host: u32,
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
            Event::Answer(wire) | Event::Fail(wire, _) | Event::TimedOut(wire) => {
                self.wires[wire].call
            }
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
            Event::TimedOut(wire) => self.fail(wire, FailureClass::Timeout),
            Event::Cancel(call) => self.cancel(call),
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
        let call = self.begin(&plan, now);
        let live = &mut self.calls[at];
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
            self.check.on_turn(at, host);
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

    fn want_token(&mut self, at: usize) {
        let CallPlan {
            client, credential, ..
        } = self.calls[at].plan;
        // Tokens live by the time of servers, as in the client.
        let now = Instant::from_nanos(self.now);
        let tokens = self.tokens.entry((client, credential)).or_default();
        let kept = self.calls[at]
            .token
            .filter(|_| self.broken == Some(BrokenRule::TokenKept));
        let wanted = match kept {
            Some((token, generation)) => Wanted::Use(token, generation),
            None => tokens.wanted(now),
        };
        match wanted {
            Wanted::Use(token, generation) => {
                self.calls[at].token = Some((token, generation));
                self.got_token(at, true);
            }
            Wanted::Wait { fetch } => {
                tokens.waiting.push(at);
                self.calls[at].phase = Phase::Token;
                if fetch {
                    let plan = self.script.clients.token;
                    let (takes, failing) = plan.map_or((0, 0), |plan| (plan.fetch, plan.failing));
                    let good = !self.dice_of(at).chance(failing.into()) || self.after_the_end;
                    self.at(
                        self.now + takes * MS,
                        Event::Fetched(client, credential, good),
                    );
                }
                let deadline = self.calls[at].call.as_ref().map(Call::deadline);
                self.wait(at, deadline.unwrap_or(now));
            }
        }
    }

    fn fetched(&mut self, client: u32, credential: u32, good: bool) {
        let Some(plan) = self.script.clients.token else {
            return;
        };
        let now = Instant::from_nanos(self.now);
        let dice = &mut self.dice[client as usize];
        let tokens = self.tokens.entry((client, credential)).or_default();
        let usable = tokens.on_fetched(&plan, good, self.now, now, dice);
        let waiting = std::mem::take(&mut tokens.waiting);
        self.trace.line(
            self.now,
            format_args!("client {client} has fetched a token: {good}"),
        );
        for at in waiting {
            if self.calls[at].phase != Phase::Token {
                continue;
            }
            if usable {
                self.want_token(at);
            } else {
                self.got_token(at, false);
            }
        }
    }

    fn got_token(&mut self, at: usize, usable: bool) {
        let now = self.instant(at);
        let live = &mut self.calls[at];
        live.phase = Phase::Waiting;
        let Some(call) = live.call.as_mut() else {
            return;
        };
        match call.on_token(now, usable) {
            Step::Send { timeout_at, .. } => self.send(at, timeout_at),
            Step::Done(done) => self.over(at, Some(done)),
            Step::Wait { until } => self.wait(at, until),
            Step::RefreshToken => {}
            Step::TakeQuota => self.strange(at),
        }
    }

    fn send(&mut self, at: usize, timeout_at: Instant) {
        let now = self.instant(at);
        let wire = self.wires.len();
        let live = &mut self.calls[at];
        live.phase = Phase::Flying;
        live.sent += 1;
        live.wire = wire;
        let (plan, attempt, host) = (live.plan, live.sent, host_of(live));
        let token = self
            .script
            .clients
            .token
            .and(live.token)
            .map(|(token, _)| token);
        self.wires.push(Wire {
            call: at,
            attempt,
            host,
            token,
            reply: None,
        });
        self.played.attempts += 1;
        self.check.on_sent(at, host, self.now, now, token);
        self.trace.line(
            self.now,
            format_args!("call {} sends attempt {attempt} to host {host}", plan.id),
        );
        let there = self.now + self.latency(wire, 0);
        let event = match self.faults.get(&(plan.id, attempt)) {
            Some(FaultKind::Refused) => Event::Fail(wire, FailureClass::Connect),
            Some(FaultKind::ConnectTimeout) => Event::Fail(wire, FailureClass::ConnectTimeout),
            _ if self.gateway.death(host, there) == Some(Death::Refused) => {
                Event::Fail(wire, FailureClass::Connect)
            }
            _ => Event::Arrive(wire),
        };
        let when = match event {
            Event::Fail(_, FailureClass::ConnectTimeout) => self.now + CONNECT_TIMEOUT,
            _ => there,
        };
        self.at(when, event);
        let late = self.late(at);
        let real = self
            .clock(at)
            .real(timeout_at)
            .max(self.now)
            .saturating_add(late);
        if timeout_at.as_nanos() < u64::MAX {
            self.at(real, Event::TimedOut(wire));
        }
    }

    /// How long one way of an attempt takes: by its call and number alone, whatever else happens.
    fn latency(&self, wire: usize, way: u64) -> u64 {
        let Wire { call, attempt, .. } = &self.wires[wire];
        let id = u64::from(self.calls[*call].plan.id);
        let (least, most) = self.script.network.latency;
        let stream = (id << 16) | (u64::from(*attempt) << 8) | (64 + way);
        Dice::new(self.script.seed, stream).between(least * MS, most * MS)
    }

    fn arrive(&mut self, wire: usize) {
        let Wire {
            call,
            attempt,
            host,
            token,
            ..
        } = self.wires[wire];
        let plan = self.calls[call].plan;
        let fault = self.faults.get(&(plan.id, attempt)).copied();
        let own = if self.broken == Some(BrokenRule::KeyPerAttempt) {
            u64::from(attempt)
        } else {
            0
        };
        let key = (plan.method == Method::PostKeyed).then_some((u64::from(plan.id) << 16) | own);
        let tokens = self.tokens.get(&(plan.client, plan.credential));
        let good = |token| tokens.is_some_and(|tokens| tokens.is_good(token, self.now));
        let request = Arrival {
            call,
            host,
            credential: plan.credential,
            method: plan.method,
            key,
            bad_token: token.is_some_and(|token| !good(token)),
            fault,
        };
        let served = self.gateway.serve(&request, self.now);
        let effects = self.gateway.effects.get(call).copied().unwrap_or(0);
        self.check.on_effects(call, self.now, effects);
        let back = self.latency(wire, 1);
        let slow = match fault {
            Some(FaultKind::Slow(millis)) => millis * MS,
            _ => 0,
        };
        self.trace.line(
            self.now,
            format_args!("call {} arrives: {}", plan.id, in_words(&served)),
        );
        match served {
            Served::Answer(reply, work) => {
                self.wires[wire].reply = Some(reply);
                self.at(self.now + work + back + slow, Event::Answer(wire));
            }
            Served::Reset(work) => {
                let event = Event::Fail(wire, FailureClass::ConnectionLost);
                self.at(self.now + work + back, event);
            }
            Served::NotProcessed => {
                let event = Event::Fail(wire, FailureClass::NotProcessed);
                self.at(self.now + back, event);
            }
            Served::Silence => {}
        }
    }

    /// Whether the call still waits for what comes of this request.
    fn is_awaited(&self, wire: usize) -> bool {
        let live = &self.calls[self.wires[wire].call];
        live.phase == Phase::Flying && live.wire == wire
    }

    fn answer(&mut self, wire: usize) {
        if !self.is_awaited(wire) {
            return;
        }
        let Some(mut reply) = self.wires[wire].reply.take() else {
            return;
        };
        let at = self.wires[wire].call;
        let client = self.calls[at].plan.client as usize;
        self.tell_sleep(at);
        let now = self.clock(at).now(self.now);
        self.check.on_came(
            at,
            self.now,
            now.instant,
            Came::Answer(reply.status, reply.told),
        );
        if let Some((_, generation)) = self.calls[at].token
            && reply.status == 401
        {
            let plan = self.calls[at].plan;
            if let Some(tokens) = self.tokens.get_mut(&(plan.client, plan.credential)) {
                tokens.refused(generation);
            }
        }
        self.hide(&mut reply.headers);
        let problem = self.in_flight.as_ref().filter(|_| reply.in_flight);
        let answer = Answer {
            status: StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK),
            headers: &reply.headers,
            problem,
        };
        if let Some(call) = self.calls[at].call.as_mut() {
            call.on_response(now, answer, &mut self.dice[client]);
        }
        self.came(at, now.instant);
    }

    fn hide(&self, headers: &mut HeaderMap) {
        if self.is(BrokenRule::RetryAfterHidden) {
            headers.remove("retry-after");
            headers.remove("retry-after-ms");
        }
        if self.is(BrokenRule::LimitsHidden) {
            let limits = |name: &&http::HeaderName| name.as_str().contains("ratelimit");
            let names: Vec<http::HeaderName> = headers.keys().filter(limits).cloned().collect();
            for name in names {
                headers.remove(name);
            }
        }
    }

    fn fail(&mut self, wire: usize, class: FailureClass) {
        if !self.is_awaited(wire) {
            return;
        }
        let at = self.wires[wire].call;
        let client = self.calls[at].plan.client as usize;
        let now = self.tell_sleep(at);
        self.check.on_came(at, self.now, now, Came::Failure(class));
        let failure = Failure {
            class,
            text: String::new(),
        };
        if let Some(call) = self.calls[at].call.as_mut() {
            call.on_error(now, failure, &mut self.dice[client]);
        }
        self.came(at, now);
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
        let followers = std::mem::take(&mut live.followers);
        if self.is(BrokenRule::RecordTampered) && record.len() > 1 {
            record.swap(0, 1);
        }
        let forgotten = done.is_none() && self.is(BrokenRule::CancelForgotten);
        if !forgotten {
            self.check
                .on_over(at, self.now, now, done.as_ref(), &record);
        }
        self.played.succeeded += u64::from(done == Some(gatewright_engine::call::Done::Return));
        self.trace
            .line(self.now, format_args!("call {id} is over: {done:?}"));
        for follower in followers {
            self.at(self.now, Event::Start(follower));
        }
    }

    /// All is over: what must hold now, and do calls go again after a long silence?
    fn end(&mut self) {
        let never: Vec<usize> = (0..self.calls.len())
            .filter(|at| self.calls[*at].phase != Phase::Out)
            .collect();
        for at in &never {
            let what = format!("never ended: {:?}", self.calls[*at].phase);
            self.check
                .violated(Invariant::Ends, self.now, Some(*at), what);
        }
        let gateway = &self.gateway;
        let refused = |host, credential| gateway.refused_of(host, credential);
        self.check.at_end(self.now, &refused);
        self.played.refused = gateway.refused.iter().sum();
        if !never.is_empty() {
            return;
        }
        for client in 0..self.engines.len() {
            let now = self.clocks[client].instant(self.now);
            for (name, state) in self.engines[client].state(now) {
                let slots = state
                    .concurrency
                    .is_some_and(|now| now.in_flight > 0 || now.queued > 0);
                let taken = slots
                    || state
                        .pacers
                        .iter()
                        .any(|pacer| pacer.in_flight > 0 || pacer.queued > 0);
                if taken {
                    let what = format!(
                        "client {client}, {name}: {:?} {:?}",
                        state.concurrency, state.pacers
                    );
                    self.check
                        .violated(Invariant::Permits, self.now, None, what);
                }
            }
        }
        self.call_again();
    }

    /// One call more to each place: nothing stands in its way. First one to each host, because a breaker that is open lets
    /// one through to see.
    fn call_again(&mut self) {
        self.after_the_end = true;
        self.steps = 0;
        let mut places: Vec<(u32, u32, u32)> = Vec::new();
        for plan in &self.script.calls {
            let place = (plan.client, plan.host, plan.credential);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut hosts = places.clone();
        hosts.sort_unstable();
        hosts.dedup_by_key(|(client, host, _)| (*client, *host));
        let before = (
            self.played.calls,
            self.played.attempts,
            self.played.succeeded,
        );
        let wanted = hosts.len() + places.len();
        let mut id = AFTER_THE_END;
        for round in [hosts, places] {
            self.now = self.now.saturating_add(QUIET);
            for (client, host, credential) in round {
                let at = self.add(CallPlan {
                    id,
                    start: Start::At(0),
                    client,
                    host,
                    credential,
                    method: Method::Get,
                    once: false,
                    deadline: Some(60_000),
                    cancel: None,
                });
                id += 1;
                self.at(self.now, Event::Start(at));
            }
            self.go_on();
        }
        let went = self.played.succeeded - before.2;
        if went != wanted as u64 {
            let what = format!("a day later {went} of {wanted} calls went through");
            self.check
                .violated(Invariant::Permits, self.now, None, what);
        }
        (
            self.played.calls,
            self.played.attempts,
            self.played.succeeded,
        ) = before;
    }
}

/// The engine of one client.
fn engine(script: &Script, broken: Option<BrokenRule>) -> Engine {
    let mut policy = RetryPolicy::default();
    policy.max_attempts =
        script.clients.attempts + u32::from(broken == Some(BrokenRule::AttemptMore));
    policy.max_retry_after = Duration::from_millis(script.clients.max_retry_after);
    policy.budget = if broken == Some(BrokenRule::BudgetUnbounded) {
        u32::MAX
    } else {
        script.clients.budget
    };
    let mut settings = EngineSettings::default();
    settings.pacing.enabled = script.clients.pacing && broken != Some(BrokenRule::PacingOff);
    let local = script.clients.local.and_then(|(calls, per, burst)| {
        let per = Duration::from_millis(per);
        LocalQuota::new(calls.try_into().ok()?, per, burst.try_into().ok()?).ok()
    });
    let local = local.filter(|_| broken != Some(BrokenRule::LocalQuotaOff));
    settings.pacing.local = local.into_iter().collect();
    let breaker = script.clients.breaker.map(|plan| {
        let mut breaker = BreakerSettings::default();
        breaker.failure_rate = f64::from(plan.percent) / 100.0;
        breaker.minimum_calls = plan.volume;
        breaker.window = Duration::from_millis(plan.window);
        breaker.open = Duration::from_millis(plan.open);
        breaker
    });
    settings.breaker = breaker.filter(|_| broken != Some(BrokenRule::BreakerOff));
    let concurrency = script.clients.concurrency;
    settings.max_concurrency = concurrency.filter(|_| broken != Some(BrokenRule::ConcurrencyOff));
    Engine::with(policy, settings)
}

fn name_of(host: u32) -> String {
    format!("https://h{host}")
}

fn regions(script: &Script, engine: &Engine) -> Regions {
    Regions::new((0..script.gateway.hosts).map(|host| {
        let name = name_of(host);
        Region {
            host: engine.host(&name),
            name: name.into(),
        }
    }))
}

/// Where the call's attempt goes.
fn host_of(live: &Live) -> u32 {
    let region = live.call.as_ref().and_then(Call::region);
    region.map_or(live.plan.host, |at| u32::try_from(at).unwrap_or(0))
}

fn in_words(served: &Served) -> String {
    match served {
        Served::Answer(reply, _) => match reply.told {
            Told::Nothing => reply.status.to_string(),
            told => format!("{} {told:?}", reply.status),
        },
        other => format!("{other:?}"),
    }
}
