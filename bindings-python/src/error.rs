//! Errors into exceptions: one class for each kind, declared in `gatewright/_errors.py` so that it may inherit both ours
//! and Python's own.

use gatewright::{Error, ErrorKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::attempt::Attempt;
use crate::callback::PythonError;
use crate::headers::Headers;

/// The codes of all kinds, for the test that walks them.
#[pyfunction]
pub(crate) fn error_codes() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.code()).collect()
}

fn classes(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    CLASSES
        .get_or_try_init(py, || {
            Ok(py
                .import("gatewright._errors")?
                .getattr("BY_CODE")?
                .cast_into::<PyDict>()
                .map_err(PyErr::from)?
                .unbind())
        })
        .map(|dict| dict.bind(py))
}

/// Makes the exception of an error. An exception of the caller's own code becomes its `__cause__`.
pub(crate) fn to_exception(py: Python<'_>, error: Error) -> PyErr {
    crate::log::failed(py, &error)
        .and_then(|()| make(py, error))
        .unwrap_or_else(|failure| failure)
}

fn make(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    let Some(class) = classes(py)?.get_item(error.code())? else {
        // A test walks all codes, so this is a bug of ours that no user meets.
        return Ok(PyRuntimeError::new_err(format!(
            "no exception class for {}: {error}",
            error.code()
        )));
    };
    let facts = PyDict::new(py);
    facts.set_item("status_code", error.status().map(|status| status.as_u16()))?;
    facts.set_item("method", error.method().map(http::Method::as_str))?;
    facts.set_item("url", error.url())?;
    facts.set_item("request_id", error.request_id())?;
    facts.set_item(
        "retry_after",
        error.retry_after().map(|wait| wait.as_secs_f64()),
    )?;
    facts.set_item("retryability", error.retryability().as_str())?;
    facts.set_item("no_retry", error.no_retry().map(|why| why.to_string()))?;
    facts.set_item("advice", error.advice())?;
    facts.set_item("elapsed", error.elapsed().as_secs_f64())?;
    if error.status().is_some() {
        facts.set_item("headers", Headers::new(error.headers().clone()))?;
    }
    facts.set_item("body", PyBytes::new(py, error.body()))?;
    let attempts = error.attempts().iter().cloned().map(Attempt::new);
    facts.set_item("attempts", PyTuple::new(py, attempts.collect::<Vec<_>>())?)?;
    let value = class.call1((error.to_string(), facts))?;
    let exception = PyErr::from_value(value);
    exception.set_cause(py, cause_of(py, &error));
    Ok(exception)
}

fn cause_of(py: Python<'_>, error: &Error) -> Option<PyErr> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(python) = cause.downcast_ref::<PythonError>() {
            return Some(python.exception.clone_ref(py));
        }
        next = cause.source();
    }
    None
}
