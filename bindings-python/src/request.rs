//! A request's keyword arguments into the core's request.

use std::time::Duration;

use gatewright::{Body, CacheMode, Client, Error, ErrorKind, Hedge, RequestBuilder, Timeout};
use http::{HeaderName, HeaderValue, Method};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::callback::{Home, PythonError};
use crate::error::to_exception;
use crate::{json, source};

/// An argument that was given, or not: `None` means something else.
#[derive(Clone, Copy)]
pub(crate) enum Seconds {
    Default,
    Given(Timeout),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Seconds {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Ok(Self::Given(Timeout::None));
        }
        if value.is(value.py().Ellipsis()) {
            return Ok(Self::Default);
        }
        Ok(Self::Given(Timeout::Seconds(value.extract()?)))
    }
}

/// How often a request is sent at most.
#[derive(Clone, Copy)]
pub(crate) struct Attempts(u32);

impl Attempts {
    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Attempts {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        match value.extract::<u32>() {
            Err(wrong) if !wrong.is_instance_of::<PyOverflowError>(py) => Err(wrong),
            Ok(attempts) if attempts > 0 => Ok(Self(attempts)),
            _ => {
                let what = format!("`max_attempts` is {}; it must be 1 or more", &*value);
                Err(to_exception(
                    py,
                    Error::new(ErrorKind::InvalidRequest, what),
                ))
            }
        }
    }
}

/// How a call meets the cache, by the names of the Fetch standard.
pub(crate) struct Mode(CacheMode);

impl<'a, 'py> FromPyObject<'a, 'py> for Mode {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let named = value.extract::<String>().ok();
        named
            .and_then(|name| CacheMode::from_name(&name))
            .map(Self)
            .ok_or_else(|| {
                let names: Vec<_> = CacheMode::ALL.iter().map(|mode| mode.as_str()).collect();
                let what = format!("`cache` must be one of {}", names.join(", "));
                to_exception(value.py(), Error::new(ErrorKind::InvalidRequest, what))
            })
    }
}

/// Which credential goes along: one by its name, or none (`False`).
pub(crate) enum Credential {
    Named(String),
    Nothing,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Credential {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(name) = value.extract::<String>() {
            return Ok(Self::Named(name));
        }
        match value.extract::<bool>() {
            Ok(false) => Ok(Self::Nothing),
            _ => Err(PyTypeError::new_err(
                "credential= takes the name of a credential, or False for none",
            )),
        }
    }
}

/// When a second copy is sent: after so many seconds, at the 95th percentile, or never (`False`).
pub(crate) struct Hedging(pub(crate) Option<Hedge>);

impl<'a, 'py> FromPyObject<'a, 'py> for Hedging {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBool>() && !value.is_truthy()? {
            return Ok(Self(None));
        }
        if value.extract::<&str>().is_ok_and(|text| text == "p95") {
            return Ok(Self(Some(Hedge::p95())));
        }
        let seconds = value.extract::<f64>().ok();
        let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match delay.filter(|delay| !delay.is_zero() && !value.is_instance_of::<PyBool>()) {
            Some(delay) => Ok(Self(Some(Hedge::after(delay)))),
            None => {
                let what = "`hedge` must be a number of seconds above zero, \"p95\" or False";
                Err(to_exception(
                    value.py(),
                    Error::new(ErrorKind::InvalidRequest, what),
                ))
            }
        }
    }
}

/// Everything that a request may be given.
pub(crate) struct Options<'py> {
    pub(crate) params: Option<Bound<'py, PyAny>>,
    pub(crate) headers: Option<Bound<'py, PyAny>>,
    pub(crate) json: Option<Bound<'py, PyAny>>,
    pub(crate) content: Option<Bound<'py, PyAny>>,
    pub(crate) data: Option<Bound<'py, PyAny>>,
    pub(crate) timeout: Seconds,
    pub(crate) attempt_timeout: Seconds,
    pub(crate) max_attempts: Option<Attempts>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) raise_for_status: Option<bool>,
    pub(crate) cache: Option<Mode>,
    pub(crate) credential: Option<Credential>,
    pub(crate) hedge: Option<Hedging>,
}

impl Options<'_> {
    /// Whether the body is asked for piece by piece.
    pub(crate) fn streams(&self) -> bool {
        self.content.as_ref().is_some_and(|content| {
            !(content.is_instance_of::<PyBytes>()
                || content.is_instance_of::<PyString>()
                || content.is_instance_of::<PyByteArray>())
        })
    }

    /// Makes the request. `home`: where a body that is an iterable is asked for its pieces.
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
        let bodies = [&self.json, &self.content, &self.data]
            .into_iter()
            .flatten()
            .count();
        if bodies > 1 {
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
        if let Seconds::Given(timeout) = self.timeout {
            request = request.timeout(timeout);
        }
        if let Seconds::Given(timeout) = self.attempt_timeout {
            request = request.attempt_timeout(timeout);
        }
        if let Some(Attempts(attempts)) = self.max_attempts {
            request = request.max_attempts(attempts);
        }
        if let Some(key) = self.idempotency_key {
            request = request.idempotency_key(key);
        }
        if let Some(raise) = self.raise_for_status {
            request = request.error_for_status(raise);
        }
        if let Some(Mode(mode)) = self.cache {
            request = request.cache_mode(mode);
        }
        match self.credential {
            Some(Credential::Named(name)) => request = request.credential(name),
            Some(Credential::Nothing) => request = request.without_credential(),
            None => {}
        }
        if let Some(Hedging(hedge)) = self.hedge {
            request = request.hedge(hedge);
        }
        Ok(request)
    }
}

pub(crate) fn body(content: &Bound<'_, PyAny>, home: Option<Home>) -> PyResult<Body> {
    if let Some(bytes) = source::bytes_of(content)? {
        return Ok(bytes.into());
    }
    let Some(home) = home else {
        return Err(PyTypeError::new_err(
            "a body is made of bytes, or of an iterable of them",
        ));
    };
    if content.hasattr("__aiter__")? {
        return match home {
            Home::Loop(..) => source::from_async_iterable(content, home),
            Home::Caller(_) => Err(PyTypeError::new_err(
                "an async iterable is a body for AsyncClient only",
            )),
        };
    }
    if content.hasattr("read")? {
        return Ok(source::from_file(content, home));
    }
    if content.hasattr("__iter__")? && !content.is_instance_of::<PyDict>() {
        return source::from_iterable(content, home);
    }
    let name = content.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "content= takes bytes, str or an iterable of bytes, not {name}; for JSON use json="
    )))
}

/// A method by its name.
pub(crate) fn method(py: Python<'_>, name: &str) -> PyResult<Method> {
    Method::from_bytes(name.to_ascii_uppercase().as_bytes()).map_err(|_| {
        let shown: String = name.chars().take(40).collect();
        to_exception(
            py,
            Error::new(
                ErrorKind::InvalidRequest,
                format!("{shown:?} is no HTTP method"),
            ),
        )
    })
}

/// The pairs of a mapping or of an iterable of pairs.
pub(crate) fn pairs<'py>(
    value: &Bound<'py, PyAny>,
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(dict.iter().collect());
    }
    let items = if value.hasattr("items")? {
        value.call_method0("items")?
    } else {
        value.clone()
    };
    items.try_iter()?.map(|pair| pair?.extract()).collect()
}

/// Parameters as text: `True` is `true`, `None` is left out, lists repeat the name.
fn query(params: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let mut query = Vec::new();
    for (name, value) in pairs(params)? {
        let name = utf8(&name.str()?, "a parameter's name")?;
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            for each in value.try_iter()? {
                query.extend(parameter(&each?)?.map(|text| (name.clone(), text)));
            }
        } else if let Some(text) = parameter(&value)? {
            query.push((name, text));
        }
    }
    Ok(query)
}

fn parameter(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Some(
            if value.is_truthy()? { "true" } else { "false" }.to_owned(),
        ));
    }
    utf8(&value.str()?, "a parameter").map(Some)
}

/// Text as UTF-8. Lone surrogates are in no UTF-8; Python's own words say where they are.
pub(crate) fn utf8(text: &Bound<'_, PyString>, whose: &str) -> PyResult<String> {
    text.extract::<String>().map_err(|exception| {
        let py = text.py();
        let what = format!("{whose} cannot be encoded as UTF-8");
        let cause = PythonError::new(py, exception);
        to_exception(
            py,
            Error::new(ErrorKind::InvalidRequest, what).caused_by(cause),
        )
    })
}

/// A header's value: bytes, text as UTF-8, or a number.
pub(crate) fn header_bytes(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if value.is_none() || value.is_instance_of::<PyBool>() {
        let name = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "a header's value is str, bytes or a number, not {name}"
        )));
    }
    utf8(&value.str()?, "a header's value").map(String::into_bytes)
}

/// A header's name as text; whether it is one is the core's to say.
pub(crate) fn header_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    match name.cast::<PyString>() {
        Ok(name) => utf8(name, "a header's name"),
        Err(_) => {
            let kind = name.get_type().name()?;
            Err(PyTypeError::new_err(format!(
                "a header's name is str, not {kind}"
            )))
        }
    }
}

/// Checks a header.
pub(crate) fn header(name: &str, value: &Bound<'_, PyAny>) -> PyResult<(HeaderName, HeaderValue)> {
    gatewright::checked_header(name, &header_bytes(value)?)
        .map_err(|error| to_exception(value.py(), error))
}
