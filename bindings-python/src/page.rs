//! Pages of lists.

use gatewright::{Page, PageStyle};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::to_exception;
use crate::json;
use crate::response::Response;

/// How a list names its members.
pub(crate) fn style(items: String, cursor: String, cursor_param: String) -> PageStyle {
    PageStyle {
        items_field: items,
        cursor_field: cursor,
        cursor_param,
    }
}

/// A page as Python takes it: the answer, and its items.
pub(crate) fn into_parts(
    py: Python<'_>,
    page: Page,
    style: &PageStyle,
) -> PyResult<(Response, Py<PyAny>)> {
    // The core checks that there are items, and says so where there are none.
    page.items::<serde_json::Value>()
        .map_err(|error| to_exception(py, error))?;
    let answer = page.into_response();
    let mut body =
        json::decode(py, answer.bytes()).map_err(pyo3::exceptions::PyValueError::new_err)?;
    if !body.is_instance_of::<PyList>() {
        for name in style.items_field.split('.') {
            body = match body.cast::<PyDict>()?.get_item(name)? {
                Some(inner) => inner,
                None => PyList::empty(py).into_any(),
            };
        }
    }
    Ok((Response::new(answer), body.unbind()))
}
