//! The normalised journal over the admin port.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use serde_json::json;

use super::{About, Answer, Gateway, show};
use crate::gateway::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/admin/journal/normalised", get(journal))
}

async fn journal(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let entries = about.session(&shared)?.normalised_journal();
    show(json!({ "entries": entries }))
}
