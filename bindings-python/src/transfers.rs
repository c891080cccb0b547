//! JSON lines, downloads and uploads: native halves of the classes in `_transfers.py`, for both clients.
//!
//! What came stays here until Python has it: a task that is cancelled at that moment loses nothing.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gatewright::{
    Download, Downloaded, Error, ErrorKind, JsonLines, Line, MinThroughput, RequestBuilder, Upload,
    UploadSource, Uploaded,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use tokio::sync::Mutex;

use crate::async_client::{AsyncCore, start};
use crate::attempt::Attempt;
use crate::callback::{Home, Mailbox};
use crate::error::to_exception;
use crate::event_loop::EventLoop;
use crate::headers::Headers;
use crate::json;
use crate::request::{Options, Seconds};
use crate::response::Response;
use crate::sync_client::{Live, SyncCore};

/// Who waits: a thread of the caller's, or a task.
#[derive(Clone)]
pub(crate) enum Waiter {
    Thread {
        live: Arc<Live>,
        mailbox: Option<Arc<Mailbox>>,
    },
    Task {
        home: Option<Home>,
    },
}

impl Waiter {
    /// The result of `work`, or what a task awaits it by.
    fn wait<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
        deliver: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        match self {
            Self::Thread { live, mailbox } => match live.run(py, mailbox.clone(), work)? {
                Ok(value) => deliver(py, value),
                Err(error) => Err(to_exception(py, error)),
            },
            Self::Task { home } => {
                let pending = start(py, EventLoop::running(py)?, home.clone(), work, deliver)?;
                Ok(Py::new(py, pending)?.into_any())
            }
        }
    }
}

/// A request's keyword arguments, as the Python layer hands them on.
pub(crate) fn options<'py>(given: Option<&Bound<'py, PyDict>>) -> PyResult<Options<'py>> {
    let get = |name: &str| -> PyResult<Option<Bound<'py, PyAny>>> {
        match given {
            Some(given) => Ok(given.get_item(name)?.filter(|value| !value.is_none())),
            None => Ok(None),
        }
    };
    let seconds = |name: &str| -> PyResult<Seconds> {
        match given
            .map(|given| given.get_item(name))
            .transpose()?
            .flatten()
        {
            Some(value) => value.extract(),
            None => Ok(Seconds::Default),
        }
    };
    Ok(Options {
        params: get("params")?,
        headers: get("headers")?,
        json: get("json")?,
        content: get("content")?,
        data: get("data")?,
        timeout: seconds("timeout")?,
        attempt_timeout: seconds("attempt_timeout")?,
        max_attempts: get("max_attempts")?
            .map(|value| value.extract())
            .transpose()?,
        idempotency_key: get("idempotency_key")?
            .map(|value| value.extract())
            .transpose()?,
        raise_for_status: None,
        cache: None,
        credential: get("credential")?
            .map(|value| value.extract())
            .transpose()?,
        hedge: None,
    })
}

/// `...` leaves it as it is, `None` switches it off, else a `MinThroughput`.
pub(crate) fn with_floor(
    request: RequestBuilder,
    floor: &Bound<'_, PyAny>,
) -> PyResult<RequestBuilder> {
    if floor.is(floor.py().Ellipsis()) {
        return Ok(request);
    }
    if floor.is_none() {
        return Ok(request.min_throughput(None));
    }
    if !floor.hasattr("bytes_per_second")? || !floor.hasattr("grace")? {
        return Err(PyTypeError::new_err(format!(
            "min_throughput= takes a MinThroughput or None, not this {}",
            floor.get_type().name()?
        )));
    }
    let bytes_per_second: u64 = floor.getattr("bytes_per_second")?.extract()?;
    let seconds: f64 = floor.getattr("grace")?.extract()?;
    let grace = Duration::try_from_secs_f64(seconds).map_err(|_| {
        let what = format!("`min_throughput` has a grace of {seconds} seconds");
        to_exception(floor.py(), Error::new(ErrorKind::InvalidRequest, what))
    })?;
    Ok(request.min_throughput(MinThroughput {
        bytes_per_second,
        grace,
    }))
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the stream is closed")
}

fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is read, until it is closed, and what came of it and is not fetched yet.
struct Reading<S, C> {
    source: Mutex<Option<S>>,
    came: StdMutex<C>,
}

impl<S, C: Default> Reading<S, C> {
    fn new(source: S) -> Arc<Self> {
        Arc::new(Self {
            source: Mutex::new(Some(source)),
            came: StdMutex::default(),
        })
    }
}

/// The values of a stream of JSON lines.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct NativeLines {
    reading: Arc<Reading<JsonLines, VecDeque<Line>>>,
    waiter: Waiter,
    as_text: bool,
}

impl NativeLines {
    pub(crate) fn new(
        request: RequestBuilder,
        waiter: Waiter,
        idle_timeout: Seconds,
        max_line_bytes: usize,
        as_text: bool,
    ) -> Self {
        let mut lines = request.json_lines().max_line_bytes(max_line_bytes);
        if let Seconds::Given(timeout) = idle_timeout {
            lines = lines.idle_timeout(timeout);
        }
        Self {
            reading: Reading::new(lines),
            waiter,
            as_text,
        }
    }
}

#[pymethods]
impl NativeLines {
    /// The values that are there, at least one; `None` at the end.
    fn next_batch(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (reading, as_text) = (Arc::clone(&self.reading), self.as_text);
        let fetched = Arc::clone(&reading);
        let fill = async move {
            match &mut *reading.source.lock().await {
                Some(lines) if lock(&reading.came).is_empty() => {
                    let batch = lines.next_batch().await?;
                    lock(&reading.came).extend(batch);
                    Ok(())
                }
                Some(_) => Ok(()),
                None => Err(closed()),
            }
        };
        self.waiter.wait(py, fill, move |py, ()| {
            let mut came = lock(&fetched.came);
            if came.is_empty() {
                return Ok(py.None());
            }
            let values = PyList::empty(py);
            while let Some(line) = came.front() {
                if as_text {
                    values.append(&line.text)?;
                } else {
                    match json::decode(py, line.text.as_bytes()) {
                        Ok(value) => values.append(value)?,
                        // What came before it first; the next call tells of it.
                        Err(_) if !values.is_empty() => break,
                        Err(why) => {
                            // The place within the line; what is decoded is one line only.
                            let why = why.replace(" at line 1 column ", ", column ");
                            let cut = if line.ended {
                                ""
                            } else {
                                ", the last, which has no end"
                            };
                            let what = format!(
                                "with a line that is not the JSON expected: line {}{cut}: {why}",
                                line.number
                            );
                            came.pop_front();
                            drop(came);
                            let source = fetched.source.try_lock().ok();
                            let error = match source.as_ref().and_then(|source| source.as_ref()) {
                                Some(lines) => lines.error(ErrorKind::Decode, &what),
                                None => Error::new(ErrorKind::Decode, what),
                            };
                            return Err(to_exception(py, error));
                        }
                    }
                }
                came.pop_front();
            }
            Ok(values.into_any().unbind())
        })
    }

    /// Ends the stream.
    fn close(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let reading = Arc::clone(&self.reading);
        let close = async move {
            drop(reading.source.lock().await.take());
            lock(&reading.came).clear();
            Ok(())
        };
        self.waiter.wait(py, close, |py, ()| Ok(py.None()))
    }
}

/// Where a download is: position, total, headers and attempts.
type Position = (u64, Option<u64>, Headers, Vec<Attempt>);

/// The bytes of a download.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct NativeDownload {
    reading: Arc<Reading<Download, Option<Bytes>>>,
    waiter: Waiter,
}

impl NativeDownload {
    pub(crate) fn new(request: RequestBuilder, waiter: Waiter) -> Self {
        Self {
            reading: Reading::new(request.download()),
            waiter,
        }
    }
}

#[pymethods]
impl NativeDownload {
    /// The next bytes, `None` at the end.
    fn next_chunk(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let reading = Arc::clone(&self.reading);
        let fetched = Arc::clone(&reading);
        let fill = async move {
            match &mut *reading.source.lock().await {
                Some(download) if lock(&reading.came).is_none() => {
                    let chunk = download.chunk().await?;
                    *lock(&reading.came) = chunk;
                    Ok(())
                }
                Some(_) => Ok(()),
                None => Err(closed()),
            }
        };
        self.waiter.wait(py, fill, move |py, ()| {
            Ok(match lock(&fetched.came).take() {
                Some(bytes) => PyBytes::new(py, &bytes).into_any().unbind(),
                None => py.None(),
            })
        })
    }

    /// Connects, where that was not done yet.
    fn connect(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let reading = Arc::clone(&self.reading);
        let connect = async move {
            match &mut *reading.source.lock().await {
                Some(download) => download.connect().await,
                None => Err(closed()),
            }
        };
        self.waiter.wait(py, connect, |py, ()| Ok(py.None()))
    }

    /// Where it is.
    fn position(&self, py: Python<'_>) -> PyResult<Position> {
        let source = self.reading.source.try_lock().ok();
        match source.as_ref().and_then(|source| source.as_ref()) {
            Some(download) => {
                let waiting = lock(&self.reading.came)
                    .as_ref()
                    .map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(0));
                Ok((
                    download.position().saturating_sub(waiting),
                    download.total(),
                    Headers::new(download.headers().clone()),
                    download
                        .attempts()
                        .iter()
                        .cloned()
                        .map(Attempt::new)
                        .collect(),
                ))
            }
            None => Err(to_exception(py, closed())),
        }
    }

    /// Ends the download.
    fn close(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let reading = Arc::clone(&self.reading);
        let close = async move {
            drop(reading.source.lock().await.take());
            lock(&reading.came).take();
            Ok(())
        };
        self.waiter.wait(py, close, |py, ()| Ok(py.None()))
    }
}

/// Downloads into a file: its length, what an earlier run had left, headers and attempts.
pub(crate) fn download_to(
    py: Python<'_>,
    waiter: &Waiter,
    request: RequestBuilder,
    file: PathBuf,
) -> PyResult<Py<PyAny>> {
    waiter.wait(py, request.download_to(file), |py, done: Downloaded| {
        let attempts: Vec<Attempt> = done.attempts.into_iter().map(Attempt::new).collect();
        let told = (
            done.length,
            done.resumed_from,
            Headers::new(done.headers),
            attempts,
        );
        Ok(told.into_pyobject(py)?.into_any().unbind())
    })
}

/// An upload.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct NativeUpload {
    upload: Arc<Mutex<Upload>>,
    waiter: Waiter,
}

impl NativeUpload {
    pub(crate) fn new(
        request: RequestBuilder,
        source: UploadSource,
        waiter: Waiter,
        chunk_size: u64,
        resume: Option<String>,
    ) -> Self {
        let mut upload = request.upload(source).chunk_size(chunk_size);
        if let Some(location) = resume {
            upload = upload.resume(location);
        }
        Self {
            upload: Arc::new(Mutex::new(upload)),
            waiter,
        }
    }
}

#[pymethods]
impl NativeUpload {
    /// Uploads: the answer, whether it went piece by piece, whether the answer was lost, and the attempts of all requests.
    fn send(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let upload = Arc::clone(&self.upload);
        let send = async move { upload.lock().await.send().await };
        self.waiter.wait(py, send, |py, done: Uploaded| {
            let attempts: Vec<Attempt> = done.attempts.into_iter().map(Attempt::new).collect();
            let told = (
                Response::new(done.response),
                done.resumable,
                done.answer_lost,
                attempts,
            );
            Ok(told.into_pyobject(py)?.into_any().unbind())
        })
    }

    /// Where it can be gone on with, what the server has acknowledged, and how long it is; nothing while it is under way.
    fn position(&self) -> (Option<String>, u64, Option<u64>) {
        match self.upload.try_lock() {
            Ok(upload) => (
                upload.location().map(str::to_owned),
                upload.offset(),
                upload.length(),
            ),
            Err(_) => (None, 0, None),
        }
    }
}

/// A request of a client of either kind, and who waits for it. `source`: what is uploaded may be asked for at home.
fn begin<'py>(
    client: &Bound<'py, PyAny>,
    method_name: &str,
    path: &str,
    options: Options<'py>,
    source: bool,
) -> PyResult<(RequestBuilder, Waiter, Option<Home>)> {
    let py = client.py();
    let method = crate::request::method(py, method_name)?;
    if let Ok(core) = client.cast::<SyncCore>() {
        let live = core.get().live(py)?;
        let mut mailbox = core.get().mailbox(&options)?;
        if source {
            mailbox.get_or_insert_default();
        }
        let home = mailbox.clone().map(Home::Caller);
        let request = options.request(py, live.client(), method, path, home.clone())?;
        return Ok((request, Waiter::Thread { live, mailbox }, home));
    }
    let core = client.cast::<AsyncCore>()?.get();
    let home = if source || core.settings()?.asks || options.streams() {
        Some(Home::of_loop(py, &EventLoop::running(py)?)?)
    } else {
        None
    };
    let request = options.request(py, &core.client(py)?, method, path, home.clone())?;
    let waiter = Waiter::Task { home: home.clone() };
    Ok((request, waiter, home))
}

/// The JSON lines that answer a request.
#[pyfunction]
pub(crate) fn open_json_lines(
    client: &Bound<'_, PyAny>,
    method: &str,
    path: &str,
    idle_timeout: Seconds,
    max_line_bytes: usize,
    as_text: bool,
    given: &Bound<'_, PyDict>,
) -> PyResult<NativeLines> {
    let (request, waiter, _) = begin(client, method, path, options(Some(given))?, false)?;
    Ok(NativeLines::new(
        request,
        waiter,
        idle_timeout,
        max_line_bytes,
        as_text,
    ))
}

/// A download.
#[pyfunction]
pub(crate) fn open_download(
    client: &Bound<'_, PyAny>,
    path: &str,
    min_throughput: &Bound<'_, PyAny>,
    given: &Bound<'_, PyDict>,
) -> PyResult<NativeDownload> {
    let (request, waiter, _) = begin(client, "GET", path, options(Some(given))?, false)?;
    Ok(NativeDownload::new(
        with_floor(request, min_throughput)?,
        waiter,
    ))
}

/// A download into a file: the result, or what a task awaits it by.
#[pyfunction]
pub(crate) fn run_download_to(
    client: &Bound<'_, PyAny>,
    path: &str,
    file: PathBuf,
    min_throughput: &Bound<'_, PyAny>,
    given: &Bound<'_, PyDict>,
) -> PyResult<Py<PyAny>> {
    let (request, waiter, _) = begin(client, "GET", path, options(Some(given))?, false)?;
    let request = with_floor(request, min_throughput)?;
    download_to(client.py(), &waiter, request, file)
}

/// An upload of bytes, of a file by its path, or of an iterable of bytes.
#[pyfunction]
#[expect(
    clippy::too_many_arguments,
    reason = "keyword arguments of the Python layer"
)]
pub(crate) fn open_upload(
    client: &Bound<'_, PyAny>,
    method: &str,
    path: &str,
    source: &Bound<'_, PyAny>,
    chunk_size: u64,
    resume: Option<String>,
    min_throughput: &Bound<'_, PyAny>,
    given: &Bound<'_, PyDict>,
) -> PyResult<NativeUpload> {
    let given = options(Some(given))?;
    let by_path = source.hasattr("__fspath__")?;
    let (request, waiter, home) = begin(client, method, path, given, !by_path)?;
    let source = if by_path {
        UploadSource::file(source.extract::<PathBuf>()?)
    } else {
        crate::request::body(source, home)?.into()
    };
    let request = with_floor(request, min_throughput)?;
    Ok(NativeUpload::new(
        request, source, waiter, chunk_size, resume,
    ))
}
