//! Regions over the admin port: which there are, and closing and opening their ports.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Gateway, read, show};
use crate::gateway::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/admin/regions", get(regions).post(set_region))
}

async fn regions(State(shared): Gateway) -> Answer {
    let all: Vec<Value> = shared
        .regions
        .iter()
        .map(|region| json!({ "name": &*region.name, "url": region.url(), "up": region.is_up() }))
        .collect();
    show(json!({ "regions": all }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
    up: bool,
}

async fn set_region(State(shared): Gateway, body: Bytes) -> Answer {
    let change: Change = read(&body)?;
    shared.set_region(&change.name, change.up).await?;
    regions(State(shared)).await
}
