//! Request bodies from Python iterables, asked for piece by piece at home.

use bytes::Bytes;
use futures_util::stream;
use gatewright::{Body, BoxError};
use pyo3::exceptions::{PyStopAsyncIteration, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyIterator;

use crate::callback::{Home, PythonError};

/// A body from an iterable of bytes. It is sent once: an iterator cannot be rewound.
pub(crate) fn from_iterable(iterable: &Bound<'_, PyAny>, home: Home) -> PyResult<Body> {
    let iterator = PyIterator::from_object(iterable)?.unbind();
    Ok(pieces(
        iterator.into_any(),
        home,
        |py, iterator| match iterator.bind(py).call_method0("__next__") {
            Ok(piece) => Ok(piece.unbind()),
            Err(stop) if stop.is_instance_of::<pyo3::exceptions::PyStopIteration>(py) => {
                Ok(py.None())
            }
            Err(error) => Err(error),
        },
    ))
}

/// A body from an async iterable of bytes. It is sent once.
pub(crate) fn from_async_iterable(iterable: &Bound<'_, PyAny>, home: Home) -> PyResult<Body> {
    let iterator = iterable.call_method0("__aiter__")?.unbind();
    Ok(pieces(iterator, home, |py, iterator| {
        iterator.call_method0(py, "__anext__")
    }))
}

fn pieces(
    iterator: Py<PyAny>,
    home: Home,
    next: impl Fn(Python<'_>, &Py<PyAny>) -> PyResult<Py<PyAny>> + Copy + Send + Sync + 'static,
) -> Body {
    let stream = stream::unfold(Some((iterator, home)), move |state| async move {
        let (iterator, home) = state?;
        let of_this_piece = Python::attach(|py| iterator.clone_ref(py));
        match home.ask(Box::new(move |py| next(py, &of_this_piece))).await {
            Ok(piece) => match Python::attach(|py| read_piece(piece.bind(py))) {
                Ok(Some(bytes)) => Some((Ok(bytes), Some((iterator, home)))),
                Ok(None) => None,
                Err(error) => Some((Err(PythonError::boxed(error)), None)),
            },
            Err(stop) if Python::attach(|py| stop.is_instance_of::<PyStopAsyncIteration>(py)) => {
                None
            }
            Err(error) => Some((Err::<Bytes, BoxError>(PythonError::boxed(error)), None)),
        }
    });
    Body::once(stream, None)
}

/// A piece of a body; `None` ends it.
fn read_piece(piece: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
    if piece.is_none() {
        return Ok(None);
    }
    bytes_of(piece)?.map(Some).ok_or_else(|| {
        let name = piece
            .get_type()
            .name()
            .map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("a body is made of bytes, not of {name}"))
    })
}

/// The bytes of `bytes`, `bytearray`, `memoryview` or `str` (as UTF-8); `None` for anything else.
pub(crate) fn bytes_of(value: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
    if let Ok(bytes) = value.extract::<PyBackedBytes>() {
        return Ok(Some(Bytes::from_owner(bytes)));
    }
    if value.is_instance_of::<pyo3::types::PyString>() {
        return Ok(Some(Bytes::from(value.extract::<String>()?)));
    }
    if value.is_instance(&value.py().get_type::<pyo3::types::PyMemoryView>())? {
        return Ok(Some(Bytes::from(
            value.call_method0("tobytes")?.extract::<Vec<u8>>()?,
        )));
    }
    Ok(None)
}
