//! The data port: takes a request in, records it, chooses its fault, executes it, and sends or withholds the answer.
//!
//! Order, and where a refusal stops: read, record, fault (statuses and cuts before execution), authentication 401,
//! body size 413, scope 403, limits 429, path 404 and method 405, idempotency, the operation, faults on the response.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, DATE,
    ORIGIN,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::call::{Call, UploadEnd};
use crate::fault::{Cut, Fault, Kind};
use crate::files::FileOp;
use crate::greeting::greeting;
use crate::journal::{Arrival, Ending, request_id};
use crate::key::{Identity, Unauthorized, credential};
use crate::limiter::{LimitedCall, Shown};
use crate::logical::Logical;
use crate::op::Op;
use crate::options::Auth;
use crate::quota::InProgress;
use crate::receive::receive;
use crate::reply::{Body, Reply};
use crate::routes::{ANY, route, session_in_path};
use crate::stable_hash::stable_hash;
use crate::timestamp::date_header;
use crate::told::Told;
use crate::wire::{Connection, End};
use crate::world::{DEFAULT_SESSION, World, Worlds};
use crate::{endpoints, files, oauth, openapi, play, problem, records, signing};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REGION: HeaderName = HeaderName::from_static("x-mock-region");
const REPLAYED: &str = "idempotency-replayed";
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
/// Without it a browser hides these from the page that asked.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Accept-Patch, Accept-Ranges, Age, Allow, Content-Digest, Content-Length, Content-Range, DPoP-Nonce, Date, ETag, \
     Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, \
     RateLimit-Reset, Repr-Digest, Request-Id, Retry-After, Retry-After-Ms, Server-Timing, Upload-Complete, \
     Upload-Length, Upload-Limit, Upload-Offset, Vary, WWW-Authenticate, Warning, X-Content-Sha256, X-Mock-Region, \
     X-RateLimit-Limit, X-RateLimit-Limit-Day, X-RateLimit-Limit-Hour, X-RateLimit-Limit-Minute, \
     X-RateLimit-Limit-Requests, X-RateLimit-Limit-Second, X-RateLimit-Limit-Tokens, X-RateLimit-Remaining, \
     X-RateLimit-Remaining-Day, X-RateLimit-Remaining-Hour, X-RateLimit-Remaining-Minute, \
     X-RateLimit-Remaining-Requests, X-RateLimit-Remaining-Second, X-RateLimit-Remaining-Tokens, X-RateLimit-Reset, \
     X-RateLimit-Reset-Requests, X-RateLimit-Reset-Tokens, X-RateLimit-Resource, X-RateLimit-Used, X-Should-Retry, \
     traceparent",
);
const MAX_HANG: Duration = Duration::from_secs(60);

/// The connection ends without a response, as planned.
#[derive(Debug)]
pub(crate) struct NoResponse;

impl std::fmt::Display for NoResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection ends without a response")
    }
}

impl std::error::Error for NoResponse {}

/// Serves one request of a connection.
pub(crate) async fn serve(
    worlds: &Worlds,
    connection: &Connection,
    request: Request<Incoming>,
) -> Result<Response<Body>, NoResponse> {
    let received = Instant::now();
    connection.begin();
    let (parts, incoming) = request.into_parts();
    let Some(world) = session_name(&parts).and_then(|name| worlds.world(&name).ok()) else {
        return Ok(invalid_session(parts.uri.path()));
    };
    let op = if is_preflight(&parts) {
        Op::Preflight
    } else {
        route(&parts.method, parts.uri.path()).op
    };
    let at_ns = world.clock.now_ns();
    let upload = receive(incoming, &parts.headers, op, &world).await;
    let credential = credential(&parts.headers, parts.uri.query());
    let mut call = Call {
        world,
        parts,
        op,
        region: connection.region.clone(),
        upload,
        credential,
        signature: None,
        request_id: String::new(),
        received,
    };
    let (seq, logical) = record(&mut call, at_ns, connection.number);
    let _watch = Watch::over(&call.world, seq);
    check_signature(&mut call, seq);
    if call.upload.end == UploadEnd::Broken {
        if is_upload(call.op) {
            // What came of an upload is kept: that is what its offset is for.
            execute(&call, Duration::ZERO).await;
        }
        call.world.journal().ended(seq, Ending::default());
        return Err(NoResponse);
    }
    let fault = match choose_fault(&call, &logical, seq) {
        Ok(fault) => fault,
        Err(problem) => {
            let reply = call.problem(problem);
            return Ok(answer(&call, seq, reply));
        }
    };
    let Some(fault) = fault else {
        let reply = execute(&call, Duration::ZERO).await;
        return Ok(answer(&call, seq, reply));
    };
    play_out(call, seq, fault, connection).await
}

/// Notes in the journal when a client leaves before it has its answer: the task that serves it is dropped then.
struct Watch {
    world: Arc<World>,
    seq: u64,
}

impl Watch {
    fn over(world: &Arc<World>, seq: u64) -> Self {
        Self {
            world: Arc::clone(world),
            seq,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.world.journal().left(self.seq);
    }
}

/// Checks the request's signature, once: its nonce is used up whatever becomes of the request.
fn check_signature(call: &mut Call, seq: u64) {
    call.signature = signing::check(call);
    let verdict = match &call.signature {
        None => return,
        Some(Ok(_)) => "valid",
        Some(Err(flaw)) => flaw.told().0,
    };
    call.world.journal().signed(seq, verdict);
    if let Some(Ok(signer)) = &call.signature
        && signer.in_authorization
    {
        // Another signature with each attempt is the same credential.
        call.credential = Some(signer.keyid.clone());
    }
}

/// Whether what came of a broken body counts.
fn is_upload(op: Op) -> bool {
    matches!(op, Op::File(FileOp::Append | FileOp::Create))
}

/// The session in the path, else in the header, else the default.
fn session_name(parts: &Parts) -> Option<Cow<'_, str>> {
    if let Some(name) = session_in_path(parts.uri.path()) {
        return percent_decode_str(name).decode_utf8().ok();
    }
    match parts.headers.get("x-mock-session") {
        None => Some(DEFAULT_SESSION.into()),
        Some(name) => name.to_str().ok().map(Into::into),
    }
}

/// Enters the request in the journal and gives it its id.
fn record(call: &mut Call, at_ns: u64, connection: u64) -> (u64, Logical) {
    let parts = &call.parts;
    let logical = Logical::of(
        &parts.method,
        &parts.uri,
        &parts.headers,
        &call.upload.bytes,
    );
    let (number, attempt, most) = {
        let mut state = call.world.state();
        state.requests += 1;
        let number = stable_hash(&[
            &state.options.seed.to_le_bytes(),
            &state.requests.to_le_bytes(),
        ]);
        let attempt = state.attempts.next(logical.hash()).seen;
        (number, attempt, state.options.journal_entries)
    };
    let arrival = Arrival {
        received: call.received,
        at_ns,
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body: &call.upload.bytes,
        body_length: call.upload.length,
        body_sha256: call.upload.sha256,
        body_complete: call.upload.end == UploadEnd::Complete,
        credential: call.credential.as_deref(),
        op: call.op,
        connection,
        region: call.region.clone(),
        logical: logical.clone(),
        attempt,
        request_id: number,
    };
    let seq = call.world.journal().record(arrival, most);
    call.request_id = request_id(number);
    (seq, logical)
}

fn choose_fault(
    call: &Call,
    logical: &Logical,
    seq: u64,
) -> Result<Option<Fault>, problem::Problem> {
    let fault = {
        let now_ns = call.world.clock.now_ns();
        let mut state = call.world.state();
        match call.parts.headers.get("x-mock-fault") {
            Some(inline) => state
                .rules
                .inline(&String::from_utf8_lossy(inline.as_bytes()), logical)
                .map_err(|error| {
                    problem::Problem::new(
                        StatusCode::BAD_REQUEST,
                        "invalid_fault",
                        error.to_string(),
                    )
                })?,
            None => {
                let method = call.parts.method.as_str();
                let rules = &mut state.rules;
                let region = call.region.as_deref();
                rules.choose((call.op, method, call.path(), region), logical, now_ns)
            }
        }
    };
    let fault = fault.filter(|fault| !fault.is_none());
    if let Some(fault) = &fault {
        call.world.journal().faulted(seq, &fault.to_string());
    }
    Ok(fault)
}

/// Executes a request, or not, and does to its answer what the fault says.
async fn play_out(
    call: Call,
    seq: u64,
    fault: Fault,
    connection: &Connection,
) -> Result<Response<Body>, NoResponse> {
    match &fault.kind {
        Kind::Status(status) => {
            tokio::time::sleep(fault.latency).await;
            let reply = play::status(&call, status);
            return Ok(answer(&call, seq, reply));
        }
        Kind::Cut {
            how,
            committed: false,
        } => {
            tokio::time::sleep(fault.latency).await;
            call.world.journal().ended(seq, Ending::default());
            connection.end_with(End::Cut(*how));
            return Err(NoResponse);
        }
        Kind::CutUpload { bytes } => {
            tokio::time::sleep(fault.latency).await;
            let kept = usize::try_from(*bytes).unwrap_or(usize::MAX);
            let mut call = call;
            if is_upload(call.op) {
                call.upload.bytes.truncate(kept);
                call.upload.end = UploadEnd::Broken;
                execute(&call, Duration::ZERO).await;
            }
            call.world.journal().ended(seq, Ending::default());
            connection.end_with(End::Cut(Cut::Reset));
            return Err(NoResponse);
        }
        Kind::Garbage => {
            tokio::time::sleep(fault.latency).await;
            call.world.journal().ended(seq, Ending::default());
            connection.end_with(End::Raw(Bytes::from_static(play::GARBAGE)));
            return Err(NoResponse);
        }
        Kind::Hang => {
            tokio::time::sleep(fault.latency + MAX_HANG).await;
            call.world.journal().ended(seq, Ending::default());
            connection.end_with(End::Cut(Cut::Fin));
            return Err(NoResponse);
        }
        _ => {}
    }
    let call = Arc::new(call);
    let mut reply = if fault.latency.is_zero() {
        execute(&call, Duration::ZERO).await
    } else {
        // A gateway goes on with a request whose client has left: its side effect still happens.
        let task = tokio::spawn({
            let call = Arc::clone(&call);
            async move {
                let reply = execute(&call, fault.latency).await;
                call.world.journal().ended(seq, ending(&reply, false));
                reply
            }
        });
        task.await.map_err(|_| NoResponse)?
    };
    let raw = match fault.kind {
        Kind::Cut { how, .. } => {
            call.world.journal().ended(seq, ending(&reply, false));
            connection.end_with(End::Cut(how));
            return Err(NoResponse);
        }
        Kind::CutAfter { how, bytes } => {
            let response = answer(&call, seq, reply);
            connection.cut_after(bytes, how);
            return Ok(response);
        }
        Kind::BadChunk => play::bad_chunk,
        Kind::Short => play::short,
        kind => {
            reply = match kind {
                Kind::Stall { bytes } => play::stall(reply, bytes),
                Kind::BigHeaders => play::big_headers(reply),
                Kind::Drip { pause, size } => play::drip(reply, pause, size),
                Kind::BadGzip => reply.with(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
                Kind::TruncatedGzip => play::truncated_gzip(reply),
                _ => reply,
            };
            return Ok(answer(&call, seq, reply));
        }
    };
    complete(&call, &mut reply);
    call.world.journal().ended(seq, ending(&reply, true));
    connection.end_with(End::Raw(raw(reply)));
    Err(NoResponse)
}

/// Carries a request out.
async fn execute(call: &Call, latency: Duration) -> Reply {
    if let Op::Resource(..) = call.op {
    } else if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match call.op {
        Op::Health => return Reply::json(StatusCode::OK, &json!({ "status": "ok" })),
        Op::OpenApi => return openapi::respond(call),
        Op::Preflight => return preflight(call),
        Op::OAuth(op) => return oauth::respond(call, op).await,
        Op::MethodNotAllowed if is_oauth(call.path()) => return wrong_method(call),
        Op::Unknown if !call.path().starts_with("/v1/") => return unknown_path(call),
        _ => {}
    }
    let identity = match identify(call) {
        Ok(identity) => identity,
        Err(why) => {
            let (problem, challenge) = problem::unauthorized(why);
            let reply = problem::challenged(call.problem(problem), challenge);
            return with_nonce(call, reply);
        }
    };
    if call.upload.end == UploadEnd::TooLarge {
        return too_large(call);
    }
    if let Some(scope) = call.op.scope().filter(|scope| !identity.has(scope)) {
        let (problem, challenge) = problem::insufficient_scope(scope);
        return problem::challenged(call.problem(problem), &challenge);
    }
    let admitted = match admit(call, &identity) {
        Ok(admitted) => admitted,
        Err(reply) => return *reply,
    };
    let mut reply = with_nonce(call, operate(call, &identity, latency).await);
    if let Some((headers, in_progress)) = admitted {
        reply.headers.extend(headers);
        reply.body.hold(Some(in_progress));
    }
    reply
}

/// The nonce for the next proof, where the session wants one (RFC 9449, section 8.2).
fn with_nonce(call: &Call, reply: Reply) -> Reply {
    if !call.parts.headers.contains_key("dpop") {
        return reply;
    }
    let options = Arc::clone(&call.world.state().options);
    if !options.oauth.dpop_nonce {
        return reply;
    }
    let nonce = oauth::nonce(options.seed, call.world.clock.now_ns());
    reply.with_text(oauth::DPOP_NONCE, nonce)
}

fn identify(call: &Call) -> Result<Identity, Unauthorized> {
    match &call.signature {
        Some(Err(flaw)) => return Err(Unauthorized::Signature(*flaw)),
        Some(Ok(signer)) if signer.in_authorization || call.credential.is_none() => {
            return Ok(signer.identity.clone());
        }
        _ => {}
    }
    let mut guard = call.world.state();
    let state = &mut *guard;
    match &call.credential {
        Some(token) if token.starts_with("oat_") => {
            let access = oauth::holder(state, call, token)?;
            Ok(Identity {
                tenant: access.grant.tenant,
                tier: access.grant.tier,
                readonly: false,
                granted: Some(access.grant.scopes),
            })
        }
        Some(key) => state.tokens.identify(key, call.world.clock.now_ns()),
        None if state.options.auth == Auth::Off => Ok(Identity::anonymous()),
        None => Err(Unauthorized::Missing),
    }
}

type Admitted = Option<(http::HeaderMap, InProgress)>;

/// Lets a call in by its tenant's limits; the headers say what is left of them.
fn admit(call: &Call, identity: &Identity) -> Result<Admitted, Box<Reply>> {
    if identity.tier == crate::tier::Tier::Unlimited {
        return Ok(None);
    }
    let now_ns = call.world.clock.now_ns();
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let tenant = state
        .tenant(&identity.tenant)
        .map_err(|_| Box::new(call.problem(records::too_many_tenants())))?;
    let Some(limiter) = tenant.limiter(identity.tier, &options) else {
        return Ok(None);
    };
    let limited = LimitedCall {
        op: call.op.name(),
        path: call.path(),
        tenant: &identity.tenant,
        credential: call.credential.as_deref().unwrap_or_default(),
        body_bytes: call.upload.length,
        tokens: call.number_in_header("x-mock-tokens"),
    };
    let shown = Shown {
        partition_keys: options.partition_keys,
        concurrency: options.announce_concurrency,
    };
    let (report, admitted) = limiter.admit(now_ns, &limited, shown);
    drop(guard);
    let mut headers = http::HeaderMap::new();
    options.dialect.write(&mut headers, &report, now_ns);
    match admitted {
        Ok(in_progress) => Ok(Some((headers, in_progress))),
        Err(refusal) => {
            let mut reply = call.problem(problem::quota_exceeded(&refusal));
            reply.headers.extend(headers);
            options
                .retry_after
                .write(&mut reply.headers, refusal.wait_ns, now_ns);
            Err(Box::new(reply))
        }
    }
}

async fn operate(call: &Call, identity: &Identity, latency: Duration) -> Reply {
    let replied = match call.op {
        Op::Resource(kind, action) => {
            return records::respond(call, kind, action, identity, latency).await;
        }
        Op::Whoami => return endpoints::whoami(identity),
        Op::Echo => return endpoints::echo(call),
        Op::File(op) => return files::respond(call, op, identity),
        Op::Greeting => return greeting(call),
        Op::Sink => return endpoints::sink(call),
        Op::Bytes => endpoints::bytes(call).await,
        Op::Delay => endpoints::delay(call).await,
        Op::Drip => endpoints::drip(call),
        Op::Lines => endpoints::lines(call),
        Op::Ticks => endpoints::ticks(call),
        Op::Redirect => endpoints::redirect(call),
        Op::MethodNotAllowed => return wrong_method(call),
        Op::Health | Op::OAuth(_) | Op::OpenApi | Op::Preflight | Op::Unknown => {
            return unknown_path(call);
        }
    };
    replied.unwrap_or_else(|problem| call.problem(problem))
}

/// The authorization server asks for no key, not even to say what is wrong with a method.
fn is_oauth(path: &str) -> bool {
    path.starts_with("/oauth/") || path.starts_with("/.well-known/")
}

fn wrong_method(call: &Call) -> Reply {
    let (problem, allow) =
        problem::method_not_allowed(call.parts.method.as_str(), call.route().allow);
    problem::allowing(call.problem(problem), allow)
}

fn unknown_path(call: &Call) -> Reply {
    call.problem(problem::not_found(format!(
        "there is nothing at {}",
        call.path()
    )))
}

fn too_large(call: &Call) -> Reply {
    let most = call.world.state().options.max_body_bytes;
    call.problem(
        problem::Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("a body has at most {most} bytes here"),
        )
        .with_member("max_body_bytes", most),
    )
}

/// Whether a browser asks if a page of another origin may send a request (Fetch standard, CORS-preflight fetch).
fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Every path and method may be asked for, so that a page sees a 404 or 405 as any other caller does.
fn preflight(call: &Call) -> Reply {
    let reply = Reply::new(StatusCode::NO_CONTENT);
    if !is_preflight(&call.parts) {
        let reply = reply.with(ALLOW, HeaderValue::from_static(call.route().allow));
        return match call.path() {
            "/v1/files" => files::with_upload_options(call, reply),
            _ => reply,
        };
    }
    let mut reply = reply.with(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ANY));
    // Without this header it would be five seconds.
    let direct = call.world.state().options.direct_pages;
    let remembered = if direct { "0" } else { "600" };
    reply
        .headers
        .insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(remembered));
    if let Some(asked) = call.parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        reply
            .headers
            .insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    reply
}

fn ending(reply: &Reply, sent: bool) -> Ending {
    let status = reply.status.as_u16();
    Ending {
        status: sent.then_some(status),
        outcome: Some(status),
        committed: reply.committed,
        replayed: reply.headers.contains_key(REPLAYED),
        told: if sent {
            Told::by(&reply.headers)
        } else {
            Told::default()
        },
    }
}

/// Completes the headers and the journal, in this order before the first byte is sent.
fn answer(call: &Call, seq: u64, mut reply: Reply) -> Response<Body> {
    complete(call, &mut reply);
    call.world.journal().ended(seq, ending(&reply, true));
    into_response(reply)
}

/// Adds the headers every response has.
fn complete(call: &Call, reply: &mut Reply) {
    let headers = &mut reply.headers;
    if let Ok(value) = HeaderValue::try_from(call.request_id.as_str()) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(region) = &call.region
        && let Ok(value) = HeaderValue::from_str(region)
    {
        headers.insert(REGION, value);
    }
    headers.insert(DATE, date_header(call.world.clock.now_ns()));
    let micros = call.received.elapsed().as_micros();
    let timing = format!("gw;dur={}.{:03}", micros / 1_000, micros % 1_000);
    if let Ok(value) = HeaderValue::try_from(timing) {
        headers.insert(SERVER_TIMING, value);
    }
    if let Some(traceparent) = call
        .parts
        .headers
        .get(TRACEPARENT)
        .filter(|value| value.len() <= 128)
    {
        headers.insert(TRACEPARENT, traceparent.clone());
    }
    let of_page = call.parts.headers.contains_key(ORIGIN);
    if of_page {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if call.world.state().options.direct_pages {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    let rules = call.world.state().options.response_headers.clone();
    let about = (call.op, call.parts.method.as_str(), call.path());
    for rule in rules.iter() {
        let status = reply.status.as_u16();
        let applies = rule.apply(about, status, headers, call.world.clock.now_ns());
        // Fields that are no secret: whoever sets them wants pages to see them.
        if applies
            && of_page
            && let Ok(names) = HeaderValue::try_from(rule.names().join(", "))
        {
            headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
    }
}

fn into_response(reply: Reply) -> Response<Body> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// The one answer that belongs to no session.
fn invalid_session(path: &str) -> Response<Body> {
    let problem = problem::Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_session",
        "X-Mock-Session must be 1 to 128 visible ASCII characters",
    );
    into_response(problem.reply(path, "req_none"))
}
