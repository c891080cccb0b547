//! A request as the core verifies it: raw body, headers, URL, method, and the time.

use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_webhook::Received;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::headers::{Fields, Kept, fields};
use crate::source;

/// Everything of a request but its body.
pub(super) struct Request {
    fields: Fields,
    url: Option<String>,
    method: Option<String>,
    pub(super) now: i64,
}

impl Request {
    pub(super) fn read(
        headers: &Bound<'_, PyAny>,
        kept: Kept,
        url: Option<String>,
        method: Option<String>,
        now: Option<f64>,
    ) -> PyResult<Self> {
        Ok(Self {
            fields: fields(headers, kept)?,
            url,
            method,
            now: self::now(now)?,
        })
    }

    pub(super) fn with<'r>(&'r self, body: &'r [u8]) -> Received<'r> {
        let mut received = Received::new(body, &self.fields);
        if let Some(url) = &self.url {
            received = received.url(url);
        }
        if let Some(method) = &self.method {
            received = received.method(method);
        }
        received
    }
}

/// Unix seconds, whole.
pub(super) fn now(given: Option<f64>) -> PyResult<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be a number; beyond i64 it saturates"
    )]
    match given {
        Some(seconds) if seconds.is_finite() => Ok(seconds.floor() as i64),
        Some(_) => Err(PyValueError::new_err("now= is no time; give unix seconds")),
        None => Ok(SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            })),
    }
}

/// Runs something on the bytes of a body.
pub(super) fn with_body<T>(body: &Bound<'_, PyAny>, run: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(run(bytes.as_bytes()));
    }
    match source::bytes_of(body)? {
        Some(bytes) => Ok(run(&bytes)),
        None => Err(PyTypeError::new_err(format!(
            "the body is the raw bytes of the request, not {}; a body that was parsed is other bytes",
            body.get_type().name()?
        ))),
    }
}
