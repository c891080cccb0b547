//! The verdict over the admin port: as JSON, as text, as a page; and the normalised journal. A session that ends in `*` means all that begin so.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

use super::{About, AdminError, Answer, Gateway, show};
use crate::gateway::Shared;
use crate::session::Session;
use crate::verdict::Verdict;

/// The page has a style of its own and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

/// Who asks right after a client gave up asks before it is noticed that the client left. So long the verdict waits for the
/// ends of requests.
const PATIENCE: Duration = Duration::from_millis(250);

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/journal/normalised", get(journal))
        .route("/admin/verdict", get(verdict))
        .route("/admin/verdict.txt", get(text))
        .route("/admin/verdict.html", get(page))
}

async fn verdict(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(judged(&shared, &about).await?)
}

async fn journal(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let entries = about.session(&shared)?.normalised_journal();
    show(serde_json::json!({ "entries": entries }))
}

async fn judged(shared: &Shared, about: &About) -> Result<Verdict, AdminError> {
    let Some(prefix) = about
        .session
        .as_deref()
        .and_then(|name| name.strip_suffix('*'))
    else {
        let session = about.session(shared)?;
        session.quiet(PATIENCE).await;
        return Ok(session.verdict());
    };
    let worlds = shared.worlds.all().into_iter();
    let sessions: Vec<Session> = worlds
        .filter(|world| world.name.starts_with(prefix))
        .map(|world| Session { world })
        .collect();
    let all_quiet = async {
        for session in &sessions {
            session.quiet(PATIENCE).await;
        }
    };
    // Together they wait no longer than one.
    let _some_are_busy = tokio::time::timeout(PATIENCE, all_quiet).await;
    let verdicts = sessions.iter().map(Session::verdict).collect();
    Ok(Verdict::of_all(&format!("{prefix}*"), verdicts))
}

/// With the calls that were not all right; `name=calls` lists all.
async fn text(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let all = about.name.as_deref() == Some("calls");
    let text = judged(&shared, &about).await?.to_text(all);
    Ok(typed("text/plain; charset=utf-8", text))
}

async fn page(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let page = judged(&shared, &about).await?.to_html();
    let mut response = typed("text/html; charset=utf-8", page);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    Ok(response)
}

fn typed(kind: &'static str, body: String) -> Response {
    const OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");
    let kind = HeaderValue::from_static(kind);
    let nosniff = HeaderValue::from_static("nosniff");
    ([(CONTENT_TYPE, kind), (OPTIONS, nosniff)], body).into_response()
}
