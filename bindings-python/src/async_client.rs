//! Calls of an event loop: driven by the worker thread, results in batches.
//!
//! `_start` gives a `Pending` with an `asyncio.Future`. `gatewright/_awaiting.py` awaits the future and, where the task
//! is cancelled, calls `cancel`, which drops the call: that is how its place is given back.

use std::sync::{Arc, Mutex as StdMutex, OnceLock, PoisonError};

use bytes::Bytes;
use gatewright::{Client, Error, PageStyle, Pages, StreamResponse};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use tokio::sync::{Mutex, oneshot};

use crate::call_options::Options;
use crate::callback::{AtHome, Home};
use crate::error::to_exception;
use crate::event_loop::{Deliver, EventLoop};
use crate::event_stream::{AsyncEvents, events_of};
use crate::explain::{Explanation, Supposed};
use crate::fork::PerProcess;
use crate::option_values::{Attempts, Seconds};
use crate::request::method;
use crate::response::Response;
use crate::settings::{Made, Settings, not_initialised};
use crate::sync_client::{Head, head_of};
use crate::transfers::{Reading, closed, lock};
use crate::worker::Worker;
use crate::{log, page};

/// A call under way: dropping this cancels it.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct Pending {
    /// The future that brings the result.
    #[pyo3(get)]
    future: Py<PyAny>,
    event_loop: Arc<EventLoop>,
    number: u64,
    cancel: StdMutex<Option<oneshot::Sender<()>>>,
}

#[pymethods]
impl Pending {
    /// Ends the call.
    fn cancel(&self) {
        self.event_loop.forget(self.number);
        drop(
            self.cancel
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

/// Begins `call` on the worker; `deliver` makes its result of Python, on the loop's thread.
pub(crate) fn start<T: Send + 'static>(
    py: Python<'_>,
    event_loop: Arc<EventLoop>,
    home: Option<Home>,
    call: impl Future<Output = Result<T, Error>> + Send + 'static,
    deliver: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Pending> {
    let worker = Worker::of_process()?;
    let (future, number) = event_loop.future(py)?;
    let (cancel, cancelled) = oneshot::channel::<()>();
    let call = AtHome {
        home,
        future: Box::pin(call),
    };
    let back = Arc::clone(&event_loop);
    worker.submit(Box::pin(async move {
        tokio::select! {
            biased;
            _ = cancelled => {}
            result = call => {
                let deliver: Deliver = Box::new(move |py| match result {
                    Ok(value) => deliver(py, value),
                    Err(error) => Err(to_exception(py, error)),
                });
                back.done(number, deliver);
            }
        }
    }));
    Ok(Pending {
        future: future.unbind(),
        event_loop,
        number,
        cancel: StdMutex::new(Some(cancel)),
    })
}

/// The native half of `AsyncClient`.
#[pyclass(frozen, subclass, module = "gatewright._native")]
pub(crate) struct AsyncCore {
    settings: OnceLock<Settings>,
    client: PerProcess<Made>,
}

impl AsyncCore {
    /// The client, and the OAuth of its credentials.
    pub(crate) fn made(&self, py: Python<'_>) -> PyResult<Made> {
        self.client
            .get_or_make(|| self.settings()?.client(py, true))
    }

    pub(crate) fn client(&self, py: Python<'_>) -> PyResult<Client> {
        Ok(self.made(py)?.client)
    }

    pub(crate) fn settings(&self) -> PyResult<&Settings> {
        self.settings.get().ok_or_else(not_initialised)
    }

    /// Where a call is asked something, where it may be.
    fn home(
        &self,
        py: Python<'_>,
        event_loop: &Arc<EventLoop>,
        options: &Options<'_>,
    ) -> PyResult<Option<Home>> {
        let asks = self.settings()?.asks || options.streams();
        asks.then(|| Home::of_loop(py, event_loop)).transpose()
    }
}

#[pymethods]
impl AsyncCore {
    /// Nothing yet: subclasses have an `__init__` of their own, with arguments of their own.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            settings: OnceLock::new(),
            client: PerProcess::new(),
        }
    }

    #[pyo3(signature = (base_url, /, **settings))]
    fn __init__(
        &self,
        py: Python<'_>,
        base_url: String,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let settings = settings.cloned().unwrap_or_else(|| PyDict::new(py));
        let settings = Settings::read(base_url, &settings)?;
        // Wrong settings are told of now, not at the first call.
        let made = settings.client(py, true)?;
        if self.settings.set(settings).is_err() {
            return Err(PyRuntimeError::new_err(
                "the client was initialised already",
            ));
        }
        self.client.get_or_make(|| Ok::<_, PyErr>(made))?;
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.settings
            .get()
            .map_or(Ok(()), |settings| settings.traverse(&visit))
    }

    fn __clear__(&self) {
        if let Some(settings) = self.settings.get() {
            settings.clear();
        }
    }

    /// Begins a request. `of`: the method of `AsyncClient` that it is of; the answer of `stream` is handed over with its
    /// head, all others are read whole.
    fn _start(
        &self,
        py: Python<'_>,
        of: &str,
        method_name: &str,
        path: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Pending> {
        let options = Options::read(Some(options), of)?;
        let client = self.client(py)?;
        let event_loop = EventLoop::running(py)?;
        let home = self.home(py, &event_loop, &options)?;
        let method = method(py, method_name)?;
        let request = options.request(py, &client, method, path, home.clone())?;
        if of == "stream" {
            return start(py, event_loop, home, request.stream(), |py, answer| {
                let stream = AsyncStream {
                    reading: Reading::new(answer),
                };
                Ok(Py::new(py, stream)?.into_any())
            });
        }
        start(py, event_loop, home, request.send(), |py, answer| {
            log::answered(py, &answer)?;
            Ok(Py::new(py, Response::new(answer))?.into_any())
        })
    }

    /// The events that answer a request. Nothing is sent before the first is asked for.
    fn _events(
        &self,
        py: Python<'_>,
        method_name: &str,
        path: &str,
        last_event_id: Option<&str>,
        idle_timeout: Seconds,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<AsyncEvents> {
        let options = Options::read(Some(options), "events")?;
        let home = if self.settings()?.asks || options.streams() {
            Some(Home::of_loop(py, &EventLoop::running(py)?)?)
        } else {
            None
        };
        let method = method(py, method_name)?;
        let request = options.request(py, &self.client(py)?, method, path, home.clone())?;
        let events = events_of(request, last_event_id, idle_timeout);
        Ok(AsyncEvents::new(events, home))
    }

    /// The pages of a list.
    fn _pages(
        &self,
        py: Python<'_>,
        path: &str,
        items: String,
        cursor: String,
        cursor_param: String,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<AsyncPages> {
        let options = Options::read(Some(options), "pages")?;
        let request = options.request(py, &self.client(py)?, http::Method::GET, path, None)?;
        let style = page::style(items, cursor, cursor_param);
        let pages = Arc::new(Mutex::new(request.pages_with(style.clone())));
        Ok(AsyncPages {
            pages,
            style,
            asks: self.settings()?.asks,
        })
    }

    /// What would be done with an outcome that did not happen.
    #[pyo3(signature = (status, failure, headers, body, method_name, path, idempotency_key, replayable, attempt, elapsed,
        max_attempts, timeout, /))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of the Python layer"
    )]
    fn _explain(
        &self,
        py: Python<'_>,
        status: Option<u16>,
        failure: Option<String>,
        headers: Option<Bound<'_, PyAny>>,
        body: Option<Bound<'_, PyAny>>,
        method_name: String,
        path: String,
        idempotency_key: Option<bool>,
        replayable: bool,
        attempt: u32,
        elapsed: f64,
        max_attempts: Option<Attempts>,
        timeout: Seconds,
    ) -> PyResult<Explanation> {
        let supposed = Supposed {
            status,
            failure,
            headers,
            body,
            method: method_name,
            path,
            idempotency_key,
            replayable,
            attempt,
            elapsed,
            max_attempts,
            timeout,
        };
        supposed.explain(py, &self.client(py)?)
    }

    /// Budget and limits of the base URL's host, as they are now.
    fn _state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::state::state(py, &self.client(py)?)
    }

    /// Tracebacks show clients that are half made, too.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        Ok(match slf.get().client.get() {
            Some(made) => format!("<{name} {}>", made.client.base_url()),
            None => format!("<{name}>"),
        })
    }

    /// The base URL.
    #[getter]
    fn base_url(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.client(py)?.base_url())
    }

    /// Forgets every answer that the cache has stored.
    fn clear_cache(&self, py: Python<'_>) -> PyResult<()> {
        self.client(py)?.clear_cache();
        Ok(())
    }

    /// Refuses further calls.
    fn _close(&self) {
        if let Some(made) = self.client.get() {
            made.client.close();
        }
    }
}

/// An answer whose body comes in as it is read.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct AsyncStream {
    reading: Arc<Reading<StreamResponse, Option<Bytes>>>,
}

#[pymethods]
impl AsyncStream {
    /// Begins to read the next piece of the body, `None` at its end.
    fn next_chunk(&self, py: Python<'_>) -> PyResult<Pending> {
        let reading = Arc::clone(&self.reading);
        let fetched = Arc::clone(&reading);
        let fill = async move {
            match &mut *reading.source.lock().await {
                Some(answer) if lock(&reading.came).is_none() => {
                    let chunk = answer.chunk().await?;
                    *lock(&reading.came) = chunk;
                    Ok(())
                }
                Some(_) => Ok(()),
                None => Err(closed()),
            }
        };
        start(py, EventLoop::running(py)?, None, fill, move |py, ()| {
            Ok(match lock(&fetched.came).take() {
                Some(bytes) => PyBytes::new(py, &bytes).into_any().unbind(),
                None => py.None(),
            })
        })
    }

    /// Begins to close the stream.
    fn close(&self, py: Python<'_>) -> PyResult<Pending> {
        let reading = Arc::clone(&self.reading);
        let close = async move {
            drop(reading.source.lock().await.take());
            lock(&reading.came).take();
            Ok(())
        };
        start(py, EventLoop::running(py)?, None, close, |py, ()| {
            Ok(py.None())
        })
    }

    /// Status, headers, URL, request id and attempts.
    fn head(&self, py: Python<'_>) -> PyResult<Head> {
        let answer = self.reading.source.try_lock().ok();
        match answer.as_ref().and_then(|answer| answer.as_ref()) {
            Some(answer) => Ok(head_of(answer)),
            None => Err(to_exception(py, closed())),
        }
    }
}

/// Pages, one at a time.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct AsyncPages {
    pages: Arc<Mutex<Pages>>,
    style: PageStyle,
    asks: bool,
}

#[pymethods]
impl AsyncPages {
    /// Begins to fetch the next page: its answer and items, `None` after the last.
    fn next_page(&self, py: Python<'_>) -> PyResult<Pending> {
        let (pages, style) = (Arc::clone(&self.pages), self.style.clone());
        let next = async move { pages.lock().await.next_page().await };
        let event_loop = EventLoop::running(py)?;
        let home = if self.asks {
            Some(Home::of_loop(py, &event_loop)?)
        } else {
            None
        };
        start(py, event_loop, home, next, move |py, found| match found {
            Some(found) => Ok(page::into_parts(py, found, &style)?
                .into_pyobject(py)?
                .into_any()
                .unbind()),
            None => Ok(py.None()),
        })
    }
}
