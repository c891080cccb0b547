//! `GET /v1/greeting`: one text in four languages, chosen by `Accept-Language` (RFC 9110, section 12.5.4).

use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::call::Call;
use crate::records::listed;
use crate::reply::Reply;

const TEXTS: [(&str, &str); 4] = [
    ("en", "Good day"),
    ("de", "Guten Tag"),
    ("fr", "Bonjour"),
    ("ja", "こんにちは"),
];

/// The text in the language wanted most, English when none of them is known; with `Vary` and an entity tag of its own.
pub(crate) fn greeting(call: &Call) -> Reply {
    let headers = &call.parts.headers;
    let mut best = ("en", "Good day", 0_u16);
    for wanted in listed(headers, &ACCEPT_LANGUAGE) {
        let (range, quality) = match wanted.split_once(";q=") {
            Some((range, quality)) => (range.trim(), thousandths(quality)),
            None => (wanted, 1_000),
        };
        let primary = range.split('-').next().unwrap_or(range);
        let known = TEXTS
            .iter()
            .find(|(language, _)| language.eq_ignore_ascii_case(primary));
        if let Some((language, text)) = known
            && quality > best.2
        {
            best = (*language, *text, quality);
        }
    }
    let (language, text, _) = best;
    let etag = format!("\"greeting-{language}\"");
    let fresh = listed(headers, &IF_NONE_MATCH).any(|tag| tag == "*" || tag == etag);
    let reply = if fresh {
        Reply::new(StatusCode::NOT_MODIFIED)
    } else {
        Reply::json(
            StatusCode::OK,
            &json!({ "language": language, "text": text }),
        )
    };
    reply
        .with_text(ETAG, etag)
        .with_text(CONTENT_LANGUAGE, language)
        .with(VARY, HeaderValue::from_static("Accept-Language"))
}

/// A quality of 0 to 1 with up to three decimals; what is none counts as 0.
fn thousandths(quality: &str) -> u16 {
    let quality: f32 = quality.trim().parse().unwrap_or(0.0);
    // Within 0 to 1000 by the clamp; NaN becomes 0.
    (quality.clamp(0.0, 1.0) * 1_000.0) as u16
}
