//! What the gateway received, in the words of scenarios.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Names for the fingerprints of credentials, so that a scenario can say which one was sent.
#[derive(Debug, Default)]
pub(crate) struct Credentials(BTreeMap<String, String>);

impl Credentials {
    /// Adds a credential that may be sent.
    pub(crate) fn add(&mut self, secret: &str) {
        let hash = Sha256::digest(secret.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.insert(format!("sha256:{hex}"), secret.to_owned());
    }
}

/// The requests of a journal, in order of arrival. A browser's preflights are left out: no SDK sends them. The first call
/// was handed to the adapter `first_call_ms` after the session began.
pub(crate) fn requests(
    journal: &[Value],
    first_call_ms: Option<f64>,
    credentials: &Credentials,
) -> Vec<Value> {
    let sent: Vec<&Value> = journal
        .iter()
        .filter(|entry| !is_preflight(entry))
        .collect();
    let at = |entry: &Value| {
        entry
            .get("received_ns")
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
            / 1e6
    };
    let first = sent.first().map_or(0.0, |entry| at(entry));
    let mut before = None;
    sent.iter()
        .map(|entry| {
            let at_ms = at(entry) - first;
            let times = Times {
                at: at_ms,
                gap: before.replace(at_ms).map(|before| at_ms - before),
                since: first_call_ms.map(|began| at(entry) - began),
            };
            request(entry, &times, credentials)
        })
        .collect()
}

/// How many requests a journal has.
pub(crate) fn count(journal: &[Value]) -> usize {
    journal.iter().filter(|entry| !is_preflight(entry)).count()
}

fn is_preflight(entry: &Value) -> bool {
    let asks = |pair: &Value| {
        pair.get(0)
            .is_some_and(|name| name == "access-control-request-method")
    };
    entry
        .get("method")
        .is_some_and(|method| method == "OPTIONS")
        && entry
            .get("headers")
            .and_then(Value::as_array)
            .is_some_and(|headers| headers.iter().any(asks))
}

/// Milliseconds since the first request, the one before, and the harness's first call.
struct Times {
    at: f64,
    gap: Option<f64>,
    since: Option<f64>,
}

fn request(entry: &Value, times: &Times, credentials: &Credentials) -> Value {
    let member = |name: &str| entry.get(name).cloned().unwrap_or(Value::Null);
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut headers = Map::new();
    for pair in entry
        .get("headers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(name), Some(value)) = (
            pair.get(0).and_then(Value::as_str),
            pair.get(1).and_then(Value::as_str),
        ) {
            // Repeated fields read as one (RFC 9110, section 5.3).
            let joined = match headers.get(name).and_then(Value::as_str) {
                Some(earlier) => format!("{earlier}, {value}"),
                None => value.to_owned(),
            };
            headers.insert(name.to_owned(), joined.into());
        }
    }
    let fingerprint = text("key_fingerprint");
    let credential = match credentials.0.get(fingerprint) {
        Some(known) => Value::from(known.clone()),
        None => member("key_fingerprint"),
    };
    json!({
        "method": member("method"),
        "path": member("path"),
        "query": member("query"),
        "headers": headers,
        "body": {
            "complete": member("body_complete"),
            "json": serde_json::from_str::<Value>(&body_text(text("body_base64"))).unwrap_or(Value::Null),
            "length": member("body_length"),
            "sha256": member("body_sha256"),
            "text": body_text(text("body_base64")),
        },
        "credential": credential,
        "status": member("status"),
        "outcome": member("outcome"),
        "fault": member("fault"),
        "committed": member("committed"),
        "replayed": member("replayed"),
        "signature": member("signature"),
        "op": member("op"),
        "connection": member("connection"),
        "request_id": member("request_id"),
        "at_ms": rounded(times.at),
        "gap_ms": times.gap.map(rounded),
        "since_ms": times.since.map(rounded),
    })
}

/// To the microsecond: more is noise in a report.
fn rounded(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

fn body_text(base64: &str) -> String {
    // What the gateway writes is base64; nothing depends on it where it were not.
    String::from_utf8_lossy(&STANDARD.decode(base64).unwrap_or_default()).into_owned()
}

/// One line for people: `2. +31.0 ms POST /v1/contacts 503;ra=2 -> 503`.
pub(crate) fn line(number: usize, request: &Value) -> String {
    let text = |name: &str| {
        request
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let query = match text("query") {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    };
    let fault = match text("fault") {
        fault if fault.is_empty() => fault,
        fault => format!(" [{fault}]"),
    };
    let status = request
        .get("status")
        .filter(|s| !s.is_null())
        .map_or("no answer".to_owned(), ToString::to_string);
    let at = request
        .get("at_ms")
        .map(ToString::to_string)
        .unwrap_or_default();
    let notes: String = ["committed", "replayed"]
        .into_iter()
        .filter(|name| request.get(*name).is_some_and(|value| value == true))
        .map(|name| format!(", {name}"))
        .collect();
    format!(
        "{number}. at {at} ms {} {}{query}{fault} -> {status}{notes}",
        text("method"),
        text("path")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_decoded() {
        assert_eq!(body_text("eyJhIjoxfQ=="), r#"{"a":1}"#);
        assert_eq!(body_text(""), "");
    }

    #[test]
    fn requests_are_shown_with_their_times_and_credentials() {
        let mut credentials = Credentials::default();
        credentials.add("k");
        let fingerprint = "sha256:8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a";
        let entry = |ns: u64| {
            json!({"method": "GET", "path": "/a", "query": "", "headers": [["a", "1"], ["a", "2"]], "received_ns": ns,
                   "key_fingerprint": fingerprint, "status": 200, "body_base64": "eyJhIjoxfQ=="})
        };
        let journal = [entry(5_000_000), entry(47_500_000)];
        let seen = requests(&journal, Some(2.0), &credentials);
        assert_eq!(seen[1].pointer("/gap_ms"), Some(&json!(42.5)));
        assert_eq!(seen[1].pointer("/since_ms"), Some(&json!(45.5)));
        assert_eq!(seen[0].pointer("/gap_ms"), Some(&Value::Null));
        assert_eq!(seen[0].pointer("/headers/a"), Some(&json!("1, 2")));
        assert_eq!(seen[0].pointer("/credential"), Some(&json!("k")));
        assert_eq!(seen[0].pointer("/body/json/a"), Some(&json!(1)));
        assert_eq!(line(2, &seen[1]), "2. at 42.5 ms GET /a -> 200");
    }

    #[test]
    fn preflights_of_browsers_are_left_out() {
        let preflight =
            json!({"method": "OPTIONS", "headers": [["access-control-request-method", "POST"]]});
        assert_eq!(count(std::slice::from_ref(&preflight)), 0);
        assert!(requests(&[preflight], None, &Credentials::default()).is_empty());
    }
}
