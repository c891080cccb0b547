//! The record of one attempt.

use gatewright::{Attempt as Record, Decision, Outcome};
use pyo3::prelude::*;

/// One attempt of a call. Times are seconds.
#[pyclass(frozen, module = "gatewright")]
pub(crate) struct Attempt(Record);

impl Attempt {
    pub(crate) const fn new(record: Record) -> Self {
        Self(record)
    }
}

#[pymethods]
impl Attempt {
    /// 1 for the first.
    #[getter]
    const fn number(&self) -> u32 {
        self.0.number
    }

    /// When it was sent, from the start of the call.
    #[getter]
    fn started(&self) -> f64 {
        self.0.started.as_secs_f64()
    }

    /// How long it was held back before that.
    #[getter]
    fn queued(&self) -> f64 {
        self.0.queued.as_secs_f64()
    }

    /// Why it was held back, where it was.
    #[getter]
    fn queued_for(&self) -> Option<String> {
        self.0.queued_for.as_ref().map(ToString::to_string)
    }

    /// From sending to its outcome.
    #[getter]
    fn took(&self) -> f64 {
        self.0.took.as_secs_f64()
    }

    /// The answer's status, where there was one.
    #[getter]
    const fn status(&self) -> Option<u16> {
        match self.0.outcome {
            Outcome::Status(status) => Some(status),
            _ => None,
        }
    }

    /// What went wrong, where there was no complete answer.
    #[getter]
    fn error(&self) -> Option<String> {
        match &self.0.outcome {
            Outcome::Failed { class, text } if text.is_empty() => Some(class.to_string()),
            Outcome::Failed { class, text } => Some(format!("{class}: {text}")),
            Outcome::Cancelled => Some("cancelled".to_owned()),
            Outcome::Status(_) | Outcome::Pending => None,
        }
    }

    /// How long the server asked to wait.
    #[getter]
    fn retry_after(&self) -> Option<f64> {
        self.0.retry_after.map(|wait| wait.as_secs_f64())
    }

    /// The server's id of the request. Kept for attempts that failed.
    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_ref()?.to_str().ok()
    }

    /// What was decided then: `return`, `retry`, `refresh_token`, `redirect`, `give_up` or `none`.
    #[getter]
    const fn decision(&self) -> &'static str {
        match self.0.decision {
            Decision::None => "none",
            Decision::Return => "return",
            Decision::Retry { .. } => "retry",
            Decision::RefreshToken => "refresh_token",
            Decision::Redirect => "redirect",
            Decision::GiveUp(_) => "give_up",
        }
    }

    /// Why that was decided.
    #[getter]
    fn reason(&self) -> Option<String> {
        match self.0.decision {
            Decision::Retry { cause, .. } => Some(cause.to_string()),
            Decision::GiveUp(why) => Some(why.to_string()),
            _ => None,
        }
    }

    /// The wait before the next attempt, where one follows.
    #[getter]
    fn wait(&self) -> Option<f64> {
        match self.0.decision {
            Decision::Retry { wait, .. } => Some(wait.as_secs_f64()),
            _ => None,
        }
    }

    /// Tokens left in the retry budget afterwards.
    #[getter]
    const fn budget_left(&self) -> u32 {
        self.0.budget_left
    }

    /// The region it went to.
    #[getter]
    fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Whether it was a second copy of a slow request.
    #[getter]
    const fn hedge(&self) -> bool {
        self.0.hedge
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Attempt {}>", self.0)
    }
}
