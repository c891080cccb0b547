//! Real servers behind the gateway: `/upstream/{name}/…` goes to one of them, through the keys, limits, faults and journal that every
//! call goes through, and through a circuit breaker and health checks of the upstream's own.
//!
//! Which there are is an option of a session, `upstreams`. The breaker is the one that the SDKs have (`gatewright-engine`); it reads the
//! session's clock. What may go:
//!
//! | Breaker | Health | A call |
//! |---|---|---|
//! | closed | healthy, or not checked | goes |
//! | open | any | 503 `upstream_open`, with `Retry-After` |
//! | half-open | healthy, or not checked | one goes, the others 503 |
//! | any | two checks in a row failed | 503 `upstream_unhealthy`, until a check succeeds |

mod health;
pub(crate) mod operations;
mod proxy;
mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use gatewright_engine::Instant;
use gatewright_engine::breaker::{Breaker, BreakerPhase, Permit, Trouble};
use serde::Serialize;

pub(crate) use proxy::respond;
pub use settings::{HealthCheck, Upstream, UpstreamBreaker};
pub(crate) use settings::{MAX_UPSTREAMS, check_all};

use crate::clock::MS;
use crate::lock::lock;
use crate::stable_hash::{stable_hash, unit};
use crate::world::World;

/// Checks that fail one after another before an upstream counts as unhealthy.
const UNHEALTHY_AFTER: u32 = 2;

/// The upstreams of a session that were used or are checked.
#[derive(Default)]
pub(crate) struct Upstreams {
    by_name: Mutex<HashMap<String, Running>>,
}

struct Running {
    settings: Upstream,
    breaker: Option<Breaker>,
    /// Checks in a row that failed; `None` where none was made.
    failed_checks: Option<u32>,
    checked_at_ns: u64,
    last_check: Option<String>,
    requests: u64,
    failures: u64,
    refused: u64,
    is_checked: bool,
}

/// One upstream, as the admin port shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UpstreamState {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The breaker: `closed`, `half_open`, `open`; `off` where there is none.
    pub breaker: &'static str,
    /// Attempts that failed within the breaker's window, or had when it opened.
    pub window_failures: u32,
    /// Attempts in all within that window.
    pub window_calls: u32,
    /// While it is open: milliseconds until a call may try again.
    pub retry_after_ms: Option<u64>,
    /// Whether its last checks were good; `None` where it is not checked.
    pub healthy: Option<bool>,
    /// What the last check found: a status, or an error.
    pub last_check: Option<String>,
    /// When that was, in milliseconds of the session's clock.
    pub checked_at_ms: Option<u64>,
    /// Calls that were sent to it.
    pub requests: u64,
    /// Those of them that it answered with 5xx, or not at all.
    pub failures: u64,
    /// Calls that were not sent, because the breaker was open or the upstream unhealthy.
    pub refused: u64,
}

/// Why a call does not go.
pub(crate) enum Held {
    Open { wait_ns: u64, why: String },
    Unhealthy { why: String, wait_ns: u64 },
}

/// A call that goes: told what came of it, or it counts for nothing.
pub(crate) struct Passage {
    world: Arc<World>,
    settings: Upstream,
    permit: Option<Permit>,
}

impl Upstreams {
    /// Forgets what is known of all of them.
    pub(crate) fn reset(&self) {
        lock(&self.by_name).clear();
    }

    /// Works on one, which begins anew where its settings have changed.
    fn with<T>(&self, settings: &Upstream, work: impl FnOnce(&mut Running) -> T) -> T {
        let mut all = lock(&self.by_name);
        if all.len() > MAX_UPSTREAMS {
            // Those of settings that are gone.
            all.clear();
        }
        let running = all
            .entry(settings.name.clone())
            .and_modify(|running| {
                if running.settings != *settings {
                    *running = Running::new(settings);
                }
            })
            .or_insert_with(|| Running::new(settings));
        work(running)
    }
}

impl Running {
    fn new(settings: &Upstream) -> Self {
        Self {
            breaker: settings
                .breaker
                .as_ref()
                .map(|breaker| Breaker::new(breaker.settings())),
            settings: settings.clone(),
            failed_checks: None,
            checked_at_ns: 0,
            last_check: None,
            requests: 0,
            failures: 0,
            refused: 0,
            is_checked: false,
        }
    }

    fn is_unhealthy(&self) -> bool {
        self.failed_checks
            .is_some_and(|failed| failed >= UNHEALTHY_AFTER)
    }

    fn state(&self, now_ns: u64) -> UpstreamState {
        let breaker = self
            .breaker
            .as_ref()
            .map(|breaker| breaker.state(Instant::from_nanos(now_ns)));
        UpstreamState {
            name: self.settings.name.clone(),
            url: self.settings.url.clone(),
            breaker: breaker.map_or("off", |breaker| breaker.phase.as_str()),
            window_failures: breaker.map_or(0, |breaker| breaker.failures),
            window_calls: breaker.map_or(0, |breaker| breaker.calls),
            retry_after_ms: breaker
                .filter(|breaker| breaker.phase == BreakerPhase::Open)
                .and_then(|breaker| breaker.retry_after)
                .map(|wait| crate::clock::nanos(wait).div_ceil(MS)),
            healthy: self.failed_checks.map(|_| !self.is_unhealthy()),
            last_check: self.last_check.clone(),
            checked_at_ms: self.last_check.as_ref().map(|_| self.checked_at_ns / MS),
            requests: self.requests,
            failures: self.failures,
            refused: self.refused,
        }
    }
}

impl World {
    /// The upstreams of the session's options, with their states.
    pub(crate) fn upstream_states(&self) -> Vec<UpstreamState> {
        let options = Arc::clone(&self.state().options);
        let now_ns = self.clock.now_ns();
        let states = options.upstreams.iter();
        states
            .map(|settings| {
                self.upstreams
                    .with(settings, |running| running.state(now_ns))
            })
            .collect()
    }

    /// A call wants to go to this upstream.
    pub(crate) fn pass_upstream(self: &Arc<Self>, settings: &Upstream) -> Result<Passage, Held> {
        health::watch(self, settings);
        let now_ns = self.clock.now_ns();
        self.upstreams.with(settings, |running| {
            if running.is_unhealthy() {
                running.refused += 1;
                let every = settings.health.as_ref().map_or(0, |health| health.every_ms);
                return Err(Held::Unhealthy {
                    why: running.last_check.clone().unwrap_or_default(),
                    wait_ns: every.saturating_mul(MS),
                });
            }
            let permit = match &mut running.breaker {
                None => None,
                Some(breaker) => match breaker.pass(Instant::from_nanos(now_ns)) {
                    Ok(permit) => Some(permit),
                    Err(refused) => {
                        running.refused += 1;
                        return Err(Held::Open {
                            wait_ns: crate::clock::nanos(refused.retry_after),
                            why: refused.seen.to_string(),
                        });
                    }
                },
            };
            running.requests += 1;
            Ok(Passage {
                world: Arc::clone(self),
                settings: settings.clone(),
                permit,
            })
        })
    }
}

impl Passage {
    /// It answered, and not with 5xx.
    fn succeeded(mut self) {
        self.over(None);
    }

    /// It answered with 5xx, or not at all.
    fn failed(mut self, trouble: Trouble) {
        self.over(Some(trouble));
    }

    fn over(&mut self, trouble: Option<Trouble>) {
        let now = Instant::from_nanos(self.world.clock.now_ns());
        let permit = self.permit.take();
        let world = Arc::clone(&self.world);
        let spread = {
            let seed = world.state().options.seed.to_le_bytes();
            let name = self.settings.name.as_bytes();
            unit(stable_hash(&[&seed, name, &now.as_nanos().to_le_bytes()]))
        };
        world.upstreams.with(&self.settings, |running| {
            running.failures += u64::from(trouble.is_some());
            if let (Some(breaker), Some(permit)) = (&mut running.breaker, permit) {
                match trouble {
                    None => breaker.on_success(permit, now),
                    Some(trouble) => breaker.on_failure(permit, now, trouble, spread),
                }
            }
        });
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        // The caller went away: nothing is known of the upstream by it.
        if let Some(permit) = self.permit.take() {
            self.world.upstreams.with(&self.settings, |running| {
                if let Some(breaker) = &mut running.breaker {
                    breaker.on_given_back(permit);
                }
            });
        }
    }
}
