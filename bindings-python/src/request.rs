//! What a request is made of: method, query, headers and body, from Python.

use gatewright::{Body, Error, ErrorKind};
use http::{HeaderName, HeaderValue, Method};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::callback::{Home, PythonError};
use crate::error::to_exception;
use crate::source;

/// A body. `home`: where one that is no bytes is asked for its pieces.
pub(crate) fn body(content: &Bound<'_, PyAny>, home: Option<Home>) -> PyResult<Body> {
    if let Some(bytes) = source::bytes_of(content)? {
        return Ok(bytes.into());
    }
    match home {
        Some(home) => source::body(content, home),
        None => Err(PyTypeError::new_err(
            "a body is made of bytes, or of an iterable of them",
        )),
    }
}

/// A method by its name.
pub(crate) fn method(py: Python<'_>, name: &str) -> PyResult<Method> {
    Method::from_bytes(name.to_ascii_uppercase().as_bytes()).map_err(|_| {
        let shown: String = name.chars().take(40).collect();
        to_exception(
            py,
            Error::new(
                ErrorKind::InvalidRequest,
                format!("{shown:?} is no HTTP method"),
            ),
        )
    })
}

/// The pairs of a mapping or of an iterable of pairs.
pub(crate) fn pairs<'py>(
    value: &Bound<'py, PyAny>,
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(dict.iter().collect());
    }
    let items = if value.hasattr("items")? {
        value.call_method0("items")?
    } else {
        value.clone()
    };
    items.try_iter()?.map(|pair| pair?.extract()).collect()
}

/// Parameters as text: `True` is `true`, `None` is left out, lists repeat the name.
pub(crate) fn query(params: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let mut query = Vec::new();
    for (name, value) in pairs(params)? {
        let name = utf8(&name.str()?, "a parameter's name")?;
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            for each in value.try_iter()? {
                query.extend(parameter(&each?)?.map(|text| (name.clone(), text)));
            }
        } else if let Some(text) = parameter(&value)? {
            query.push((name, text));
        }
    }
    Ok(query)
}

fn parameter(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Some(
            if value.is_truthy()? { "true" } else { "false" }.to_owned(),
        ));
    }
    utf8(&value.str()?, "a parameter").map(Some)
}

/// Text as UTF-8. Lone surrogates are in no UTF-8; Python's own words say where they are.
pub(crate) fn utf8(text: &Bound<'_, PyString>, whose: &str) -> PyResult<String> {
    text.extract::<String>().map_err(|exception| {
        let py = text.py();
        let what = format!("{whose} cannot be encoded as UTF-8");
        let cause = PythonError::new(py, exception);
        to_exception(
            py,
            Error::new(ErrorKind::InvalidRequest, what).caused_by(cause),
        )
    })
}

/// A header's value: bytes, text as UTF-8, or a number.
pub(crate) fn header_bytes(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if value.is_none() || value.is_instance_of::<PyBool>() {
        let name = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "a header's value is str, bytes or a number, not {name}"
        )));
    }
    utf8(&value.str()?, "a header's value").map(String::into_bytes)
}

/// A header's name as text; whether it is one is the core's to say.
pub(crate) fn header_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    match name.cast::<PyString>() {
        Ok(name) => utf8(name, "a header's name"),
        Err(_) => {
            let kind = name.get_type().name()?;
            Err(PyTypeError::new_err(format!(
                "a header's name is str, not {kind}"
            )))
        }
    }
}

/// Checks a header.
pub(crate) fn header(name: &str, value: &Bound<'_, PyAny>) -> PyResult<(HeaderName, HeaderValue)> {
    gatewright::checked_header(name, &header_bytes(value)?)
        .map_err(|error| to_exception(value.py(), error))
}
