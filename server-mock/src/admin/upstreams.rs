//! Upstreams over the admin port: what is known of each. Which there are is set with the session's options.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use serde_json::json;

use super::{About, Answer, Gateway, show};
use crate::gateway::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/admin/upstreams", get(upstreams))
}

async fn upstreams(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(json!({ "upstreams": about.session(&shared)?.upstreams() }))
}
