//! What must hold, whatever happens: watched from outside of the engine, by what was sent and what came back.

use std::collections::BTreeSet;
use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::attempts::Attempt;
use gatewright_engine::call::Done;
use gatewright_engine::retry::FailureClass;

use crate::clock::{MS, SECOND};

use crate::gateway::Told;
use crate::script::{CallPlan, Method, Script};

mod at_end;
mod breaker;
use breaker::BreakerWatch;
mod hedge;
mod invariant;
pub use invariant::{Invariant, Violation};
mod record;
use record::compare;
mod redirects;

/// The credential of requests that have none.
const NOBODY: u32 = u32::MAX;
/// The longest that one answer may hold up all calls of a credential; see `pacing.rs` in the engine.
const LONGEST_PAUSE: u64 = 24 * 3_600 * SECOND;

/// What came of an attempt, as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Answer(u16, Told),
    Cancelled,
    Failure(FailureClass),
    Pending,
}

/// One attempt as seen from outside.
#[derive(Clone, Debug)]
struct Seen {
    sent: Instant,
    sent_real: u64,
    ended: Instant,
    ended_real: u64,
    came: Came,
    token: Option<u64>,
}

/// What is known of one call.
#[derive(Clone, Debug)]
struct Facts {
    plan: CallPlan,
    lane: usize,
    started: Instant,
    /// It comes first that has the lower one.
    order: u64,
    /// When its turn for this attempt began, in order.
    entered: Option<u64>,
    /// Where this attempt goes.
    host: u32,
    waiting: bool,
    /// When it was let go for the attempt at hand, in real time.
    admitted: Option<u64>,
    /// The hosts that asked this call not to come back before, in real time.
    not_before: Vec<(u32, u64)>,
    seen: Vec<Seen>,
    retries: u32,
    renewals: u32,
    redirects: u32,
    /// It has been to another host.
    left: bool,
    /// It is the second copy of a request.
    hedge: bool,
    /// Second copies of it.
    copies: u32,
}

impl Facts {
    /// Its last answer has sent it elsewhere.
    fn is_redirected(&self) -> bool {
        let last = self.seen.last().map(|seen| seen.came);
        matches!(last, Some(Came::Answer(300..400, _)))
    }
}

/// The calls of one client to one host with one credential.
#[derive(Clone, Debug, Default)]
struct Lane {
    client: u32,
    host: u32,
    credential: u32,
    /// Calls that began here.
    calls: u64,
    /// Those who wait for their turn: order and place.
    waiting: BTreeSet<(u64, usize)>,
    paused_until: u64,
    /// When calls were admitted that may have reached the gateway.
    admitted: Vec<u64>,
    given_back: u64,
    sent: u64,
}

impl Lane {
    /// The call that was let go at `admitted` never reached the gateway.
    fn give_back(&mut self, admitted: Option<u64>) {
        let Some(admitted) = admitted else {
            return;
        };
        if let Some(at) = self.admitted.iter().rposition(|at| *at == admitted) {
            self.admitted.remove(at);
            self.given_back += 1;
        }
    }
}

/// What one client did to one host.
#[derive(Clone, Debug, Default)]
struct Load {
    client: u32,
    host: u32,
    /// When the attempt before each retry ended, and the least it cost.
    retries: Vec<(u64, u64)>,
    /// When a success came, and the most it gave back.
    refunds: Vec<(u64, u64)>,
    under_way: u32,
    watch: BreakerWatch,
}

/// Watches one simulation.
#[derive(Debug)]
pub(crate) struct Checker<'s> {
    script: &'s Script,
    calls: Vec<Option<Facts>>,
    lanes: Vec<Lane>,
    loads: Vec<Load>,
    orders: u64,
    turns: u64,
    pub(crate) violations: Vec<Violation>,
}

impl<'s> Checker<'s> {
    pub(crate) fn new(script: &'s Script) -> Self {
        Self {
            script,
            calls: Vec::new(),
            lanes: Vec::new(),
            loads: Vec::new(),
            orders: 0,
            turns: 0,
            violations: Vec::new(),
        }
    }

    /// Notes the first violation of each invariant.
    pub(crate) fn violated(
        &mut self,
        invariant: Invariant,
        real: u64,
        call: Option<usize>,
        what: impl Into<String>,
    ) {
        if self.violations.iter().any(|one| one.invariant == invariant) {
            return;
        }
        let id = call.and_then(|at| self.calls.get(at)?.as_ref().map(|facts| facts.plan.id));
        self.violations.push(Violation {
            invariant,
            at: real / MS,
            call: id,
            what: what.into(),
        });
    }

    fn lane(&mut self, client: u32, host: u32, credential: u32) -> usize {
        let key = (client, host, credential);
        let same = |lane: &Lane| (lane.client, lane.host, lane.credential) == key;
        self.lanes.iter().position(same).unwrap_or_else(|| {
            self.lanes.push(Lane {
                client,
                host,
                credential,
                ..Lane::default()
            });
            self.lanes.len() - 1
        })
    }

    pub(crate) fn on_started(&mut self, at: usize, plan: CallPlan, now: Instant) {
        let lane = self.lane(plan.client, plan.host, plan.credential);
        self.orders += 1;
        let order = self.orders;
        self.lanes[lane].calls += 1;
        if self.calls.len() <= at {
            self.calls.resize(at + 1, None);
        }
        self.calls[at] = Some(Facts {
            plan,
            lane,
            started: now,
            order,
            entered: None,
            host: plan.host,
            waiting: false,
            admitted: None,
            not_before: Vec::new(),
            seen: Vec::new(),
            retries: 0,
            renewals: 0,
            redirects: 0,
            left: false,
            hedge: false,
            copies: 0,
        });
    }

    /// The call was asked while it is not in its backoff: its turn has begun, for an attempt to `host`.
    pub(crate) fn on_turn(&mut self, at: usize, host: u32, credential: Option<u32>) {
        let Some(facts) = self.calls[at].as_ref() else {
            return;
        };
        let (plan, before) = (facts.plan, facts.host);
        if host != before {
            self.leave(at);
        }
        let lane = self.lane(plan.client, host, credential.unwrap_or(NOBODY));
        self.turns += 1;
        let turns = self.turns;
        self.orders += 1;
        let order = self.orders;
        if let Some(facts) = self.calls[at].as_mut() {
            (facts.host, facts.lane) = (host, lane);
            // Who is sent elsewhere begins at the end of the line there.
            if facts.entered.is_none() && facts.is_redirected() {
                facts.order = order;
            }
            facts.entered.get_or_insert(turns);
        }
    }

    /// The call is held back before an attempt; not for its backoff.
    pub(crate) fn on_held(&mut self, at: usize) {
        let Some(facts) = self.calls[at].as_mut() else {
            return;
        };
        if !facts.waiting {
            facts.waiting = true;
            self.lanes[facts.lane].waiting.insert((facts.order, at));
        }
    }

    fn leave(&mut self, at: usize) {
        if let Some(facts) = self.calls[at].as_mut()
            && std::mem::take(&mut facts.waiting)
        {
            self.lanes[facts.lane].waiting.remove(&(facts.order, at));
        }
    }

    /// The engine let the call go.
    pub(crate) fn on_admitted(&mut self, at: usize, real: u64, now: Instant) {
        self.leave(at);
        let Some(facts) = self.calls[at].as_mut() else {
            return;
        };
        if facts.admitted.is_some() {
            return;
        }
        facts.admitted = Some(real);
        let (order, lane, entered) = (facts.order, facts.lane, facts.entered);
        self.lanes[lane].admitted.push(real);
        let paused_until = self.lanes[lane].paused_until;
        if self.script.clients.pacing && real < paused_until {
            let early = (paused_until - real) / 1_000;
            let what = format!("let go {early} µs before the end of the pause");
            self.violated(Invariant::RetryAfter, real, Some(at), what);
        }
        // Whose deadline has passed is out of the line already.
        let first = self.lanes[lane]
            .waiting
            .iter()
            .take_while(|(other, _)| *other < order);
        let passed = first.filter_map(|(_, other)| self.calls[*other].as_ref());
        let passed = passed.filter(|other| self.deadline_of(other).is_none_or(|by| by > now));
        // Where attempts at once are limited, who comes for another stands behind those who are in line already.
        let limited = self.script.clients.concurrency.is_some();
        let passed = passed.filter(|other| !limited || other.entered < entered);
        // A line is of one region, and who comes from another begins at its end.
        let passed = passed.filter(|_| !self.script.clients.regions);
        let passed: Vec<u32> = passed.map(|other| other.plan.id).collect();
        if let Some(first) = passed.first() {
            let what = format!("went before call {first}, which came earlier and waits");
            self.violated(Invariant::Order, real, Some(at), what);
        }
    }

    fn deadline_of(&self, facts: &Facts) -> Option<Instant> {
        let deadline = facts.plan.deadline?;
        Some(facts.started + Duration::from_millis(deadline))
    }

    pub(crate) fn on_sent(
        &mut self,
        at: usize,
        host: u32,
        real: u64,
        now: Instant,
        token: Option<u64>,
        credential: Option<u32>,
    ) {
        let Some(facts) = self.calls[at].as_ref() else {
            return;
        };
        let mut found: Vec<(Invariant, String)> = Vec::new();
        if self.deadline_of(facts).is_some_and(|by| now >= by) {
            found.push((Invariant::Deadline, "sent after its deadline".to_owned()));
        }
        let named = facts.not_before.iter().filter(|(of, _)| *of == host);
        let not_before = named.map(|(_, until)| *until).max().unwrap_or(0);
        if real < not_before {
            let early = (not_before - real) / 1_000;
            let what = format!("sent {early} µs before the time that the gateway named");
            found.push((Invariant::RetryAfter, what));
        }
        let last = facts.seen.last().cloned();
        let refused = matches!(
            &last,
            Some(Seen {
                came: Came::Answer(401, _),
                ..
            })
        );
        if refused && token.is_some() && last.as_ref().is_some_and(|last| last.token == token) {
            found.push((Invariant::Token, "a 401, then the same token".to_owned()));
        }
        let (lane, client) = (facts.lane, facts.plan.client);
        let redirected = facts.is_redirected();
        let first_of_copy = facts.hedge && facts.seen.is_empty();
        if let Some(facts) = self.calls[at].as_mut() {
            facts.renewals += u32::from(refused);
            facts.redirects += u32::from(redirected);
            facts.retries += u32::from(last.is_some() && !refused && !redirected);
            if facts.hedge && facts.retries > 0 {
                found.push((Invariant::Hedge, "a second copy is retried".to_owned()));
            }
            if let Some(what) = redirects::check(facts, &self.script.clients, host, credential) {
                found.push((Invariant::Redirects, what));
            }
            if facts.retries >= self.script.clients.attempts || facts.renewals > 1 {
                let what = format!("attempt {}", facts.seen.len() + 1);
                found.push((Invariant::Attempts, what));
            }
            facts.seen.push(Seen {
                sent: now,
                sent_real: real,
                ended: now,
                ended_real: real,
                came: Came::Pending,
                token,
            });
        }
        self.lanes[lane].sent += 1;
        let concurrency = self.script.clients.concurrency;
        let breaker = self.script.clients.breaker;
        let load = self.load(client, host);
        load.under_way += 1;
        if concurrency.is_some_and(|most| load.under_way > most) {
            found.push((
                Invariant::Concurrency,
                format!("{} at once", load.under_way),
            ));
        }
        if let Some(plan) = breaker
            && let Some(what) = load.watch.on_sent(real, &plan)
        {
            found.push((Invariant::Breaker, what));
        }
        if first_of_copy {
            self.load(client, host).retries.push((real, hedge::COST));
        }
        if let Some(last) = last.filter(|_| !refused && !redirected) {
            let after_timeout = matches!(
                last.came,
                Came::Failure(
                    FailureClass::Timeout
                        | FailureClass::ReadTimeout
                        | FailureClass::ConnectTimeout
                )
            );
            let cost = if after_timeout { 10 } else { 5 };
            self.load(client, host)
                .retries
                .push((last.ended_real, cost));
        }
        for (invariant, what) in found {
            self.violated(invariant, real, Some(at), what);
        }
    }

    fn load(&mut self, client: u32, host: u32) -> &mut Load {
        let same = |load: &Load| (load.client, load.host) == (client, host);
        let at = self.loads.iter().position(same).unwrap_or_else(|| {
            self.loads.push(Load {
                client,
                host,
                ..Load::default()
            });
            self.loads.len() - 1
        });
        &mut self.loads[at]
    }

    /// The attempt under way has come to this.
    pub(crate) fn on_came(&mut self, at: usize, real: u64, now: Instant, came: Came) {
        let Some(facts) = self.calls[at].as_mut() else {
            return;
        };
        let admitted = facts.admitted.take();
        facts.entered = None;
        let (lane, client, host) = (facts.lane, facts.plan.client, facts.host);
        let (retried, hedge) = (facts.retries > 0, facts.hedge);
        let mut sent = real;
        if let Some(seen) = facts.seen.last_mut() {
            sent = seen.sent_real;
            (seen.ended, seen.ended_real, seen.came) = (now, real, came);
        }
        match came {
            Came::Answer(status, told) if status >= 400 => {
                let until = match told {
                    Told::For(span) => real.saturating_add(span),
                    Told::Nothing => 0,
                    Told::Until(until) => until,
                };
                facts.not_before.push((host, until));
                if matches!(status, 429 | 503) {
                    let lane = &mut self.lanes[lane];
                    let until = until.min(real.saturating_add(LONGEST_PAUSE));
                    lane.paused_until = lane.paused_until.max(until);
                }
            }
            // One that is not returned gives nothing back.
            Came::Answer(300..400, _) if self.script.clients.redirects > 0 => {}
            Came::Answer(..) => {
                let most = if retried || hedge { 10 } else { 1 };
                self.load(client, host).refunds.push((real, most));
            }
            Came::Failure(
                FailureClass::Connect | FailureClass::ConnectTimeout | FailureClass::Tls,
            ) => {
                self.lanes[lane].give_back(admitted);
            }
            Came::Cancelled | Came::Failure(_) | Came::Pending => {}
        }
        let breaker = self.script.clients.breaker;
        let load = self.load(client, host);
        load.under_way = load.under_way.saturating_sub(1);
        if let Some(plan) = breaker {
            load.watch.on_came(sent, real, came, &plan);
        }
    }

    /// The call is over: by its own end, or because the caller went away (`None`).
    pub(crate) fn on_over(
        &mut self,
        at: usize,
        real: u64,
        now: Instant,
        done: Option<&Done>,
        record: &[Attempt],
    ) {
        self.leave(at);
        let Some(facts) = self.calls[at].clone() else {
            return;
        };
        if facts
            .seen
            .last()
            .is_none_or(|seen| seen.came != Came::Pending)
        {
            // Where it was let go and never sent, its place was given back.
            self.lanes[facts.lane].give_back(facts.admitted);
        }
        let late = Duration::from_millis(self.script.clients.late);
        if self.deadline_of(&facts).is_some_and(|by| now > by + late) {
            self.violated(
                Invariant::Deadline,
                real,
                Some(at),
                "ended after its deadline",
            );
        }
        if let Err(what) = compare(&facts, done, record, self.script.clients.budget) {
            self.violated(Invariant::Record, real, Some(at), what);
        }
    }

    pub(crate) fn on_effects(&mut self, at: usize, real: u64, effects: u32) {
        let method = self
            .calls
            .get(at)
            .and_then(Option::as_ref)
            .map(|facts| facts.plan.method);
        if effects > 1 && method != Some(Method::Get) {
            let what = format!("took effect {effects} times");
            self.violated(Invariant::OneEffect, real, Some(at), what);
        }
    }
}
