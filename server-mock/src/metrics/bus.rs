//! The bus that carries webhooks to workers and events to others: whether it can be reached, and what waits for it. Nothing
//! where the gateway sends webhooks itself.

use std::sync::Arc;

use super::Exposition;
use crate::bus::link::Reach;
use crate::gateway::Shared;

const REACH: &str = "gatewright_bus_reach";
const OUTAGES: &str = "gatewright_bus_outages_total";
const JOBS: &str = "gatewright_bus_jobs";
const RELAYED: &str = "gatewright_bus_events_relayed_total";
const REFUSED: &str = "gatewright_bus_events_refused_total";
const WAITING: &str = "gatewright_bus_events_waiting";

pub(super) fn write(text: &mut Exposition, shared: &Arc<Shared>) {
    let Some(desk) = &shared.desk else {
        return;
    };
    let state = desk.state();
    text.family(
        REACH,
        "gauge",
        "Whether the last operation on the bus was answered: 1 at what holds.",
    );
    for (name, reach) in [
        ("up", Reach::Up),
        ("away", Reach::Away),
        ("unknown", Reach::Unknown),
    ] {
        let holds = if state.link.reach == reach { 1.0 } else { 0.0 };
        text.sample(REACH, &[("reach", name)], holds);
    }
    counter(
        text,
        OUTAGES,
        "How often the bus went away.",
        state.link.outages,
    );
    text.family(
        JOBS,
        "gauge",
        "Attempts of webhooks whose job the bus has not taken, and those without a report.",
    );
    text.sample(JOBS, &[("state", "unsent")], state.unsent as f64);
    text.sample(JOBS, &[("state", "in_flight")], state.in_flight as f64);
    for (name, help, count) in [
        (
            "gatewright_bus_jobs_published_total",
            "Jobs that the bus took.",
            state.published,
        ),
        (
            "gatewright_bus_jobs_lost_total",
            "Jobs that a broker lost, or their reports; they were published anew.",
            state.asked_again,
        ),
        (
            "gatewright_bus_reports_total",
            "Attempts that workers reported.",
            state.reported,
        ),
        (
            "gatewright_bus_reports_taken_over_total",
            "Of these, attempts that a lost worker had begun.",
            state.repeated,
        ),
        (
            "gatewright_bus_reports_unknown_total",
            "Reports nobody waits for, such as those of an earlier life of the gateway.",
            state.unknown,
        ),
    ] {
        counter(text, name, help, count);
    }
    if let Some(relayed) = state.relayed {
        let help = "Events that the bus took, of all sessions.";
        counter(text, RELAYED, help, relayed);
        let help = "Events that the bus will never take.";
        counter(text, REFUSED, help, state.refused.unwrap_or(0));
        let worlds = shared.worlds.all();
        let waiting: u64 = worlds.iter().map(|world| world.events_to_relay()).sum();
        let help = "Events that the bus has not taken yet, of all sessions in memory.";
        text.gauge(WAITING, help, waiting as f64);
    }
}

fn counter(text: &mut Exposition, name: &str, help: &str, count: u64) {
    text.family(name, "counter", help);
    text.sample(name, &[], count as f64);
}
