//! Results and errors in the words of the protocol.

use std::error::Error as _;
use std::time::Duration;

use gatewright::{Attempt, CacheStatus, Decision, Error, Outcome, Response, StreamResponse};
use http::HeaderMap;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Bodies up to this are shown, longer ones only hashed.
const SHOWN_BODY: usize = 64 * 1024;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn response(response: &Response) -> Value {
    let mut answer = of_head(
        response.status().as_u16(),
        response.headers(),
        &response.shown_url(),
        response.request_id(),
        response.attempts(),
        response.elapsed(),
        response.cache_status(),
    );
    if let Some(members) = answer.as_object_mut() {
        members.insert("body".to_owned(), body(response.bytes()));
    }
    answer
}

/// A streamed answer's head.
pub(crate) fn head(response: &StreamResponse) -> Value {
    of_head(
        response.status().as_u16(),
        response.headers(),
        &response.shown_url(),
        response.request_id(),
        response.attempts(),
        response.elapsed(),
        response.cache_status(),
    )
}

fn of_head(
    status: u16,
    headers: &HeaderMap,
    url: &str,
    request_id: Option<&str>,
    attempts: &[Attempt],
    elapsed: Duration,
    cache: Option<CacheStatus>,
) -> Value {
    json!({
        "ok": true,
        "status": status,
        "headers": fields(headers),
        "url": url,
        "request_id": request_id,
        "attempts": attempts.iter().map(attempt).collect::<Vec<_>>(),
        "elapsed_ms": millis(elapsed),
        "cache": cache.map(CacheStatus::as_str),
    })
}

fn fields(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .keys()
        .map(|name| {
            let values: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|v| String::from_utf8_lossy(v.as_bytes()))
                .collect();
            (name.to_string(), values.join(", ").into())
        })
        .collect()
}

fn body(bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= SHOWN_BODY);
    json!({
        "length": bytes.len(),
        "sha256": hex(&Sha256::digest(bytes)),
        "text": text,
        "json": text.and_then(|text| serde_json::from_str::<Value>(text).ok()),
    })
}

pub(crate) fn attempt(attempt: &Attempt) -> Value {
    let (decision, reason, wait) = match attempt.decision {
        Decision::None => ("none", None, None),
        Decision::Return => ("return", None, None),
        Decision::Retry { cause, wait } => ("retry", Some(cause.to_string()), Some(millis(wait))),
        Decision::RefreshToken => ("refresh_token", None, None),
        Decision::Redirect => ("redirect", None, None),
        Decision::GiveUp(why) => ("give_up", Some(why.to_string()), None),
    };
    let (status, error) = match &attempt.outcome {
        Outcome::Status(status) => (Some(*status), None),
        Outcome::Failed { class, text } => (None, Some(format!("{class}: {text}"))),
        Outcome::Cancelled => (None, Some("cancelled".to_owned())),
        Outcome::Pending => (None, Some("pending".to_owned())),
    };
    let mut shown = json!({
        "number": attempt.number,
        "started_ms": millis(attempt.started),
        "queued_ms": millis(attempt.queued),
        "queued_for": attempt.queued_for.as_ref().map(ToString::to_string),
        "took_ms": millis(attempt.took),
        "status": status,
        "error": error,
        "retry_after_ms": attempt.retry_after.map(millis),
        "request_id": attempt.request_id.as_ref().and_then(|id| id.to_str().ok()),
        "decision": decision,
        "reason": reason,
        "wait_ms": wait,
        "budget_left": attempt.budget_left,
    });
    if let Some(members) = shown.as_object_mut() {
        if let Some(region) = &attempt.region {
            members.insert("region".to_owned(), region.to_string().into());
        }
        if attempt.hedge {
            members.insert("hedge".to_owned(), true.into());
        }
    }
    shown
}

pub(crate) fn error(error: &Error) -> Value {
    let mut shown = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
        error.advice(),
    ];
    let mut cause = error.source();
    while let Some(inner) = cause {
        shown.extend([inner.to_string(), format!("{inner:?}")]);
        cause = inner.source();
    }
    let text = String::from_utf8_lossy(error.body().get(..SHOWN_BODY).unwrap_or(error.body()))
        .into_owned();
    json!({
        "ok": false,
        "error": {
            "code": error.code(),
            "status": error.status().map(|status| status.as_u16()),
            "retry_after_ms": error.retry_after().map(millis),
            "request_id": error.request_id(),
            "retryability": error.retryability().as_str(),
            "message": error.to_string(),
            "method": error.method().map(ToString::to_string),
            "url": error.url(),
            "problem": serde_json::from_str::<Value>(&text).ok().filter(Value::is_object),
            "body_text": text,
            "shown": shown,
        },
        "attempts": error.attempts().iter().map(attempt).collect::<Vec<_>>(),
        "elapsed_ms": millis(error.elapsed()),
    })
}
