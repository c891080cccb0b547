//! JSON into Python objects and back.

use gatewright::{Error, ErrorKind};
use jiter::{PythonParse, StringCacheMode};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::callback::PythonError;
use crate::error::to_exception;

/// Decodes as `json.loads` does, faster (measured in `docs/benchmarks.md`).
pub(crate) fn decode<'py>(py: Python<'py>, bytes: &[u8]) -> Result<Bound<'py, PyAny>, String> {
    let parse = PythonParse {
        allow_inf_nan: true,
        cache_mode: StringCacheMode::Keys,
        ..PythonParse::default()
    };
    parse
        .python_parse(py, bytes)
        .map_err(|error| error.description(bytes))
}

/// The JSON object that `body` is; `None` where it is none.
#[pyfunction]
pub(crate) fn decode_object<'py>(py: Python<'py>, body: &[u8]) -> Option<Bound<'py, PyDict>> {
    decode(py, body).ok()?.cast_into().ok()
}

/// Encodes with `json.dumps`, so that what Python can encode is encoded and its own words say what it cannot.
/// NaN and infinity are refused: they are no JSON, and the server would say so less clearly.
pub(crate) fn encode(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    static DUMPS: PyOnceLock<(Py<PyAny>, Py<PyDict>)> = PyOnceLock::new();
    let (dumps, options) = DUMPS.get_or_try_init(py, || {
        let options = PyDict::new(py);
        options.set_item("separators", (",", ":"))?;
        options.set_item("ensure_ascii", false)?;
        options.set_item("allow_nan", false)?;
        PyResult::Ok((
            py.import("json")?.getattr("dumps")?.unbind(),
            options.unbind(),
        ))
    })?;
    let encoded = dumps
        .bind(py)
        .call((value,), Some(options.bind(py)))
        .and_then(|text| {
            let text = text
                .cast_into::<pyo3::types::PyString>()
                .map_err(PyErr::from)?;
            // Lone surrogates are in no UTF-8; `encode` says where.
            text.call_method1("encode", ("utf-8",))?
                .extract::<Vec<u8>>()
        });
    encoded.map_err(|exception| {
        let cause = PythonError::new(py, exception);
        let what = format!("the body cannot be encoded as JSON: {cause}");
        to_exception(
            py,
            Error::new(ErrorKind::InvalidRequest, what).caused_by(cause),
        )
    })
}
