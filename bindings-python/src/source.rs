//! Request bodies from Python: iterables and files, asked for piece by piece at home.
//!
//! | Given | Sent |
//! |---|---|
//! | an iterable, asynchronous or not; a file that cannot seek | once: it cannot be rewound |
//! | a callable | called for each attempt; what it gives is sent |
//! | a file that can seek | for each attempt from where it stood; its length is known where it is read as bytes |
//!
//! Attempts may overlap: each knows its own place in a file, and seeks before it reads.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use gatewright::{Body, BoxError};
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBool, PyDict, PyIterator, PyMemoryView, PyString};

use crate::callback::Home;

/// What is read of a file at once.
const FILE_PIECE: u64 = 64 * 1024;

/// The body that `content` is, which is no bytes.
pub(crate) fn body(content: &Bound<'_, PyAny>, home: Home) -> PyResult<Body> {
    if let Some(file) = SeekableFile::of(content) {
        let length = file.length;
        let make = move || file.clone().pieces(home.clone()).boxed();
        return Ok(Body::replayable(make, length));
    }
    let asynchronous = matches!(home, Home::Loop(..));
    if let Some(pieces) = Pieces::of(content, asynchronous)? {
        return Ok(Body::once(pieces.stream(home), None));
    }
    if content.is_callable() {
        let callable = Arc::new(content.clone().unbind());
        let make = move || anew(Arc::clone(&callable), home.clone()).boxed();
        return Ok(Body::replayable(make, None));
    }
    let name = content.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "content= takes bytes, str, a file, an iterable of bytes or a callable that gives one, not {name}; for JSON use \
         json="
    )))
}

/// Where pieces come from, and how the next is asked for; `None` is the end.
struct Pieces {
    source: Arc<Py<PyAny>>,
    next: fn(&Bound<'_, PyAny>) -> PyResult<Py<PyAny>>,
}

impl Pieces {
    /// Of an iterable or a file; `None` for what is neither.
    fn of(content: &Bound<'_, PyAny>, asynchronous: bool) -> PyResult<Option<Self>> {
        if content.hasattr("__aiter__")? {
            if !asynchronous {
                return Err(PyTypeError::new_err(
                    "an async iterable is a body for AsyncClient only",
                ));
            }
            let iterator = content.call_method0("__aiter__")?;
            return Ok(Some(Self::new(iterator, next_awaited)));
        }
        if content.hasattr("read")? {
            return Ok(Some(Self::new(content.clone(), next_read)));
        }
        if content.hasattr("__iter__")? && !content.is_instance_of::<PyDict>() {
            let iterator = PyIterator::from_object(content)?.into_any();
            return Ok(Some(Self::new(iterator, next_of)));
        }
        Ok(None)
    }

    fn new(source: Bound<'_, PyAny>, next: fn(&Bound<'_, PyAny>) -> PyResult<Py<PyAny>>) -> Self {
        Self {
            source: Arc::new(source.unbind()),
            next,
        }
    }

    fn stream(self, home: Home) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
        stream::unfold(Some((self, home)), |state| async move {
            let (pieces, home) = state?;
            let (source, next) = (Arc::clone(&pieces.source), pieces.next);
            let piece = home.ask(move |py| next(source.bind(py)), read_piece);
            match piece.await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some((pieces, home)))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

fn next_of(iterator: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    match iterator.call_method0("__next__") {
        Err(stop) if stop.is_instance_of::<PyStopIteration>(iterator.py()) => {
            Ok(iterator.py().None())
        }
        next => next.map(Bound::unbind),
    }
}

fn next_awaited(iterator: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    match iterator.call_method0("__anext__") {
        Err(stop) if stop.is_instance_of::<PyStopAsyncIteration>(iterator.py()) => {
            Ok(iterator.py().None())
        }
        next => next.map(Bound::unbind),
    }
}

fn next_read(file: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let piece = file.call_method1("read", (FILE_PIECE,))?;
    let is_end = piece.len().is_ok_and(|length| length == 0);
    Ok(if is_end {
        file.py().None()
    } else {
        piece.unbind()
    })
}

/// What a callable gave for one attempt.
enum Given {
    Whole(Bytes),
    Pieces(Pieces),
}

impl Given {
    fn of(given: &Bound<'_, PyAny>, asynchronous: bool) -> PyResult<Self> {
        if let Some(bytes) = bytes_of(given)? {
            return Ok(Self::Whole(bytes));
        }
        match Pieces::of(given, asynchronous)? {
            Some(pieces) => Ok(Self::Pieces(pieces)),
            None => Err(PyTypeError::new_err(format!(
                "the callable that is the body gave {}; it must give bytes, a file or an iterable of bytes",
                given.get_type().name()?
            ))),
        }
    }
}

/// The pieces of what a callable gives, which is called when the first is wanted.
fn anew(
    callable: Arc<Py<PyAny>>,
    home: Home,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    stream::once(async move {
        let asynchronous = matches!(home, Home::Loop(..));
        let given = home.ask(
            move |py| callable.call0(py),
            move |given| Given::of(given, asynchronous),
        );
        match given.await {
            Ok(Given::Pieces(pieces)) => pieces.stream(home).boxed(),
            Ok(Given::Whole(bytes)) => stream::iter([Ok(bytes)]).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    })
    .flatten()
}

/// A file that can seek, where it stood when the request was made.
#[derive(Clone)]
struct SeekableFile {
    file: Arc<Py<PyAny>>,
    start: Arc<Py<PyAny>>,
    /// Of what is left, where that can be told: places in a file of text are no numbers of bytes.
    length: Option<u64>,
}

impl SeekableFile {
    /// `None` for what is none; what is wrong with a file shows when it is read.
    fn of(content: &Bound<'_, PyAny>) -> Option<Self> {
        let seekable = content.getattr_opt("seekable").ok()??.call0().ok()?;
        if !seekable.is_instance_of::<PyBool>() {
            // An asynchronous file; closed, so that Python does not warn of what was never awaited.
            let _ = seekable.call_method0("close");
            return None;
        }
        if !seekable.is_truthy().ok()? || !content.hasattr("read").ok()? {
            return None;
        }
        let start = content.call_method0("tell").ok()?;
        let length = if content.hasattr("encoding").ok()? {
            None
        } else {
            let end = content.call_method1("seek", (0, 2)).ok()?;
            content.call_method1("seek", (&start,)).ok()?;
            let (start, end) = (start.extract::<u64>().ok()?, end.extract::<u64>().ok()?);
            Some(end.saturating_sub(start))
        };
        Some(Self {
            file: Arc::new(content.clone().unbind()),
            start: Arc::new(start.unbind()),
            length,
        })
    }

    fn pieces(self, home: Home) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
        let (at, left) = (Arc::clone(&self.start), self.length);
        stream::unfold(Some((self.file, at, left, home)), |state| async move {
            let (file, at, left, home) = state?;
            let size = left.map_or(FILE_PIECE, |left| left.min(FILE_PIECE));
            if size == 0 {
                return None;
            }
            let of_this_piece = Arc::clone(&file);
            let piece = home.ask(
                move |py| {
                    let file = of_this_piece.bind(py);
                    file.call_method1("seek", (&*at,))?;
                    let piece = file.call_method1("read", (size,))?;
                    let now_at = file.call_method0("tell")?;
                    Ok((piece, now_at).into_pyobject(py)?.into_any().unbind())
                },
                |answer| {
                    let piece = read_piece(&answer.get_item(0)?)?.unwrap_or_default();
                    Ok((piece, Arc::new(answer.get_item(1)?.unbind())))
                },
            );
            match piece.await {
                Ok((bytes, _)) if bytes.is_empty() => left.map(|left| {
                    let what = format!("the file ended {left} bytes before its length");
                    (Err(what.into()), None)
                }),
                Ok((bytes, at)) => {
                    let came = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    let left = left.map(|left| left.saturating_sub(came));
                    Some((Ok(bytes), Some((file, at, left, home))))
                }
                Err(error) => Some((Err(error), None)),
            }
        })
    }
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
