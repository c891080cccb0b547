//! What the host language has of answers and errors, back into texts: the picture of a call, and errors of answers that were delivered.

use std::time::Duration;

use gatewright::engine::attempts::Readable;
use gatewright::engine::timeline::{Line, draw};
use gatewright::{Error, ErrorKind};
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::names::Language;

/// The codes of all kinds of errors.
#[must_use]
pub fn error_codes() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.code()).collect()
}

/// An attempt as `meta.rs` writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    number: u32,
    started_ms: f64,
    queued_ms: f64,
    queued_for: Option<String>,
    took_ms: f64,
    status: Option<u16>,
    error: Option<String>,
    retry_after_ms: Option<f64>,
    decision: String,
    reason: Option<String>,
    wait_ms: Option<f64>,
    region: Option<String>,
    #[serde(default)]
    hedge: bool,
}

fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
}

impl Told {
    /// As the core writes an attempt in one line.
    fn words(&self) -> String {
        let readable = |milliseconds| Readable(duration(milliseconds));
        let mut words = format!("#{} at {}", self.number, readable(self.started_ms));
        if let Some(region) = &self.region {
            words += &format!(" in {region}");
        }
        if self.hedge {
            words += " (hedge)";
        }
        if let Some(reason) = &self.queued_for {
            words += &format!(" (held {} for {reason})", readable(self.queued_ms));
        }
        let outcome = match (self.status, &self.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => error.split(": ").next().unwrap_or_default().to_owned(),
            (None, None) => "pending".to_owned(),
        };
        words += &format!(": {outcome} in {}", readable(self.took_ms));
        if let Some(wait) = self.retry_after_ms {
            words += &format!(", asked for {}", readable(wait));
        }
        let reason = self.reason.as_deref().unwrap_or_default();
        words += " -> ";
        words += &match self.decision.as_str() {
            "retry" => format!(
                "retry in {} ({reason})",
                readable(self.wait_ms.unwrap_or_default())
            ),
            "give_up" => format!("give up ({reason})"),
            "refresh_token" => "refresh the token and retry".to_owned(),
            "redirect" => "follow the redirect".to_owned(),
            other => other.to_owned(),
        };
        words
    }
}

/// The attempts (JSON) as a picture in text; empty for what is no list of attempts.
#[must_use]
pub fn timeline(attempts: &str) -> String {
    let attempts: Vec<Told> = serde_json::from_str(attempts).unwrap_or_default();
    let lines: Vec<Line> = attempts
        .iter()
        .map(|attempt| Line {
            started: duration(attempt.started_ms),
            took: duration(attempt.took_ms),
            words: attempt.words(),
        })
        .collect();
    draw(&lines)
}

/// The parts of a meta JSON that an error takes over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    method: String,
    shown_url: String,
    request_id: Option<String>,
    elapsed_ms: f64,
    #[serde(borrow)]
    headers: &'a RawValue,
    #[serde(borrow)]
    attempts: &'a RawValue,
}

#[derive(Deserialize)]
struct Status {
    status: Option<u16>,
}

/// The error, as JSON, of an answer that was delivered and cannot be decoded. `meta` is the answer's meta JSON, `what` goes on from
/// "was answered 200 OK".
#[must_use]
pub fn answer_error(language: Language, meta: &str, code: &str, what: &str) -> String {
    let kind = ErrorKind::ALL.iter().find(|kind| kind.code() == code);
    let kind = *kind.unwrap_or(&ErrorKind::Decode);
    let Ok(meta) = serde_json::from_str::<Meta<'_>>(meta) else {
        let error = Error::new(kind, format!("the answer came {what}"));
        return json::text(crate::error::to_json(&error, language));
    };
    let attempts: Vec<Status> = serde_json::from_str(meta.attempts.get()).unwrap_or_default();
    let status = attempts.last().and_then(|attempt| attempt.status);
    let what = match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => format!("was answered {status} {what}"),
        None => format!("was answered {what}"),
    };
    let elapsed = Readable(duration(meta.elapsed_ms));
    let mut facts = match attempts.len() {
        1 => format!("1 attempt, {elapsed}"),
        n => format!("{n} attempts, {elapsed}"),
    };
    if let Some(id) = &meta.request_id {
        facts += &format!(", request id {id}");
    }
    let core_advice = Error::new(kind, "").advice();
    let advice = language.words(&core_advice);
    let (method, url) = (&meta.method, &meta.shown_url);
    let message = format!("{kind}: {method} {url} {what} ({facts}); {advice}");

    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"code\":");
    json::string(&mut out, kind.code());
    for (name, text) in [
        ("message", &*message),
        ("what", &what),
        ("method", method),
        ("url", url),
        ("retryability", "permanent"),
        ("advice", &advice),
        ("body", ""),
    ] {
        json::member(&mut out, name);
        json::string(&mut out, text);
    }
    json::member(&mut out, "status");
    json::or_null(&mut out, status, |out, status| {
        json::number(out, status.into());
    });
    json::member(&mut out, "requestId");
    json::or_null(&mut out, meta.request_id.as_deref(), json::string);
    json::member(&mut out, "elapsedMs");
    json::milliseconds(&mut out, duration(meta.elapsed_ms));
    for (name, raw) in [("headers", meta.headers), ("attempts", meta.attempts)] {
        json::member(&mut out, name);
        out.extend_from_slice(raw.get().as_bytes());
    }
    for name in ["retryAfterMs", "noRetry", "problem", "cause"] {
        json::member(&mut out, name);
        out.extend_from_slice(b"null");
    }
    out.push(b'}');
    json::text(out)
}
