//! Calls on the caller's own thread: no helper thread, no hand-over. The thread itself drives connections and timers
//! while it waits, with the GIL released.
//!
//! Each client has a single-threaded runtime. Several threads may call at once: one drives, and hands over when its own
//! call is done.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use gatewright::{CacheStatus, Client, Error, ErrorKind, PageStyle, Pages, StreamResponse};
use http::Method;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::time::Sleep;

use crate::callback::{AtHome, Home, Mailbox, Question, answer_now};
use crate::error::to_exception;
use crate::event_stream::{SyncEvents, events_of};
use crate::explain::{Explanation, Supposed};
use crate::fork::PerProcess;
use crate::headers::Headers;
use crate::request::{Attempts, Credential, Hedging, Mode, Options, Seconds, method};
use crate::response::Response;
use crate::settings::{Settings, not_initialised};
use crate::{log, page};

/// How often a thread that waits looks for signals, so that Ctrl-C ends a call.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// After this long without a call, the runtime first looks which connections the server has closed meanwhile.
const STALE_AFTER: Duration = Duration::from_millis(50);

/// A client and the runtime that drives it.
pub(crate) struct Live {
    client: Client,
    /// There until the end; an `Option` so that it can be taken then.
    runtime: Option<Runtime>,
    born: Instant,
    last_used: AtomicU64,
    /// Goes off every `SIGNAL_INTERVAL`, for the main thread. Kept from call to call: a timer of its own would cost each
    /// call more than its decisions.
    tick: StdMutex<Pin<Box<Sleep>>>,
}

impl Live {
    fn new(client: Client) -> PyResult<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let tick = {
            let _inside = runtime.enter();
            StdMutex::new(Box::pin(tokio::time::sleep(SIGNAL_INTERVAL)))
        };
        Ok(Self {
            tick,
            client,
            runtime: Some(runtime),
            born: Instant::now(),
            last_used: AtomicU64::new(0),
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether nobody has driven the runtime for a while; from now on, somebody does.
    fn was_stale(&self) -> bool {
        let now = self.born.elapsed();
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let last = Duration::from_nanos(self.last_used.swap(nanos, Ordering::Relaxed));
        now.saturating_sub(last) > STALE_AFTER
    }

    /// Whether it is time to look for signals. Only the main thread asks: the others would take its wake-up away.
    fn poll_tick(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut tick = self.tick.lock().unwrap_or_else(PoisonError::into_inner);
        std::task::ready!(tick.as_mut().poll(cx));
        tick.as_mut()
            .reset(tokio::time::Instant::now() + SIGNAL_INTERVAL);
        Poll::Ready(())
    }

    /// Runs a call to its end, on this thread. Comes out of the runtime to answer callbacks and signals.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        mailbox: Option<Arc<Mailbox>>,
        future: impl Future<Output = T> + Send,
    ) -> PyResult<T> {
        enum Out<T> {
            Done(T),
            Question(Box<dyn Question>),
            Signals,
        }
        let Some(runtime) = &self.runtime else {
            return Err(not_initialised());
        };
        let is_main = is_main_thread(py)?;
        if self.was_stale() {
            py.detach(|| runtime.block_on(tokio::task::yield_now()));
        }
        // On the stack: a call's future is large, and moving it to the heap costs more than the call's decisions.
        let home = mailbox.clone().map(Home::Caller);
        let mut call = pin!(AtHome {
            home,
            future: pin!(future)
        });
        loop {
            let polled = std::future::poll_fn(|cx| {
                if let Some(mailbox) = &mailbox {
                    mailbox.register(cx.waker());
                }
                if let Poll::Ready(value) = call.as_mut().poll(cx) {
                    return Poll::Ready(Out::Done(value));
                }
                if let Some(question) = mailbox.as_ref().and_then(|mailbox| mailbox.take()) {
                    return Poll::Ready(Out::Question(question));
                }
                if is_main {
                    return self.poll_tick(cx).map(|()| Out::Signals);
                }
                Poll::Pending
            });
            match py.detach(|| runtime.block_on(polled)) {
                Out::Done(value) => {
                    return Ok(value);
                }
                Out::Question(question) => answer_now(question, py)?,
                Out::Signals => py.check_signals()?,
            }
        }
    }
}

/// Whether this is the thread that Python handles signals on.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    thread_local! {
        static KNOWN: Cell<Option<(u64, bool)>> = const { Cell::new(None) };
    }
    let process = crate::fork::generation();
    if let Some((_, known)) = KNOWN.get().filter(|(of, _)| *of == process) {
        return Ok(known);
    }
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    let is_main = main.eq(threading.call_method0("get_ident")?)?;
    KNOWN.set(Some((process, is_main)));
    Ok(is_main)
}

impl Drop for Live {
    fn drop(&mut self) {
        // Without waiting: for a DNS lookup, say, or inside of another runtime, where the last reference may go away.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

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
        let request = options.request(py, &live.client, method, path, home)?;
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
    #[pyo3(signature = (method_name, path, /, *, params=None, headers=None, json=None, content=None, data=None,
        timeout=Seconds::Default, attempt_timeout=Seconds::Default, max_attempts=None, idempotency_key=None,
        raise_for_status=None, cache=None, credential=None, hedge=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn request(
        &self,
        py: Python<'_>,
        method_name: &str,
        path: &str,
        params: Option<Bound<'_, PyAny>>,
        headers: Option<Bound<'_, PyAny>>,
        json: Option<Bound<'_, PyAny>>,
        content: Option<Bound<'_, PyAny>>,
        data: Option<Bound<'_, PyAny>>,
        timeout: Seconds,
        attempt_timeout: Seconds,
        max_attempts: Option<Attempts>,
        idempotency_key: Option<String>,
        raise_for_status: Option<bool>,
        cache: Option<Mode>,
        credential: Option<Credential>,
        hedge: Option<Hedging>,
    ) -> PyResult<Response> {
        let options = Options {
            params,
            headers,
            json,
            content,
            data,
            timeout,
            attempt_timeout,
            max_attempts,
            idempotency_key,
            raise_for_status,
            cache,
            credential,
            hedge,
        };
        self.send(py, method(py, method_name)?, path, options)
    }

    /// Sends a GET request.
    #[pyo3(signature = (path, /, *, params=None, headers=None, timeout=Seconds::Default,
        attempt_timeout=Seconds::Default, max_attempts=None, idempotency_key=None, raise_for_status=None, cache=None,
        credential=None, hedge=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn get(
        &self,
        py: Python<'_>,
        path: &str,
        params: Option<Bound<'_, PyAny>>,
        headers: Option<Bound<'_, PyAny>>,
        timeout: Seconds,
        attempt_timeout: Seconds,
        max_attempts: Option<Attempts>,
        idempotency_key: Option<String>,
        raise_for_status: Option<bool>,
        cache: Option<Mode>,
        credential: Option<Credential>,
        hedge: Option<Hedging>,
    ) -> PyResult<Response> {
        let options = Options {
            params,
            headers,
            json: None,
            content: None,
            data: None,
            timeout,
            attempt_timeout,
            max_attempts,
            idempotency_key,
            raise_for_status,
            cache,
            credential,
            hedge,
        };
        self.send(py, Method::GET, path, options)
    }

    /// Sends a request; the answer's body comes in as it is read.
    #[pyo3(signature = (method_name, path, /, *, params=None, headers=None, json=None, content=None, data=None,
        timeout=Seconds::Default, attempt_timeout=Seconds::Default, max_attempts=None, idempotency_key=None,
        raise_for_status=None, cache=None, credential=None, hedge=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn _open(
        &self,
        py: Python<'_>,
        method_name: &str,
        path: &str,
        params: Option<Bound<'_, PyAny>>,
        headers: Option<Bound<'_, PyAny>>,
        json: Option<Bound<'_, PyAny>>,
        content: Option<Bound<'_, PyAny>>,
        data: Option<Bound<'_, PyAny>>,
        timeout: Seconds,
        attempt_timeout: Seconds,
        max_attempts: Option<Attempts>,
        idempotency_key: Option<String>,
        raise_for_status: Option<bool>,
        cache: Option<Mode>,
        credential: Option<Credential>,
        hedge: Option<Hedging>,
    ) -> PyResult<SyncStream> {
        let options = Options {
            params,
            headers,
            json,
            content,
            data,
            timeout,
            attempt_timeout,
            max_attempts,
            idempotency_key,
            raise_for_status,
            cache,
            credential,
            hedge,
        };
        let live = self.live(py)?;
        let mailbox = self.mailbox(&options)?;
        let home = mailbox.clone().map(Home::Caller);
        let request = options.request(py, &live.client, method(py, method_name)?, path, home)?;
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
    #[pyo3(signature = (method_name, path, last_event_id, idle_timeout, /, *, params=None, headers=None, json=None,
        content=None, data=None, timeout=Seconds::Default, attempt_timeout=Seconds::Default, max_attempts=None, cache=None, credential=None, hedge=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn _events(
        &self,
        py: Python<'_>,
        method_name: &str,
        path: &str,
        last_event_id: Option<String>,
        idle_timeout: Seconds,
        params: Option<Bound<'_, PyAny>>,
        headers: Option<Bound<'_, PyAny>>,
        json: Option<Bound<'_, PyAny>>,
        content: Option<Bound<'_, PyAny>>,
        data: Option<Bound<'_, PyAny>>,
        timeout: Seconds,
        attempt_timeout: Seconds,
        max_attempts: Option<Attempts>,
        cache: Option<Mode>,
        credential: Option<Credential>,
        hedge: Option<Hedging>,
    ) -> PyResult<SyncEvents> {
        let options = Options {
            params,
            headers,
            json,
            content,
            data,
            timeout,
            attempt_timeout,
            max_attempts,
            idempotency_key: None,
            raise_for_status: None,
            cache,
            credential,
            hedge,
        };
        let live = self.live(py)?;
        let mailbox = self.mailbox(&options)?;
        let home = mailbox.clone().map(Home::Caller);
        let request = options.request(py, &live.client, method(py, method_name)?, path, home)?;
        let events = events_of(request, last_event_id.as_deref(), idle_timeout);
        Ok(SyncEvents::new(events, live, mailbox))
    }

    /// The pages of a list.
    #[pyo3(signature = (path, items, cursor, cursor_param, *, params=None, headers=None, timeout=Seconds::Default,
        attempt_timeout=Seconds::Default, max_attempts=None, cache=None, credential=None, hedge=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn _pages(
        &self,
        py: Python<'_>,
        path: &str,
        items: String,
        cursor: String,
        cursor_param: String,
        params: Option<Bound<'_, PyAny>>,
        headers: Option<Bound<'_, PyAny>>,
        timeout: Seconds,
        attempt_timeout: Seconds,
        max_attempts: Option<Attempts>,
        cache: Option<Mode>,
        credential: Option<Credential>,
        hedge: Option<Hedging>,
    ) -> PyResult<SyncPages> {
        let live = self.live(py)?;
        let options = Options {
            params,
            headers,
            json: None,
            content: None,
            data: None,
            timeout,
            attempt_timeout,
            max_attempts,
            idempotency_key: None,
            raise_for_status: None,
            cache,
            credential,
            hedge,
        };
        let request = options.request(py, &live.client, Method::GET, path, None)?;
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
        supposed.explain(py, &self.live(py)?.client)
    }

    /// Budget and limits of the base URL's host, as they are now.
    fn _state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::state::state(py, &self.live(py)?.client)
    }

    /// Tracebacks show clients that are half made, too.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        Ok(match slf.get().live.get() {
            Some(live) => format!("<{name} {}>", live.client.base_url()),
            None => format!("<{name}>"),
        })
    }

    /// The base URL.
    #[getter]
    fn base_url(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.live(py)?.client.base_url())
    }

    /// Forgets every answer that the cache has stored.
    fn clear_cache(&self, py: Python<'_>) -> PyResult<()> {
        self.live(py)?.client.clear_cache();
        Ok(())
    }

    /// Refuses further calls.
    fn close(&self) {
        if let Some(live) = self.live.get() {
            live.client.close();
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
