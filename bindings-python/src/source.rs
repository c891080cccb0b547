//! Request bodies from Python iterables and files, asked for piece by piece at home.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use gatewright::Body;
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyIterator, PyMemoryView, PyString};

use crate::callback::Home;

/// What is read of a file at once.
const FILE_PIECE: usize = 64 * 1024;

/// A body from an iterable of bytes. It is sent once: an iterator cannot be rewound.
pub(crate) fn from_iterable(iterable: &Bound<'_, PyAny>, home: Home) -> PyResult<Body> {
    let iterator = PyIterator::from_object(iterable)?.into_any();
    Ok(pieces(iterator, home, |iterator| {
        match iterator.call_method0("__next__") {
            Err(stop) if stop.is_instance_of::<PyStopIteration>(iterator.py()) => {
                Ok(iterator.py().None())
            }
            next => next.map(Bound::unbind),
        }
    }))
}

/// A body from an async iterable of bytes. It is sent once.
pub(crate) fn from_async_iterable(iterable: &Bound<'_, PyAny>, home: Home) -> PyResult<Body> {
    let iterator = iterable.call_method0("__aiter__")?;
    Ok(pieces(iterator, home, |iterator| {
        match iterator.call_method0("__anext__") {
            Err(stop) if stop.is_instance_of::<PyStopAsyncIteration>(iterator.py()) => {
                Ok(iterator.py().None())
            }
            next => next.map(Bound::unbind),
        }
    }))
}

/// A body from a file, from where it stands. It is sent once.
pub(crate) fn from_file(file: &Bound<'_, PyAny>, home: Home) -> Body {
    pieces(file.clone(), home, |file| {
        let piece = file.call_method1("read", (FILE_PIECE,))?;
        let is_end = piece.len().is_ok_and(|length| length == 0);
        Ok(if is_end {
            file.py().None()
        } else {
            piece.unbind()
        })
    })
}

fn pieces(
    source: Bound<'_, PyAny>,
    home: Home,
    next: impl Fn(&Bound<'_, PyAny>) -> PyResult<Py<PyAny>> + Copy + Send + Sync + 'static,
) -> Body {
    let source = Arc::new(source.unbind());
    let stream = stream::unfold(Some((source, home)), move |state| async move {
        let (source, home) = state?;
        let of_this_piece = Arc::clone(&source);
        let piece = home.ask(move |py| next(of_this_piece.bind(py)), read_piece);
        match piece.await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some((source, home)))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
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

/// The bytes of `bytes`, `bytearray`, `memoryview` or `str` (as UTF-8); `None` for anything else. A `str` with lone
/// surrogates, which UTF-8 has not, is refused.
pub(crate) fn bytes_of(value: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
    if let Ok(bytes) = value.extract::<PyBackedBytes>() {
        return Ok(Some(Bytes::from_owner(bytes)));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Some(Bytes::from(crate::request::utf8(text, "the body")?)));
    }
    if value.is_instance_of::<PyMemoryView>() {
        return Ok(Some(Bytes::from(
            value.call_method0("tobytes")?.extract::<Vec<u8>>()?,
        )));
    }
    Ok(None)
}
