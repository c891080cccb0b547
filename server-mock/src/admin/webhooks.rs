//! The admin port's webhook routes: endpoints, deliveries, sending and sending again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{About, AdminError, Answer, Gateway, read, show};
use crate::gateway::Shared;
use crate::session::Refused;
use crate::webhooks::NewEndpoint;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/admin/webhooks/endpoints",
            get(endpoints).post(subscribe).delete(unsubscribe),
        )
        .route("/admin/webhooks/enable", post(enable))
        .route("/admin/webhooks/deliveries", get(deliveries))
        .route("/admin/webhooks/send", post(send))
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
