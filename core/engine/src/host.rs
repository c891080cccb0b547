//! What is shared by all calls to one host: the retry budget, the breaker, the limit of calls at once, and a pacer for each credential.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::breaker::{Breaker, BreakerSettings, BreakerState};
use crate::budget::{Budget, RetryCost};
use crate::call::{Call, CallLimits, RequestFacts};
use crate::concurrency::{Concurrency, ConcurrencyState, Slot};
use crate::defaults;
use crate::latency::Latencies;
use crate::pacing::{Pacer, PacingSettings};
use crate::regions::{Reach, RegionState, Regions};
use crate::retry::RetryPolicy;
use crate::time::{Instant, Slept};

/// Credentials of which one host keeps pacers; the oldest idle one is forgotten first.
const MAX_PARTITIONS: usize = 64;

/// The state of one host, shared by its calls.
pub struct Host {
    inner: Mutex<Inner>,
    concurrency: Option<Arc<Concurrency>>,
    settings: EngineSettings,
    slept: Arc<Sleep>,
}

/// How long the device has slept, in nanoseconds, for all hosts of a client.
#[derive(Debug, Default)]
struct Sleep(AtomicU64);

impl Sleep {
    fn get(&self) -> Slept {
        Slept::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

struct Inner {
    budget: Budget,
    breaker: Option<Breaker>,
    reach: Reach,
    latencies: Latencies,
    pacers: Vec<(u64, Pacer)>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    fn new(policy: &RetryPolicy, settings: &EngineSettings, slept: &Arc<Sleep>) -> Self {
        let inner = Inner {
            budget: Budget::new(policy.budget),
            breaker: settings.breaker.map(Breaker::new),
            reach: Reach::default(),
            latencies: Latencies::default(),
            pacers: Vec::new(),
        };
        Self {
            inner: Mutex::new(inner),
            concurrency: settings
                .max_concurrency
                .map(|limit| Arc::new(Concurrency::new(limit))),
            settings: settings.clone(),
            slept: Arc::clone(slept),
        }
    }

    /// Runs `decide` on budget and pacer, then wakes the calls that it concerns, outside of the lock.
    pub(crate) fn with<T>(
        &self,
        partition: u64,
        decide: impl FnOnce(&mut Budget, &mut Pacer) -> T,
    ) -> T {
        self.shared(partition, |shared| decide(shared.budget, shared.pacer))
    }

    /// Runs `decide` on all of the shared state, then wakes the calls that it concerns, outside of the lock.
    pub(crate) fn shared<T>(&self, partition: u64, decide: impl FnOnce(Shared<'_>) -> T) -> T {
        let mut inner = self.lock();
        let Inner {
            budget,
            breaker,
            reach,
            latencies,
            pacers,
        } = &mut *inner;
        let pacing = &self.settings.pacing;
        let at = match pacers.iter().position(|(id, _)| *id == partition) {
            Some(at) => at,
            None => add_pacer(pacers, partition, pacing),
        };
        let mut spare;
        let pacer = match pacers.get_mut(at) {
            Some((_, pacer)) => pacer,
            // Never: `at` was found or added just above.
            None => {
                spare = Pacer::new(pacing.clone());
                &mut spare
            }
        };
        let slept = self.slept.get();
        pacer.on_slept(slept);
        // Called in one place only, so that it becomes a part of this function.
        let answer = decide(Shared {
            budget,
            breaker: breaker.as_mut(),
            reach,
            latencies,
            pacer,
            slept,
            open: self.settings.open(),
        });
        let wakes = pacer.take_wakes();
        drop(inner);
        for waker in wakes {
            waker.wake();
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether attempts at once are limited.
    pub(crate) fn limits_concurrency(&self) -> bool {
        self.concurrency.is_some()
    }

    /// A slot for an attempt, where attempts at once are limited.
    pub(crate) fn slot(&self) -> Option<Slot> {
        self.concurrency
            .as_ref()
            .map(|of| Slot::new(Arc::clone(of)))
    }

    /// Whether an attempt would be let through by the breaker.
    pub(crate) fn breaker_lets_through(&self, now: Instant) -> bool {
        let now = now + self.slept.get();
        let inner = self.lock();
        inner
            .breaker
            .as_ref()
            .is_none_or(|breaker| breaker.check(now).is_ok())
    }

    /// Whether an attempt would be let through, and whether connections can be made as far as is known.
    pub(crate) fn is_healthy(&self, now: Instant) -> bool {
        let servers_now = now + self.slept.get();
        self.breaker_lets_through(now) && self.lock().reach.is_reachable(servers_now)
    }

    /// What 95 of 100 answers took at most, of those that were measured; `None` while too little is known.
    pub(crate) fn usual_latency(&self) -> Option<Duration> {
        self.lock().latencies.p95()
    }

    /// Copies, for what would happen.
    pub(crate) fn copy_of_budget_and_breaker(&self) -> (Budget, Option<Breaker>) {
        let inner = self.lock();
        (inner.budget.clone(), inner.breaker.clone())
    }

    /// Now, by the clock of servers.
    pub(crate) fn servers_now(&self, now: Instant) -> Instant {
        now + self.slept.get()
    }

    /// A call goes to this host rather than to another region.
    pub(crate) fn on_chosen(&self, now: Instant) {
        let until = now + self.slept.get() + self.settings.open();
        self.lock().reach.on_chosen(until);
    }

    /// Pays for a resumption as for a retry, and answers what was taken; `None` where the budget is used up.
    pub(crate) fn pay(&self, cost: RetryCost) -> Option<u32> {
        self.lock().budget.take(cost)
    }

    /// Gives back what was paid for a resumption.
    pub(crate) fn give_back(&self, taken: u32) {
        self.lock().budget.refund(Some(taken));
    }

    /// What the host's budget has left, and each pacer's state.
    pub fn state(&self, now: Instant) -> HostState {
        let mut inner = self.lock();
        let slept = self.slept.get();
        HostState {
            budget_left: inner.budget.left(),
            budget_capacity: inner.budget.capacity(),
            breaker: inner.breaker.as_ref().map(|b| b.state(now + slept)),
            concurrency: self.concurrency.as_ref().map(|limit| limit.state()),
            cache: None,
            pacers: inner
                .pacers
                .iter_mut()
                .map(|(_, pacer)| {
                    pacer.on_slept(slept);
                    pacer.state(now)
                })
                .collect(),
            shared_quota: None,
            regions: Vec::new(),
        }
    }
}

/// A pacer for a credential that is new here. Answers its place.
#[cold]
fn add_pacer(pacers: &mut Vec<(u64, Pacer)>, partition: u64, pacing: &PacingSettings) -> usize {
    if pacers.len() >= MAX_PARTITIONS
        && let Some(idle) = pacers.iter().position(|(_, pacer)| pacer.is_idle())
    {
        pacers.remove(idle);
    }
    pacers.push((partition, Pacer::new(pacing.clone())));
    pacers.len() - 1
}

/// The shared state of a host, in the hands of one decision.
pub(crate) struct Shared<'a> {
    pub(crate) budget: &'a mut Budget,
    pub(crate) breaker: Option<&'a mut Breaker>,
    pub(crate) reach: &'a mut Reach,
    pub(crate) latencies: &'a mut Latencies,
    pub(crate) pacer: &'a mut Pacer,
    /// How long the device has slept: breakers, like servers, count that time too.
    pub(crate) slept: Slept,
    /// How long a host is left alone.
    pub(crate) open: Duration,
}

/// The state of a host, as values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostState {
    /// Tokens left in the retry budget.
    pub budget_left: u32,
    /// What the budget holds when full.
    pub budget_capacity: u32,
    /// The circuit breaker; `None` where it is off.
    pub breaker: Option<BreakerState>,
    /// The limit of attempts at once; `None` where there is none.
    pub concurrency: Option<ConcurrencyState>,
    /// What is known of the limits of each credential.
    pub pacers: Vec<crate::pacing::PacerState>,
    /// What the client's cache holds, for all hosts; `None` without a cache.
    pub cache: Option<crate::cache::CacheState>,
    /// What is known of the quota that is shared with other processes; `None` where there is none. The driver fills it in.
    pub shared_quota: Option<crate::fleet::ShareState>,
    /// The regions of a client that has several, nearest first. The driver fills it in.
    pub regions: Vec<RegionState>,
}

/// What all hosts of a client have in common.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineSettings {
    /// How calls are held back so that a quota lasts.
    pub pacing: PacingSettings,
    /// The circuit breaker of each host; `None`: none.
    pub breaker: Option<BreakerSettings>,
    /// Attempts at once at each host; `None`: any number.
    pub max_concurrency: Option<u32>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            pacing: PacingSettings::default(),
            breaker: Some(BreakerSettings::default()),
            max_concurrency: None,
        }
    }
}

impl EngineSettings {
    /// How long a host that could not be connected to is left alone where there are others.
    fn open(&self) -> Duration {
        self.breaker
            .and_then(|breaker| breaker.open)
            .unwrap_or(defaults::BREAKER_OPEN)
    }
}

/// The decisions of one client: its rules, and the state of its hosts.
#[derive(Debug)]
pub struct Engine {
    policy: Arc<RetryPolicy>,
    settings: EngineSettings,
    hosts: Mutex<Vec<(String, Arc<Host>)>>,
    slept: Arc<Sleep>,
}

impl Engine {
    /// An engine with these rules; all else is as by default.
    #[must_use]
    pub fn new(policy: RetryPolicy, pacing: PacingSettings) -> Self {
        let settings = EngineSettings {
            pacing,
            ..EngineSettings::default()
        };
        Self::with(policy, settings)
    }

    /// An engine with these rules.
    #[must_use]
    pub fn with(policy: RetryPolicy, settings: EngineSettings) -> Self {
        Self {
            policy: Arc::new(policy),
            settings,
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
        let host = Arc::new(Host::new(&self.policy, &self.settings, &self.slept));
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

    /// Begins a call to the first healthy one of these regions, or to the one `preferred`, where that is healthy.
    #[must_use]
    pub fn call_in(
        &self,
        regions: &Regions,
        preferred: usize,
        request: RequestFacts,
        limits: CallLimits,
        partition: u64,
        now: Instant,
    ) -> Option<Call> {
        let host = Arc::clone(&regions.get(preferred)?.host);
        let mut call = self.call(host, request, limits, partition, now);
        call.route_through(regions.clone(), preferred);
        Some(call)
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
