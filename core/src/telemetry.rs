//! What is told of calls to whoever watches: the seam for OpenTelemetry and for the languages' own, and the trace context of each attempt.
//!
//! | Event | Told |
//! |---|---|
//! | a call begins | [`Observer::call`]: method, place, template, the caller's trace context |
//! | an attempt is about to be sent | [`ObservedCall::attempt_started`], which may name the trace context that goes along |
//! | its head came, or it failed, or was given up | [`ObservedCall::attempt_ended`] |
//! | the call has an answer or an error, or its caller went away | [`ObservedCall::ended`], once |
//!
//! Everything is plain data without secrets: URLs are redacted, headers and bodies are not there. Without an observer and without a trace
//! context of the caller's nothing is made and no clock is read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::attempts::{Attempt, Outcome};
use gatewright_engine::host::HostState;
use gatewright_engine::retry::FailureClass;
pub use gatewright_engine::trace_context::{NoTraceContext, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::Error;
use crate::client::{Client, ClientBuilder};
use crate::request::RequestBuilder;
use crate::runtime::RandomOf;
use crate::send::{Prepared, Sent};

#[cfg(feature = "opentelemetry")]
mod otel;
#[cfg(feature = "opentelemetry")]
pub use otel::Telemetry;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Watches calls. Called on whichever thread drives the call, so it must not wait.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// A call begins. `None`: this one is not watched.
    fn call(&self, call: &CallStarted<'_>) -> Option<Box<dyn ObservedCall>>;
}

/// Watches one call. Attempts may overlap where a call is hedged.
pub trait ObservedCall: Send + Sync {
    /// An attempt is about to be sent. The trace context that is to go along as `traceparent`; `None`: a child of the caller's, where
    /// there is one.
    fn attempt_started(&self, attempt: &AttemptStarted<'_>) -> Option<TraceContext> {
        let _ = attempt;
        None
    }

    /// An attempt is over: its head came, it failed, or it was given up.
    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        let _ = attempt;
    }

    /// The call is over. Said once, whatever becomes of it.
    fn ended(&self, call: &CallEnded<'_>) {
        let _ = call;
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Place<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL, redacted.
    pub url: &'a str,
    /// `https` or `http`.
    pub scheme: &'a str,
    /// The host: a name or an address.
    pub host: &'a str,
    /// The port, the scheme's own where none is written.
    pub port: Option<u16>,
    /// The path with names in place of its variable parts, where the caller gave it.
    pub template: Option<&'a str>,
}

/// A call that begins.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallStarted<'a> {
    /// Where it goes first.
    pub place: Place<'a>,
    /// The trace context that the caller gave.
    pub parent: Option<&'a TraceContext>,
}

/// An attempt that is about to be sent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptStarted<'a> {
    /// 1 for the first.
    pub number: u32,
    /// Where it goes.
    pub place: Place<'a>,
}

/// An attempt that is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEnded<'a> {
    /// 1 for the first.
    pub number: u32,
    /// Where it went.
    pub place: Place<'a>,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// What went wrong, in one of few words: a status of 400 and more as digits, `timeout`, `connection_lost`, `cancelled`.
    pub error: Option<&'a str>,
    /// From sending to now.
    pub took: Duration,
}

/// A call that is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallEnded<'a> {
    /// Where it went first.
    pub place: Place<'a>,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// The kind of the error, such as `rate_limited`, or `cancelled` where the caller went away.
    pub error: Option<&'a str>,
    /// From its start to now.
    pub took: Duration,
    /// What was done; empty where the caller went away.
    pub attempts: &'a [Attempt],
    /// Budget, breaker and limits of the base URL's host, as they are now.
    pub state: HostState,
}

impl ClientBuilder {
    /// Watches all calls of the client. Default: nobody does, which costs nothing.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl RequestBuilder {
    /// The trace that this call belongs to (W3C Trace Context). Each attempt is a span of its own in it: `traceparent` has a new span id,
    /// `tracestate` goes along as it is. Not sent to other origins. A `traceparent` that is set as a header goes as it is instead.
    pub fn trace_context(mut self, context: TraceContext) -> Self {
        self.tracing.context = Some(context);
        self
    }

    /// The path with names in place of its variable parts, such as `/v1/contacts/{id}`, for whoever watches: a label of few values.
    pub fn url_template(mut self, template: impl Into<String>) -> Self {
        self.tracing.template = Some(template.into());
        self
    }
}

/// What a request says about its trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracing {
    context: Option<TraceContext>,
    template: Option<String>,
}

/// What is known of the trace of a call under way. Dropping it ends the call for whoever watches.
pub(crate) struct CallTrace {
    context: Option<TraceContext>,
    template: Option<String>,
    observed: Option<Observed>,
}

struct Observed {
    client: Client,
    call: Box<dyn ObservedCall>,
    method: Method,
    url: Url,
    shown: String,
    started: Instant,
    over: std::sync::atomic::AtomicBool,
}

fn place<'a>(
    method: &'a Method,
    url: &'a Url,
    shown: &'a str,
    template: Option<&'a str>,
) -> Place<'a> {
    Place {
        method,
        url: shown,
        scheme: url.scheme(),
        host: url.host_str().unwrap_or_default(),
        port: url.port_or_known_default(),
        template,
    }
}

/// Begins the trace of a call; `None` where nobody watches and the caller has none.
pub(crate) fn begin(client: &Client, request: &mut Prepared, tracing: Tracing) {
    let inner = &client.inner;
    if inner.observer.is_none() && tracing.context.is_none() {
        return;
    }
    let Tracing { context, template } = tracing;
    let observed = inner.observer.as_ref().and_then(|observer| {
        let shown = inner.redactor.url(&request.url);
        let call = observer.call(&CallStarted {
            place: place(&request.method, &request.url, &shown, template.as_deref()),
            parent: context.as_ref(),
        })?;
        Some(Observed {
            client: client.clone(),
            call,
            method: request.method.clone(),
            url: request.url.clone(),
            shown,
            started: inner.runtime.instant(),
            over: false.into(),
        })
    });
    request.trace = Some(Arc::new(CallTrace {
        context,
        template,
        observed,
    }));
}

/// Ends the trace of a call.
pub(crate) fn end(trace: Option<Arc<CallTrace>>, sent: &Result<Sent, Error>) {
    let Some(trace) = trace else { return };
    let (status, error, attempts) = match sent {
        Ok(Sent::Whole(response)) => (Some(response.status()), None, response.attempts()),
        Ok(Sent::Streamed(response)) => (Some(response.status()), None, response.attempts()),
        Err(error) => (error.status(), Some(error.code()), error.attempts()),
    };
    trace.end(status.map(|status| status.as_u16()), error, attempts);
}

impl CallTrace {
    fn end(&self, status: Option<u16>, error: Option<&str>, attempts: &[Attempt]) {
        let Some(observed) = &self.observed else {
            return;
        };
        if observed
            .over
            .swap(true, std::sync::atomic::Ordering::Relaxed)
        {
            return;
        }
        let took = observed
            .client
            .inner
            .runtime
            .instant()
            .since(observed.started);
        observed.call.ended(&CallEnded {
            place: place(
                &observed.method,
                &observed.url,
                &observed.shown,
                self.template.as_deref(),
            ),
            status,
            error,
            took,
            attempts,
            state: observed.client.state(),
        });
    }

    /// An attempt is about to be sent: puts its trace context on, where none is there.
    pub(crate) fn attempt(
        self: &Arc<Self>,
        number: u32,
        request: &Prepared,
        client: &crate::client::Inner,
        headers: &mut HeaderMap,
    ) -> Option<AttemptTrace> {
        let under_way = self.observed.as_ref().map(|observed| AttemptTrace {
            trace: Arc::clone(self),
            number,
            method: request.method.clone(),
            url: request.url.clone(),
            shown: client.redactor.url(&request.url),
            started: observed.client.inner.runtime.instant(),
            over: false,
        });
        let named = match (&self.observed, &under_way) {
            (Some(observed), Some(attempt)) => observed.call.attempt_started(&AttemptStarted {
                number,
                place: attempt.place(),
            }),
            _ => None,
        };
        let context = named.or_else(|| {
            let parent = self.context.as_ref()?;
            Some(parent.child(&mut RandomOf(&*client.runtime)))
        });
        if let Some(context) = context
            && !request.cross_origin
            && !headers.contains_key(&TRACEPARENT)
            && let Ok(traceparent) = HeaderValue::try_from(context.traceparent())
        {
            headers.insert(TRACEPARENT, traceparent);
            if let Some(state) = context.state() {
                headers.insert(TRACESTATE, state.clone());
            }
        }
        under_way
    }
}

impl Drop for CallTrace {
    fn drop(&mut self) {
        self.end(None, Some("cancelled"), &[]);
    }
}

/// An attempt under way. Dropping it ends it for whoever watches.
pub(crate) struct AttemptTrace {
    trace: Arc<CallTrace>,
    number: u32,
    method: Method,
    url: Url,
    shown: String,
    started: Instant,
    over: bool,
}

impl AttemptTrace {
    fn place(&self) -> Place<'_> {
        let template = self.trace.template.as_deref();
        place(&self.method, &self.url, &self.shown, template)
    }

    /// It is over, with this status or this failure.
    pub(crate) fn end(mut self, status: Option<u16>, failure: Option<FailureClass>) {
        let digits;
        let error = match (status, failure) {
            (_, Some(class)) => Some(error_type(class)),
            (Some(status), None) if status >= 400 => {
                digits = status.to_string();
                Some(digits.as_str())
            }
            _ => None,
        };
        self.tell(status, error);
        self.over = true;
    }

    fn tell(&self, status: Option<u16>, error: Option<&str>) {
        if let Some(observed) = &self.trace.observed {
            let now = observed.client.inner.runtime.instant();
            observed.call.attempt_ended(&AttemptEnded {
                number: self.number,
                place: self.place(),
                status,
                error,
                took: now.since(self.started),
            });
        }
    }
}

impl Drop for AttemptTrace {
    fn drop(&mut self) {
        if !self.over {
            self.tell(None, Some("cancelled"));
        }
    }
}

/// A failure in one of few words, as `error.type` has it.
fn error_type(class: FailureClass) -> &'static str {
    match class {
        FailureClass::BodySource => "request_body",
        FailureClass::Connect => "connect",
        FailureClass::ConnectTimeout => "connect_timeout",
        FailureClass::ConnectionLost => "connection_lost",
        FailureClass::Decode => "decode",
        FailureClass::HiddenRedirect => "redirect",
        FailureClass::Hook => "hook",
        FailureClass::NotProcessed => "not_processed",
        FailureClass::Protocol => "protocol",
        FailureClass::ReadTimeout => "read_timeout",
        FailureClass::ResponseTooLarge => "response_too_large",
        FailureClass::Timeout => "timeout",
        FailureClass::Tls => "tls",
        _ => "_OTHER",
    }
}

/// How long a call was held back, and why longest, over all its attempts.
#[must_use]
pub fn held_back(attempts: &[Attempt]) -> Duration {
    attempts.iter().map(|attempt| attempt.queued).sum()
}

/// Attempts of a call that came after one that was sent and did not end it.
#[must_use]
pub fn retries(attempts: &[Attempt]) -> u64 {
    let sent = attempts
        .iter()
        .filter(|attempt| attempt.outcome != Outcome::Pending)
        .count();
    u64::try_from(sent.saturating_sub(1)).unwrap_or(u64::MAX)
}
