//! The admin port: everything a test sets and reads, as JSON; the session is `?session=ID`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault_rules::FaultRule;
use crate::gateway::Shared;
use crate::options::OptionsChange;
use crate::session::{Refused, Session};
use crate::tier::Tier;
use crate::world::{DEFAULT_SESSION, NoWorld, is_session_name};

mod bus;
mod guard;
mod integrations;
mod kept;
mod oauth;
mod regions;
mod snapshot;
mod telemetry;
mod upstreams;
mod verdict;
mod webhooks;

pub(crate) use webhooks::example_of;

type Answer = Result<Response, AdminError>;

/// Builds the admin port's routes; `own` is the address they are served on.
pub(crate) fn router(shared: Arc<Shared>, own: SocketAddr) -> Router {
    Router::new()
        .route("/admin/health", get(health))
        .route(
            "/admin/sessions",
            get(sessions).post(create_session).delete(forget_sessions),
        )
        .route("/admin/reset", post(reset))
        .route("/admin/session", get(options).post(set_options))
        .route("/admin/clock", get(clock).post(set_clock))
        .route(
            "/admin/faults",
            get(faults)
                .put(set_faults)
                .post(add_faults)
                .delete(clear_faults),
        )
        .route("/admin/journal", get(journal).delete(clear_journal))
        .route("/admin/effects", get(effects))
        .route("/admin/limits", get(limits))
        .route("/admin/files/change", post(change_file))
        .route("/admin/tokens", post(mint_token))
        .merge(bus::routes())
        .merge(integrations::routes())
        .merge(oauth::routes())
        .merge(regions::routes())
        .merge(snapshot::routes())
        .merge(upstreams::routes())
        .merge(verdict::routes())
        .merge(telemetry::routes())
        .merge(webhooks::routes())
        .merge(crate::dashboard::routes())
        .route(
            "/admin/{*rest}",
            delete(nothing_here).fallback(nothing_here),
        )
        .fallback(static_file)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&shared),
            kept::settled,
        ))
        .layer(axum::middleware::from_fn(move |request, next| {
            guard::check(own, request, next)
        }))
        .with_state(shared)
}

/// A refusal, as problem details.
struct AdminError {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = (self.status, axum::Json(body)).into_response();
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, crate::problem::PROBLEM_JSON);
        response
    }
}

impl From<Refused> for AdminError {
    fn from(refused: Refused) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "refused",
            detail: refused.0,
        }
    }
}

/// Which session a call is about, and what it asks of lists.
#[derive(Deserialize)]
struct About {
    session: Option<String>,
    op: Option<String>,
    since: Option<u64>,
    limit: Option<usize>,
    id: Option<String>,
    name: Option<String>,
}

impl About {
    fn session(&self, shared: &Shared) -> Result<Session, AdminError> {
        let name = self.session.as_deref().unwrap_or(DEFAULT_SESSION);
        let world = shared.worlds.world(name).map_err(|why| match why {
            NoWorld::InvalidName => AdminError {
                status: StatusCode::BAD_REQUEST,
                code: "invalid_session",
                detail: "session must be 1 to 128 visible ASCII characters".into(),
            },
            NoWorld::Unreadable(trouble) => kept::failed(&trouble),
        })?;
        Ok(Session { world })
    }
}

type Gateway = State<Arc<Shared>>;

/// The body as JSON of one shape, whatever its content type; an empty body is `{}`.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, AdminError> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| AdminError {
        status: StatusCode::BAD_REQUEST,
        code: "malformed_json",
        detail: error.to_string(),
    })
}

fn show(value: impl serde::Serialize) -> Answer {
    Ok(axum::Json(value).into_response())
}

async fn nothing_here() -> Answer {
    Err(AdminError {
        status: StatusCode::NOT_FOUND,
        code: "not_found",
        detail: "there is nothing here; see docs/gateway.md".into(),
    })
}

/// What is not the gateway's own may be a file of a page.
async fn static_file(
    State(shared): Gateway,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    let file = shared.static_files.answer(&method, uri.path(), &headers);
    match file.await {
        Some(file) => Ok(file),
        None if uri.path() == "/" => Ok(Redirect::to("/dashboard").into_response()),
        None => nothing_here().await,
    }
}

async fn health(State(shared): Gateway) -> Answer {
    show(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_ms": shared.started.elapsed().as_millis() as u64,
        "sessions": shared.worlds.all().len(),
        "url": format!("http://{}", shared.data),
    }))
}

async fn sessions(State(shared): Gateway) -> Answer {
    let sessions: Vec<Value> = shared
        .worlds
        .all()
        .into_iter()
        .map(|world| {
            let session = Session { world };
            let clock = session.clock();
            json!({
                "id": session.name(),
                "now_ms": clock.now_ms,
                "frozen": clock.frozen,
                "requests": session.world.journal().last_seq(),
            })
        })
        .collect();
    show(json!({ "sessions": sessions }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSession {
    id: String,
    options: Option<OptionsChange>,
}

async fn create_session(State(shared): Gateway, body: Bytes) -> Answer {
    let new: NewSession = read(&body)?;
    let about = About {
        session: Some(new.id),
        op: None,
        since: None,
        limit: None,
        id: None,
        name: None,
    };
    let session = about.session(&shared)?;
    if let Some(change) = new.options {
        session.set(change)?;
    }
    let shown = json!({ "id": session.name(), "options": session.options() });
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// Forgets one session, or all when none is named.
async fn forget_sessions(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let forgotten = match &about.session {
        Some(name) if is_session_name(name) => usize::from(shared.worlds.forget(name)),
        Some(_) => 0,
        None => shared.worlds.forget_all(),
    };
    show(json!({ "forgotten": forgotten }))
}

async fn reset(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    session.reset();
    show(json!({ "id": session.name(), "reset": true }))
}

async fn options(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(about.session(&shared)?.options())
}

async fn set_options(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    show(about.session(&shared)?.set(read(&body)?)?)
}

async fn clock(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show(about.session(&shared)?.clock())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    #[serde(default)]
    freeze: bool,
    #[serde(default)]
    resume: bool,
    advance_ms: Option<u64>,
    advance_to_ms: Option<u64>,
    #[serde(default)]
    run_until_idle: bool,
}

/// Freezes first, then moves, then resumes; several may be asked for at once.
async fn set_clock(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let change: ClockChange = read(&body)?;
    if change.freeze {
        session.freeze();
    }
    if let Some(ms) = change.advance_ms {
        session.advance(Duration::from_millis(ms)).await;
    }
    if let Some(ms) = change.advance_to_ms {
        session.advance_to(ms).await;
    }
    if change.run_until_idle {
        session.run_until_idle().await;
    }
    if change.resume {
        session.resume();
    }
    show(session.clock())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    rules: Vec<FaultRule>,
}

fn show_faults(session: &Session) -> Answer {
    show(json!({ "rules": session.faults() }))
}

async fn faults(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    show_faults(&about.session(&shared)?)
}

async fn set_faults(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    session.set_faults(read::<Rules>(&body)?.rules)?;
    show_faults(&session)
}

async fn add_faults(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    session.add_faults(read::<Rules>(&body)?.rules)?;
    show_faults(&session)
}

async fn clear_faults(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    match &about.name {
        Some(name) => session.clear_faults_named(name),
        None => session.clear_faults(),
    }
    show_faults(&session)
}

async fn journal(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    let (entries, last_seq) = {
        let journal = session.world.journal();
        let limit = about.limit.unwrap_or(usize::MAX);
        let entries = journal.after(about.since.unwrap_or(0), about.op.as_deref(), limit);
        (entries, journal.last_seq())
    };
    show(json!({ "entries": entries, "last_seq": last_seq }))
}

async fn clear_journal(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    about.session(&shared)?.clear_journal();
    show(json!({ "cleared": true }))
}

/// The side effects of one operation, or of all that had some.
async fn effects(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    match &about.op {
        Some(op) => show(session.effects(op)),
        None => {
            let all: Vec<_> = session
                .operations_with_effects()
                .into_iter()
                .map(|op| session.effects(op))
                .collect();
            show(json!({ "operations": all }))
        }
    }
}

async fn limits(State(shared): Gateway, Query(about): Query<About>) -> Answer {
    let session = about.session(&shared)?;
    let store = session.world.surroundings.shared_limits.as_ref();
    session.world.look_at_shared_limits(usize::MAX).await;
    show(json!({ "tenants": session.limits(), "store": store.map(|store| store.state()) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedFile {
    id: String,
}

async fn change_file(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let changed: ChangedFile = read(&body)?;
    session.change_file(&changed.id);
    show(json!({ "changed": changed.id }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    tier: Tier,
    tenant: String,
    ttl_ms: u64,
}

async fn mint_token(State(shared): Gateway, Query(about): Query<About>, body: Bytes) -> Answer {
    let session = about.session(&shared)?;
    let new: NewToken = read(&body)?;
    let token = session.mint_token(new.tier, &new.tenant, Duration::from_millis(new.ttl_ms))?;
    Ok((StatusCode::CREATED, axum::Json(token)).into_response())
}
