//! Why an operation on endpoints or deliveries was refused: a problem on the data port, a sentence on the admin port.

use http::StatusCode;
use serde_json::json;

use super::settings::Faults;
use crate::problem::{FieldError, Problem, not_found, validation_failed};

/// Why an operation was refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It does not fit what is there: a code and why.
    Conflict(&'static str, String),
    /// There is no room for it.
    Full(String),
    /// The settings cannot be used.
    Settings(Faults),
    Unknown(String),
}

impl Refusal {
    pub(crate) fn unknown(what: &str, id: &str) -> Self {
        let id: String = id.chars().take(100).collect();
        Self::Unknown(format!("there is no {what} {id}"))
    }

    pub(crate) fn disabled(endpoint: &str) -> Self {
        Self::Conflict(
            "endpoint_disabled",
            format!("{endpoint} is disabled; enable it first"),
        )
    }

    /// One field is wrong.
    pub(crate) fn field(name: &str, detail: String) -> Self {
        Self::Settings(Faults {
            fields: vec![FieldError {
                pointer: format!("/{name}"),
                code: "invalid",
                detail,
            }],
            filter: None,
        })
    }

    /// In one line.
    pub(crate) fn told(self) -> String {
        match self {
            Self::Conflict(_, detail) | Self::Full(detail) | Self::Unknown(detail) => detail,
            Self::Settings(faults) => faults.told(),
        }
    }

    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Conflict(code, detail) => Problem::new(StatusCode::CONFLICT, code, detail),
            Self::Full(detail) => {
                let status = StatusCode::INSUFFICIENT_STORAGE;
                Problem::new(status, "too_many_webhooks", detail).retryable(false)
            }
            Self::Settings(faults) => {
                let problem = validation_failed(faults.fields);
                match faults.filter {
                    Some(error) => problem.with_member(
                        "filter_error",
                        json!({
                            "at": error.at,
                            "expected": error.expected,
                            "found": error.found,
                        }),
                    ),
                    None => problem,
                }
            }
            Self::Unknown(detail) => not_found(detail),
        }
    }
}
