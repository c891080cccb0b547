//! Word to the host language of calls that are over, for traces and metrics of its own: a note, `observed`, that nobody answers.
//!
//! Its member `observed` is `{method, url, scheme, host, port, template, traceparent, status, error, tookMs, attempts}`, with attempts of
//! `{number, method, url, scheme, host, port, startedMs, tookMs, status, error}`. Nothing in it is a secret: URLs are redacted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatewright::telemetry::{AttemptEnded, CallEnded, CallStarted, ObservedCall, Observer, Place};

use crate::port::Port;
use crate::{call, json, question};

/// The observer of one client.
#[derive(Debug)]
pub(crate) struct HostObserver {
    pub(crate) port: Arc<Port>,
    /// The host language's number of the client.
    pub(crate) client: u32,
}

impl Observer for HostObserver {
    fn call(&self, started: &CallStarted<'_>) -> Option<Box<dyn ObservedCall>> {
        Some(Box::new(Observed {
            port: Arc::clone(&self.port),
            client: self.client,
            call: call::current(),
            traceparent: started.parent.map(|parent| parent.traceparent()),
            attempts: Mutex::default(),
        }))
    }
}

struct Observed {
    port: Arc<Port>,
    client: u32,
    call: u32,
    traceparent: Option<String>,
    attempts: Mutex<Vec<Over>>,
}

/// An attempt that is over: its number, how long it took, and the JSON of all but when it started.
struct Over {
    number: u32,
    json: Vec<u8>,
}

impl ObservedCall for Observed {
    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        let mut out = vec![b'{'];
        json::member(&mut out, "number");
        json::number(&mut out, attempt.number.into());
        place(&mut out, &attempt.place);
        outcome(&mut out, attempt.status, attempt.error, attempt.took);
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.push(Over {
            number: attempt.number,
            json: out,
        });
    }

    fn ended(&self, ended: &CallEnded<'_>) {
        let attempts =
            std::mem::take(&mut *self.attempts.lock().unwrap_or_else(PoisonError::into_inner));
        question::tell(&self.port, self.client, self.call, "observed", |out| {
            json::member(out, "observed");
            out.push(b'{');
            place(out, &ended.place);
            json::member(out, "template");
            json::or_null(out, ended.place.template, json::string);
            json::member(out, "traceparent");
            json::or_null(out, self.traceparent.as_deref(), json::string);
            outcome(out, ended.status, ended.error, ended.took);
            json::member(out, "attempts");
            out.push(b'[');
            for (index, over) in attempts.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(&over.json);
                json::member(out, "startedMs");
                // Of a call whose caller went away nothing is kept of that.
                let mut record = ended.attempts.iter();
                let found = record.find(|attempt| attempt.number == over.number);
                json::or_null(
                    out,
                    found.map(|attempt| attempt.started),
                    json::milliseconds,
                );
                out.push(b'}');
            }
            out.extend_from_slice(b"]}");
        });
    }
}

fn place(out: &mut Vec<u8>, place: &Place<'_>) {
    for (name, text) in [
        ("method", place.method.as_str()),
        ("url", place.url),
        ("scheme", place.scheme),
        ("host", place.host),
    ] {
        json::member(out, name);
        json::string(out, text);
    }
    json::member(out, "port");
    json::or_null(out, place.port, |out, port| json::number(out, port.into()));
}

fn outcome(out: &mut Vec<u8>, status: Option<u16>, error: Option<&str>, took: Duration) {
    json::member(out, "status");
    json::or_null(out, status, |out, status| json::number(out, status.into()));
    json::member(out, "error");
    json::or_null(out, error, json::string);
    json::member(out, "tookMs");
    json::milliseconds(out, took);
}
