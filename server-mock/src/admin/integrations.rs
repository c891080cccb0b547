//! Integrations over the admin port: what was sent to people, and a test. Which there are is set with the session's options.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use serde_json::json;

use super::{About, AdminError, Answer, Gateway, show};
use crate::gateway::Shared;
use crate::session::Refused;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/notices", get(notices))
        .route("/admin/integrations/test", post(test))
}

async fn notices(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    show(json!({ "notices": session.notices(), "dropped": session.notices_dropped() }))
}

async fn test(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    let name = about.name.as_deref().ok_or_else(|| AdminError {
        status: axum::http::StatusCode::BAD_REQUEST,
        code: "missing_name",
        detail: "say which integration with ?name=".into(),
    })?;
    session.world.test_integration(name).map_err(Refused)?;
    show(json!({ "queued": name }))
}
