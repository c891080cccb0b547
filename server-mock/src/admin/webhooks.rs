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
use serde_json::{Map, Value, json};

use super::{About, AdminError, Answer, Gateway, read, show};
use crate::clock::{MS, NS};
use crate::gateway::Shared;
use crate::session::Refused;
use crate::webhooks::{DeliveryState, NewEndpoint, Next, Refusal, Viewer, Which};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/admin/webhooks/endpoints",
            get(endpoints)
                .post(subscribe)
                .patch(change)
                .delete(unsubscribe),
        )
        .route("/admin/webhooks/enable", post(enable))
        .route("/admin/webhooks/disable", post(disable))
        .route("/admin/webhooks/rotate", post(rotate))
        .route("/admin/webhooks/deliveries", get(deliveries))
        .route(
            "/admin/webhooks/dead-letters",
            get(dead_letters).delete(purge),
        )
        .route("/admin/webhooks/listen", get(listen))
        .route("/admin/webhooks/results", post(result))
        .route("/admin/webhooks/send", post(send))
        .route("/admin/webhooks/trigger", post(trigger))
        .route("/admin/webhooks/redeliver", post(redeliver))
}

impl From<Refusal> for AdminError {
    fn from(refusal: Refusal) -> Self {
        Refused::from(refusal).into()
    }
}

async fn endpoints(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(json!({ "endpoints": about.session(&shared)?.endpoints() }))
}

async fn subscribe(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let endpoint = session
        .world
        .add_endpoint(read::<NewEndpoint>(&body)?.wish())?;
    Ok((StatusCode::CREATED, axum::Json(endpoint)).into_response())
}

/// The `?id=` of a call about one.
fn id(about: &About) -> Result<&str, AdminError> {
    about.id.as_deref().ok_or_else(|| AdminError {
        status: StatusCode::BAD_REQUEST,
        code: "missing_id",
        detail: "say which endpoint with ?id=".into(),
    })
}

/// A merge patch of what can be set.
async fn change(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let patch: Map<String, Value> = read(&body)?;
    let id = id(&about)?;
    show(session.change_endpoint(id, &patch)?)
}

async fn unsubscribe(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    let id = id(&about)?;
    session
        .world
        .with_outbox(|outbox| outbox.remove_endpoint(Viewer::Admin, id))?;
    show(json!({ "removed": id }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    endpoint: String,
}

async fn enable(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let one: One = read(&body)?;
    show(session.world.enable_endpoint(&one.endpoint)?)
}

async fn disable(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let one: One = read(&body)?;
    let mut patch = Map::new();
    patch.insert("enabled".into(), false.into());
    show(session.change_endpoint(&one.endpoint, &patch)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    endpoint: String,
    /// Seconds of the session's clock for which the secrets of before sign too.
    #[serde(default = "a_day")]
    overlap_s: u64,
    /// One is made when none is given.
    secret: Option<String>,
}

fn a_day() -> u64 {
    86_400
}

async fn rotate(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let asked: Rotation = read(&body)?;
    let overlap_ns = asked.overlap_s.saturating_mul(NS);
    let seed = session.options().seed;
    let now_ns = session.world.clock.now_ns();
    let shown = session.world.with_outbox(|outbox| {
        let Rotation {
            endpoint, secret, ..
        } = asked;
        let rotated = outbox.rotate(Viewer::Admin, &endpoint, secret, overlap_ns, seed, now_ns)?;
        Ok::<_, Refusal>(rotated.shown(now_ns))
    })?;
    show(shown)
}

/// Which deliveries a call is about.
#[derive(Deserialize)]
struct Meant {
    id: Option<String>,
    endpoint: Option<String>,
    event: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    state: Option<DeliveryState>,
    since_ms: Option<u64>,
    before_ms: Option<u64>,
}

impl Meant {
    fn which(self, dead: bool) -> Which {
        Which {
            endpoint: self.endpoint,
            event: self.event,
            kind: self.kind,
            state: self.state,
            dead,
            since_ns: self.since_ms.map(|ms| ms.saturating_mul(MS)),
            before_ns: self.before_ms.map(|ms| ms.saturating_mul(MS)),
        }
    }
}

/// All that are meant, or with `?id=` one with what was sent and answered.
async fn deliveries(
    State(shared): Gateway,
    Query(about): Query<About>,
    Query(meant): Query<Meant>,
) -> Answer {
    let session = about.session(&shared)?;
    if let Some(id) = &meant.id {
        let outbox = session.world.webhooks.outbox();
        let (number, queued) = outbox.find(Viewer::Admin, id)?;
        return show(queued.shown_whole(number));
    }
    show(json!({ "deliveries": session.world.deliveries(&meant.which(false)) }))
}

async fn dead_letters(
    State(shared): Gateway,
    Query(about): Query<About>,
    Query(meant): Query<Meant>,
) -> Answer {
    let session = about.session(&shared)?;
    show(json!({ "dead_letters": session.world.deliveries(&meant.which(true)) }))
}

async fn purge(
    State(shared): Gateway,
    Query(about): Query<About>,
    Query(meant): Query<Meant>,
) -> Answer {
    let session = about.session(&shared)?;
    let purged = session.world.with_outbox(|outbox| match &meant.id {
        Some(id) => outbox.purge_one(Viewer::Admin, id).map(|()| 1),
        None => Ok(outbox.purge(Viewer::Admin, &meant.which(true))),
    })?;
    show(json!({ "purged": purged }))
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

/// One delivery, or all dead letters made at `since_ms` or later.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    delivery: Option<String>,
    since_ms: Option<u64>,
    endpoint: Option<String>,
}

async fn redeliver(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let again: Again = read(&body)?;
    match (again.delivery, again.since_ms) {
        (Some(delivery), None) if again.endpoint.is_none() => {
            let delivery = session.redeliver(&delivery)?;
            Ok((StatusCode::ACCEPTED, axum::Json(delivery)).into_response())
        }
        (None, Some(since_ms)) => {
            let which = Which {
                endpoint: again.endpoint,
                since_ns: Some(since_ms.saturating_mul(MS)),
                dead: true,
                ..Which::default()
            };
            let now_ns = session.world.clock.now_ns();
            let sent = session
                .world
                .with_outbox(|outbox| outbox.redeliver_all(Viewer::Admin, &which, now_ns));
            let answer = json!({ "redelivered": sent.len(), "deliveries": sent });
            Ok((StatusCode::ACCEPTED, axum::Json(answer)).into_response())
        }
        _ => {
            Err(Refused("say either a delivery, or since_ms and perhaps an endpoint".into()).into())
        }
    }
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
        Some("project") => json!({
            "id": "pj_000001",
            "name": "Analytical engine",
            "status": "active",
            "version": 1,
        }),
        Some("job") => json!({
            "id": "jb_000001",
            "kind": "report",
            "status": kind.rsplit('.').next().filter(|word| *word != "created").unwrap_or("running"),
            "version": 1,
        }),
        _ => json!({ "example": true }),
    }
}

/// How long a listener's connection is silent before a comment shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

async fn listen(State(shared): Gateway, Query(about): Query<About>, headers: HeaderMap) -> Answer {
    let session = about.session(&shared)?;
    let id = id(&about)?;
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
    let connection = session.world.listen(id, seen)?;
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
    let counted = session.world.settle_delivery(&endpoint, seq, result)?;
    show(json!({ "counted": counted }))
}

/// What is kept of a receiver's error.
const MAX_ERROR_CHARS: usize = 500;
