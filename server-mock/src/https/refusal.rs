//! What a plain port answers when only HTTPS is served.
//!
//! An API call is refused with 403 and never redirected: its credential has been sent in clear, and a redirect would hide
//! that from whoever wrote the client. (426 is not it: it asks for `Upgrade` on this very connection, RFC 9110, section
//! 15.5.22.) A page that a browser opens has no credential yet, so it is sent on, with 307, which no browser keeps.

use http::header::{CONNECTION, LOCATION};
use http::{HeaderValue, Method, StatusCode};

use crate::call::Call;
use crate::oauth::OAuthOp;
use crate::op::Op;
use crate::problem::Problem;
use crate::reply::Reply;

/// The answer in place of the one asked for; none where the port serves the request.
pub(crate) fn refusal(call: &Call) -> Option<Reply> {
    let port = call.via.must_use()?;
    if call.op == Op::Health {
        return None;
    }
    let host = call.header("host").unwrap_or(b"localhost");
    let host = String::from_utf8_lossy(host);
    let name = match host.rsplit_once(':') {
        Some((name, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => &host,
    };
    let origin = format!("https://{name}:{port}");
    if is_page(call) {
        let path = call
            .parts
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let to = format!("{origin}{path}");
        return Some(Reply::new(StatusCode::TEMPORARY_REDIRECT).with_text(LOCATION, to));
    }
    let sent = if call.credential.is_some() {
        " The credential of this request has been sent in clear: take it as known to others."
    } else {
        ""
    };
    let problem = Problem::new(
        StatusCode::FORBIDDEN,
        "https_required",
        format!("this gateway serves API calls over HTTPS only: {origin}.{sent}"),
    )
    .with_member("https_url", origin);
    let reply = call.problem(problem);
    Some(reply.with(CONNECTION, HeaderValue::from_static("close")))
}

/// Whether a browser opens a page, without a credential.
fn is_page(call: &Call) -> bool {
    let reads = call.parts.method == Method::GET || call.parts.method == Method::HEAD;
    let page = matches!(
        call.op,
        Op::Docs | Op::Login(_) | Op::OAuth(OAuthOp::Authorize | OAuthOp::Device) | Op::Unknown
    );
    let accept = String::from_utf8_lossy(call.header("accept").unwrap_or_default());
    reads && page && call.credential.is_none() && accept.contains("text/html")
}
