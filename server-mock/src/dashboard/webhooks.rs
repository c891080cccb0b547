//! Endpoints and deliveries of webhooks, each with its attempts; what failed can be sent again.

use askama::Template;

use super::Scene;
use super::format::{time, until};
use super::page::Shown;
use crate::webhooks::{Delivery, DeliveryState};

/// Deliveries on one page, the newest.
const MAX_DELIVERIES: usize = 100;

struct EndpointShown {
    id: String,
    url: String,
    types: String,
    disabled: Option<String>,
}

/// A delivery as it is shown.
pub(super) struct DeliveryShown {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) event: String,
    pub(super) endpoint: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) next: Option<String>,
    pub(super) attempts: Vec<AttemptShown>,
}

pub(super) struct AttemptShown {
    pub(super) at: String,
    pub(super) class: &'static str,
    pub(super) outcome: String,
    pub(super) took: String,
}

/// The word for a state, and its class in the style sheet.
fn state(delivery: &Delivery) -> (&'static str, &'static str) {
    match delivery.state {
        DeliveryState::Delivered => ("delivered", "fine"),
        DeliveryState::Failed => ("failed", "server"),
        DeliveryState::Sending => ("sending", "open"),
        DeliveryState::Pending if delivery.attempts.is_empty() => ("waiting", "open"),
        DeliveryState::Pending => ("retrying", "client"),
    }
}

impl DeliveryShown {
    fn of(delivery: &Delivery, now_ms: u64) -> Self {
        let (word, class) = state(delivery);
        let attempts = delivery.attempts.iter().map(|attempt| AttemptShown {
            at: time(attempt.at_ms),
            class: match attempt.status {
                Some(200..300) => "fine",
                Some(500..) => "server",
                Some(_) => "client",
                None => "cut",
            },
            outcome: match (attempt.status, &attempt.error) {
                (Some(status), _) => status.to_string(),
                (None, Some(error)) => error.clone(),
                (None, None) => "no answer".into(),
            },
            took: format!("{} ms", attempt.took_ms),
        });
        Self {
            id: delivery.id.clone(),
            kind: delivery.kind.clone(),
            event: delivery.event.clone(),
            endpoint: delivery.endpoint.clone(),
            state: word,
            class,
            next: delivery
                .next_attempt_ms
                .map(|next| until(next.saturating_sub(now_ms))),
            attempts: attempts.collect(),
        }
    }
}

/// How many deliveries there are, of each state that matters.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) delivered: usize,
    pub(super) waiting: usize,
    pub(super) failed: usize,
}

impl Totals {
    pub(super) fn of(deliveries: &[Delivery]) -> Self {
        let mut totals = Self::default();
        for delivery in deliveries {
            match delivery.state {
                DeliveryState::Delivered => totals.delivered += 1,
                DeliveryState::Failed => totals.failed += 1,
                DeliveryState::Pending | DeliveryState::Sending => totals.waiting += 1,
            }
        }
        totals
    }

    pub(super) fn any(&self) -> bool {
        self.delivered + self.waiting + self.failed > 0
    }
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let endpoints = scene.session.endpoints();
    let deliveries = scene.session.deliveries();
    let now_ms = scene.now_ms();
    let wanted = scene.asked.state.as_str();
    let page = Webhooks {
        endpoints: endpoints
            .into_iter()
            .map(|endpoint| EndpointShown {
                id: endpoint.id,
                url: endpoint.url,
                types: match endpoint.types.is_empty() {
                    true => "all events".into(),
                    false => endpoint.types.join(", "),
                },
                disabled: endpoint.disabled.and_then(|why| {
                    Some(serde_json::to_value(why).ok()?.as_str()?.replace('_', " "))
                }),
            })
            .collect(),
        totals: Totals::of(&deliveries),
        deliveries: deliveries
            .iter()
            .rev()
            .filter(|delivery| wanted.is_empty() || state(delivery).0 == wanted)
            .take(MAX_DELIVERIES)
            .map(|delivery| DeliveryShown::of(delivery, now_ms))
            .collect(),
        state: wanted,
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Webhooks".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks<'a> {
    endpoints: Vec<EndpointShown>,
    totals: Totals,
    deliveries: Vec<DeliveryShown>,
    state: &'a str,
    session: &'a str,
    path: &'a str,
}
