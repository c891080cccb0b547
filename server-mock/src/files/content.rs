//! Downloads: one range of bytes (RFC 9110, section 14) under conditions (section 13), with a digest (RFC 9530).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderValue, StatusCode};

use super::export::MAX_PAUSE_MS;
use super::source::{Slice, Source};
use super::{REPR_DIGEST, no_file};
use crate::call::Call;
use crate::key::Identity;
use crate::parameter::whole;
use crate::problem::Problem;
use crate::records::listed;
use crate::reply::{Body, Reply};

/// Bytes of a piece.
pub(super) const MAX_CHUNK: u64 = 1 << 20;

pub(super) fn content(call: &Call, identity: &Identity) -> Result<Reply, Problem> {
    let id = call.route().argument;
    let number = |name: &str, default: u64, most: u64| match call.parameter(name) {
        None => Ok(default),
        Some(text) => whole(name, &text, &(0..=most)),
    };
    let chunk = number("chunk", 16 * 1024, MAX_CHUNK)?.max(1);
    let pause = number("interval_ms", 0, MAX_PAUSE_MS)?;
    let found = call.world.state().files.source(&identity.tenant, id);
    let (source, kind, etag) = found.ok_or_else(|| no_file(id))?;
    let headers = &call.parts.headers;
    let tag = etag.as_bytes();
    if headers.contains_key(IF_MATCH)
        && !listed(headers, &IF_MATCH).any(|t| t == "*" || t.as_bytes() == tag)
    {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "the file has changed since",
        ));
    }
    if listed(headers, &IF_NONE_MATCH)
        .any(|t| t == "*" || t.trim_start_matches("W/").as_bytes() == tag)
    {
        return Ok(Reply::new(StatusCode::NOT_MODIFIED).with(ETAG, etag));
    }
    let size = source.size();
    let same = headers
        .get(IF_RANGE)
        .is_none_or(|value| value.as_bytes() == tag);
    let range = headers
        .get(RANGE)
        .filter(|_| same)
        .and_then(|value| span(value.to_str().ok()?, size));
    let (status, from, to) = match range {
        None => (StatusCode::OK, 0, size),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                format!("the file has {size} bytes"),
            );
            return Ok(call
                .problem(problem)
                .with_text(CONTENT_RANGE, format!("bytes */{size}"))
                .with(ETAG, etag));
        }
    };
    let wanted = call.parts.headers.contains_key("want-repr-digest");
    let hash =
        (wanted || matches!(source, Source::Held(_))).then(|| STANDARD.encode(source.hash()));
    let pieces = Slice::new(source, from, to, chunk);
    let body = if pause == 0 {
        Body::pieces(pieces)
    } else {
        Body::paced(pieces, Duration::from_millis(pause))
    };
    let mut reply = Reply::new(status)
        .with(CONTENT_TYPE, kind)
        .with(ETAG, etag)
        .with(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        .with_body(body);
    if let Some(hash) = hash {
        reply = reply.with_text(REPR_DIGEST, format!("sha-256=:{hash}:"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        reply = reply.with_text(CONTENT_RANGE, format!("bytes {from}-{}/{size}", to - 1));
    }
    Ok(reply)
}

/// One range of bytes as start and end; `Some(None)` when none of it exists. Several ranges, and what is no range, are
/// ignored (RFC 9110, section 14.2).
fn span(header: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    if last.contains(',') {
        return None;
    }
    if first.is_empty() {
        let tail: u64 = last.parse().ok()?;
        let found = (tail > 0 && size > 0).then(|| (size.saturating_sub(tail), size));
        return Some(found);
    }
    let first: u64 = first.parse().ok()?;
    let end = if last.is_empty() {
        size
    } else {
        let last: u64 = last.parse().ok().filter(|last| *last >= first)?;
        last.saturating_add(1).min(size)
    };
    Some((first < size).then_some((first, end)))
}
