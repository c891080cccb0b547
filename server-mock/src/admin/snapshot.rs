//! The admin port's routes for snapshots: a session as one JSON document, and back.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::get;
use bytes::Bytes;
use serde_json::json;

use super::{About, Answer, Gateway, show};
use crate::gateway::Shared;
use crate::reply::JSON;
use crate::session::Refused;

/// The largest snapshot that is put back.
const MAX_SNAPSHOT_BYTES: usize = 256 << 20;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/snapshot", get(snapshot).post(restore))
        .layer(DefaultBodyLimit::max(MAX_SNAPSHOT_BYTES))
}

async fn snapshot(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    let text = session.world.snapshot().map_err(Refused)?;
    Ok(([(CONTENT_TYPE, JSON)], text).into_response())
}

async fn restore(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    session.world.restore(&body).map_err(Refused)?;
    show(json!({ "id": session.name(), "restored": true }))
}
