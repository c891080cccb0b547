//! What the gateway counts of itself, for Prometheus (`GET /metrics` on the admin port) and for an OpenTelemetry collector (`otlp`).
//!
//! Names follow OpenTelemetry's semantic conventions for HTTP servers (`http.server.request.duration`) as Prometheus
//! spells them. Labels have few values: operations and not paths, tiers and not tenants; never a key, a tenant, a session
//! or an id. Counting is one lookup behind a shared lock and a few atomic additions; the text is made when it is asked for.

mod bus;
mod exposition;
mod limits;
mod requests;
mod webhooks;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use exposition::{Exposition, Family, Sample};

use crate::gateway::Shared;
use limits::LimitCounts;
use requests::RequestCounts;
use webhooks::WebhookCounts;

/// The counters of a gateway.
#[derive(Default)]
pub(crate) struct Metrics {
    pub(crate) requests: RequestCounts,
    pub(crate) limits: LimitCounts,
    webhooks: WebhookCounts,
    notices_dropped: AtomicU64,
}

impl Metrics {
    /// Counts notices to people that were not made, because too many were pending.
    pub(crate) fn notices_dropped(&self, count: u64) {
        if count > 0 {
            self.notices_dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Counts an attempt to deliver a webhook; `None` is no answer.
    pub(crate) fn webhook_attempt(&self, status: Option<u16>) {
        self.webhooks.attempt(status);
    }

    /// Everything there is.
    pub(crate) fn all(&self, shared: &Arc<Shared>) -> Exposition {
        let mut text = Exposition::default();
        self.requests.write(&mut text);
        self.limits.write(&mut text);
        self.webhooks.write(&mut text);
        self.write_notices(&mut text);
        bus::write(&mut text, shared);
        breakers(&mut text, shared);
        gateway(&mut text, shared);
        process(&mut text, shared);
        text
    }

    fn write_notices(&self, text: &mut Exposition) {
        let name = "gatewright_notices_dropped_total";
        let help = "Notices to people that were not made, because too many were pending.";
        text.family(name, "counter", help);
        let dropped = self.notices_dropped.load(Ordering::Relaxed);
        text.sample(name, &[], dropped as f64);
    }
}

/// Breakers in front of upstreams, of all sessions together: an upstream's name is its user's.
fn breakers(text: &mut Exposition, shared: &Arc<Shared>) {
    const NAME: &str = "gatewright_breakers";
    const PHASES: [&str; 3] = ["closed", "half_open", "open"];
    let mut counts = [0_u32; PHASES.len()];
    for world in shared.worlds.all() {
        for state in world.upstream_states() {
            let at = PHASES.iter().position(|phase| *phase == state.breaker);
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
    }
    text.family(
        NAME,
        "gauge",
        "Circuit breakers in front of upstreams, by state.",
    );
    for (phase, count) in PHASES.iter().zip(counts) {
        text.sample(NAME, &[("state", phase)], f64::from(count));
    }
}

/// What the gateway holds now.
fn gateway(text: &mut Exposition, shared: &Arc<Shared>) {
    let worlds = shared.worlds.all();
    let entries: usize = worlds.iter().map(|world| world.journal().len()).sum();
    text.gauge(
        "gatewright_sessions",
        "Sessions that exist.",
        worlds.len() as f64,
    );
    text.gauge(
        "gatewright_journal_entries",
        "Entries in the journals of all sessions.",
        entries as f64,
    );
    text.gauge(
        "gatewright_journal_size_bytes",
        "What the journals of all sessions weigh.",
        shared.worlds.journal_bytes() as f64,
    );
    if !shared.regions.is_empty() {
        text.family(
            "gatewright_region_up",
            "gauge",
            "Whether a region's port is open.",
        );
        for region in &shared.regions {
            let up = if region.is_up() { 1.0 } else { 0.0 };
            text.sample("gatewright_region_up", &[("region", &region.name)], up);
        }
    }
}

fn process(text: &mut Exposition, shared: &Arc<Shared>) {
    text.family(
        "gatewright_build_info",
        "gauge",
        "Always 1; says which version runs.",
    );
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.sample("gatewright_build_info", &version, 1.0);
    text.gauge(
        "gatewright_uptime_seconds",
        "Seconds since the gateway was started.",
        shared.started.elapsed().as_secs_f64(),
    );
    if let Some(traces) = &shared.worlds.surroundings().traces {
        let name = "gatewright_spans_dropped_total";
        text.family(
            name,
            "counter",
            "Spans that were not sent, because too many waited.",
        );
        text.sample(name, &[], traces.dropped() as f64);
    }
    if let Some(bytes) = resident_bytes() {
        text.gauge(
            "process_resident_memory_bytes",
            "Memory of the process that is resident.",
            bytes as f64,
        );
    }
}

/// Only Linux says it in a file.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
