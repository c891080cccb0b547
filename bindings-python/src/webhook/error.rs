//! The exceptions of webhooks, which are declared in Python.

use gatewright_webhook::{KeyError, SignError, VerifyError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// A name of the Python module that declares them.
pub(super) fn declared<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || {
        PyResult::Ok(py.import("gatewright._errors")?.unbind())
    });
    module?.bind(py).getattr(name)
}

fn made(
    py: Python<'_>,
    class: &str,
    code: &str,
    text: &str,
    more: &[(&str, Option<&str>)],
) -> PyErr {
    let make = || {
        let keywords = PyDict::new(py);
        for (name, value) in more {
            keywords.set_item(name, value)?;
        }
        declared(py, class)?.call((code, text), Some(&keywords))
    };
    match make() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// A secret or a setting that cannot be used.
pub(super) fn wrong_key(py: Python<'_>, error: &KeyError) -> PyErr {
    unusable_key(py, error.code(), &error.to_string())
}

/// As `wrong_key`, for what only the binding refuses.
pub(super) fn unusable_key(py: Python<'_>, code: &str, text: &str) -> PyErr {
    made(py, "WebhookKeyError", code, text, &[])
}

/// A message that cannot be signed.
pub(super) fn unsignable(py: Python<'_>, error: SignError) -> PyErr {
    made(py, "WebhookError", error.code(), &error.to_string(), &[])
}

/// A request that does not verify.
pub(super) fn refused(py: Python<'_>, error: &VerifyError) -> PyErr {
    let url = match error {
        VerifyError::MissingCertificate { url } => Some(url.as_str()),
        _ => None,
    };
    let more = [("header", error.header()), ("certificate_url", url)];
    let text = error.to_string();
    made(py, "WebhookVerificationError", error.code(), &text, &more)
}

/// A certificate that could not be fetched, and why.
pub(super) fn not_fetched(py: Python<'_>, url: &str, why: PyErr) -> PyErr {
    let text = format!("the certificate at {url} could not be fetched: {why}");
    let more = [("certificate_url", Some(url))];
    let error = made(
        py,
        "WebhookVerificationError",
        "missing_certificate",
        &text,
        &more,
    );
    error.set_cause(py, Some(why));
    error
}
