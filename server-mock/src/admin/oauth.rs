//! The authorization server's part of the admin port: what users decide, and what goes wrong with tokens and keys.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;

use super::{About, Answer, Gateway, read, show};
use crate::gateway::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/oauth", get(state))
        .route("/admin/oauth/device", post(device))
        .route("/admin/oauth/revoke", post(revoke))
        .route("/admin/oauth/rotate-keys", post(rotate_keys))
}

async fn state(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(about.session(&shared)?.oauth_state())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    user_code: String,
    decision: Decision,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Deny,
}

async fn device(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let decided: Decided = read(&body)?;
    session.decide_device(&decided.user_code, decided.decision == Decision::Approve)?;
    show(session.oauth_state())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    #[serde(default)]
    refresh_tokens: bool,
}

async fn revoke(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let revocation: Revocation = read(&body)?;
    session.revoke_oauth_tokens(revocation.refresh_tokens);
    show(session.oauth_state())
}

async fn rotate_keys(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    session.rotate_oauth_keys();
    show(session.oauth_state())
}
