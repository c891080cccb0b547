//! OpenTelemetry: spans for the call and for each attempt, and metrics, by the semantic conventions for HTTP clients (1.37).
//!
//! Only the API is used; which SDK is behind it, and where its data goes, is the program's. Without one all of this does nothing.
//!
//! | Span | Kind | Name | Attributes |
//! |---|---|---|---|
//! | the call | internal | `gatewright METHOD` and the template, where there is one | as below, without `http.request.resend_count`; `gatewright.attempts` |
//! | each attempt | client | `METHOD` and the template | `http.request.method`, `server.address`, `server.port`, `url.full` (redacted), `url.scheme`, `url.template`, `http.response.status_code`, `error.type`, `http.request.resend_count` |
//!
//! | Metric | Instrument, unit | What |
//! |---|---|---|
//! | `http.client.request.duration` | histogram, s | each attempt, to its head |
//! | `gatewright.client.call.duration` | histogram, s | each call, all attempts and waits |
//! | `gatewright.client.retries` | counter, {retry} | attempts after the first |
//! | `gatewright.client.held_back` | histogram, s | how long a call that was held back waited for a quota, a place or a token |
//! | `gatewright.client.retry_budget` | gauge, {token} | what is left of the retry budget |
//! | `gatewright.client.breaker` | gauge, 1 | 0 closed, 1 half open, 2 open |
//!
//! Labels have few values: a path is no label, its template is. No key, token or session is in any of them.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use gatewright_engine::breaker::BreakerPhase;
use http::Method;
use opentelemetry::global::BoxedTracer;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, MeterProvider};
use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue, global};

use super::{
    AttemptEnded, AttemptStarted, CallEnded, CallStarted, ObservedCall, Observer, Place,
    TraceContext, held_back, retries,
};
use crate::client::ClientBuilder;

/// What the conventions ask of `http.client.request.duration`.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Spans and metrics of calls. Cheap to clone; one can serve several clients.
#[derive(Clone)]
pub struct Telemetry(Arc<Instruments>);

struct Instruments {
    tracer: BoxedTracer,
    request_duration: Histogram<f64>,
    call_duration: Histogram<f64>,
    retries: Counter<u64>,
    held_back: Histogram<f64>,
    budget: Gauge<u64>,
    breaker: Gauge<u64>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("gatewright")
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url("https://opentelemetry.io/schemas/1.37.0")
        .build()
}

impl Telemetry {
    /// By the providers that the program has set (`opentelemetry::global`). Set them before.
    #[must_use]
    pub fn global() -> Self {
        Self::of(
            global::tracer_with_scope(scope()),
            &global::meter_with_scope(scope()),
        )
    }

    /// By these providers.
    pub fn new<P>(tracers: &P, meters: &dyn MeterProvider) -> Self
    where
        P: TracerProvider,
        P::Tracer: Send + Sync + 'static,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        let tracer = BoxedTracer::new(Box::new(tracers.tracer_with_scope(scope())));
        Self::of(tracer, &meters.meter_with_scope(scope()))
    }

    fn of(tracer: BoxedTracer, meter: &Meter) -> Self {
        let seconds = |name: &'static str, what: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(what)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        Self(Arc::new(Instruments {
            tracer,
            request_duration: seconds(
                "http.client.request.duration",
                "Duration of HTTP client requests.",
            ),
            call_duration: seconds(
                "gatewright.client.call.duration",
                "Duration of calls, with all attempts and waits.",
            ),
            held_back: seconds(
                "gatewright.client.held_back",
                "How long calls were held back for a quota, a place or a token.",
            ),
            retries: meter
                .u64_counter("gatewright.client.retries")
                .with_unit("{retry}")
                .with_description("Attempts after the first of a call.")
                .build(),
            budget: meter
                .u64_gauge("gatewright.client.retry_budget")
                .with_unit("{token}")
                .with_description("What is left of the retry budget.")
                .build(),
            breaker: meter
                .u64_gauge("gatewright.client.breaker")
                .with_unit("1")
                .with_description("The circuit breaker: 0 closed, 1 half open, 2 open.")
                .build(),
        }))
    }
}

impl ClientBuilder {
    /// Spans and metrics of all calls, for OpenTelemetry. Feature `opentelemetry`. Default: none.
    pub fn telemetry(self, telemetry: Telemetry) -> Self {
        self.observer(telemetry)
    }
}

impl Observer for Telemetry {
    fn call(&self, call: &CallStarted<'_>) -> Option<Box<dyn ObservedCall>> {
        let parent = match call.parent.and_then(remote) {
            Some(remote) => Context::new().with_remote_span_context(remote),
            None => Context::current(),
        };
        let builder = SpanBuilder::from_name(format!("gatewright {}", name(&call.place)))
            .with_kind(SpanKind::Internal)
            .with_attributes(attributes(&call.place, true));
        let span = self.0.tracer.build_with_context(builder, &parent);
        Some(Box::new(Call {
            instruments: Arc::clone(&self.0),
            context: parent.with_span(span),
            attempts: Mutex::new(Vec::new()),
        }))
    }
}

type AttemptSpan = <BoxedTracer as Tracer>::Span;

struct Call {
    instruments: Arc<Instruments>,
    /// With the call's span.
    context: Context,
    attempts: Mutex<Vec<(u32, AttemptSpan)>>,
}

impl ObservedCall for Call {
    fn attempt_started(&self, attempt: &AttemptStarted<'_>) -> Option<TraceContext> {
        let mut attributes = attributes(&attempt.place, true);
        if attempt.number > 1 {
            let resent = i64::from(attempt.number - 1);
            attributes.push(KeyValue::new("http.request.resend_count", resent));
        }
        let builder = SpanBuilder::from_name(name(&attempt.place))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let span = self
            .instruments
            .tracer
            .build_with_context(builder, &self.context);
        let context = ours(span.span_context());
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.push((attempt.number, span));
        context
    }

    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let at = attempts
            .iter()
            .position(|(number, _)| *number == attempt.number);
        let span = at.map(|at| attempts.swap_remove(at).1);
        drop(attempts);
        if let Some(mut span) = span {
            conclude(&mut span, attempt.status, attempt.error);
            span.end();
        }
        let mut labels = attributes(&attempt.place, false);
        labels.extend(outcome(attempt.status, attempt.error));
        self.instruments
            .request_duration
            .record(attempt.took.as_secs_f64(), &labels);
    }

    fn ended(&self, call: &CallEnded<'_>) {
        let span = self.context.span();
        if let Some(status) = call.status {
            span.set_attribute(KeyValue::new(
                "http.response.status_code",
                i64::from(status),
            ));
        }
        if let Some(error) = call.error {
            span.set_attribute(KeyValue::new("error.type", error.to_owned()));
            span.set_status(Status::error(""));
        }
        let sent = i64::try_from(call.attempts.len()).unwrap_or(i64::MAX);
        span.set_attribute(KeyValue::new("gatewright.attempts", sent));
        span.end();

        let all = &self.instruments;
        let mut labels = attributes(&call.place, false);
        let again = retries(call.attempts);
        if again > 0 {
            all.retries.add(again, &labels);
        }
        let held = held_back(call.attempts);
        if !held.is_zero() {
            all.held_back.record(held.as_secs_f64(), &labels);
        }
        labels.extend(outcome(call.status, call.error));
        all.call_duration.record(call.took.as_secs_f64(), &labels);
        let server = server(&call.place);
        all.budget
            .record(u64::from(call.state.budget_left), &server);
        if let Some(breaker) = &call.state.breaker {
            let phase = match breaker.phase {
                BreakerPhase::Closed => 0,
                BreakerPhase::HalfOpen => 1,
                _ => 2,
            };
            all.breaker.record(phase, &server);
        }
    }
}

/// The method as a label: one that is not known could be anything.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

fn name(place: &Place<'_>) -> Cow<'static, str> {
    let method = match method(place.method) {
        "_OTHER" => "HTTP",
        known => known,
    };
    match place.template {
        Some(template) => format!("{method} {template}").into(),
        None => method.into(),
    }
}

fn server(place: &Place<'_>) -> Vec<KeyValue> {
    let mut all = vec![KeyValue::new("server.address", place.host.to_owned())];
    if let Some(port) = place.port {
        all.push(KeyValue::new("server.port", i64::from(port)));
    }
    all
}

/// Of a place; with its URL, which is for spans only: it has too many values for a label.
fn attributes(place: &Place<'_>, with_url: bool) -> Vec<KeyValue> {
    let mut all = server(place);
    all.push(KeyValue::new("http.request.method", method(place.method)));
    all.push(KeyValue::new("url.scheme", place.scheme.to_owned()));
    if let Some(template) = place.template {
        all.push(KeyValue::new("url.template", template.to_owned()));
    }
    if with_url {
        all.push(KeyValue::new("url.full", place.url.to_owned()));
        if method(place.method) == "_OTHER" {
            let original = place.method.as_str().to_owned();
            all.push(KeyValue::new("http.request.method_original", original));
        }
    }
    all
}

fn outcome(status: Option<u16>, error: Option<&str>) -> Vec<KeyValue> {
    let mut all = Vec::new();
    if let Some(status) = status {
        all.push(KeyValue::new(
            "http.response.status_code",
            i64::from(status),
        ));
    }
    if let Some(error) = error {
        all.push(KeyValue::new("error.type", error.to_owned()));
    }
    all
}

fn conclude(span: &mut AttemptSpan, status: Option<u16>, error: Option<&str>) {
    span.set_attributes(outcome(status, error));
    if error.is_some() {
        span.set_status(Status::error(""));
    }
}

/// The caller's context in OpenTelemetry's words.
fn remote(context: &TraceContext) -> Option<SpanContext> {
    let state = context
        .state()
        .and_then(|state| state.to_str().ok()?.parse::<TraceState>().ok())
        .unwrap_or_default();
    let span = SpanContext::new(
        TraceId::from_bytes(context.trace_id()),
        SpanId::from_bytes(context.span_id()),
        TraceFlags::new(context.flags()),
        true,
        state,
    );
    span.is_valid().then_some(span)
}

/// OpenTelemetry's context in our words; `None` where no SDK is there.
fn ours(span: &SpanContext) -> Option<TraceContext> {
    let context = TraceContext::new(
        span.trace_id().to_bytes(),
        span.span_id().to_bytes(),
        span.trace_flags().to_u8(),
    )
    .ok()?;
    Some(context.with_state(&span.trace_state().header()))
}
