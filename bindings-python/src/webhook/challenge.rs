//! The answer to a request that is a question to the endpoint.

use gatewright_webhook::Challenge as Answer;
use pyo3::prelude::*;

/// What to answer.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Challenge(pub(super) Answer);

#[pymethods]
impl Challenge {
    /// The status to answer with.
    #[getter]
    const fn status(&self) -> u16 {
        self.0.status
    }

    /// The answer's `content-type`.
    #[getter]
    const fn content_type(&self) -> &'static str {
        self.0.content_type
    }

    /// The answer's body.
    #[getter]
    fn body(&self) -> &str {
        &self.0.body
    }

    /// A URL to call, which confirms the subscription.
    #[getter]
    fn visit(&self) -> Option<&str> {
        self.0.visit.as_deref()
    }

    fn __repr__(&self) -> String {
        format!("<Challenge {}>", self.0.status)
    }
}
