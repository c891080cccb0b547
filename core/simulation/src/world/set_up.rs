//! The engine of a client, set as a script says; but for the rule that is broken.

use std::time::Duration;

use gatewright_engine::breaker::BreakerSettings;
use gatewright_engine::host::{Engine, EngineSettings};
use gatewright_engine::pacing::LocalQuota;
use gatewright_engine::redirect::RedirectPolicy;
use gatewright_engine::regions::{Region, Regions};
use gatewright_engine::retry::RetryPolicy;

use url::Url;

use crate::broken::BrokenRule;
use crate::script::Script;

/// Which redirects clients follow.
pub(super) fn redirects(script: &Script, broken: Option<BrokenRule>) -> RedirectPolicy {
    let mut policy = RedirectPolicy {
        max: script.clients.redirects,
        ..RedirectPolicy::default()
    };
    if broken == Some(BrokenRule::RedirectsUnbounded) {
        policy.max = u32::MAX;
    }
    if script.clients.elsewhere || broken == Some(BrokenRule::RedirectAnywhere) {
        let hosts = (0..script.gateway.hosts).filter_map(url_of);
        policy.allowed_origins = hosts.map(|url| url.origin()).collect();
    }
    policy
}

/// What is asked of a host.
pub(super) fn url_of(host: u32) -> Option<Url> {
    Url::parse(&name_of(host)).ok()
}

/// The engine of one client.
pub(super) fn engine(script: &Script, broken: Option<BrokenRule>) -> Engine {
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
        let restless =
            Some(Duration::from_secs(1)).filter(|_| broken == Some(BrokenRule::BreakerRestless));
        breaker.open = plan.open.map(Duration::from_millis).or(restless);
        breaker
    });
    settings.breaker = breaker.filter(|_| broken != Some(BrokenRule::BreakerOff));
    let concurrency = script.clients.concurrency;
    settings.max_concurrency = concurrency.filter(|_| broken != Some(BrokenRule::ConcurrencyOff));
    Engine::with(policy, settings)
}

pub(super) fn name_of(host: u32) -> String {
    format!("https://h{host}")
}

pub(super) fn regions(script: &Script, engine: &Engine) -> Regions {
    Regions::new((0..script.gateway.hosts).map(|host| {
        let name = name_of(host);
        Region {
            host: engine.host(&name),
            name: name.into(),
        }
    }))
}
