//! A Python callable that Rust holds for as long as a client lives, in a place where the garbage collector sees it:
//! callbacks are often methods of the object that has the client, and that is a cycle.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyReferenceError;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

/// The callable. Cloned without the GIL.
#[derive(Clone, Debug)]
pub(crate) struct Slot(Arc<Mutex<Option<Py<PyAny>>>>);

impl Slot {
    pub(crate) fn new(callable: Bound<'_, PyAny>) -> Self {
        Self(Arc::new(Mutex::new(Some(callable.unbind()))))
    }

    /// The callable.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let callable = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|callable| callable.clone_ref(py));
        match callable {
            Some(callable) => Ok(callable.into_bound(py)),
            None => Err(PyReferenceError::new_err(
                "the client was garbage collected",
            )),
        }
    }

    /// Calls it.
    pub(crate) fn call<'py>(
        &self,
        py: Python<'py>,
        arguments: impl PyCallArgs<'py>,
    ) -> PyResult<Py<PyAny>> {
        self.get(py)?.call1(arguments).map(Bound::unbind)
    }

    /// Shows the collector what is in it. A slot that is in use right now is not garbage.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock() {
            Ok(slot) => slot
                .as_ref()
                .map_or(Ok(()), |callable| visit.call(callable)),
            Err(_) => Ok(()),
        }
    }

    /// Breaks the cycle.
    pub(crate) fn clear(&self) {
        let taken = self.0.try_lock().ok().and_then(|mut slot| slot.take());
        drop(taken);
    }
}
