//! The cache: its settings from Python, and what it holds.

use std::time::Duration;

use gatewright::engine::cache::CacheState;
use gatewright::{CacheSettings, Error, ErrorKind};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::error::to_exception;

/// Reads `(max_bytes, max_entry_bytes, stale_if_error, heuristic_freshness)`, as `_cache.py` gives it.
pub(crate) fn settings(given: &Bound<'_, PyAny>) -> PyResult<CacheSettings> {
    let py = given.py();
    let invalid = |name: &str, value: &Bound<'_, PyAny>, must_be: &str| {
        let what = format!("`cache.{name}` is {value}; it must be {must_be}");
        to_exception(py, Error::new(ErrorKind::InvalidConfig, what))
    };
    let bytes = |index: usize, name: &str| -> PyResult<Option<u64>> {
        let value = given.get_item(index)?;
        match value.extract() {
            Err::<_, PyErr>(wrong) if wrong.is_instance_of::<PyOverflowError>(py) => {
                Err(invalid(name, &value, "a number of bytes, zero or more"))
            }
            other => other,
        }
    };
    let seconds = |index: usize, name: &str| -> PyResult<Option<Duration>> {
        let value = given.get_item(index)?;
        let Some(seconds) = value.extract::<Option<f64>>()? else {
            return Ok(None);
        };
        let duration = Duration::try_from_secs_f64(seconds);
        let must_be = "a number of seconds, zero or more";
        duration
            .map(Some)
            .map_err(|_| invalid(name, &value, must_be))
    };
    let max_bytes = bytes(0, "max_bytes")?.unwrap_or(CacheSettings::DEFAULT_BYTES);
    let mut settings = CacheSettings::memory(max_bytes);
    if let Some(most) = bytes(1, "max_entry_bytes")? {
        settings = settings.max_entry_bytes(most);
    }
    if let Some(longest) = seconds(2, "stale_if_error")? {
        settings = settings.stale_if_error(longest);
    }
    if let Some(longest) = seconds(3, "heuristic_freshness")? {
        settings = settings.heuristic_freshness(longest);
    }
    Ok(settings)
}

/// What a cache holds, as the state tells it.
pub(crate) fn state(cache: &CacheState) -> serde_json::Value {
    serde_json::json!({
        "entries": cache.entries,
        "bytes": cache.bytes,
        "max_bytes": cache.max_bytes,
        "hits": cache.hits,
        "revalidated": cache.revalidated,
        "stale": cache.stale,
        "misses": cache.misses,
        "evicted": cache.evicted,
    })
}
