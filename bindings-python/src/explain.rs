//! `client.explain`: what would be done with an outcome that did not happen.

use std::time::Duration;

use gatewright::engine::explain::Counted;
use gatewright::{
    Client, Error, ErrorKind, Explanation as Explained, FailureClass, Hypothetical, Plan,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;

use crate::error::to_exception;
use crate::option_values::{Attempts, Seconds};
use crate::request::{header_bytes, header_name, method, pairs};
use crate::source;

/// What is supposed.
pub(crate) struct Supposed<'py> {
    pub(crate) status: Option<u16>,
    pub(crate) failure: Option<String>,
    pub(crate) headers: Option<Bound<'py, PyAny>>,
    pub(crate) body: Option<Bound<'py, PyAny>>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) idempotency_key: Option<bool>,
    pub(crate) replayable: bool,
    pub(crate) attempt: u32,
    pub(crate) elapsed: f64,
    pub(crate) max_attempts: Option<Attempts>,
    pub(crate) timeout: Seconds,
}

impl Supposed<'_> {
    pub(crate) fn explain(self, py: Python<'_>, client: &Client) -> PyResult<Explanation> {
        let mut supposed = self.outcome(py)?;
        if let Some(headers) = &self.headers {
            for (name, value) in pairs(headers)? {
                supposed = supposed.header(&header_name(&name)?, header_bytes(&value)?);
            }
        }
        if let Some(body) = &self.body {
            let bytes = source::bytes_of(body)?;
            supposed = supposed
                .body(bytes.ok_or_else(|| PyTypeError::new_err("body= takes bytes or str"))?);
        }
        supposed = supposed
            .method(method(py, &self.method)?)
            .path(self.path)
            .replayable(self.replayable)
            .attempt(self.attempt)
            .elapsed(Duration::try_from_secs_f64(self.elapsed).map_err(|_| {
                let seconds = self.elapsed;
                let what =
                    format!("`elapsed` is {seconds}; it must be a number of seconds, zero or more");
                invalid(py, what)
            })?);
        if let Some(yes) = self.idempotency_key {
            supposed = supposed.idempotency_key(yes);
        }
        if let Some(attempts) = self.max_attempts {
            supposed = supposed.max_attempts(attempts.get());
        }
        if let Seconds::Given(timeout) = self.timeout {
            supposed = supposed.timeout(timeout);
        }
        let explained = client.explain(supposed);
        explained
            .map(Explanation)
            .map_err(|wrong| to_exception(py, wrong))
    }

    fn outcome(&self, py: Python<'_>) -> PyResult<Hypothetical> {
        match (self.status, &self.failure) {
            (Some(status), None) => Ok(Hypothetical::answer(status)),
            (None, Some(name)) => match FailureClass::ALL.iter().find(|class| class.code() == name)
            {
                Some(class) => Ok(Hypothetical::failure(*class)),
                None => {
                    let codes: Vec<_> =
                        FailureClass::ALL.iter().map(|class| class.code()).collect();
                    let what = format!("`failure` must be one of {}", codes.join(", "));
                    Err(invalid(py, what))
                }
            },
            _ => Err(PyTypeError::new_err("give one of status and failure=")),
        }
    }
}

fn invalid(py: Python<'_>, what: String) -> PyErr {
    to_exception(py, Error::new(ErrorKind::InvalidRequest, what))
}

/// What would be done, and why.
#[pyclass(frozen, module = "gatewright")]
pub(crate) struct Explanation(Explained);

#[pymethods]
impl Explanation {
    /// What would be decided.
    #[getter]
    const fn decision(&self) -> &'static str {
        match self.0.decision {
            Plan::Return => "return",
            Plan::Retry { .. } => "retry",
            Plan::RefreshToken => "refresh_token",
            Plan::Redirect { .. } => "redirect",
            Plan::GiveUp(_) => "give_up",
        }
    }

    /// Why there would be another attempt, or none.
    #[getter]
    fn reason(&self) -> Option<String> {
        match &self.0.decision {
            Plan::Retry { cause, .. } => Some(cause.to_string()),
            Plan::GiveUp(why) => Some(why.to_string()),
            Plan::Return | Plan::RefreshToken | Plan::Redirect { .. } => None,
        }
    }

    /// The wait before the next attempt, at least and at most.
    #[getter]
    fn wait(&self) -> Option<(f64, f64)> {
        match self.0.decision {
            Plan::Retry { least, most, .. } => Some((least.as_secs_f64(), most.as_secs_f64())),
            _ => None,
        }
    }

    /// Where a redirect would lead.
    #[getter]
    fn location(&self) -> Option<&str> {
        match &self.0.decision {
            Plan::Redirect { to } => Some(to),
            _ => None,
        }
    }

    /// The code of the error that would be raised.
    #[getter]
    fn code(&self) -> Option<&'static str> {
        self.0.kind.map(ErrorKind::code)
    }

    /// Whether the request is safe to repeat.
    #[getter]
    const fn repeatable(&self) -> bool {
        self.0.repeatable
    }

    /// What the server asks for.
    #[getter]
    fn retry_after(&self) -> Option<f64> {
        self.0.retry_after.map(|wait| wait.as_secs_f64())
    }

    /// What the retry would cost of the budget.
    #[getter]
    const fn cost(&self) -> Option<u32> {
        self.0.cost
    }

    /// Tokens in the retry budget now.
    #[getter]
    const fn budget_left(&self) -> u32 {
        self.0.budget_left
    }

    /// How the breaker would count it.
    #[getter]
    fn counted(&self) -> Option<&'static str> {
        self.0.counted.map(Counted::as_str)
    }

    /// What the breaker would do then.
    #[getter]
    fn breaker(&self) -> Option<&'static str> {
        self.0.breaker.map(|phase| phase.as_str())
    }

    /// How long all calls of this credential would be held back.
    #[getter]
    fn paused_for(&self) -> Option<f64> {
        self.0.paused_for.map(|wait| wait.as_secs_f64())
    }

    /// The region to which the retry would go.
    #[getter]
    fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The quotas that the answer's headers tell of.
    #[getter]
    fn quotas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let quotas = self.0.readings.iter().map(|reading| {
            serde_json::json!({
                "policy": reading.policy,
                "limit": reading.limit,
                "remaining": reading.remaining,
                "window": reading.window.map(|window| window.as_secs_f64()),
                "resets_in": reading.reset_after.map(|wait| wait.as_secs_f64()),
            })
        });
        let quotas = serde_json::Value::from_iter(quotas).to_string();
        crate::json::decode(py, quotas.as_bytes()).map_err(PyRuntimeError::new_err)
    }

    /// Why, a sentence each.
    #[getter]
    fn reasons(&self) -> Vec<String> {
        self.0.reasons.clone()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Explanation {}>", self.0.decision)
    }
}
