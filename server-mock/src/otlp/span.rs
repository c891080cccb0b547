//! One server span: who its parent is, and its attributes by OpenTelemetry's semantic conventions for HTTP servers.

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::resource;
use crate::call::Call;
use crate::clock::{nanos, real_now_ns};
use crate::journal::hex;
use crate::noted::Notes;

/// `SPAN_KIND_SERVER` and `STATUS_CODE_ERROR` of the protocol.
const SERVER: u8 = 2;
const ERROR: u8 = 2;

/// A span that is over.
#[derive(Clone, Debug)]
pub(super) struct Span {
    trace_id: String,
    span_id: String,
    parent_id: Option<String>,
    state: Option<String>,
    op: &'static str,
    method: String,
    status: Option<u16>,
    start_ns: u64,
    end_ns: u64,
    request_id: String,
    fault: Option<String>,
    refused: bool,
    replayed: bool,
}

/// What `traceparent` says (W3C Trace Context, version 00; later versions are read as 00).
struct Parent<'a> {
    trace_id: &'a str,
    span_id: &'a str,
    is_sampled: bool,
}

impl<'a> Parent<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.trim().splitn(5, '-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (span_id, flags) = (parts.next()?, parts.next()?);
        let is_hex = |text: &str, length: usize| {
            text.len() == length
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
        let good = is_hex(version, 2)
            && version != "ff"
            && (version != "00" || parts.next().is_none())
            && is_hex(trace_id, 32)
            && !is_zero(trace_id)
            && is_hex(span_id, 16)
            && !is_zero(span_id)
            && is_hex(flags, 2);
        good.then(|| Self {
            trace_id,
            span_id,
            is_sampled: u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1),
        })
    }
}

impl Span {
    /// The span of a request; none where its caller does not sample the trace.
    pub(super) fn of(call: &Call, notes: &Notes, took: Duration) -> Option<Self> {
        let header = |name: &str| call.parts.headers.get(name)?.to_str().ok();
        let parent = header("traceparent").and_then(Parent::read);
        if parent.as_ref().is_some_and(|parent| !parent.is_sampled) {
            return None;
        }
        let end_ns = real_now_ns();
        Some(Self {
            trace_id: match &parent {
                Some(parent) => parent.trace_id.into(),
                None => random::<16>()?,
            },
            span_id: random::<8>()?,
            parent_id: parent.map(|parent| parent.span_id.into()),
            state: header("tracestate")
                .filter(|state| state.len() <= 512)
                .map(Into::into),
            op: call.op.name(),
            method: call.parts.method.as_str().chars().take(32).collect(),
            status: notes.ending.status,
            start_ns: end_ns.saturating_sub(nanos(took)),
            end_ns,
            request_id: call.request_id.clone(),
            fault: notes
                .fault
                .as_deref()
                .and_then(|fault| fault.split(';').next())
                .map(Into::into),
            refused: notes
                .quota
                .as_ref()
                .is_some_and(|quota| !quota.refused_by.is_empty()),
            replayed: notes.ending.replayed,
        })
    }

    fn error(&self) -> Option<String> {
        match self.status {
            None => Some("no_response".into()),
            Some(status @ 500..) => Some(status.to_string()),
            Some(_) => None,
        }
    }

    /// As the protocol has it in JSON: ids in hex, 64-bit numbers as text.
    fn json(&self) -> Value {
        let mut attributes = vec![
            text("http.request.method", &self.method),
            text("gatewright.operation", self.op),
            text("gatewright.request_id", &self.request_id),
            text("url.scheme", "http"),
        ];
        if let Some(status) = self.status {
            attributes.push(json!({
                "key": "http.response.status_code", "value": { "intValue": status.to_string() },
            }));
        }
        if let Some(error) = self.error() {
            attributes.push(text("error.type", &error));
        }
        if let Some(fault) = &self.fault {
            attributes.push(text("gatewright.fault", fault));
        }
        for (name, is_so) in [
            ("gatewright.rate_limited", self.refused),
            ("gatewright.replayed", self.replayed),
        ] {
            if is_so {
                attributes.push(json!({ "key": name, "value": { "boolValue": true } }));
            }
        }
        let mut span = json!({
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "name": format!("{} {}", self.method, self.op),
            "kind": SERVER,
            "startTimeUnixNano": self.start_ns.to_string(),
            "endTimeUnixNano": self.end_ns.to_string(),
            "attributes": attributes,
            "status": if self.error().is_some() { json!({ "code": ERROR }) } else { json!({}) },
        });
        if let Some(span) = span.as_object_mut() {
            if let Some(parent) = &self.parent_id {
                span.insert("parentSpanId".into(), parent.as_str().into());
            }
            if let Some(state) = &self.state {
                span.insert("traceState".into(), state.as_str().into());
            }
        }
        span
    }
}

/// The request to a collector: `ExportTraceServiceRequest`.
pub(super) fn request(spans: &[Span]) -> Value {
    let (resource, scope) = resource();
    json!({ "resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{
            "scope": scope,
            "spans": spans.iter().map(Span::json).collect::<Vec<Value>>(),
        }],
    }] })
}

pub(super) fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// So many random bytes in hex.
fn random<const N: usize>() -> Option<String> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_as_the_standard_has_it() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(Parent::read(good).is_some_and(|parent| parent.is_sampled));
        let unsampled = good.replace("-01", "-00");
        assert!(Parent::read(&unsampled).is_some_and(|parent| !parent.is_sampled));
        let later = format!("{}-more", good.replacen("00", "cc", 1));
        assert!(Parent::read(&later).is_some());
        for wrong in [
            "",
            "00",
            &format!("{good}-more"),
            &good.replacen("00", "ff", 1),
            &good.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &good.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &good.to_uppercase(),
            &good.replace("-01", "-1"),
        ] {
            assert!(Parent::read(wrong).is_none(), "{wrong:?}");
        }
    }
}
