//! Downloads: the native half of `Download` and `AsyncDownload`, and downloads into a file.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use gatewright::{Download, Downloaded, RequestBuilder};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::attempt::Attempt;
use crate::call_options::Options;
use crate::error::to_exception;
use crate::headers::Headers;
use crate::transfers::{Reading, Waiter, begin, closed, lock};

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

/// A download.
#[pyfunction]
pub(crate) fn open_download(
    client: &Bound<'_, PyAny>,
    path: &str,
    options: &Bound<'_, PyDict>,
) -> PyResult<NativeDownload> {
    let (request, waiter, _) = begin(
        client,
        "GET",
        path,
        Options::read(Some(options), "download")?,
        false,
    )?;
    Ok(NativeDownload::new(request, waiter))
}

/// A download into a file: the result, or what a task awaits it by.
#[pyfunction]
pub(crate) fn run_download_to(
    client: &Bound<'_, PyAny>,
    path: &str,
    file: PathBuf,
    options: &Bound<'_, PyDict>,
) -> PyResult<Py<PyAny>> {
    let (request, waiter, _) = begin(
        client,
        "GET",
        path,
        Options::read(Some(options), "download")?,
        false,
    )?;
    download_to(client.py(), &waiter, request, file)
}
