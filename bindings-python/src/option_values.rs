//! The values of options that are more than a text or a number, and what is no such value.

use std::time::Duration;

use gatewright::{CacheMode, Error, ErrorKind, Hedge, MinThroughput, Timeout};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::error::to_exception;

/// An argument that was given, or not: `None` means something else.
#[derive(Clone, Copy, Default)]
pub(crate) enum Seconds {
    #[default]
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
pub(crate) struct Mode(pub(crate) CacheMode);

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

/// The least that bodies have to achieve: `...` leaves it as it is, `None` is nothing, else a `MinThroughput`.
pub(crate) fn floor(
    value: &Bound<'_, PyAny>,
    kind: ErrorKind,
) -> PyResult<Option<Option<MinThroughput>>> {
    let py = value.py();
    if value.is(py.Ellipsis()) {
        return Ok(None);
    }
    if value.is_none() {
        return Ok(Some(None));
    }
    let (Some(rate), Some(grace)) = (
        value.getattr_opt("bytes_per_second")?,
        value.getattr_opt("grace")?,
    ) else {
        return Err(PyTypeError::new_err(format!(
            "min_throughput= takes a MinThroughput or None, not this {}",
            value.get_type().name()?
        )));
    };
    let invalid = |name: &str, value: &Bound<'_, PyAny>, must_be: &str| {
        let what = format!("`min_throughput.{name}` is {value}; it must be {must_be}");
        to_exception(py, Error::new(kind, what))
    };
    let bytes_per_second = rate
        .extract()
        .map_err(|_| invalid("bytes_per_second", &rate, "a number of bytes, zero or more"))?;
    let seconds = grace.extract::<f64>().ok();
    let grace = seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| invalid("grace", &grace, "a number of seconds, zero or more"))?;
    Ok(Some(Some(MinThroughput {
        bytes_per_second,
        grace,
    })))
}
