//! What the gateway knows of itself and of its callers: metrics for Prometheus, and the usage of all tenants.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::{About, AdminError, Answer, Gateway, show};
use crate::gateway::Shared;
use crate::metrics::Exposition;
use crate::usage::UsageQuery;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/admin/usage", get(usage))
}

async fn metrics(State(shared): Gateway) -> Answer {
    let text = shared.worlds.surroundings().metrics.all(&shared).text();
    Ok(([(CONTENT_TYPE, Exposition::CONTENT_TYPE)], text).into_response())
}

/// Only of one tenant, if one is named.
#[derive(Deserialize)]
struct Of {
    tenant: Option<String>,
}

async fn usage(
    State(shared): Gateway,
    Query(about): Query<About>,
    Query(of): Query<Of>,
    Query(query): Query<UsageQuery>,
) -> Answer {
    let session = about.session(&shared)?;
    let now_ns = session.world.clock.now_ns();
    let wanted = query
        .read(now_ns, of.tenant)
        .map_err(|(name, why)| AdminError {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_parameter",
            detail: format!("{name} {why}"),
        })?;
    show(session.world.usage.usage(&wanted))
}
