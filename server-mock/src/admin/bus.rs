//! The admin port's route of the bus: whether it can be reached, and what is on it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use super::{AdminError, Answer, Gateway, show};
use crate::gateway::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/admin/bus", get(state))
}

async fn state(State(shared): Gateway) -> Answer {
    let desk = shared.desk.as_ref().ok_or_else(|| AdminError {
        status: StatusCode::NOT_FOUND,
        code: "no_bus",
        detail: "this gateway sends webhooks itself; start it with --bus".into(),
    })?;
    show(desk.state())
}
