//! The admin port's route of the bus: whether it can be reached, and what is on it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde_json::json;

use super::{Answer, Gateway, show};
use crate::gateway::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/admin/bus", get(state))
}

async fn state(State(shared): Gateway) -> Answer {
    match &shared.desk {
        Some(desk) => show(desk.state()),
        None => show(json!({
            "reach": "off",
            "detail": "this gateway sends webhooks itself; start it with --bus",
        })),
    }
}
