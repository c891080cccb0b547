//! Sends a call on to its upstream, and its answer back, as it comes.
//!
//! Neither side's connection headers cross (RFC 9110, section 7.6.1), nor does the gateway's own credential. No redirect is followed and
//! nothing is retried: both are the client's. A caller that leaves ends the upstream's request.

use std::io;
use std::time::Duration;

use gatewright_engine::breaker::Trouble;
use gatewright_engine::retry::FailureClass;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, DATE, HOST, HeaderMap, HeaderName, HeaderValue,
    SERVER, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use super::{Held, Passage, Upstream};
use crate::call::Call;
use crate::client::deepest;
use crate::clock::NS;
use crate::problem::{Problem, REDUCED_CAPACITY};
use crate::reply::{Body, Reply};
use crate::world::Surroundings;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const OWN: HeaderValue = HeaderValue::from_static("1.1 gatewright-gateway");

/// The answer of the upstream that a call's path names.
pub(crate) async fn respond(call: &Call) -> Reply {
    match answer(call).await {
        Ok(reply) => reply,
        Err(failed) => {
            let (problem, wait_ns) = *failed;
            let mut reply = call.problem(problem);
            if let Some(wait_ns) = wait_ns {
                let options = call.world.state().options.clone();
                options
                    .retry_after
                    .write(&mut reply.headers, wait_ns, call.world.clock.now_ns());
            }
            reply
        }
    }
}

type Failed = Box<(Problem, Option<u64>)>;

fn failed(status: StatusCode, code: &str, detail: String) -> Failed {
    Box::new((Problem::new(status, code, detail), None))
}

async fn answer(call: &Call) -> Result<Reply, Failed> {
    let (name, rest) = named(call.path());
    let options = call.world.state().options.clone();
    let Some(upstream) = options.upstreams.iter().find(|known| known.name == name) else {
        let detail =
            format!("there is no upstream {name:?}; set it with the session's option `upstreams`");
        return Err(failed(StatusCode::NOT_FOUND, "upstream_unknown", detail));
    };
    let url = upstream
        .url_of(rest, call.parts.uri.query())
        .map_err(|why| {
            failed(
                StatusCode::BAD_REQUEST,
                "upstream_path",
                format!("{name}: {why}"),
            )
        })?;
    if is_own(&url, &call.world.surroundings) {
        let detail = format!("{name} is this gateway itself");
        return Err(failed(StatusCode::BAD_GATEWAY, "upstream_loop", detail));
    }
    let client = call
        .world
        .surroundings
        .client
        .pooled()
        .map_err(|why| failed(StatusCode::BAD_GATEWAY, "upstream_unreachable", why))?;
    let passage = call
        .world
        .pass_upstream(upstream)
        .map_err(|held| refused(name, held))?;
    let timeout = Duration::from_millis(upstream.timeout_ms);
    let request = client
        .request(call.parts.method.clone(), url)
        .headers(request_headers(call, upstream))
        .body(call.upload.bytes.clone());
    match tokio::time::timeout(timeout, request.send()).await {
        Err(_) => {
            passage.failed(Trouble::Failed(FailureClass::Timeout));
            let detail = format!("{name} has not answered within {} ms", upstream.timeout_ms);
            Err(failed(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                detail,
            ))
        }
        Ok(Err(error)) => {
            let class = if error.is_connect() {
                FailureClass::Connect
            } else {
                FailureClass::ConnectionLost
            };
            passage.failed(Trouble::Failed(class));
            Err(failed(
                StatusCode::BAD_GATEWAY,
                "upstream_unreachable",
                unreachable(name, error),
            ))
        }
        Ok(Ok(response)) => Ok(relay(call, response, passage, timeout)),
    }
}

/// The upstream's name, and what follows it.
fn named(path: &str) -> (&str, &str) {
    let path = path.strip_prefix("/upstream/").unwrap_or_default();
    path.split_once('/').unwrap_or((path, ""))
}

fn is_own(url: &url::Url, surroundings: &Surroundings) -> bool {
    let is_loopback = url.host_str().is_some_and(|host| {
        host == "localhost" || host == "[::1]" || host.starts_with("127.") || host == "0.0.0.0"
    });
    let port = url.port_or_known_default().unwrap_or(0);
    is_loopback && surroundings.own_ports().contains(&port)
}

fn refused(name: &str, held: Held) -> Failed {
    let (code, detail, wait_ns) = match held {
        Held::Open { wait_ns, why } => {
            let wait = wait_ns.div_ceil(NS);
            let detail = format!("{name} is left alone for {wait} s more: {why}");
            ("upstream_open", detail, wait_ns)
        }
        Held::Unhealthy { why, wait_ns } => (
            "upstream_unhealthy",
            format!("{name} does not pass its health check: {why}"),
            wait_ns,
        ),
    };
    let problem =
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).of_type(REDUCED_CAPACITY, None);
    Box::new((problem, Some(wait_ns)))
}

/// What went wrong, without the URL: the caller need not know where upstreams are.
fn unreachable(name: &str, error: reqwest::Error) -> String {
    format!(
        "{name} cannot be reached: {}",
        deepest(&error.without_url())
    )
}

fn request_headers(call: &Call, upstream: &Upstream) -> HeaderMap {
    let from = &call.parts.headers;
    let mut headers = HeaderMap::with_capacity(from.len() + 4);
    let named = named_by_connection(from);
    for (name, value) in from {
        let own = !upstream.forward_authorization && (name == AUTHORIZATION || name == "x-api-key");
        let of_gateway =
            name.as_str().starts_with("x-mock-") || name == HOST || name == CONTENT_LENGTH;
        if !own && !of_gateway && !is_of_hop(name) && !named.contains(name) {
            headers.append(name, value.clone());
        }
    }
    if let Some(host) = from.get(HOST) {
        headers.insert(FORWARDED_HOST, host.clone());
    }
    headers.insert(
        FORWARDED_PROTO,
        HeaderValue::from_static(if call.origin().starts_with("https:") {
            "https"
        } else {
            "http"
        }),
    );
    headers.append(FORWARDED_FOR, HeaderValue::from_static("127.0.0.1"));
    headers.append(VIA, OWN);
    headers.extend(upstream.own_headers());
    headers
}

fn relay(call: &Call, response: reqwest::Response, passage: Passage, timeout: Duration) -> Reply {
    let status = response.status();
    if status.is_server_error() {
        passage.failed(Trouble::Status(status.as_u16()));
    } else {
        passage.succeeded();
    }
    let mut reply = Reply::new(status);
    let named = named_by_connection(response.headers());
    for (name, value) in response.headers() {
        // The gateway says these itself.
        let of_gateway = name == DATE || name == SERVER || name == CONTENT_LENGTH;
        if !of_gateway && !is_of_hop(name) && !named.contains(name) {
            reply.headers.append(name, value.clone());
        }
    }
    reply.headers.append(VIA, OWN);
    if call.parts.method == Method::HEAD {
        return reply;
    }
    let body: reqwest::Body = response.into();
    let body = body.map_err(io::Error::other);
    reply.with_body(Body::relayed(body, timeout))
}

/// Headers of one connection only (RFC 9110, section 7.6.1).
fn is_of_hop(name: &HeaderName) -> bool {
    [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name)
        || [
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
        ]
        .contains(&name.as_str())
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}
