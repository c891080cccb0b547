//! Calls on the caller's own thread: no helper thread, no hand-over. The thread itself drives connections and timers
//! while it waits, with the GIL released.
//!
//! Each client has a single-threaded runtime. Several threads may call at once: one drives, and hands over when its own
//! call is done.

use std::sync::{Arc, OnceLock};

use gatewright::{CacheStatus, Error, ErrorKind, PageStyle, Pages, StreamResponse};
use http::Method;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use tokio::sync::Mutex;

use crate::call_options::Options;
use crate::callback::{Home, Mailbox};
use crate::error::to_exception;
use crate::event_stream::{SyncEvents, events_of};
use crate::explain::{Explanation, Supposed};
use crate::fork::PerProcess;
use crate::headers::Headers;
use crate::live::Live;
use crate::option_values::{Attempts, Seconds};
use crate::request::method;
use crate::response::Response;
use crate::settings::{Settings, not_initialised};
use crate::{log, page};

/// The native half of `Client`.
#[pyclass(frozen, subclass, module = "gatewright._native")]
pub(crate) struct SyncCore {
    settings: OnceLock<Settings>,
    live: PerProcess<Arc<Live>>,
}

impl SyncCore {
    pub(crate) fn live(&self, py: Python<'_>) -> PyResult<Arc<Live>> {
        self.live
            .get_or_make(|| Live::new(self.settings()?.client(py, false)?).map(Arc::new))
    }

    fn settings(&self) -> PyResult<&Settings> {
        self.settings.get().ok_or_else(not_initialised)
    }

    pub(crate) fn mailbox(&self, options: &Options<'_>) -> PyResult<Option<Arc<Mailbox>>> {
        let asks = self.settings()?.asks || options.streams();
        Ok(asks.then(Arc::default))
    }

    fn send(
        &self,
        py: Python<'_>,
        method: Method,
        path: &str,
        options: Options<'_>,
    ) -> PyResult<Response> {
        let live = self.live(py)?;
        let mailbox = self.mailbox(&options)?;
        let home = mailbox.clone().map(Home::Caller);
        let request = options.request(py, live.client(), method, path, home)?;
        match live.run(py, mailbox, request.send())? {
            Ok(answer) => {
                log::answered(py, &answer)?;
                Ok(Response::new(answer))
            }
            Err(error) => Err(to_exception(py, error)),
        }
    }
}

#[pymethods]
impl SyncCore {
    /// Nothing yet: subclasses have an `__init__` of their own, with arguments of their own.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            settings: OnceLock::new(),
            live: PerProcess::new(),
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
        let made = Arc::new(Live::new(settings.client(py, false)?)?);
        if self.settings.set(settings).is_err() {
            return Err(PyRuntimeError::new_err(
                "the client was initialised already",
            ));
        }
        self.live.get_or_make(|| Ok::<_, PyErr>(made))?;
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

    /// Sends a request, and reads the answer whole.
    #[pyo3(signature = (method_name, path, /, **options))]
    fn request(
        &self,
        py: Python<'_>,
        method_name: &str,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        let options = Options::read(options, "request")?;
        self.send(py, method(py, method_name)?, path, options)
    }

    /// Sends a GET request.
    #[pyo3(signature = (path, /, **options))]
    fn get(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(py, Method::GET, path, Options::read(options, "get")?)
    }

    /// Sends a HEAD request.
    #[pyo3(signature = (path, /, **options))]
    fn head(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(py, Method::HEAD, path, Options::read(options, "head")?)
    }

    /// Sends an OPTIONS request.
    #[pyo3(signature = (path, /, **options))]
    fn options(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(
            py,
            Method::OPTIONS,
            path,
            Options::read(options, "options")?,
        )
    }

    /// Sends a DELETE request.
    #[pyo3(signature = (path, /, **options))]
    fn delete(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(py, Method::DELETE, path, Options::read(options, "delete")?)
    }

    /// Sends a POST request. It carries an idempotency key.
    #[pyo3(signature = (path, /, **options))]
    fn post(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(py, Method::POST, path, Options::read(options, "post")?)
    }

    /// Sends a PUT request.
    #[pyo3(signature = (path, /, **options))]
    fn put(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(py, Method::PUT, path, Options::read(options, "put")?)
    }

    /// Sends a PATCH request. It carries an idempotency key.
    #[pyo3(signature = (path, /, **options))]
    fn patch(
        &self,
        py: Python<'_>,
        path: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Response> {
        self.send(py, Method::PATCH, path, Options::read(options, "patch")?)
    }

    /// Sends a request; the answer's body comes in as it is read.
    fn _open(
        &self,
        py: Python<'_>,
        method_name: &str,
        path: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<SyncStream> {
        let options = Options::read(Some(options), "stream")?;
        let live = self.live(py)?;
        let mailbox = self.mailbox(&options)?;
        let home = mailbox.clone().map(Home::Caller);
        let request = options.request(py, live.client(), method(py, method_name)?, path, home)?;
        match live.run(py, mailbox.clone(), request.stream())? {
            Ok(answer) => Ok(SyncStream {
                answer: Arc::new(Mutex::new(Some(answer))),
                live,
                mailbox,
            }),
            Err(error) => Err(to_exception(py, error)),
        }
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
    ) -> PyResult<SyncEvents> {
        let options = Options::read(Some(options), "events")?;
        let live = self.live(py)?;
        let mailbox = self.mailbox(&options)?;
        let home = mailbox.clone().map(Home::Caller);
        let request = options.request(py, live.client(), method(py, method_name)?, path, home)?;
        let events = events_of(request, last_event_id, idle_timeout);
        Ok(SyncEvents::new(events, live, mailbox))
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
    ) -> PyResult<SyncPages> {
        let live = self.live(py)?;
        let options = Options::read(Some(options), "pages")?;
        let request = options.request(py, live.client(), Method::GET, path, None)?;
        let style = page::style(items, cursor, cursor_param);
        let pages = Mutex::new(request.pages_with(style.clone()));
        Ok(SyncPages {
            pages,
            style,
            live,
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
        supposed.explain(py, self.live(py)?.client())
    }

    /// Budget and limits of the base URL's host, as they are now.
    fn _state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::state::state(py, self.live(py)?.client())
    }

    /// Tracebacks show clients that are half made, too.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        Ok(match slf.get().live.get() {
            Some(live) => format!("<{name} {}>", live.client().base_url()),
            None => format!("<{name}>"),
        })
    }

    /// The base URL.
    #[getter]
    fn base_url(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.live(py)?.client().base_url())
    }

    /// Forgets every answer that the cache has stored.
    fn clear_cache(&self, py: Python<'_>) -> PyResult<()> {
        self.live(py)?.client().clear_cache();
        Ok(())
    }

    /// Refuses further calls.
    fn close(&self) {
        if let Some(live) = self.live.get() {
            live.client().close();
        }
    }
}

/// An answer whose body comes in as it is read.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct SyncStream {
    answer: Arc<Mutex<Option<StreamResponse>>>,
    live: Arc<Live>,
    /// The request's body may still be under way when the answer has begun.
    mailbox: Option<Arc<Mailbox>>,
}

#[pymethods]
impl SyncStream {
    /// The next piece of the body, `None` at its end.
    fn next_chunk<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let answer = Arc::clone(&self.answer);
        let next = async move {
            match &mut *answer.lock().await {
                Some(answer) => answer.chunk().await,
                None => Err(Error::new(ErrorKind::Closed, "the stream is closed")),
            }
        };
        let chunk = self
            .live
            .run(py, self.mailbox.clone(), next)?
            .map_err(|error| to_exception(py, error))?;
        Ok(chunk.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// Gives the connection back, or closes it where there is still something to come.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let answer = Arc::clone(&self.answer);
        self.live
            .run(py, None, async move { drop(answer.lock().await.take()) })
    }

    /// Status, headers, URL, request id and attempts.
    fn head(&self, py: Python<'_>) -> PyResult<Head> {
        let answer = self.answer.try_lock().ok();
        match answer.as_ref().and_then(|answer| answer.as_ref()) {
            Some(answer) => Ok(head_of(answer)),
            None => Err(to_exception(
                py,
                Error::new(ErrorKind::Closed, "the stream is closed"),
            )),
        }
    }
}

/// Status, headers, URL, request id, attempts, seconds until the head was there, and how the cache answered.
pub(crate) type Head = (
    u16,
    Headers,
    String,
    Option<String>,
    Vec<crate::attempt::Attempt>,
    f64,
    Option<&'static str>,
);

pub(crate) fn head_of(answer: &StreamResponse) -> Head {
    (
        answer.status().as_u16(),
        Headers::new(answer.headers().clone()),
        answer.url().to_string(),
        answer.request_id().map(str::to_owned),
        answer
            .attempts()
            .iter()
            .cloned()
            .map(crate::attempt::Attempt::new)
            .collect(),
        answer.elapsed().as_secs_f64(),
        answer.cache_status().map(CacheStatus::as_str),
    )
}

/// Pages, one at a time.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct SyncPages {
    pages: Mutex<Pages>,
    style: PageStyle,
    live: Arc<Live>,
    asks: bool,
}

#[pymethods]
impl SyncPages {
    /// The next page's answer and items, `None` after the last.
    fn next_page(&self, py: Python<'_>) -> PyResult<Option<(Response, Py<PyAny>)>> {
        let mailbox = self.asks.then(Arc::default);
        let next = async { self.pages.lock().await.next_page().await };
        match self.live.run(py, mailbox, next)? {
            Ok(None) => Ok(None),
            Ok(Some(found)) => page::into_parts(py, found, &self.style).map(Some),
            Err(error) => Err(to_exception(py, error)),
        }
    }
}
