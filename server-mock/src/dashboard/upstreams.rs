//! Upstreams: the breaker in front of each, its health, and what came of the calls.

use askama::Template;

use super::Scene;
use super::format::{count, time, until};
use super::page::Shown;
use crate::upstream::UpstreamState;

struct UpstreamShown {
    name: String,
    url: String,
    breaker: String,
    /// A class of the style sheet.
    class: &'static str,
    retry_in: Option<String>,
    window: String,
    health: Option<(&'static str, &'static str)>,
    last_check: Option<String>,
    requests: String,
    failures: String,
    refused: String,
}

impl UpstreamShown {
    fn of(state: UpstreamState) -> Self {
        Self {
            class: match state.breaker {
                "closed" => "fine",
                "open" => "server",
                "half_open" => "client",
                _ => "",
            },
            breaker: state.breaker.replace('_', " "),
            retry_in: state.retry_after_ms.map(until),
            window: format!("{} of {} failed", state.window_failures, state.window_calls),
            health: state.healthy.map(|healthy| match healthy {
                true => ("healthy", "fine"),
                false => ("unhealthy", "server"),
            }),
            last_check: state
                .last_check
                .zip(state.checked_at_ms)
                .map(|(found, at)| format!("{found} at {}", time(at))),
            requests: count(state.requests),
            failures: count(state.failures),
            refused: count(state.refused),
            name: state.name,
            url: state.url,
        }
    }
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let states = scene.session.upstreams();
    let page = Upstreams {
        upstreams: states.into_iter().map(UpstreamShown::of).collect(),
    };
    Some(("Upstreams".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "upstreams.html")]
struct Upstreams {
    upstreams: Vec<UpstreamShown>,
}
