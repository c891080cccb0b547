//! What is shared by all calls to one host: the retry budget, and a pacer for each credential.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::budget::Budget;
use crate::call::{Call, CallLimits, RequestFacts};
use crate::defaults;
use crate::pacing::{Pacer, PacingSettings};
use crate::retry::RetryPolicy;
use crate::time::Instant;

/// Credentials of which one host keeps pacers; the oldest idle one is forgotten first.
const MAX_PARTITIONS: usize = 64;

/// The state of one host, shared by its calls.
pub struct Host {
    inner: Mutex<Inner>,
    pacing: PacingSettings,
}

struct Inner {
    budget: Budget,
    pacers: Vec<(u64, Pacer)>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    fn new(policy: &RetryPolicy, pacing: &PacingSettings) -> Self {
        let inner = Inner {
            budget: Budget::new(policy.budget),
            pacers: Vec::new(),
        };
        Self {
            inner: Mutex::new(inner),
            pacing: pacing.clone(),
        }
    }

    /// Runs `decide` on the shared state, then wakes the calls that it concerns, outside of the lock.
    pub(crate) fn with<T>(
        &self,
        partition: u64,
        decide: impl FnOnce(&mut Budget, &mut Pacer) -> T,
    ) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { budget, pacers } = &mut *inner;
        let at = match pacers.iter().position(|(id, _)| *id == partition) {
            Some(at) => at,
            None => {
                if pacers.len() >= MAX_PARTITIONS
                    && let Some(idle) = pacers.iter().position(|(_, pacer)| pacer.is_idle())
                {
                    pacers.remove(idle);
                }
                pacers.push((partition, Pacer::new(self.pacing.clone())));
                pacers.len() - 1
            }
        };
        let Some((_, pacer)) = pacers.get_mut(at) else {
            // `at` was found or pushed just above.
            return decide(budget, &mut Pacer::new(self.pacing.clone()));
        };
        let answer = decide(budget, pacer);
        let wakes = pacer.take_wakes();
        drop(inner);
        for waker in wakes {
            waker.wake();
        }
        answer
    }

    /// What the host's budget has left, and each pacer's state.
    pub fn state(&self, now: Instant) -> HostState {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        HostState {
            budget_left: inner.budget.left(),
            budget_capacity: inner.budget.capacity(),
            pacers: inner
                .pacers
                .iter()
                .map(|(_, pacer)| pacer.state(now))
                .collect(),
        }
    }
}

/// The state of a host, as values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostState {
    /// Tokens left in the retry budget.
    pub budget_left: u32,
    /// What the budget holds when full.
    pub budget_capacity: u32,
    /// What is known of the limits of each credential.
    pub pacers: Vec<crate::pacing::PacerState>,
}

/// The decisions of one client: its rules, and the state of its hosts.
#[derive(Debug)]
pub struct Engine {
    policy: Arc<RetryPolicy>,
    pacing: PacingSettings,
    hosts: Mutex<Vec<(String, Arc<Host>)>>,
}

impl Engine {
    /// An engine with these rules.
    #[must_use]
    pub fn new(policy: RetryPolicy, pacing: PacingSettings) -> Self {
        Self {
            policy: Arc::new(policy),
            pacing,
            hosts: Mutex::new(Vec::new()),
        }
    }

    /// The retry rules.
    #[must_use]
    pub fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// The state of the host of this origin (scheme, host and port as text), most recently used first.
    #[must_use]
    pub fn host(&self, origin: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = hosts.iter().position(|(name, _)| name == origin) {
            let found = hosts.remove(at);
            let host = Arc::clone(&found.1);
            hosts.insert(0, found);
            return host;
        }
        let host = Arc::new(Host::new(&self.policy, &self.pacing));
        hosts.truncate(defaults::MAX_HOSTS - 1);
        hosts.insert(0, (origin.to_owned(), Arc::clone(&host)));
        host
    }

    /// Begins a call to `host`. `partition` tells credentials apart.
    #[must_use]
    pub fn call(
        &self,
        host: Arc<Host>,
        request: RequestFacts,
        limits: CallLimits,
        partition: u64,
        now: Instant,
    ) -> Call {
        Call::new(
            host,
            Arc::clone(&self.policy),
            request,
            limits,
            partition,
            now,
        )
    }

    /// The hosts that were called, with their states.
    #[must_use]
    pub fn state(&self, now: Instant) -> Vec<(String, HostState)> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts
            .iter()
            .map(|(name, host)| (name.clone(), host.state(now)))
            .collect()
    }
}
