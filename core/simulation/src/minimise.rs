//! Makes a failing script small: whatever can be left out while the same invariant is still broken is left out.

use std::collections::BTreeMap;

use crate::broken::BrokenRule;
use crate::check::Invariant;
use crate::script::{CallPlan, Clients, FaultKind, Script, Start};
use crate::world::play;

/// How often a script is played again at most.
const MOST_TRIES: u32 = 2_000;

/// A script that still breaks `invariant`, and from which nothing more can be left out (within the tries there are).
#[must_use]
pub fn minimise(script: &Script, invariant: Invariant, broken: Option<BrokenRule>) -> Script {
    let mut search = Search {
        smallest: script.clone(),
        invariant,
        broken,
        tries: 0,
    };
    loop {
        let before = search.smallest.clone();
        search.simplify_settings();
        search.leave_out(|script| script.calls.len(), without_calls);
        search.leave_out(
            |script| script.faults.len(),
            |script, from, to| {
                script.faults.drain(from..to);
            },
        );
        search.leave_out(
            |script| script.dead.len(),
            |script, from, to| {
                script.dead.drain(from..to);
            },
        );
        search.leave_out(
            |script| script.sleeps.len(),
            |script, from, to| {
                script.sleeps.drain(from..to);
            },
        );
        search.leave_out(
            |script| script.calls.len(),
            |script, from, to| {
                let calls = script.calls.get_mut(from..to);
                calls
                    .into_iter()
                    .flatten()
                    .for_each(|call| call.cancel = None);
            },
        );
        if search.smallest == before || search.tries >= MOST_TRIES {
            return search.smallest;
        }
    }
}

struct Search {
    smallest: Script,
    invariant: Invariant,
    broken: Option<BrokenRule>,
    tries: u32,
}

impl Search {
    /// Takes a smaller script, where it still fails.
    fn attempt(&mut self, script: Script) -> bool {
        if script == self.smallest || self.tries >= MOST_TRIES {
            return false;
        }
        self.tries += 1;
        let played = play(&script, self.broken, false);
        let fails = played
            .violations
            .iter()
            .any(|one| one.invariant == self.invariant);
        if fails {
            self.smallest = script;
        }
        fails
    }

    /// Leaves out ever smaller pieces of a list (delta debugging).
    fn leave_out(
        &mut self,
        length: impl Fn(&Script) -> usize,
        without: impl Fn(&mut Script, usize, usize),
    ) {
        let mut piece = length(&self.smallest);
        while piece > 0 && self.tries < MOST_TRIES {
            let mut from = 0;
            while from < length(&self.smallest) {
                let to = (from + piece).min(length(&self.smallest));
                let mut smaller = self.smallest.clone();
                without(&mut smaller, from, to);
                let shorter = length(&smaller) < length(&self.smallest);
                let taken = self.attempt(smaller);
                if !(taken && shorter) {
                    from += piece;
                }
            }
            piece /= 2;
        }
    }

    fn simplify_settings(&mut self) {
        let simple = Script::default();
        let steps: [fn(&mut Script, &Script); 15] = [
            |script, simple| script.clients.token = simple.clients.token,
            |script, simple| script.clients.local = simple.clients.local,
            |script, simple| script.clients.breaker = simple.clients.breaker,
            |script, simple| script.clients.concurrency = simple.clients.concurrency,
            |script, simple| script.clients.regions = simple.clients.regions,
            |script, simple| script.clients.hedge = simple.clients.hedge,
            |script, simple| {
                script.clients.redirects = simple.clients.redirects;
                script.clients.elsewhere = simple.clients.elsewhere;
            },
            |script, simple| script.clients.late = simple.clients.late,
            |script, simple| script.network = simple.network,
            |script, simple| script.gateway.work = simple.gateway.work,
            |script, simple| script.gateway.asks = simple.gateway.asks,
            |script, _| script.gateway.quotas.clear(),
            |script, _| {
                script.gateway.quotas.truncate(1);
            },
            |script, _| {
                script.gateway.hosts = 1;
                script.calls.iter_mut().for_each(|call| call.host = 0);
                for fault in &mut script.faults {
                    if let FaultKind::Redirect(_, host) = &mut fault.kind {
                        *host = 0;
                    }
                }
            },
            |script, simple| {
                let Clients {
                    attempts,
                    budget,
                    max_retry_after,
                    attempt_timeout,
                    ..
                } = simple.clients.clone();
                let clients = &mut script.clients;
                (clients.attempts, clients.budget) = (attempts, budget);
                (clients.max_retry_after, clients.attempt_timeout) =
                    (max_retry_after, attempt_timeout);
            },
        ];
        for step in steps {
            let mut simpler = self.smallest.clone();
            step(&mut simpler, &simple);
            self.attempt(simpler);
        }
    }
}

/// Leaves out calls, with their faults; who began after one of them begins when that one would have.
fn without_calls(script: &mut Script, from: usize, to: usize) {
    let gone: Vec<CallPlan> = script.calls.drain(from..to).collect();
    let starts: BTreeMap<u32, Start> = gone.iter().map(|call| (call.id, call.start)).collect();
    script
        .faults
        .retain(|fault| !starts.contains_key(&fault.call));
    for call in &mut script.calls {
        while let Start::After(other) = call.start
            && let Some(start) = starts.get(&other)
        {
            call.start = *start;
        }
    }
}
