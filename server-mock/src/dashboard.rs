//! The dashboard on the admin port: pages that are made here, kept up to date by server-sent events, without a build step.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /dashboard…` | the page |
//! | the same with `Accept: text/event-stream` | the page's content whenever it has changed, for as long as somebody looks |
//! | `POST /dashboard/do/{action}` | the action of a form, then the page it came from |
//! | `GET /dashboard/assets/{file}` | style sheet, script and icon, which are part of the program |
//!
//! Pages work without the script; with it they are live and keep their place. Nothing comes from elsewhere and nothing inline is
//! run: the content security policy says so. A form is only taken from a page of this very origin: browsers say `Origin` or
//! `Sec-Fetch-Site` with each, the admin port's guard refuses foreign ones, and a form without either is refused here.

mod actions;
mod assets;
mod bars;
mod bodies;
mod calls;
mod events;
mod faults;
mod format;
mod limits;
mod live;
mod overview;
mod page;
mod requests;
mod sessions;
mod upstreams;
mod usage;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use serde::Deserialize;

use crate::gateway::Shared;
use crate::session::Session;
use crate::shared_limits::InProgressOfAll;
use crate::world::{DEFAULT_SESSION, is_session_name};
use page::Page;

/// Nothing from elsewhere, nothing inline, framed by nobody; only the policy named `dashboard` of the script makes markup.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dashboard",
);
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What the query of a page may say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    session: Option<String>,
    op: String,
    status: String,
    q: String,
    all: String,
    bucket: String,
    group_by: String,
    tenant: String,
    state: String,
    endpoint: String,
}

/// Where a page is looked from.
pub(crate) struct Scene<'a> {
    shared: &'a Arc<Shared>,
    session: Session,
    asked: &'a Asked,
    /// The path of the page.
    path: &'a str,
    /// Of limits in a shared store: calls in progress in all gateways.
    in_progress: InProgressOfAll,
}

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/dashboard", get(show_overview))
        .route("/dashboard/", get(show_overview))
        .route("/dashboard/{page}", get(show))
        .route("/dashboard/requests/{seq}", get(show_request))
        .route("/dashboard/assets/{file}", get(assets::answer))
        .route("/dashboard/do/{action}", post(actions::act))
}

type Gateway = State<Arc<Shared>>;

async fn show_overview(shared: Gateway, asked: Query<Asked>, headers: HeaderMap) -> Response {
    answer(shared, asked, &headers, Some(Page::Overview)).await
}

async fn show(
    shared: Gateway,
    Path(name): Path<String>,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Response {
    answer(shared, asked, &headers, Page::of(&name)).await
}

async fn show_request(
    shared: Gateway,
    Path(seq): Path<u64>,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Response {
    answer(shared, asked, &headers, Some(Page::Request(seq))).await
}

async fn answer(
    State(shared): Gateway,
    Query(asked): Query<Asked>,
    headers: &HeaderMap,
    page: Option<Page>,
) -> Response {
    let Some(page) = page else {
        return refused(StatusCode::NOT_FOUND, "there is no such page");
    };
    let name = asked.session.as_deref().unwrap_or(DEFAULT_SESSION);
    if !is_session_name(name) {
        return refused(
            StatusCode::BAD_REQUEST,
            "a session's name is 1 to 128 visible ASCII characters",
        );
    }
    let is_live = headers
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    let response = if is_live {
        live::stream(shared, asked, page)
    } else {
        match page.document(&shared, &asked).await {
            Some(document) => Html(document).into_response(),
            None => return refused(StatusCode::NOT_FOUND, "there is no such session or request"),
        }
    };
    guarded(response)
}

/// A page that only says what is wrong.
fn refused(status: StatusCode, why: &str) -> Response {
    let document = page::complaint(status, why);
    guarded((status, Html(document)).into_response())
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    // The origin of a form has to be said, so this is not `no-referrer`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response
}
