//! What must hold, whatever happens: watched from outside of the engine, by what was sent and what came back.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::attempts::{Attempt, Decision, Outcome};
use gatewright_engine::call::Done;
use gatewright_engine::retry::FailureClass;

use crate::clock::{MS, SECOND};

use crate::gateway::Told;
use crate::script::{CallPlan, Fault, FaultKind, Method, QuotaKind, QuotaPlan, Says, Script};

mod breaker;
use breaker::BreakerWatch;

/// The longest that one answer may hold up all calls of a credential; see `pacing.rs` in the engine.
const LONGEST_PAUSE: u64 = 24 * 3_600 * SECOND;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// No call has more attempts than allowed; a 401 is repeated once, with a new token.
    Attempts,
    /// A host that is down is left alone but for a probe now and then.
    Breaker,
    /// No more attempts are under way than allowed.
    Concurrency,
    /// Nothing is sent after a deadline, and no call lives longer.
    Deadline,
    /// Every call ends.
    Ends,
    /// The quota that the user set is kept.
    LocalQuota,
    /// A call takes effect once at most, and with it each key.
    OneEffect,
    /// Who came first goes first.
    Order,
    /// When all is over nothing is taken, and calls go again.
    Permits,
    /// A client that is alone and is told the truth is hardly ever refused.
    Quota,
    /// The record of a call says what happened.
    Record,
    /// Nobody comes back before the time that the gateway named.
    RetryAfter,
    /// Retries do not go beyond what the budget pays for.
    RetryLoad,
    /// After a 401 another token is used.
    Token,
}

impl Invariant {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Attempts,
        Self::Breaker,
        Self::Concurrency,
        Self::Deadline,
        Self::Ends,
        Self::LocalQuota,
        Self::OneEffect,
        Self::Order,
        Self::Permits,
        Self::Quota,
        Self::Record,
        Self::RetryAfter,
        Self::RetryLoad,
        Self::Token,
    ];
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "never more than the attempts",
            Self::Breaker => "a host that is down is left alone",
            Self::Concurrency => "never more at once than allowed",
            Self::Deadline => "never past the deadline",
            Self::Ends => "every call ends",
            Self::LocalQuota => "the user's own quota is kept",
            Self::OneEffect => "at most one side effect",
            Self::Order => "first come, first served",
            Self::Permits => "permits always come back",
            Self::Quota => "admitted calls are within the quota",
            Self::Record => "the record is what happened",
            Self::RetryAfter => "never earlier than Retry-After",
            Self::RetryLoad => "retries are within the budget",
            Self::Token => "a refused token is not used again",
        })
    }
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, in milliseconds of real time.
    pub at: u64,
    /// The number of the call, where it was one.
    pub call: Option<u32>,
    /// What happened instead.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: at {} ms", self.invariant, self.at)?;
        if let Some(call) = self.call {
            write!(f, ", call {call}")?;
        }
        write!(f, ": {}", self.what)
    }
}

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
        });
    }

    /// The call was asked while it is not in its backoff: its turn has begun, for an attempt to `host`.
    pub(crate) fn on_turn(&mut self, at: usize, host: u32) {
        let Some(facts) = self.calls[at].as_ref() else {
            return;
        };
        let (plan, before) = (facts.plan, facts.host);
        if host != before {
            self.leave(at);
        }
        let lane = self.lane(plan.client, host, plan.credential);
        self.turns += 1;
        let turns = self.turns;
        if let Some(facts) = self.calls[at].as_mut() {
            (facts.host, facts.lane) = (host, lane);
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
        if let Some(facts) = self.calls[at].as_mut() {
            facts.renewals += u32::from(refused);
            facts.retries += u32::from(last.is_some() && !refused);
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
        if let Some(last) = last.filter(|_| !refused) {
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
        let retried = facts.retries > 0;
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
            Came::Answer(..) => {
                let most = if retried { 10 } else { 1 };
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

    /// All is over; `refused` has the refusals of quotas by host and credential.
    pub(crate) fn at_end(&mut self, real: u64, refused: &dyn Fn(u32, u32) -> u64) {
        let mut found = Vec::new();
        for load in &self.loads {
            if let Some(what) = self.over_budget(load, 0, u64::MAX, 10) {
                found.push((Invariant::RetryLoad, what));
            }
            for dead in self
                .script
                .dead
                .iter()
                .filter(|dead| dead.host == load.host)
            {
                if let Some(what) = self.over_budget(load, dead.from * MS, dead.to * MS, 11) {
                    found.push((Invariant::RetryLoad, format!("while it was dead, {what}")));
                }
            }
        }
        for lane in &self.lanes {
            if let Some((calls, per, burst)) = self.script.clients.local
                && let Some(what) = over_local_quota(lane, calls, per, burst)
            {
                found.push((Invariant::LocalQuota, what));
            }
            let refused = refused(lane.host, lane.credential);
            if self.is_clean(lane) && refused > REFUSALS {
                let what = format!("{refused} of {} attempts were refused", lane.sent);
                found.push((Invariant::Quota, what));
            }
        }
        for (invariant, what) in found {
            self.violated(invariant, real, None, what);
        }
    }

    /// The client is alone, is told all there is to know, in time, and nobody is in a hurry.
    fn is_clean(&self, lane: &Lane) -> bool {
        let Script {
            clients,
            gateway,
            network,
            ..
        } = self.script;
        let round_trip = 2 * network.latency.1 + gateway.work.1;
        // The time that all of the lane's calls take at most.
        let calls = lane.calls * u64::from(clients.attempts);
        let takes = |quota: &QuotaPlan| (calls / quota.limit + 2) * quota.window * 1_000;
        let takes = gateway.quotas.iter().map(takes).max().unwrap_or(0);
        let patient = |call: &CallPlan| call.deadline.is_none_or(|deadline| deadline >= takes);
        // An answer of something before the gateway, which knows nothing of limits.
        let unheaded = |fault: &Fault| {
            matches!(
                fault.kind,
                FaultKind::Answer(..) | FaultKind::ShouldRetry(..)
            )
        };
        let sliding = |quota: &QuotaPlan| quota.kind == QuotaKind::Sliding;
        clients.count == 1
            && clients.pacing
            && clients.token.is_none()
            && !self.script.faults.iter().any(unheaded)
            && !clients.regions
            && clients.concurrency.is_none()
            && gateway.says == Says::Draft10
            && !gateway.quotas.iter().any(sliding)
            && round_trip <= 140
            && self.script.calls.iter().all(patient)
    }

    /// Whether retries whose cause was in this time cost more than the budget held, with `tenths` of it allowed.
    fn over_budget(&self, load: &Load, from: u64, to: u64, tenths: u64) -> Option<String> {
        let within = |(at, _): &&(u64, u64)| (from..to).contains(at);
        let sum = |of: &[(u64, u64)]| -> u64 { of.iter().filter(within).map(|(_, n)| n).sum() };
        let cost = sum(&load.retries);
        // With regions a retry may go elsewhere than to the host that paid for it.
        let budgets = if self.script.clients.regions {
            u64::from(self.script.gateway.hosts)
        } else {
            1
        };
        let held = u64::from(self.script.clients.budget) * budgets + sum(&load.refunds);
        (cost * 10 > held * tenths).then(|| {
            format!(
                "client {} paid {cost} for retries to host {}, of {held}",
                load.client, load.host
            )
        })
    }
}

/// Refusals of a client that is alone and told the truth: the first may come before anything is known.
const REFUSALS: u64 = 1;

/// In no span of `per` more than `calls + burst`, as `LocalQuota` promises; places that were given back may go again.
fn over_local_quota(lane: &Lane, calls: u32, per: u64, burst: u32) -> Option<String> {
    let most = (u64::from(calls) + u64::from(burst) + lane.given_back) as usize;
    let span = per * MS;
    let broken = lane.admitted.windows(most + 1).find(|times| match times {
        [first, .., last] => last - first < span,
        _ => false,
    })?;
    let at = broken.first().map_or(0, |at| at / MS);
    Some(format!(
        "more than {most} calls within {per} ms from {at} ms on"
    ))
}

/// Compares the record with what was seen.
fn compare(
    facts: &Facts,
    done: Option<&Done>,
    record: &[Attempt],
    budget: u32,
) -> Result<(), String> {
    if record.len() != facts.seen.len() {
        return Err(format!(
            "{} attempts, {} in the record",
            facts.seen.len(),
            record.len()
        ));
    }
    for (at, (attempt, seen)) in record.iter().zip(&facts.seen).enumerate() {
        let number = attempt.number;
        let started = seen.sent.since(facts.started);
        if (number as usize, attempt.started) != (at + 1, started) {
            return Err(format!(
                "attempt {} was sent after {started:?}: {attempt}",
                at + 1
            ));
        }
        if attempt.took != seen.ended.since(seen.sent) {
            return Err(format!(
                "it took {:?}: {attempt}",
                seen.ended.since(seen.sent)
            ));
        }
        let same = match (&attempt.outcome, seen.came) {
            (Outcome::Status(said), Came::Answer(status, _)) => *said == status,
            (Outcome::Failed { class, .. }, Came::Failure(failed)) => *class == failed,
            (Outcome::Cancelled, Came::Cancelled) => true,
            _ => false,
        };
        if !same {
            return Err(format!("it came to {:?}: {attempt}", seen.came));
        }
        let told = match seen.came {
            Came::Answer(400.., Told::For(span)) => Some(Some(Duration::from_nanos(span))),
            Came::Answer(_, Told::Until(_)) => None,
            _ => Some(None),
        };
        if told.is_some_and(|told| told != attempt.retry_after) {
            return Err(format!("the gateway said {told:?}: {attempt}"));
        }
        if attempt.budget_left > budget {
            return Err(format!("the budget holds {budget}: {attempt}"));
        }
        compare_decision(attempt, record.get(at + 1), done)?;
    }
    let answered = facts.seen.last().map(|seen| seen.came);
    let good = matches!(answered, Some(Came::Answer(..400, _)));
    if done.is_some_and(|done| (*done == Done::Return) != good) {
        return Err(format!("it ended as {done:?} after {answered:?}"));
    }
    Ok(())
}

/// A decision fits what came after it.
fn compare_decision(
    attempt: &Attempt,
    next: Option<&Attempt>,
    done: Option<&Done>,
) -> Result<(), String> {
    let ended = attempt.started + attempt.took;
    let fits = match (attempt.decision, next) {
        (Decision::Retry { wait, .. }, Some(next)) => {
            let turn = ended + wait;
            next.started >= turn && next.queued <= next.started - turn
        }
        (Decision::RefreshToken, Some(next)) => {
            next.started >= ended && next.queued <= next.started - ended
        }
        // It meant to go on, but the deadline came, or the caller went away.
        (Decision::Retry { .. } | Decision::RefreshToken, None) => done != Some(&Done::Return),
        (Decision::Return, None) => done == Some(&Done::Return),
        (Decision::GiveUp(_), None) => matches!(done, Some(Done::Fail(_)) | None),
        (Decision::None, None) => done.is_none(),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("what came next does not fit: {attempt}"))
    }
}
