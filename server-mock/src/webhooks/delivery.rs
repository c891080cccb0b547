//! One message on its way to one endpoint, and its attempts.
//!
//! | State | Leaves by | To |
//! |---|---|---|
//! | pending, due at an instant | the instant, and its turn in the endpoint's lane | sending |
//! | pending | the endpoint is removed or disabled | failed |
//! | sending | 2xx | delivered |
//! | sending | 410, or the endpoint is gone or disabled | failed |
//! | sending | anything else, attempts left | pending, later by the schedule |
//! | sending | anything else, no attempt left | failed |
//! | failed: a dead letter | it is redelivered: another delivery of the same message | failed, no dead letter any more |
//! | failed | it is purged | forgotten |

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::endpoint::endpoint_id;
use super::excerpt::{Excerpt, excerpt_of};
use super::message::Message;
use crate::client::TlsTrouble;
use crate::clock::MS;
use crate::dispatch::desk::SentBy;

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Delivery {
    /// `dlv_000001`.
    pub id: String,
    /// The endpoint's id.
    pub endpoint: String,
    /// The event's id, sent as `webhook-id` in every attempt.
    pub event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it has failed.
    pub reason: Option<Failed>,
    /// When it was made, in milliseconds of the session's clock.
    pub created_at_ms: u64,
    /// When it is sent next, in milliseconds of the session's clock, while it is pending.
    pub next_attempt_ms: Option<u64>,
    /// The delivery that it repeats.
    pub redelivery_of: Option<String>,
    /// The delivery that repeats it.
    pub redelivered_as: Option<String>,
    /// What has been tried, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeliveryState {
    /// The endpoint answered 2xx.
    Delivered,
    /// It will not be tried again.
    Failed,
    /// It waits for its next attempt.
    Pending,
    /// It is being sent.
    Sending,
}

/// Why a delivery will not be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failed {
    /// The endpoint was disabled meanwhile.
    EndpointDisabled,
    /// The endpoint was removed meanwhile.
    EndpointRemoved,
    /// No attempt is left.
    Exhausted,
    /// The endpoint answered 410.
    Gone,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The session's clock when it was sent, in milliseconds.
    pub at_ms: u64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// What was wrong with TLS, where that was it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_error: Option<TlsTrouble>,
    /// Real time it took, in milliseconds.
    pub took_ms: u64,
    /// The wait the answer asked for, as far as it is respected, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What was sent, in part; only of a delivery that is asked for alone, and while there is room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Excerpt>,
    /// What was answered, in part; the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Excerpt>,
    /// The worker that made it, where webhooks go by a bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SentBy>,
}

/// A delivery as the outbox has it.
pub(crate) struct Queued {
    pub(crate) message: Arc<Message>,
    pub(crate) endpoint: u64,
    /// The endpoint's tenant, who may see it.
    pub(crate) owner: Option<Box<str>>,
    pub(crate) state: DeliveryState,
    pub(crate) reason: Option<Failed>,
    pub(crate) due_ns: u64,
    pub(crate) created_ns: u64,
    pub(crate) redelivery_of: Option<u64>,
    pub(crate) redelivered_as: Option<u64>,
    pub(crate) attempts: Vec<Attempt>,
}

/// What is kept of a delivery.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryRow {
    pub(crate) number: u64,
    endpoint: u64,
    event: String,
    kind: String,
    owner: Option<Box<str>>,
    payload: String,
    state: DeliveryState,
    reason: Option<Failed>,
    due_ns: u64,
    created_ns: u64,
    redelivery_of: Option<u64>,
    redelivered_as: Option<u64>,
    attempts: Vec<Attempt>,
}

impl Queued {
    pub(crate) fn new(
        message: &Arc<Message>,
        endpoint: u64,
        owner: Option<Box<str>>,
        now_ns: u64,
    ) -> Self {
        Self {
            message: Arc::clone(message),
            endpoint,
            owner,
            state: DeliveryState::Pending,
            reason: None,
            due_ns: now_ns,
            created_ns: now_ns,
            redelivery_of: None,
            redelivered_as: None,
            attempts: Vec::new(),
        }
    }

    /// Whether nobody has taken care of its failure yet.
    pub(crate) fn is_dead_letter(&self) -> bool {
        self.state == DeliveryState::Failed && self.redelivered_as.is_none()
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.state, DeliveryState::Delivered | DeliveryState::Failed)
    }

    /// What a row says. What was being sent will be sent again: whether it arrived is not known.
    pub(crate) fn of(row: DeliveryRow) -> Self {
        let payload = row.payload.into_bytes().into();
        Self {
            message: Arc::new(Message::new(row.event, row.kind, None, payload)),
            endpoint: row.endpoint,
            owner: row.owner,
            state: match row.state {
                DeliveryState::Sending => DeliveryState::Pending,
                other => other,
            },
            reason: row.reason,
            due_ns: row.due_ns,
            created_ns: row.created_ns,
            redelivery_of: row.redelivery_of,
            redelivered_as: row.redelivered_as,
            attempts: row.attempts,
        }
    }

    pub(crate) fn row(&self, number: u64) -> DeliveryRow {
        DeliveryRow {
            number,
            endpoint: self.endpoint,
            event: self.message.id.clone(),
            kind: self.message.kind.clone(),
            owner: self.owner.clone(),
            payload: String::from_utf8_lossy(&self.message.payload).into_owned(),
            state: self.state,
            reason: self.reason,
            due_ns: self.due_ns,
            created_ns: self.created_ns,
            redelivery_of: self.redelivery_of,
            redelivered_as: self.redelivered_as,
            attempts: self.attempts.clone(),
        }
    }

    /// As one of many.
    pub(crate) fn shown(&self, number: u64) -> Delivery {
        let attempts = self.attempts.iter().map(|attempt| Attempt {
            request: None,
            response: None,
            error: attempt.error.clone(),
            by: attempt.by.clone(),
            ..*attempt
        });
        self.showing(number, attempts.collect())
    }

    /// By itself, with what was sent and answered.
    pub(crate) fn shown_whole(&self, number: u64) -> Delivery {
        let mut attempts = self.attempts.clone();
        for attempt in &mut attempts {
            if let Some(request) = &mut attempt.request {
                // The body is the same each time, and kept once.
                let headers = std::mem::take(&mut request.headers);
                *request = excerpt_of(headers, &self.message.payload, false, &[]);
            }
        }
        self.showing(number, attempts)
    }

    fn showing(&self, number: u64, attempts: Vec<Attempt>) -> Delivery {
        Delivery {
            id: delivery_id(number),
            endpoint: endpoint_id(self.endpoint),
            event: self.message.id.clone(),
            kind: self.message.kind.clone(),
            state: self.state,
            reason: self.reason,
            created_at_ms: self.created_ns / MS,
            next_attempt_ms: (self.state == DeliveryState::Pending).then_some(self.due_ns / MS),
            redelivery_of: self.redelivery_of.map(delivery_id),
            redelivered_as: self.redelivered_as.map(delivery_id),
            attempts,
        }
    }
}

/// `dlv_000001`.
pub(crate) fn delivery_id(number: u64) -> String {
    format!("dlv_{number:06}")
}

/// The number in an id; ids are only known as they are written.
pub(crate) fn delivery_number(id: &str) -> Option<u64> {
    let number = id.strip_prefix("dlv_")?.parse().ok()?;
    (delivery_id(number) == id).then_some(number)
}
