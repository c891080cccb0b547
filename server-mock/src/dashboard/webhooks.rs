//! Endpoints of webhooks, which can be changed, their dead letters, and their deliveries with all attempts; what failed can be sent again.

use askama::Template;
use serde::Serialize;

use super::Scene;
use super::format::{date_time, in_query, time, until};
use super::page::Shown;
use crate::webhooks::{Attempt, Delivery, DeliveryState, Endpoint, Which};

/// Deliveries on one page, the newest.
const MAX_DELIVERIES: usize = 100;
/// The same of dead letters.
const MAX_DEAD: usize = 50;

struct EndpointShown {
    id: String,
    url: String,
    /// In words, and as they are typed.
    types: String,
    typed_types: String,
    filter: Option<String>,
    disabled: Option<String>,
    secret: String,
    /// Secrets that sign, and until when the next of the older ones does.
    secrets: usize,
    old_until: Option<String>,
}

impl EndpointShown {
    fn of(endpoint: Endpoint) -> Self {
        let typed_types = endpoint.types.join(", ");
        Self {
            id: endpoint.id,
            url: endpoint.url,
            types: match typed_types.as_str() {
                "" => "all events".into(),
                typed => typed.into(),
            },
            typed_types,
            filter: endpoint.filter,
            disabled: endpoint.disabled.map(in_words),
            secret: endpoint.secret,
            secrets: endpoint.secrets.len(),
            old_until: endpoint.old_secrets_until_ms.map(date_time),
        }
    }
}

/// A delivery that failed for good and nobody has seen to.
struct DeadLetter {
    id: String,
    kind: String,
    event: String,
    endpoint: String,
    reason: String,
    attempts: usize,
    outcome: String,
    at: String,
}

impl DeadLetter {
    fn of(delivery: Delivery) -> Self {
        Self {
            at: date_time(delivery.created_at_ms),
            reason: delivery.reason.map(in_words).unwrap_or_default(),
            attempts: delivery.attempts.len(),
            outcome: delivery.attempts.last().map(outcome).unwrap_or_default(),
            id: delivery.id,
            kind: delivery.kind,
            event: delivery.event,
            endpoint: delivery.endpoint,
        }
    }
}

/// The word of a reason.
fn in_words(reason: impl Serialize) -> String {
    let word = serde_json::to_value(reason).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or_default().replace('_', " ")
}

fn outcome(attempt: &Attempt) -> String {
    match (attempt.status, &attempt.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".into(),
    }
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
            outcome: outcome(attempt),
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
    let (wanted, of) = (scene.asked.state.as_str(), scene.asked.endpoint.as_str());
    let is_of = |delivery: &Delivery| of.is_empty() || delivery.endpoint == of;
    let dead = Which {
        dead: true,
        ..Which::default()
    };
    let mut dead = scene.session.world.deliveries(&dead);
    dead.retain(is_of);
    let page = Webhooks {
        ids: endpoints
            .iter()
            .map(|endpoint| endpoint.id.clone())
            .collect(),
        endpoints: endpoints.into_iter().map(EndpointShown::of).collect(),
        dead_count: dead.len(),
        dead: dead
            .into_iter()
            .rev()
            .take(MAX_DEAD)
            .map(DeadLetter::of)
            .collect(),
        totals: Totals::of(&deliveries),
        deliveries: deliveries
            .iter()
            .rev()
            .filter(|delivery| is_of(delivery))
            .filter(|delivery| wanted.is_empty() || state(delivery).0 == wanted)
            .take(MAX_DELIVERIES)
            .map(|delivery| DeliveryShown::of(delivery, now_ms))
            .collect(),
        state: wanted,
        of,
        back: format!(
            "{}{}&state={}&endpoint={}",
            scene.path,
            scene.query(),
            in_query(wanted),
            in_query(of)
        ),
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Webhooks".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks<'a> {
    /// Of all endpoints, to choose from.
    ids: Vec<String>,
    endpoints: Vec<EndpointShown>,
    dead: Vec<DeadLetter>,
    dead_count: usize,
    totals: Totals,
    deliveries: Vec<DeliveryShown>,
    state: &'a str,
    /// The endpoint whose deliveries are shown; empty for all.
    of: &'a str,
    back: String,
    session: &'a str,
    path: &'a str,
}
