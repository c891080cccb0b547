//! One attempt: on its way, at the gateway, and back.

use gatewright_engine::Instant;
use gatewright_engine::call::{Answer, Failure};
use gatewright_engine::retry::FailureClass;
use http::{HeaderMap, StatusCode};

use super::{CONNECT_TIMEOUT, Event, Phase, Wire, World, host_of};
use crate::broken::BrokenRule;
use crate::check::Came;
use crate::clock::MS;
use crate::dice::Dice;
use crate::gateway::{Arrival, Served, Told};
use crate::script::{Death, FaultKind, Method, Says};

impl World<'_> {
    pub(super) fn send(&mut self, at: usize, timeout_at: Instant) {
        let now = self.instant(at);
        let wire = self.wires.len();
        let live = &mut self.calls[at];
        live.phase = Phase::Flying;
        live.sent += 1;
        live.wire = wire;
        let (plan, attempt, host) = (live.plan, live.sent, host_of(live));
        let (method, anonymous) = (live.method, live.anonymous);
        let token = self
            .script
            .clients
            .token
            .and(live.token)
            .filter(|_| !anonymous)
            .map(|(token, _)| token);
        self.wires.push(Wire {
            call: at,
            attempt,
            host,
            method,
            anonymous,
            token,
            reply: None,
        });
        self.played.attempts += 1;
        let credential = (!anonymous).then_some(plan.credential);
        self.check
            .on_sent(at, host, self.now, now, token, credential);
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
        self.watch_for_slowness(wire);
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
    pub(super) fn latency(&self, wire: usize, way: u64) -> u64 {
        let Wire { call, attempt, .. } = &self.wires[wire];
        let id = u64::from(self.calls[*call].plan.id);
        let (least, most) = self.script.network.latency;
        let stream = (id << 16) | (u64::from(*attempt) << 8) | (64 + way);
        Dice::new(self.script.seed, stream).between(least * MS, most * MS)
    }

    pub(super) fn arrive(&mut self, wire: usize) {
        let Wire {
            call,
            attempt,
            host,
            method,
            anonymous,
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
        let key = (method == Method::PostKeyed).then_some((u64::from(plan.id) << 16) | own);
        let tokens = self.tokens.get(&(plan.client, plan.credential));
        let good = |token| tokens.is_some_and(|tokens| tokens.is_good(token, self.now));
        let request = Arrival {
            call,
            host,
            credential: (!anonymous).then_some(plan.credential),
            method,
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
    pub(super) fn is_awaited(&self, wire: usize) -> bool {
        let live = &self.calls[self.wires[wire].call];
        live.phase == Phase::Flying && live.wire == wire
    }

    pub(super) fn answer(&mut self, wire: usize) {
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
            && !self.calls[at].anonymous
        {
            let plan = self.calls[at].plan;
            if let Some(tokens) = self.tokens.get_mut(&(plan.client, plan.credential)) {
                tokens.refused(generation);
            }
        }
        self.hide(&mut reply.headers);
        if let Ok(status) = StatusCode::from_u16(reply.status)
            && status.is_redirection()
        {
            self.redirected(at, now, status, &reply.headers);
            return;
        }
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

    /// What of an answer's headers does not reach the engine.
    pub(super) fn hide(&self, headers: &mut HeaderMap) {
        let says = self.script.gateway.says;
        let hidden = match self.broken.filter(|_| !self.after_the_end) {
            Some(BrokenRule::RetryAfterHidden) => {
                headers.remove("retry-after");
                headers.remove("retry-after-ms");
                false
            }
            Some(BrokenRule::LimitsHidden) => true,
            Some(BrokenRule::Draft06Hidden) => says == Says::Draft06,
            Some(BrokenRule::FractionsHidden) => says == Says::Fractions,
            Some(BrokenRule::GitHubHidden) => says == Says::GitHub,
            Some(BrokenRule::OpenAiHidden) => says == Says::OpenAi,
            _ => false,
        };
        if hidden {
            let limits = |name: &&http::HeaderName| name.as_str().contains("ratelimit");
            let names: Vec<http::HeaderName> = headers.keys().filter(limits).cloned().collect();
            for name in names {
                headers.remove(name);
            }
        }
    }

    pub(super) fn fail(&mut self, wire: usize, class: FailureClass) {
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
