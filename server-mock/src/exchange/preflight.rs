//! Preflights of browsers, and `OPTIONS` of everybody else.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use crate::call::Call;
use crate::files;
use crate::reply::Reply;
use crate::routes::ANY;

/// Whether a browser asks if a page of another origin may send a request (Fetch standard, CORS-preflight fetch).
pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Every path and method may be asked for, so that a page sees a 404 or 405 as any other caller does.
pub(super) fn preflight(call: &Call) -> Reply {
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
