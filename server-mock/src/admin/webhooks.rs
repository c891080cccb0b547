//! The admin port's webhook routes: endpoints, deliveries, sending, sending again, and listening.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{About, AdminError, Answer, Gateway, read, show};
use crate::gateway::Shared;
use crate::session::Refused;
use crate::webhooks::{NewEndpoint, Next};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/admin/webhooks/endpoints",
            get(endpoints).post(subscribe).delete(unsubscribe),
        )
        .route("/admin/webhooks/enable", post(enable))
        .route("/admin/webhooks/deliveries", get(deliveries))
        .route("/admin/webhooks/listen", get(listen))
        .route("/admin/webhooks/results", post(result))
        .route("/admin/webhooks/send", post(send))
        .route("/admin/webhooks/trigger", post(trigger))
        .route("/admin/webhooks/redeliver", post(redeliver))
}

async fn endpoints(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(json!({ "endpoints": about.session(&shared)?.endpoints() }))
}

async fn subscribe(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let endpoint = session
        .world
        .add_endpoint(read::<NewEndpoint>(&body)?)
        .map_err(Refused)?;
    Ok((StatusCode::CREATED, axum::Json(endpoint)).into_response())
}

async fn unsubscribe(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    let id = about.id.as_deref().ok_or_else(|| AdminError {
        status: StatusCode::BAD_REQUEST,
        code: "missing_id",
        detail: "say which endpoint with ?id=".into(),
    })?;
    session.world.remove_endpoint(id).map_err(Refused)?;
    show(json!({ "removed": id }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    endpoint: String,
}

async fn enable(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let which: Which = read(&body)?;
    show(
        session
            .world
            .enable_endpoint(&which.endpoint)
            .map_err(Refused)?,
    )
}

async fn deliveries(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(json!({ "deliveries": about.session(&shared)?.deliveries() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sending {
    endpoint: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

async fn send(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let Sending {
        endpoint,
        kind,
        data,
    } = read(&body)?;
    let delivery = session.send_webhook(&endpoint, &kind, data)?;
    Ok((StatusCode::ACCEPTED, axum::Json(delivery)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    delivery: String,
}

async fn redeliver(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let again: Again = read(&body)?;
    let delivery = session.redeliver(&again.delivery)?;
    Ok((StatusCode::ACCEPTED, axum::Json(delivery)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggering {
    #[serde(rename = "type")]
    kind: String,
    /// A plain example of the type, if left out.
    data: Option<Value>,
}

async fn trigger(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let Triggering { kind, data } = read(&body)?;
    let data = data.unwrap_or_else(|| example_of(&kind));
    let (event, deliveries) = session.world.trigger(&kind, data).map_err(Refused)?;
    let answer = json!({ "event": event, "type": kind, "deliveries": deliveries });
    Ok((StatusCode::ACCEPTED, axum::Json(answer)).into_response())
}

/// What an event of this type could be about.
pub(crate) fn example_of(kind: &str) -> Value {
    match kind.split('.').next() {
        Some("contact") => json!({
            "id": "ct_000001",
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            "version": 1,
        }),
        Some("user") => json!({
            "id": "us_000001",
            "name": "Grace Hopper",
            "email": "grace@example.com",
            "role": "admin",
            "version": 1,
        }),
        _ => json!({ "example": true }),
    }
}

/// How long a listener's connection is silent before a comment shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

async fn listen(State(shared): Gateway, Query(about): Query<About>, headers: HeaderMap) -> Answer {
    let session = about.session(&shared)?;
    let id = about.id.as_deref().ok_or_else(|| AdminError {
        status: StatusCode::BAD_REQUEST,
        code: "missing_id",
        detail: "say which endpoint with ?id=".into(),
    })?;
    let seen = match headers.get("last-event-id") {
        None => 0,
        Some(seen) => seen
            .to_str()
            .ok()
            .and_then(|seen| seen.parse().ok())
            .ok_or_else(|| AdminError {
                status: StatusCode::BAD_REQUEST,
                code: "invalid_last_event_id",
                detail: "Last-Event-ID must be the number of a delivery".into(),
            })?,
    };
    let connection = session.world.listen(id, seen).map_err(Refused)?;
    let surroundings = Arc::clone(&session.world.surroundings);
    // The first lines go out at once, so that the listener knows that it is heard.
    let begun = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"retry: 500\n\n")) });
    let deliveries = stream::unfold(Some(connection), move |connection| {
        let surroundings = Arc::clone(&surroundings);
        async move {
            let mut connection = connection?;
            let next = tokio::select! {
                next = connection.next() => next,
                () = tokio::time::sleep(HEARTBEAT) => {
                    return Some((Ok(Bytes::from_static(b":\n\n")), Some(connection)));
                }
                () = surroundings.stopped() => return None,
            };
            let (piece, connection) = match next {
                Next::Delivery(seq, message) => {
                    let mut piece = format!("id: {seq}\nevent: delivery\ndata: ").into_bytes();
                    piece.extend_from_slice(&message);
                    piece.extend_from_slice(b"\n\n");
                    (Bytes::from(piece), Some(connection))
                }
                // Said, so that whoever listens does not come back for nothing.
                Next::Removed => (Bytes::from_static(b"event: removed\ndata: {}\n\n"), None),
                Next::Replaced => (Bytes::from_static(b"event: replaced\ndata: {}\n\n"), None),
            };
            Some((Ok(piece), connection))
        }
    });
    let body = Body::from_stream(begun.chain(deliveries));
    let kind = (CONTENT_TYPE, "text/event-stream");
    Ok(([kind, (CACHE_CONTROL, "no-store")], body).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    endpoint: String,
    seq: u64,
    /// Of the receiver's answer.
    status: Option<u16>,
    /// Why there is none.
    error: Option<String>,
}

async fn result(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let Outcome {
        endpoint,
        seq,
        status,
        error,
    } = read(&body)?;
    let result = match (status, error) {
        (Some(status), None) if (100..600).contains(&status) => Ok(status),
        (None, Some(error)) => Err(error.chars().take(MAX_ERROR_CHARS).collect()),
        _ => {
            return Err(Refused("say either a status from 100 to 599 or an error".into()).into());
        }
    };
    let counted = session
        .world
        .settle_delivery(&endpoint, seq, result)
        .map_err(Refused)?;
    show(json!({ "counted": counted }))
}

/// What is kept of a receiver's error.
const MAX_ERROR_CHARS: usize = 500;
