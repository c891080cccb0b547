//! Streams of JSON lines: the native half of `JsonLines` and `AsyncJsonLines`.

use std::collections::VecDeque;
use std::sync::Arc;

use gatewright::{Error, ErrorKind, JsonLines, Line, RequestBuilder};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::call_options::Options;
use crate::error::to_exception;
use crate::json;
use crate::option_values::Seconds;
use crate::transfers::{Reading, Waiter, begin, closed, lock};

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

/// The JSON lines that answer a request.
#[pyfunction]
pub(crate) fn open_json_lines(
    client: &Bound<'_, PyAny>,
    method: &str,
    path: &str,
    idle_timeout: Seconds,
    max_line_bytes: usize,
    as_text: bool,
    options: &Bound<'_, PyDict>,
) -> PyResult<NativeLines> {
    let (request, waiter, _) = begin(
        client,
        method,
        path,
        Options::read(Some(options), "json_lines")?,
        false,
    )?;
    Ok(NativeLines::new(
        request,
        waiter,
        idle_timeout,
        max_line_bytes,
        as_text,
    ))
}
