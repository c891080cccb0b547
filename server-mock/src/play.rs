//! Plays a fault on a response: replaces it, damages its body or its headers, or arms the connection to cut it.

use std::collections::VecDeque;
use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::call::Call;
use crate::clock::NS;
use crate::dialect::RETRY_AFTER_MS;
use crate::fault::{StatusFault, Wait};
use crate::problem::{Problem, QUOTA_EXCEEDED, REDUCED_CAPACITY};
use crate::reply::{Body, Queue, Reply, Sliced};
use crate::timestamp::http_date;

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// Bytes of a body that a fault which needs it whole works with.
const FRONT_BYTES: usize = 64 * 1024;

/// Not a status line, not even close.
pub(crate) const GARBAGE: &[u8] = b"\x16\x03\x01 this is not HTTP\r\n\x00\xff\xfe\r\n\r\n";

/// The answer of a status fault.
pub(crate) fn status(call: &Call, fault: &StatusFault) -> Reply {
    let mut reply = match &fault.body {
        Some(body) => {
            let kind = fault
                .kind
                .clone()
                .unwrap_or(HeaderValue::from_static("text/plain"));
            Reply::new(fault.status)
                .with(CONTENT_TYPE, kind)
                .with_body(Bytes::from(body.clone()))
        }
        None if has_no_body(fault.status) => Reply::new(fault.status),
        None => call.problem(problem(fault)),
    };
    match &fault.retry_after {
        None => {}
        Some(Wait::Raw(value)) => drop(reply.headers.insert(RETRY_AFTER, value.clone())),
        Some(Wait::Millis(value)) => drop(reply.headers.insert(RETRY_AFTER_MS, value.clone())),
        Some(Wait::Date(seconds)) => {
            // A second is the date's grain; rounding up keeps the wait at least as long as asked.
            let at = call
                .world
                .clock
                .now_ns()
                .div_ceil(NS)
                .saturating_add(*seconds);
            if let Ok(date) = HeaderValue::try_from(http_date(at)) {
                reply.headers.insert(RETRY_AFTER, date);
            }
        }
    }
    if let Some(should) = fault.should_retry {
        let value = if should { "true" } else { "false" };
        reply
            .headers
            .insert(SHOULD_RETRY, HeaderValue::from_static(value));
    }
    reply
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::RESET_CONTENT
    )
}

fn problem(fault: &StatusFault) -> Problem {
    let status = fault.status;
    let code = match &fault.code {
        Some(code) => code.clone(),
        None => match status.as_u16() {
            429 => "rate_limited".into(),
            503 => "overloaded".into(),
            _ => status
                .canonical_reason()
                .unwrap_or("fault")
                .to_ascii_lowercase()
                .replace([' ', '-'], "_")
                .replace('\'', ""),
        },
    };
    let mut problem = Problem::new(status, code, "this answer was asked for as a fault");
    problem = match (&fault.kind, status.as_u16()) {
        (Some(kind), _) => problem.of_type(kind.to_str().unwrap_or("about:blank"), None),
        (None, 429) => problem.of_type(QUOTA_EXCEEDED, None),
        (None, 503) => problem.of_type(REDUCED_CAPACITY, None),
        (None, _) => problem,
    };
    match fault.should_retry {
        Some(retryable) => problem.retryable(retryable),
        None => problem,
    }
}

/// `Content-Encoding: gzip` over a stream that ends before its data and its checksum (RFC 1952).
pub(crate) fn truncated_gzip(mut reply: Reply) -> Reply {
    let plain = reply.body.take_front(FRONT_BYTES - 1);
    let length = u16::try_from(plain.len())
        .unwrap_or(u16::MAX)
        .saturating_add(100);
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    // One stored block (RFC 1951, section 3.2.4) that promises 100 bytes more than it holds.
    gzip.push(1);
    gzip.extend_from_slice(&length.to_le_bytes());
    gzip.extend_from_slice(&(!length).to_le_bytes());
    gzip.extend_from_slice(&plain);
    reply.body = Body::full(gzip.into());
    reply.with(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
}

/// 64 headers of 16 KiB.
pub(crate) fn big_headers(mut reply: Reply) -> Reply {
    let value =
        HeaderValue::try_from("x".repeat(16 * 1024)).unwrap_or(HeaderValue::from_static("x"));
    for number in 0..64 {
        if let Ok(name) = HeaderName::try_from(format!("x-big-{number}")) {
            reply.headers.insert(name, value.clone());
        }
    }
    reply
}

/// So many bytes of the body, and then nothing for as long as a client may wait.
pub(crate) fn stall(mut reply: Reply, bytes: u64) -> Reply {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    reply.body = reply.body.stalling(size);
    reply
}

/// The body in pieces of `size`, whatever made it.
pub(crate) fn drip(mut reply: Reply, pause: std::time::Duration, size: usize) -> Reply {
    let bytes = reply.body.take_front(FRONT_BYTES);
    reply.body = Body::paced(Sliced { bytes, size }, pause);
    reply
}

/// The whole response as bytes, chunked, whose second chunk has a size that is no number.
pub(crate) fn bad_chunk(reply: Reply) -> Bytes {
    let mut head = head(&reply);
    let _ = write!(head, "{TRANSFER_ENCODING}: chunked\r\n\r\n");
    let body = reply.body.take_front(FRONT_BYTES);
    let half = body.len() / 2;
    let mut pieces = VecDeque::from([Bytes::from(head)]);
    if half > 0 {
        pieces.push_back(format!("{half:x}\r\n").into());
        pieces.push_back(body.slice(..half));
        pieces.push_back(Bytes::from_static(b"\r\n"));
    }
    pieces.push_back(Bytes::from_static(b"not-a-size\r\n"));
    pieces.push_back(body.slice(half..));
    Body::pieces(Queue(pieces)).take_front(usize::MAX)
}

/// The whole response as bytes, whose `Content-Length` promises 100 bytes more than come.
pub(crate) fn short(reply: Reply) -> Bytes {
    let mut text = head(&reply).into_bytes();
    let body = reply.body.take_front(FRONT_BYTES);
    text.extend_from_slice(format!("{CONTENT_LENGTH}: {}\r\n\r\n", body.len() + 100).as_bytes());
    text.extend_from_slice(&body);
    text.into()
}

/// Status line and headers without framing.
fn head(reply: &Reply) -> String {
    let mut head = format!(
        "HTTP/1.1 {} {}\r\n",
        reply.status.as_u16(),
        reply.status.canonical_reason().unwrap_or("")
    );
    for (name, value) in &reply.headers {
        let _ = write!(
            head,
            "{name}: {}\r\n",
            String::from_utf8_lossy(value.as_bytes())
        );
    }
    head
}
