//! `before_attempt=` and `after_attempt=`: Python callables around each attempt.

use std::sync::{Arc, Mutex, PoisonError};

use gatewright::runtime::BoxFuture;
use gatewright::{AfterAttempt, BeforeAttempt, BoxError, Hooks};
use http::HeaderMap;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

use crate::callback::ask_home;
use crate::headers::Headers;
use crate::request::header;
use crate::slot::Slot;

/// An attempt that is about to be sent. Its headers may be changed; credentials are put on afterwards.
#[pyclass(frozen, module = "gatewright")]
pub(crate) struct AttemptRequest {
    /// 1 for the first.
    #[pyo3(get)]
    number: u32,
    /// The method.
    #[pyo3(get)]
    method: String,
    /// The URL, redacted.
    #[pyo3(get)]
    url: String,
    headers: Arc<Mutex<HeaderMap>>,
}

impl AttemptRequest {
    fn headers(&self) -> std::sync::MutexGuard<'_, HeaderMap> {
        self.headers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl AttemptRequest {
    /// The headers as they are now.
    #[getter(headers)]
    fn snapshot(&self) -> Headers {
        Headers::new(self.headers().clone())
    }

    /// Sets a header.
    fn set_header(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, value) = header(name, value)?;
        self.headers().insert(name, value);
        Ok(())
    }

    /// Takes a header away.
    fn remove_header(&self, name: &str) -> PyResult<()> {
        match self.headers().remove(name) {
            Some(_) => Ok(()),
            None => Err(PyKeyError::new_err(name.to_owned())),
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "<AttemptRequest #{} {} {}>",
            self.number, self.method, self.url
        )
    }
}

/// An attempt that is over.
#[pyclass(frozen, get_all, module = "gatewright")]
pub(crate) struct AttemptResult {
    /// 1 for the first.
    number: u32,
    /// The method.
    method: String,
    /// The URL, redacted.
    url: String,
    /// The answer's status, where there was one.
    status_code: Option<u16>,
    /// The answer's headers, where there was one.
    headers: Option<Py<Headers>>,
    /// What went wrong, where there was no complete answer.
    error: Option<String>,
    /// Seconds from sending to this moment.
    took: f64,
}

#[pymethods]
impl AttemptResult {
    fn __repr__(&self) -> String {
        let outcome = match (self.status_code, &self.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => error.clone(),
            (None, None) => "no answer".to_owned(),
        };
        format!(
            "<AttemptResult #{} {} {}: {outcome}>",
            self.number, self.method, self.url
        )
    }
}

/// The callables of one client.
#[derive(Debug)]
pub(crate) struct PythonHooks {
    pub(crate) before: Option<Slot>,
    pub(crate) after: Option<Slot>,
}

impl Hooks for PythonHooks {
    fn before<'a>(&'a self, attempt: &'a mut BeforeAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        let Some(hook) = self.before.clone() else {
            return Box::pin(std::future::ready(Ok(())));
        };
        Box::pin(async move {
            let headers = Arc::new(Mutex::new(std::mem::take(&mut attempt.headers)));
            let request = AttemptRequest {
                number: attempt.number,
                method: attempt.method.to_string(),
                url: attempt.url.clone(),
                headers: Arc::clone(&headers),
            };
            let asked = ask_home(move |py| hook.call(py, (request,)), |_| Ok(())).await;
            attempt.headers = headers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            asked
        })
    }

    fn after<'a>(&'a self, attempt: &'a AfterAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        let Some(hook) = self.after.clone() else {
            return Box::pin(std::future::ready(Ok(())));
        };
        let (status_code, headers) = match &attempt.answer {
            Some((status, headers)) => (Some(status.as_u16()), Some(headers.clone())),
            None => (None, None),
        };
        let (number, method, url) = (
            attempt.number,
            attempt.method.to_string(),
            attempt.url.clone(),
        );
        let (error, took) = (attempt.error.clone(), attempt.took.as_secs_f64());
        let ask = move |py: Python<'_>| {
            let headers = headers
                .map(|headers| Py::new(py, Headers::new(headers)))
                .transpose()?;
            let result = AttemptResult {
                number,
                method,
                url,
                status_code,
                headers,
                error,
                took,
            };
            hook.call(py, (result,))
        };
        Box::pin(ask_home(ask, |_| Ok(())))
    }
}
