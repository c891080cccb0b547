//! What comes with an answer beside its body, as JSON: `{method, url, shownUrl, requestId, elapsedMs, headers, attempts, cache}`;
//! `cache` only where the client's cache had a part in it.

use std::time::Duration;

use gatewright::{
    Attempt, CacheStatus, Decision, Download, Outcome, Response, StreamResponse, Uploaded,
};
use http::HeaderMap;

use crate::json;

/// Writes the meta of a whole answer.
pub(crate) fn of_answer(out: &mut Vec<u8>, answer: &Response) {
    begin(out, answer.method(), answer.url(), &answer.shown_url());
    rest(
        out,
        answer.request_id(),
        answer.elapsed(),
        answer.headers(),
        answer.attempts(),
        answer.cache_status(),
    );
}

/// Writes the meta of a streamed answer.
pub(crate) fn of_stream(out: &mut Vec<u8>, answer: &StreamResponse) {
    begin(out, answer.method(), answer.url(), &answer.shown_url());
    rest(
        out,
        answer.request_id(),
        answer.elapsed(),
        answer.headers(),
        answer.attempts(),
        answer.cache_status(),
    );
}

/// Writes the meta of an upload's answer: times and attempts over all its requests, and `resumable` and `answerLost`.
pub(crate) fn of_upload(out: &mut Vec<u8>, uploaded: &Uploaded) {
    let answer = &uploaded.response;
    begin(out, answer.method(), answer.url(), &answer.shown_url());
    let id = answer.request_id();
    let (headers, attempts) = (answer.headers(), &uploaded.attempts);
    rest(out, id, uploaded.elapsed, headers, attempts, None);
    more(out, |out| {
        json::member(out, "resumable");
        json::boolean(out, uploaded.resumable);
        json::member(out, "answerLost");
        json::boolean(out, uploaded.answer_lost);
    });
}

/// Writes the meta of a download that is connected, with its `total`.
pub(crate) fn of_download(out: &mut Vec<u8>, download: &Download) {
    let url = download.url().map_or("", |url| url.as_str());
    let shown = download.shown_url().unwrap_or_default();
    begin(out, &http::Method::GET, &url, shown);
    let headers = download.headers();
    let id = download.request_id();
    let (elapsed, attempts) = (download.elapsed(), download.attempts());
    rest(out, id, elapsed, headers, attempts, None);
    more(out, |out| {
        json::member(out, "total");
        json::or_null(out, download.total(), json::number);
    });
}

/// Members of its own, at the end.
fn more(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.pop();
    write(out);
    out.push(b'}');
}

fn begin(out: &mut Vec<u8>, method: &http::Method, url: &impl AsRef<str>, shown: &str) {
    out.extend_from_slice(b"{\"method\":");
    json::string(out, method.as_str());
    out.extend_from_slice(b",\"url\":");
    json::string(out, url.as_ref());
    out.extend_from_slice(b",\"shownUrl\":");
    json::string(out, shown);
}

fn rest(
    out: &mut Vec<u8>,
    request_id: Option<&str>,
    elapsed: Duration,
    headers: &HeaderMap,
    attempts: &[Attempt],
    cache: Option<CacheStatus>,
) {
    out.extend_from_slice(b",\"requestId\":");
    json::or_null(out, request_id, json::string);
    out.extend_from_slice(b",\"elapsedMs\":");
    json::milliseconds(out, elapsed);
    out.extend_from_slice(b",\"headers\":");
    self::headers(out, headers);
    out.extend_from_slice(b",\"attempts\":");
    self::attempts(out, attempts);
    crate::cache::status(out, cache);
    out.push(b'}');
}

/// Writes headers as pairs.
pub(crate) fn headers(out: &mut Vec<u8>, headers: &HeaderMap) {
    out.push(b'[');
    for (name, value) in headers {
        if !matches!(out.last(), Some(b'[')) {
            out.push(b',');
        }
        out.push(b'[');
        json::string(out, name.as_str());
        out.push(b',');
        json::latin1(out, value.as_bytes());
        out.push(b']');
    }
    out.push(b']');
}

/// Writes the record of a call.
pub(crate) fn attempts(out: &mut Vec<u8>, attempts: &[Attempt]) {
    out.push(b'[');
    for (index, attempt) in attempts.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        self::attempt(out, attempt);
    }
    out.push(b']');
}

fn attempt(out: &mut Vec<u8>, attempt: &Attempt) {
    out.extend_from_slice(b"{\"number\":");
    json::number(out, attempt.number.into());
    out.extend_from_slice(b",\"startedMs\":");
    json::milliseconds(out, attempt.started);
    out.extend_from_slice(b",\"queuedMs\":");
    json::milliseconds(out, attempt.queued);
    out.extend_from_slice(b",\"queuedFor\":");
    json::or_null(out, attempt.queued_for.as_ref(), |out, why| {
        json::shown(out, why);
    });
    out.extend_from_slice(b",\"tookMs\":");
    json::milliseconds(out, attempt.took);
    out.extend_from_slice(b",\"status\":");
    let status = match attempt.outcome {
        Outcome::Status(status) => Some(status),
        _ => None,
    };
    json::or_null(out, status, |out, status| json::number(out, status.into()));
    out.extend_from_slice(b",\"error\":");
    match &attempt.outcome {
        Outcome::Failed { class, text } if text.is_empty() => json::shown(out, class),
        Outcome::Failed { class, text } => json::shown(out, format_args!("{class}: {text}")),
        Outcome::Cancelled => json::string(out, "cancelled"),
        Outcome::Status(_) | Outcome::Pending => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"retryAfterMs\":");
    json::or_null(out, attempt.retry_after, json::milliseconds);
    out.extend_from_slice(b",\"requestId\":");
    let id = attempt.request_id.as_ref().and_then(|id| id.to_str().ok());
    json::or_null(out, id, json::string);
    let (decision, reason, wait) = match attempt.decision {
        Decision::None => ("none", None, None),
        Decision::Return => ("return", None, None),
        Decision::Retry { cause, wait } => ("retry", Some(cause.to_string()), Some(wait)),
        Decision::RefreshToken => ("refresh_token", None, None),
        Decision::Redirect => ("redirect", None, None),
        Decision::GiveUp(why) => ("give_up", Some(why.to_string()), None),
    };
    out.extend_from_slice(b",\"decision\":");
    json::string(out, decision);
    out.extend_from_slice(b",\"reason\":");
    json::or_null(out, reason.as_deref(), json::string);
    out.extend_from_slice(b",\"waitMs\":");
    json::or_null(out, wait, json::milliseconds);
    out.extend_from_slice(b",\"budgetLeft\":");
    json::number(out, attempt.budget_left.into());
    // Most have neither.
    if let Some(region) = &attempt.region {
        json::member(out, "region");
        json::string(out, region);
    }
    if attempt.hedge {
        json::member(out, "hedge");
        json::boolean(out, true);
    }
    out.push(b'}');
}
