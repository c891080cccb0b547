//! What is shared by all calls to one host: the retry budget, and a pacer for each credential.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::budget::{Budget, RetryCost};
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
    slept: Arc<Slept>,
}

/// How long the device has slept, in nanoseconds, for all hosts of a client.
#[derive(Debug, Default)]
struct Slept(AtomicU64);

impl Slept {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
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
    fn new(policy: &RetryPolicy, pacing: &PacingSettings, slept: &Arc<Slept>) -> Self {
        let inner = Inner {
            budget: Budget::new(policy.budget),
            pacers: Vec::new(),
        };
        Self {
            inner: Mutex::new(inner),
            pacing: pacing.clone(),
            slept: Arc::clone(slept),
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
        pacer.on_slept(self.slept.get());
        let answer = decide(budget, pacer);
        let wakes = pacer.take_wakes();
        drop(inner);
        for waker in wakes {
            waker.wake();
        }
        answer
    }

    /// Pays for a resumption as for a retry, and answers what was taken; `None` where the budget is used up.
    pub(crate) fn pay(&self, cost: RetryCost) -> Option<u32> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.budget.take(cost)
    }

    /// Gives back what was paid for a resumption.
    pub(crate) fn give_back(&self, taken: u32) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.budget.refund(Some(taken));
    }

    /// What the host's budget has left, and each pacer's state.
    pub fn state(&self, now: Instant) -> HostState {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = self.slept.get();
        HostState {
            budget_left: inner.budget.left(),
            budget_capacity: inner.budget.capacity(),
            pacers: inner
                .pacers
                .iter_mut()
                .map(|(_, pacer)| {
                    pacer.on_slept(slept);
                    pacer.state(now)
                })
                .collect(),
            shared_quota: None,
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
    /// What is known of the quota that is shared with other processes; `None` where there is none. The driver fills it in.
    pub shared_quota: Option<crate::fleet::ShareState>,
}

/// The decisions of one client: its rules, and the state of its hosts.
#[derive(Debug)]
pub struct Engine {
    policy: Arc<RetryPolicy>,
    pacing: PacingSettings,
    hosts: Mutex<Vec<(String, Arc<Host>)>>,
    slept: Arc<Slept>,
}

impl Engine {
    /// An engine with these rules.
    #[must_use]
    pub fn new(policy: RetryPolicy, pacing: PacingSettings) -> Self {
        Self {
            policy: Arc::new(policy),
            pacing,
            hosts: Mutex::new(Vec::new()),
            slept: Arc::default(),
        }
    }

    /// The device has slept for `slept` in all since the origin of the driver's instants, which stand still in sleep.
    /// Quotas and pauses of servers go on meanwhile; deadlines do not.
    pub fn on_slept(&self, slept: Duration) {
        let nanos = u64::try_from(slept.as_nanos()).unwrap_or(u64::MAX);
        self.slept.0.fetch_max(nanos, Ordering::Relaxed);
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
        let host = Arc::new(Host::new(&self.policy, &self.pacing, &self.slept));
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
