//! Streams of server-sent events: native halves of `ServerEvents` and `AsyncServerEvents`.
//!
//! Events cross in batches, all that are there at a time. What came stays here until Python has it: a task that is
//! cancelled at that moment loses no event.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use gatewright::{Error, ErrorKind, Event, Events, RequestBuilder};
use pyo3::prelude::*;
use tokio::sync::Mutex;

use crate::async_client::{Pending, start};
use crate::callback::{Home, Mailbox};
use crate::error::to_exception;
use crate::event_loop::EventLoop;
use crate::live::Live;
use crate::option_values::Seconds;
use crate::server_event::{ServerEvent, batch};

/// A stream that is read.
pub(crate) struct Reading {
    /// What is read, until it is closed.
    events: Mutex<Option<Events>>,
    /// What has come and is not fetched yet.
    came: StdMutex<Vec<Event>>,
}

impl Reading {
    fn came(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has come, or the stream is over.
    async fn fill(self: Arc<Self>) -> Result<(), Error> {
        match &mut *self.events.lock().await {
            Some(events) if self.came().is_empty() => {
                let batch = events.next_batch().await?;
                self.came().extend(batch);
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(Error::new(ErrorKind::Closed, "the stream is closed")),
        }
    }

    /// Fetches what has come.
    fn fetch(&self, py: Python<'_>) -> PyResult<Option<Vec<Py<ServerEvent>>>> {
        batch(py, std::mem::take(&mut *self.came()))
    }

    async fn close(self: Arc<Self>) {
        drop(self.events.lock().await.take());
        self.came().clear();
    }
}

/// The events that answer a request.
pub(crate) fn events_of(
    request: RequestBuilder,
    last_event_id: Option<&str>,
    idle_timeout: Seconds,
) -> Arc<Reading> {
    let mut events = request.events();
    if let Some(id) = last_event_id {
        events = events.last_event_id(id);
    }
    if let Seconds::Given(timeout) = idle_timeout {
        events = events.idle_timeout(timeout);
    }
    Arc::new(Reading {
        events: Mutex::new(Some(events)),
        came: StdMutex::default(),
    })
}

/// Events that are waited for on the caller's own thread.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct SyncEvents {
    reading: Arc<Reading>,
    live: Arc<Live>,
    /// Each connection may ask hooks and token callbacks.
    mailbox: Option<Arc<Mailbox>>,
}

impl SyncEvents {
    pub(crate) fn new(
        reading: Arc<Reading>,
        live: Arc<Live>,
        mailbox: Option<Arc<Mailbox>>,
    ) -> Self {
        Self {
            reading,
            live,
            mailbox,
        }
    }
}

#[pymethods]
impl SyncEvents {
    /// The events that are there, at least one; `None` at the end.
    fn next_batch(&self, py: Python<'_>) -> PyResult<Option<Vec<Py<ServerEvent>>>> {
        let next = Arc::clone(&self.reading).fill();
        match self.live.run(py, self.mailbox.clone(), next)? {
            Ok(()) => self.reading.fetch(py),
            Err(error) => Err(to_exception(py, error)),
        }
    }

    /// Ends the stream.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.live.run(py, None, Arc::clone(&self.reading).close())
    }
}

/// Events that a task waits for.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct AsyncEvents {
    reading: Arc<Reading>,
    home: Option<Home>,
}

impl AsyncEvents {
    pub(crate) fn new(reading: Arc<Reading>, home: Option<Home>) -> Self {
        Self { reading, home }
    }
}

#[pymethods]
impl AsyncEvents {
    /// Begins to read the events that are there, at least one; `None` at the end.
    fn next_batch(&self, py: Python<'_>) -> PyResult<Pending> {
        let reading = Arc::clone(&self.reading);
        start(
            py,
            EventLoop::running(py)?,
            self.home.clone(),
            Arc::clone(&reading).fill(),
            move |py, ()| match reading.fetch(py)? {
                Some(came) => Ok(came.into_pyobject(py)?.into_any().unbind()),
                None => Ok(py.None()),
            },
        )
    }

    /// Begins to end the stream.
    fn close(&self, py: Python<'_>) -> PyResult<Pending> {
        let reading = Arc::clone(&self.reading);
        let close = async move {
            reading.close().await;
            Ok(())
        };
        start(py, EventLoop::running(py)?, None, close, |py, ()| {
            Ok(py.None())
        })
    }
}
