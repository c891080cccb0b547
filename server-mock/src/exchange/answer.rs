//! The headers every response has, and its end in the journal.

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONNECTION, DATE,
    ORIGIN, STRICT_TRANSPORT_SECURITY,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::api_version;
use crate::call::Call;
use crate::durable::Trouble;
use crate::journal::Ending;
use crate::problem;
use crate::reply::{Body, Reply};
use crate::timestamp::date_header;
use crate::told::Told;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REGION: HeaderName = HeaderName::from_static("x-mock-region");
const REPLAYED: &str = "idempotency-replayed";
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
/// Without it a browser hides these from the page that asked.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Accept-Patch, Accept-Ranges, Age, Allow, Api-Version, Content-Digest, Content-Length, Content-Range, DPoP-Nonce, Date, Deprecation, ETag, \
     Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, \
     RateLimit-Reset, Repr-Digest, Request-Id, Retry-After, Retry-After-Ms, Server-Timing, Sunset, Upload-Complete, \
     Upload-Length, Upload-Limit, Upload-Offset, Vary, WWW-Authenticate, Warning, X-Content-Sha256, X-Mock-Limits, \
     X-Mock-Region, \
     X-RateLimit-Limit, X-RateLimit-Limit-Day, X-RateLimit-Limit-Hour, X-RateLimit-Limit-Minute, \
     X-RateLimit-Limit-Requests, X-RateLimit-Limit-Second, X-RateLimit-Limit-Tokens, X-RateLimit-Remaining, \
     X-RateLimit-Remaining-Day, X-RateLimit-Remaining-Hour, X-RateLimit-Remaining-Minute, \
     X-RateLimit-Remaining-Requests, X-RateLimit-Remaining-Second, X-RateLimit-Remaining-Tokens, X-RateLimit-Reset, \
     X-RateLimit-Reset-Requests, X-RateLimit-Reset-Tokens, X-RateLimit-Resource, X-RateLimit-Used, X-Should-Retry, \
     traceparent",
);

pub(super) fn ending(reply: &Reply, sent: bool) -> Ending {
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
pub(super) fn answer(call: &Call, seq: u64, mut reply: Reply) -> Response<Body> {
    complete(call, &mut reply);
    call.ended(seq, ending(&reply, true));
    into_response(reply)
}

/// Adds the headers every response has.
pub(super) fn complete(call: &Call, reply: &mut Reply) {
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
    // Only over HTTPS (RFC 6797, section 7.2).
    if let Some(server) = call.via.tls()
        && let Ok(value) = HeaderValue::from_str(server.hsts())
    {
        headers.insert(STRICT_TRANSPORT_SECURITY, value);
    }
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
    api_version::announce(call, headers);
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

pub(super) fn into_response(reply: Reply) -> Response<Body> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// The answer for a session whose rows cannot be read.
pub(super) fn unreadable_session(trouble: &Trouble, path: &str) -> Response<Body> {
    into_response(trouble.problem().reply(path, "req_none"))
}

/// The one answer that belongs to no session.
pub(super) fn invalid_session(path: &str) -> Response<Body> {
    let problem = problem::Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_session",
        "X-Mock-Session must be 1 to 128 visible ASCII characters",
    );
    into_response(problem.reply(path, "req_none"))
}
