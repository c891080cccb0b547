//! An answer's headers as a case-insensitive mapping.

use http::{HeaderMap, HeaderName};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Headers: a read-only, case-insensitive mapping. Repeated headers are joined with `, `; `get_list` has them apart.
#[pyclass(frozen, mapping, module = "gatewright")]
pub(crate) struct Headers(HeaderMap);

impl Headers {
    pub(crate) const fn new(map: HeaderMap) -> Self {
        Self(map)
    }

    fn joined(&self, name: &str) -> Option<String> {
        let name = HeaderName::try_from(name).ok()?;
        let values: Vec<_> = self.0.get_all(&name).iter().map(text).collect();
        if values.is_empty() {
            None
        } else {
            Some(values.join(", "))
        }
    }

    fn pairs(&self) -> Vec<(String, String)> {
        self.0
            .keys()
            .filter_map(|name| Some((name.as_str().to_owned(), self.joined(name.as_str())?)))
            .collect()
    }
}

/// A header's value as text: UTF-8, or Latin-1 where it is not.
fn text(value: &http::HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value
            .as_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect(),
    }
}

#[pymethods]
impl Headers {
    fn __getitem__(&self, name: &str) -> PyResult<String> {
        self.joined(name)
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>()
            .is_ok_and(|name| self.0.contains_key(name.as_str()))
    }

    fn __len__(&self) -> usize {
        self.0.keys_len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.keys(py)?.try_iter()?.into_any())
    }

    /// The value of `name`, or `default`.
    #[pyo3(signature = (name, default=None, /))]
    fn get(
        &self,
        name: &str,
        default: Option<Py<PyAny>>,
        py: Python<'_>,
    ) -> PyResult<Option<Py<PyAny>>> {
        match self.joined(name) {
            Some(value) => Ok(Some(value.into_pyobject(py)?.into_any().unbind())),
            None => Ok(default),
        }
    }

    /// All values of `name`, apart.
    fn get_list(&self, name: &str) -> Vec<String> {
        self.0.get_all(name).iter().map(text).collect()
    }

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.keys().map(HeaderName::as_str))
    }

    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.pairs().into_iter().map(|(_, value)| value))
    }

    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.pairs())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>, py: Python<'_>) -> PyResult<bool> {
        let mine = PyDict::new(py);
        for (name, value) in self.pairs() {
            mine.set_item(name, value)?;
        }
        if let Ok(other) = other.cast::<Self>() {
            return Ok(self.0 == other.get().0);
        }
        mine.eq(other)
    }

    fn __repr__(&self) -> String {
        // Values stay out: a server may echo a secret, and cookies are one.
        let names: Vec<_> = self.0.keys().map(HeaderName::as_str).collect();
        format!("<Headers {}>", names.join(", "))
    }
}
