//! A whole answer.

use gatewright::engine::timeline::timeline;
use gatewright::{CacheStatus, Error, ErrorKind, Response as Answer};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDelta, PyTuple};

use crate::attempt::Attempt;
use crate::headers::Headers;
use crate::json;

/// An answer, read whole.
#[pyclass(frozen, module = "gatewright")]
pub(crate) struct Response {
    answer: Answer,
    content: PyOnceLock<Py<PyBytes>>,
}

impl Response {
    pub(crate) const fn new(answer: Answer) -> Self {
        Self {
            answer,
            content: PyOnceLock::new(),
        }
    }
}

#[pymethods]
impl Response {
    /// The status.
    #[getter]
    fn status_code(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// Whether the status is 2xx.
    #[getter]
    fn is_success(&self) -> bool {
        self.answer.status().is_success()
    }

    /// The headers.
    #[getter]
    fn headers(&self) -> Headers {
        Headers::new(self.answer.headers().clone())
    }

    /// The body.
    #[getter]
    fn content<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.content
            .get_or_init(py, || PyBytes::new(py, self.answer.bytes()).unbind())
            .bind(py)
            .clone()
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[getter]
    fn text(&self) -> std::borrow::Cow<'_, str> {
        self.answer.text()
    }

    /// The body decoded from JSON. Raises `DecodeError` where it is none.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::decode(py, self.answer.bytes()).map_err(|why| {
            let error: Error = self.answer.error(
                ErrorKind::Decode,
                &format!("with a body that is no JSON: {why}"),
            );
            crate::error::to_exception(py, error)
        })
    }

    /// The URL that answered, without the credential.
    #[getter]
    fn url(&self) -> &str {
        self.answer.url().as_str()
    }

    /// The method of the request.
    #[getter]
    fn method(&self) -> &str {
        self.answer.method().as_str()
    }

    /// The server's id of the request.
    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.answer.request_id()
    }

    /// What was done, attempt by attempt.
    #[getter]
    fn attempts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(
            py,
            self.answer
                .attempts()
                .iter()
                .cloned()
                .map(Attempt::new)
                .collect::<Vec<_>>(),
        )
    }

    /// How a client with a cache answered: `hit`, `revalidated`, `stale` or `miss`; `None` where the cache had no part in it.
    #[getter]
    fn cache_status(&self) -> Option<&'static str> {
        self.answer.cache_status().map(CacheStatus::as_str)
    }

    /// Whether the body came from the cache.
    #[getter(from_cache)]
    fn is_from_cache(&self) -> bool {
        self.answer.from_cache()
    }

    /// From the start of the call to its answer.
    #[getter]
    fn elapsed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDelta>> {
        self.answer.elapsed().into_pyobject(py)
    }

    /// The attempts as a picture in text.
    fn timeline(&self) -> String {
        timeline(self.answer.attempts())
    }

    fn __repr__(&self) -> String {
        format!("<Response {}>", self.answer.status())
    }
}
