//! The replay guards of the core, for the classes that Python has around them: each step by key and token.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use gatewright::webhooks::{RedisReplayGuard, ReplayStoreError};
use gatewright_webhook::replay::sql::Statements;
use gatewright_webhook::replay::{
    AsyncReplayGuard, MemoryReplayGuard, ReplayGuard, ReplayKey, Reservation, Reserve, Settled,
};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::request::now;
use super::settings::duration;
use crate::error::to_exception;
use crate::fork::PerProcess;
use crate::worker::Worker;

/// What a reservation came to, and its token.
type Reserved = (&'static str, u64);

fn key(text: &str) -> PyResult<ReplayKey> {
    text.parse().map_err(|_| {
        PyValueError::new_err(
            "the key is not 64 hexadecimal digits; take it from Verified.replay_key()",
        )
    })
}

fn reserved(answer: &Reserve) -> Reserved {
    match answer {
        Reserve::New(reservation) => ("new", reservation.token()),
        Reserve::InProgress { .. } => ("busy", 0),
        Reserve::AlreadyDone => ("done", 0),
        Reserve::Full => ("full", 0),
    }
}

fn span(name: &str, seconds: f64) -> PyResult<Duration> {
    Ok(duration(name, Some(seconds))?.unwrap_or_default())
}

/// In the memory of this process.
#[pyclass(frozen)]
pub(crate) struct NativeMemoryGuard(MemoryReplayGuard);

#[pymethods]
impl NativeMemoryGuard {
    #[new]
    fn new(entries: usize, retention: f64, lease: f64, replay_window: f64) -> PyResult<Self> {
        let entries = NonZeroUsize::new(entries)
            .ok_or_else(|| PyValueError::new_err("entries= is a number of messages, above zero"))?;
        Ok(Self(
            MemoryReplayGuard::new()
                .entries(entries)
                .retention(span("retention", retention)?)
                .lease(span("lease", lease)?)
                .replay_window(span("replay_window", replay_window)?),
        ))
    }

    fn reserve(&self, message: &str, at: f64) -> PyResult<Reserved> {
        let Ok(answer) = ReplayGuard::reserve(&self.0, &key(message)?, now(Some(at))?);
        Ok(reserved(&answer))
    }

    fn settle(&self, message: &str, token: u64, at: f64, done: bool) -> PyResult<bool> {
        let (reservation, at) = (Reservation::new(key(message)?, token), now(Some(at))?);
        let Ok(settled) = if done {
            ReplayGuard::commit(&self.0, reservation, at)
        } else {
            ReplayGuard::release(&self.0, reservation, at)
        };
        Ok(settled == Settled::Settled)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// In Redis. The connection is the process's own: a child makes another.
#[pyclass(frozen)]
pub(crate) struct NativeRedisGuard {
    made: PerProcess<Arc<RedisReplayGuard>>,
    url: String,
    prefix: String,
    spans: [Duration; 3],
}

impl NativeRedisGuard {
    fn guard(&self, py: Python<'_>) -> PyResult<Arc<RedisReplayGuard>> {
        self.made.get_or_make(|| {
            let [retention, lease, timeout] = self.spans;
            let guard = RedisReplayGuard::new(self.url.clone())
                .map_err(|error| to_exception(py, error))?
                .prefix(self.prefix.clone())
                .retention(retention)
                .lease(lease)
                .timeout(timeout);
            Ok(Arc::new(guard))
        })
    }
}

/// Waits, without the GIL, for what the worker does. Each step has its own end in time.
fn wait<T: Send + 'static>(
    py: Python<'_>,
    step: impl Future<Output = Result<T, ReplayStoreError>> + Send + 'static,
) -> PyResult<T> {
    let (tell, told) = mpsc::sync_channel(1);
    Worker::of_process()?.submit(Box::pin(async move {
        let _ = tell.send(step.await);
    }));
    match py.detach(move || told.recv()) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(PyOSError::new_err(error.to_string())),
        Err(_) => Err(PyOSError::new_err("the replay guard's worker is gone")),
    }
}

#[pymethods]
impl NativeRedisGuard {
    #[new]
    fn new(
        py: Python<'_>,
        url: String,
        prefix: String,
        retention: f64,
        lease: f64,
        timeout: f64,
    ) -> PyResult<Self> {
        let guard = Self {
            made: PerProcess::new(),
            url,
            prefix,
            spans: [
                span("retention", retention)?,
                span("lease", lease)?,
                span("timeout", timeout)?,
            ],
        };
        guard.guard(py)?;
        Ok(guard)
    }

    fn reserve(&self, py: Python<'_>, message: &str) -> PyResult<Reserved> {
        let (guard, key, at) = (self.guard(py)?, key(message)?, now(None)?);
        wait(py, async move { guard.reserve(&key, at).await }).map(|answer| reserved(&answer))
    }

    fn settle(&self, py: Python<'_>, message: &str, token: u64, done: bool) -> PyResult<bool> {
        let (guard, at) = (self.guard(py)?, now(None)?);
        let reservation = Reservation::new(key(message)?, token);
        let settled = wait(py, async move {
            if done {
                guard.commit(reservation, at).await
            } else {
                guard.release(reservation, at).await
            }
        })?;
        Ok(settled == Settled::Settled)
    }
}

/// The statements of the guard over a table.
#[pyfunction]
pub(crate) fn replay_statements<'py>(py: Python<'py>, table: &str) -> PyResult<Bound<'py, PyDict>> {
    let statements = Statements::new(table);
    let texts = PyDict::new(py);
    texts.set_item("create", statements.create)?;
    texts.set_item("reserve", statements.reserve)?;
    texts.set_item("look", statements.look)?;
    texts.set_item("commit", statements.commit)?;
    texts.set_item("release", statements.release)?;
    texts.set_item("sweep", statements.sweep)?;
    Ok(texts)
}
