//! What streams, JSON lines, downloads, uploads and logins of both clients have in common: who waits, and what has come.
//!
//! What came stays with the reading until Python has it: a task that is cancelled at that moment loses nothing.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use gatewright::{Error, ErrorKind, RequestBuilder};
use pyo3::prelude::*;
use tokio::sync::Mutex;

use crate::async_client::{AsyncCore, start};
use crate::call_options::Options;
use crate::callback::{Home, Mailbox};
use crate::error::to_exception;
use crate::event_loop::EventLoop;
use crate::live::Live;
use crate::settings::Made;
use crate::sync_client::SyncCore;

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
    pub(crate) fn wait<T: Send + 'static>(
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

/// A client of either kind, and who waits for what it does.
pub(crate) fn of(client: &Bound<'_, PyAny>) -> PyResult<(Made, Waiter)> {
    let py = client.py();
    if let Ok(core) = client.cast::<SyncCore>() {
        let live = core.get().live(py)?;
        let made = live.made().clone();
        let mailbox = None;
        return Ok((made, Waiter::Thread { live, mailbox }));
    }
    let made = client.cast::<AsyncCore>()?.get().made(py)?;
    Ok((made, Waiter::Task { home: None }))
}

/// A request of a client of either kind, and who waits for it. `source`: what is uploaded may be asked for at home.
pub(crate) fn begin<'py>(
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

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the stream is closed")
}

pub(crate) fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is read, until it is closed, and what came of it and is not fetched yet.
pub(crate) struct Reading<S, C> {
    pub(crate) source: Mutex<Option<S>>,
    pub(crate) came: StdMutex<C>,
}

impl<S, C: Default> Reading<S, C> {
    pub(crate) fn new(source: S) -> Arc<Self> {
        Arc::new(Self {
            source: Mutex::new(Some(source)),
            came: StdMutex::default(),
        })
    }
}
