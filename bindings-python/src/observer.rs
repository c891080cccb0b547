//! `observer=`: what is told of calls to an object of Python's, such as the one for OpenTelemetry.
//!
//! It is told on the thread that drives the call: the caller's own, or the worker of all asynchronous clients; in either
//! case in the `contextvars` context of the call. What it raises ends nothing: it goes to `sys.unraisablehook`.

use std::sync::Arc;

use gatewright::engine::host::HostState;
use gatewright::telemetry::{self, ObservedCall, Observer, TraceContext};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::attempt::Attempt;
use crate::callback::Home;
use crate::slot::Slot;

/// The observer's `call_started`, where it is an observer.
pub(crate) fn slot(observer: &Bound<'_, PyAny>) -> PyResult<Slot> {
    let Some(begins) = observer.getattr_opt("call_started")? else {
        return Err(PyTypeError::new_err(format!(
            "observer= takes an object that has call_started(), not this {}",
            observer.get_type().name()?
        )));
    };
    Ok(Slot::new(begins))
}

/// Where a request goes.
#[pyclass(frozen, get_all, module = "gatewright")]
pub(crate) struct Place {
    /// The method.
    method: String,
    /// The URL, redacted.
    url: String,
    /// `https` or `http`.
    scheme: String,
    /// The host: a name or an address.
    host: String,
    /// The port.
    port: Option<u16>,
    /// The path as a template, where the caller gave it.
    template: Option<String>,
}

impl Place {
    fn new(py: Python<'_>, place: &telemetry::Place<'_>) -> PyResult<Py<Self>> {
        let place = Self {
            method: place.method.to_string(),
            url: place.url.to_owned(),
            scheme: place.scheme.to_owned(),
            host: place.host.to_owned(),
            port: place.port,
            template: place.template.map(str::to_owned),
        };
        Py::new(py, place)
    }
}

/// A call that begins.
#[pyclass(frozen, get_all, module = "gatewright")]
pub(crate) struct CallStarted {
    /// Where it goes first.
    place: Py<Place>,
    /// The trace context that the caller gave.
    traceparent: Option<String>,
    /// Its state.
    tracestate: Option<String>,
}

/// An attempt that is about to be sent.
#[pyclass(frozen, get_all, module = "gatewright")]
pub(crate) struct AttemptStarted {
    /// 1 for the first.
    number: u32,
    /// Where it goes.
    place: Py<Place>,
}

/// An attempt that is over.
#[pyclass(frozen, get_all, module = "gatewright")]
pub(crate) struct AttemptEnded {
    /// 1 for the first.
    number: u32,
    /// Where it went.
    place: Py<Place>,
    /// The status, where there was an answer.
    status_code: Option<u16>,
    /// What went wrong, in one of few words.
    error: Option<String>,
    /// Seconds from sending to its end.
    took: f64,
}

/// A call that is over.
#[pyclass(frozen, module = "gatewright")]
pub(crate) struct CallEnded {
    /// Where it went first.
    #[pyo3(get)]
    place: Py<Place>,
    /// The status of the answer, where there was one.
    #[pyo3(get)]
    status_code: Option<u16>,
    /// The kind of the error, or `cancelled`.
    #[pyo3(get)]
    error: Option<String>,
    /// Seconds from its start to its end.
    #[pyo3(get)]
    took: f64,
    /// How often it was sent again.
    #[pyo3(get)]
    retries: u64,
    /// Seconds for which it was held back.
    #[pyo3(get)]
    held_back: f64,
    attempts: Vec<gatewright::Attempt>,
    state: HostState,
}

#[pymethods]
impl CallEnded {
    /// What was done.
    #[getter]
    fn attempts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let attempts: Vec<_> = self.attempts.iter().cloned().map(Attempt::new).collect();
        PyTuple::new(py, attempts)
    }

    /// Budget, breaker and limits of the base URL's host.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::state::of_host(py, &self.state)
    }
}

/// An observer of Python's.
#[derive(Debug)]
pub(crate) struct PythonObserver(pub(crate) Slot);

impl Observer for PythonObserver {
    fn call(&self, call: &telemetry::CallStarted<'_>) -> Option<Box<dyn ObservedCall>> {
        let context = match Home::current() {
            Some(Home::Loop(_, context)) => Some(context),
            Some(Home::Caller(_)) | None => None,
        };
        let begins = self.0.clone();
        let watched = tell(|py| {
            let started = CallStarted {
                place: Place::new(py, &call.place)?,
                traceparent: call.parent.map(TraceContext::traceparent),
                tracestate: call
                    .parent
                    .and_then(|parent| parent.state()?.to_str().ok().map(str::to_owned)),
            };
            let started = Py::new(py, started)?;
            match &context {
                Some(context) => {
                    let begins = begins.get(py)?;
                    // A copy: the event loop may be running something in the call's own at this moment.
                    let context = context.bind(py).call_method0("copy")?;
                    Ok(context.call_method1("run", (begins, started))?.unbind())
                }
                None => begins.call(py, (started,)),
            }
        })?;
        let nobody = Python::try_attach(|py| watched.is_none(py)).unwrap_or(true);
        (!nobody).then(|| Box::new(PythonCall(Arc::new(watched))) as Box<dyn ObservedCall>)
    }
}

/// What an observer gave for one call.
struct PythonCall(Arc<Py<PyAny>>);

impl ObservedCall for PythonCall {
    fn attempt_started(&self, attempt: &telemetry::AttemptStarted<'_>) -> Option<TraceContext> {
        tell(|py| {
            let started = AttemptStarted {
                number: attempt.number,
                place: Place::new(py, &attempt.place)?,
            };
            let named = self.0.call_method1(py, "attempt_started", (started,))?;
            trace_context(named.bind(py))
        })
        .flatten()
    }

    fn attempt_ended(&self, attempt: &telemetry::AttemptEnded<'_>) {
        tell(|py| {
            let ended = AttemptEnded {
                number: attempt.number,
                place: Place::new(py, &attempt.place)?,
                status_code: attempt.status,
                error: attempt.error.map(str::to_owned),
                took: attempt.took.as_secs_f64(),
            };
            self.0.call_method1(py, "attempt_ended", (ended,)).map(drop)
        });
    }

    fn ended(&self, call: &telemetry::CallEnded<'_>) {
        tell(|py| {
            let ended = CallEnded {
                place: Place::new(py, &call.place)?,
                status_code: call.status,
                error: call.error.map(str::to_owned),
                took: call.took.as_secs_f64(),
                retries: telemetry::retries(call.attempts),
                held_back: telemetry::held_back(call.attempts).as_secs_f64(),
                attempts: call.attempts.to_vec(),
                state: call.state.clone(),
            };
            self.0.call_method1(py, "ended", (ended,)).map(drop)
        });
    }
}

/// Tells Python something; `None` where that went wrong, or where Python is about to end.
fn tell<T>(say: impl FnOnce(Python<'_>) -> PyResult<T>) -> Option<T> {
    Python::try_attach(|py| match say(py) {
        Ok(said) => Some(said),
        Err(raised) => {
            raised.write_unraisable(py, None);
            None
        }
    })
    .flatten()
}

/// A trace context as an observer names it: nothing, a `traceparent`, or that and a `tracestate`.
fn trace_context(named: &Bound<'_, PyAny>) -> PyResult<Option<TraceContext>> {
    if named.is_none() {
        return Ok(None);
    }
    let (traceparent, tracestate) = match named.extract::<(String, String)>() {
        Ok(both) => both,
        Err(_) => (named.extract::<String>()?, String::new()),
    };
    let context = TraceContext::parse(&traceparent)
        .map_err(|why| PyValueError::new_err(format!("the traceparent is wrong: {why}")))?;
    Ok(Some(context.with_state(&tracestate)))
}
