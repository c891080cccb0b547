//! Events of a stream of server-sent events, as Python sees them.

use gatewright::{Error, ErrorKind, Event};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::to_exception;
use crate::json;

/// One event.
#[pyclass(frozen, eq, hash, module = "gatewright")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ServerEvent {
    /// What kind of event it is.
    #[pyo3(get)]
    event: String,
    /// Its data.
    #[pyo3(get)]
    data: String,
    /// The id of the last event that had one.
    #[pyo3(get)]
    id: String,
}

impl From<Event> for ServerEvent {
    fn from(event: Event) -> Self {
        Self {
            event: event.kind,
            data: event.data,
            id: event.id,
        }
    }
}

#[pymethods]
impl ServerEvent {
    /// The data decoded from JSON.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::decode(py, self.data.as_bytes()).map_err(|why| {
            let what = format!("the data of the event cannot be decoded as JSON: {why}");
            to_exception(py, Error::new(ErrorKind::Decode, what))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown = |text: &str| PyString::new(py, text).repr().map(|repr| repr.to_string());
        Ok(format!(
            "ServerEvent(event={}, data={}, id={})",
            shown(&self.event)?,
            shown(&self.data)?,
            shown(&self.id)?
        ))
    }
}

/// Those that came, as a list for Python; `None` at the end of the stream.
pub(crate) fn batch(py: Python<'_>, came: Vec<Event>) -> PyResult<Option<Vec<Py<ServerEvent>>>> {
    if came.is_empty() {
        return Ok(None);
    }
    came.into_iter()
        .map(|event| Py::new(py, ServerEvent::from(event)))
        .collect::<PyResult<_>>()
        .map(Some)
}
