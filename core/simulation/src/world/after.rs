//! When all is over: what must hold now, and do calls go again after a long silence?

use super::{AFTER_THE_END, Event, Phase, QUIET, World};
use crate::check::Invariant;
use crate::script::{CallPlan, Method, Start};

impl World<'_> {
    /// All is over: what must hold now, and do calls go again after a long silence?
    pub(super) fn end(&mut self) {
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
    pub(super) fn call_again(&mut self) {
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
