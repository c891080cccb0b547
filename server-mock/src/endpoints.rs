//! The plain endpoints: whoami, echo, sink, redirect, delay and the streams of bytes, lines, drips and events.

mod operations;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::call::Call;
use crate::journal::hex;
use crate::key::Identity;
use crate::lock::lock;
use crate::parameter::whole;
use crate::problem::{Problem, invalid_parameter, not_found};
use crate::reply::{Body, Pieces, Reply};
use crate::stable_hash::mix;

pub(crate) use operations::{OPERATIONS, schemas};

const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const MAX_BYTES: u64 = 1 << 30;
/// Bytes of a piece.
const MAX_CHUNK: u64 = 1 << 20;
const MAX_LINES: u64 = 10_000_000;
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const MAX_DRIPS: u64 = 100_000;
const MAX_TICKS: u64 = 1_000_000;
const MAX_DELAY_MS: u64 = 60_000;

pub(crate) fn whoami(identity: &Identity) -> Reply {
    Reply::json(
        StatusCode::OK,
        &json!({
            "tenant": identity.tenant,
            "tier": identity.tier,
            "scopes": identity.scopes(),
        }),
    )
}

/// What was received, as it was received.
pub(crate) fn echo(call: &Call) -> Reply {
    let headers: Vec<(&str, String)> = call
        .parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let body = &call.upload.bytes;
    Reply::json(
        StatusCode::OK,
        &json!({
            "method": call.parts.method.as_str(),
            "path": call.path(),
            "query": call.parts.uri.query().unwrap_or(""),
            "headers": headers,
            "body_base64": STANDARD.encode(body),
            "body_sha256": hex(&Sha256::digest(body)),
            "body_length": body.len(),
        }),
    )
}

/// What an upload of any size came to; the bytes are not kept.
pub(crate) fn sink(call: &Call) -> Reply {
    let sha256 = call
        .upload
        .sha256
        .unwrap_or_else(|| Sha256::digest(&call.upload.bytes).into());
    Reply::json(
        StatusCode::OK,
        &json!({ "body_length": call.upload.length, "body_sha256": hex(&sha256) }),
    )
}

pub(crate) fn redirect(call: &Call) -> Result<Reply, Problem> {
    let status = match call.route().argument {
        "301" => StatusCode::MOVED_PERMANENTLY,
        "302" => StatusCode::FOUND,
        "303" => StatusCode::SEE_OTHER,
        "307" => StatusCode::TEMPORARY_REDIRECT,
        "308" => StatusCode::PERMANENT_REDIRECT,
        other => {
            return Err(not_found(format!(
                "{other:?} is no redirect; use 301, 302, 303, 307 or 308"
            )));
        }
    };
    let to = call
        .parameter("to")
        .filter(|to| !to.is_empty() && !to.contains(|c: char| c.is_ascii_control()))
        .and_then(|to| HeaderValue::try_from(to).ok())
        .ok_or_else(|| invalid_parameter("to", "to must be the address to redirect to"))?;
    Ok(Reply::new(status).with(LOCATION, to))
}

pub(crate) async fn delay(call: &Call) -> Result<Reply, Problem> {
    let ms = number(call.route().argument, "ms", MAX_DELAY_MS)?;
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(Reply::json(StatusCode::OK, &json!({ "delayed_ms": ms })))
}

pub(crate) async fn bytes(call: &Call) -> Result<Reply, Problem> {
    let length = number(call.route().argument, "n", MAX_BYTES)?;
    let piece = parameter(call, "chunk", 16 * 1024, MAX_CHUNK)?.max(1);
    let seed = parameter(call, "seed", 1, u64::MAX)?;
    let sha256 = hash_of_bytes(length, seed).await;
    let body = Body::pieces(RandomBytes::new(length, piece, seed));
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, OCTETS)
        .with_text(CONTENT_SHA256, hex(&sha256))
        .with_body(body))
}

pub(crate) fn lines(call: &Call) -> Result<Reply, Problem> {
    let count = number(call.route().argument, "n", MAX_LINES)?;
    let interval = parameter(call, "interval_ms", 0, MAX_DELAY_MS)?;
    let lines = Lines {
        next: 0,
        count,
        at_once: if interval == 0 { 64 } else { 1 },
    };
    let body = if interval == 0 {
        Body::pieces(lines)
    } else {
        Body::paced(lines, Duration::from_millis(interval))
    };
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, NDJSON)
        .with_body(body))
}

pub(crate) fn drip(call: &Call) -> Result<Reply, Problem> {
    let length = parameter(call, "bytes", 10, MAX_DRIPS)?;
    let interval = parameter(call, "interval_ms", 100, MAX_DELAY_MS)?;
    let body = Body::paced(Drips(length), Duration::from_millis(interval));
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, OCTETS)
        .with_body(body))
}

/// Numbered server-sent events, from after `Last-Event-ID`; 204 once all were had.
pub(crate) fn ticks(call: &Call) -> Result<Reply, Problem> {
    let count = parameter(call, "count", 10, MAX_TICKS)?;
    let interval = parameter(call, "interval_ms", 0, MAX_DELAY_MS)?;
    let per_connection = parameter(call, "per_connection", MAX_TICKS, MAX_TICKS)?;
    let retry = match call.parameter("retry_ms") {
        Some(text) => Some(number(&text, "retry_ms", MAX_DELAY_MS)?),
        None => None,
    };
    let last = call.parts.headers.get("last-event-id");
    let last = last
        .and_then(|id| id.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0);
    if last >= count {
        return Ok(Reply::new(StatusCode::NO_CONTENT));
    }
    let ticks = Ticks {
        retry,
        last,
        end: count.min(last.saturating_add(per_connection)),
    };
    let body = if interval == 0 {
        Body::pieces(ticks)
    } else {
        Body::paced(ticks, Duration::from_millis(interval))
    };
    Ok(Reply::new(StatusCode::OK)
        .with(CONTENT_TYPE, EVENT_STREAM)
        .with_body(body))
}

fn parameter(call: &Call, name: &str, default: u64, most: u64) -> Result<u64, Problem> {
    call.parameter(name)
        .map_or(Ok(default), |text| number(&text, name, most))
}

fn number(text: &str, name: &str, most: u64) -> Result<u64, Problem> {
    whole(name, text, &(0..=most))
}

/// Bytes of the xorshift64 generator (shifts 13, 7, 17), eight at a time, little-endian.
struct RandomBytes {
    state: u64,
    left: u64,
    piece: u64,
    word: [u8; 8],
    used: usize,
}

impl RandomBytes {
    fn new(length: u64, piece: u64, seed: u64) -> Self {
        Self {
            // Zero is the generator's fixed point.
            state: if seed == 0 {
                0x9e37_79b9_7f4a_7c15
            } else {
                seed
            },
            left: length,
            piece,
            word: [0; 8],
            used: 8,
        }
    }

    fn next_byte(&mut self) -> u8 {
        if self.used == 8 {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            self.word = self.state.to_le_bytes();
            self.used = 0;
        }
        let byte = self.word.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        byte
    }
}

impl Pieces for RandomBytes {
    fn next_piece(&mut self) -> Option<Bytes> {
        let length = self.left.min(self.piece);
        self.left -= length;
        (length > 0).then(|| (0..length).map(|_| self.next_byte()).collect())
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.left)
    }
}

/// The hash of a stream; long ones are made off the runtime's threads, the last few are remembered.
async fn hash_of_bytes(length: u64, seed: u64) -> [u8; 32] {
    type Known = VecDeque<((u64, u64), [u8; 32])>;
    static KNOWN: Mutex<Known> = Mutex::new(VecDeque::new());
    let find = || {
        lock(&KNOWN)
            .iter()
            .find(|(of, _)| *of == (length, seed))
            .map(|(_, hash)| *hash)
    };
    if let Some(hash) = find() {
        return hash;
    }
    let make = move || {
        let mut stream = RandomBytes::new(length, 64 * 1024, seed);
        let mut hasher = Sha256::new();
        while let Some(piece) = stream.next_piece() {
            hasher.update(&piece);
        }
        hasher.finalize().into()
    };
    let hash: [u8; 32] = if length > 256 * 1024 {
        tokio::task::spawn_blocking(make).await.unwrap_or_default()
    } else {
        make()
    };
    let mut known = lock(&KNOWN);
    if known.len() >= 64 {
        known.pop_front();
    }
    known.push_back(((length, seed), hash));
    hash
}

/// `{"index":0,"value":"..."}` and a newline, again and again.
struct Lines {
    next: u64,
    count: u64,
    at_once: u64,
}

impl Pieces for Lines {
    fn next_piece(&mut self) -> Option<Bytes> {
        if self.next >= self.count {
            return None;
        }
        let end = self.count.min(self.next + self.at_once);
        let text: String = (self.next..end)
            .map(|index| format!("{{\"index\":{index},\"value\":\"{:016x}\"}}\n", mix(index)))
            .collect();
        self.next = end;
        Some(text.into())
    }

    fn remaining(&self) -> Option<u64> {
        (self.next >= self.count).then_some(0)
    }
}

/// `event: tick`, `id: 1`, `data: {"tick":1}`, one at a time.
struct Ticks {
    retry: Option<u64>,
    last: u64,
    end: u64,
}

impl Pieces for Ticks {
    fn next_piece(&mut self) -> Option<Bytes> {
        if self.last >= self.end {
            return None;
        }
        self.last += 1;
        let number = self.last;
        let retry = self.retry.take();
        let retry = retry.map_or_else(String::new, |ms| format!("retry: {ms}\n"));
        let event = format!("{retry}event: tick\nid: {number}\ndata: {{\"tick\":{number}}}\n\n");
        Some(event.into())
    }

    fn remaining(&self) -> Option<u64> {
        (self.last >= self.end).then_some(0)
    }
}

/// `*`, one at a time.
struct Drips(u64);

impl Pieces for Drips {
    fn next_piece(&mut self) -> Option<Bytes> {
        self.0 = self.0.checked_sub(1)?;
        Some(Bytes::from_static(b"*"))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.0)
    }
}
