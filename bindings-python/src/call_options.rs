//! The options of a call, declared once for all methods of both clients: read from the keyword arguments, and put onto
//! the core's request. Their types for Python are in `_options.py`, in the same groups.

use gatewright::telemetry::TraceContext;
use gatewright::{Client, Error, ErrorKind, MinThroughput, RequestBuilder};
use http::Method;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyString};

use crate::callback::Home;
use crate::error::to_exception;
use crate::json;
use crate::option_values::{Attempts, Credential, Hedging, Mode, Seconds, floor};
use crate::request::{body, header_bytes, header_name, pairs, query};

const BODY: u8 = 1;
const KEY: u8 = 2;
const RAISE: u8 = 4;
const CACHE: u8 = 8;
const HEDGE: u8 = 16;

/// Which groups of options a method takes beside those that all take.
fn groups(method: &str) -> u8 {
    match method {
        "get" | "head" | "options" | "delete" => KEY | RAISE | CACHE | HEDGE,
        "post" | "put" | "patch" | "request" => BODY | KEY | RAISE | CACHE | HEDGE,
        "stream" => BODY | KEY | RAISE | CACHE,
        "events" | "json_lines" => BODY,
        "pages" => CACHE | HEDGE,
        "upload" => KEY,
        _ => 0,
    }
}

/// The group that an option is of; 0 for those that all methods take.
fn group(name: &str) -> Option<u8> {
    Some(match name {
        "params" | "headers" | "timeout" | "attempt_timeout" | "max_attempts" | "credential"
        | "min_throughput" | "traceparent" | "tracestate" | "url_template" => 0,
        "json" | "content" | "data" => BODY,
        "idempotency_key" => KEY,
        "raise_for_status" => RAISE,
        "cache" => CACHE,
        "hedge" => HEDGE,
        _ => return None,
    })
}

/// Everything that a call may be given.
#[derive(Default)]
pub(crate) struct Options<'py> {
    params: Option<Bound<'py, PyAny>>,
    headers: Option<Bound<'py, PyAny>>,
    json: Option<Bound<'py, PyAny>>,
    content: Option<Bound<'py, PyAny>>,
    data: Option<Bound<'py, PyAny>>,
    timeout: Seconds,
    attempt_timeout: Seconds,
    max_attempts: Option<Attempts>,
    idempotency_key: Option<String>,
    raise_for_status: Option<bool>,
    cache: Option<Mode>,
    credential: Option<Credential>,
    hedge: Option<Hedging>,
    min_throughput: Option<Option<MinThroughput>>,
    traceparent: Option<String>,
    tracestate: Option<String>,
    url_template: Option<String>,
}

impl<'py> Options<'py> {
    /// Reads the keyword arguments of a method of this name.
    pub(crate) fn read(given: Option<&Bound<'py, PyDict>>, method: &str) -> PyResult<Self> {
        let mut options = Self::default();
        let Some(given) = given else {
            return Ok(options);
        };
        let taken = groups(method);
        for (name, value) in given {
            let name = name.cast_into::<PyString>()?;
            let name = name.to_str()?;
            match group(name) {
                Some(group) if group & taken == group => options
                    .set(name, value)
                    .map_err(|wrong| named(given.py(), name, wrong))?,
                _ => {
                    return Err(PyTypeError::new_err(format!(
                        "{method}() got an unexpected keyword argument '{name}'"
                    )));
                }
            }
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Bound<'py, PyAny>) -> PyResult<()> {
        // For these `None` says something; for all others, that they are not given.
        match name {
            "timeout" => self.timeout = value.extract()?,
            "attempt_timeout" => self.attempt_timeout = value.extract()?,
            "min_throughput" => self.min_throughput = floor(&value, ErrorKind::InvalidRequest)?,
            _ if value.is_none() => {}
            "params" => self.params = Some(value),
            "headers" => self.headers = Some(value),
            "json" => self.json = Some(value),
            "content" => self.content = Some(value),
            "data" => self.data = Some(value),
            "max_attempts" => self.max_attempts = Some(value.extract()?),
            "idempotency_key" => self.idempotency_key = Some(value.extract()?),
            "raise_for_status" => self.raise_for_status = Some(value.extract()?),
            "cache" => self.cache = Some(value.extract()?),
            "credential" => self.credential = Some(value.extract()?),
            "hedge" => self.hedge = Some(value.extract()?),
            "traceparent" => self.traceparent = Some(value.extract()?),
            "tracestate" => self.tracestate = Some(value.extract()?),
            "url_template" => self.url_template = Some(value.extract()?),
            _ => {}
        }
        Ok(())
    }

    /// Whether the body is asked for piece by piece.
    pub(crate) fn streams(&self) -> bool {
        self.content.as_ref().is_some_and(|content| {
            !(content.is_instance_of::<PyBytes>()
                || content.is_instance_of::<PyString>()
                || content.is_instance_of::<PyByteArray>())
        })
    }

    /// Makes the request. `home`: where a body that is no bytes is asked for its pieces.
    pub(crate) fn request(
        self,
        py: Python<'_>,
        client: &Client,
        method: Method,
        path: &str,
        home: Option<Home>,
    ) -> PyResult<RequestBuilder> {
        let mut request = client.request(method, path);
        if let Some(params) = &self.params {
            request = request.query(query(params)?);
        }
        if let Some(headers) = &self.headers {
            for (name, value) in pairs(headers)? {
                request = request.header(&header_name(&name)?, header_bytes(&value)?);
            }
        }
        request = self.with_body(py, request, home)?;
        if let Seconds::Given(timeout) = self.timeout {
            request = request.timeout(timeout);
        }
        if let Seconds::Given(timeout) = self.attempt_timeout {
            request = request.attempt_timeout(timeout);
        }
        if let Some(attempts) = self.max_attempts {
            request = request.max_attempts(attempts.get());
        }
        if let Some(raise) = self.raise_for_status {
            request = request.error_for_status(raise);
        }
        if let Some(Mode(mode)) = self.cache {
            request = request.cache_mode(mode);
        }
        if let Some(Hedging(hedge)) = self.hedge {
            request = request.hedge(hedge);
        }
        if let Some(floor) = self.min_throughput {
            request = request.min_throughput(floor);
        }
        if self.traceparent.is_some() || self.tracestate.is_some() {
            request = request.trace_context(self.trace_context(py)?);
        }
        if let Some(template) = self.url_template {
            request = request.url_template(template);
        }
        if let Some(key) = self.idempotency_key {
            request = request.idempotency_key(key);
        }
        Ok(match self.credential {
            Some(Credential::Named(name)) => request.credential(name),
            Some(Credential::Nothing) => request.without_credential(),
            None => request,
        })
    }

    fn with_body(
        &self,
        py: Python<'_>,
        mut request: RequestBuilder,
        home: Option<Home>,
    ) -> PyResult<RequestBuilder> {
        let bodies = [&self.json, &self.content, &self.data];
        if bodies.into_iter().flatten().count() > 1 {
            return Err(PyTypeError::new_err(
                "give one of json=, content= and data=, not several",
            ));
        }
        if let Some(value) = &self.json {
            request = request
                .header_default("content-type", "application/json")
                .body(json::encode(py, value)?);
        }
        if let Some(data) = &self.data {
            let form: String = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query(data)?)
                .finish();
            request = request
                .header_default("content-type", "application/x-www-form-urlencoded")
                .body(form);
        }
        if let Some(content) = &self.content {
            request = request.body(body(content, home)?);
        }
        Ok(request)
    }

    fn trace_context(&self, py: Python<'_>) -> PyResult<TraceContext> {
        let invalid = |what: String| to_exception(py, Error::new(ErrorKind::InvalidRequest, what));
        let Some(traceparent) = &self.traceparent else {
            let what = "`tracestate` is given without a `traceparent`".to_owned();
            return Err(invalid(what));
        };
        let context = TraceContext::parse(traceparent)
            .map_err(|why| invalid(format!("`traceparent` is wrong: {why}")))?;
        Ok(context.with_state(self.tracestate.as_deref().unwrap_or_default()))
    }
}

/// A wrong type, with the argument's name, as Python's own functions say it.
fn named(py: Python<'_>, name: &str, wrong: PyErr) -> PyErr {
    if !wrong.get_type(py).is(py.get_type::<PyTypeError>()) {
        return wrong;
    }
    let named = PyTypeError::new_err(format!("argument '{name}': {}", wrong.value(py)));
    named.set_cause(py, wrong.cause(py));
    named
}
