//! How results come back to an event loop: in batches, with one wake-up, without the worker ever taking the GIL.
//!
//! The worker puts results into a list and writes a byte to a socket that the loop watches; the loop takes the whole
//! list at once. A result for a call that was cancelled, or for a loop that was closed, is dropped.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyCFunction;

use crate::callback::Callback;
use crate::fork::PerProcess;

/// Makes a call's result of Python, on the loop's thread.
pub(crate) type Deliver = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

enum Message {
    /// The call of this number is done.
    Done(u64, Deliver),
    /// A call asks something.
    Ask(Callback),
}

/// The event loops of this process that have calls.
static LOOPS: PerProcess<Arc<Mutex<Vec<Arc<EventLoop>>>>> = PerProcess::new();

/// An event loop, and what is on its way to it.
pub(crate) struct EventLoop {
    python: Py<PyAny>,
    messages: Mutex<Vec<Message>>,
    woken: AtomicBool,
    bell: UnixStream,
    ear: UnixStream,
    waiting: Mutex<HashMap<u64, Py<PyAny>>>,
    numbers: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EventLoop {
    /// The loop that runs on this thread.
    pub(crate) fn running(py: Python<'_>) -> PyResult<Arc<Self>> {
        static GET: pyo3::sync::PyOnceLock<Py<PyAny>> = pyo3::sync::PyOnceLock::new();
        let get = GET.get_or_try_init(py, || {
            PyResult::Ok(py.import("asyncio")?.getattr("get_running_loop")?.unbind())
        })?;
        let python = get.bind(py).call0()?;
        let loops = LOOPS.get_or_make(|| PyResult::Ok(Arc::default()))?;
        if let Some(known) = lock(&loops).iter().find(|known| known.python.is(&python)) {
            return Ok(Arc::clone(known));
        }
        // Loops that were closed are forgotten here: their results have nowhere to go.
        let present: Vec<_> = lock(&loops).clone();
        let mut open = Vec::new();
        for known in present {
            if !known
                .python
                .bind(py)
                .call_method0("is_closed")?
                .is_truthy()?
            {
                open.push(known);
            }
        }
        let fresh = Self::watched(py, python)?;
        open.push(Arc::clone(&fresh));
        *lock(&loops) = open;
        Ok(fresh)
    }

    fn watched(py: Python<'_>, python: Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        let fd = ear.as_raw_fd();
        let event_loop = Arc::new(Self {
            python: python.clone().unbind(),
            messages: Mutex::default(),
            woken: AtomicBool::new(false),
            bell,
            ear,
            waiting: Mutex::default(),
            numbers: AtomicU64::new(0),
        });
        let drain = Py::new(
            py,
            Drain {
                event_loop: Arc::clone(&event_loop),
            },
        )?;
        python.call_method1("add_reader", (fd, drain))?;
        Ok(event_loop)
    }

    /// A future of this loop for a call, and the call's number.
    pub(crate) fn future<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, u64)> {
        let future = self.python.bind(py).call_method0("create_future")?;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        lock(&self.waiting).insert(number, future.clone().unbind());
        Ok((future, number))
    }

    /// Forgets a call that was cancelled.
    pub(crate) fn forget(&self, number: u64) {
        lock(&self.waiting).remove(&number);
    }

    /// The call of this number is done. From any thread.
    pub(crate) fn done(&self, number: u64, deliver: Deliver) {
        self.put(Message::Done(number, deliver));
    }

    /// A call asks something. From any thread.
    pub(crate) fn post(&self, callback: Callback) {
        self.put(Message::Ask(callback));
    }

    fn put(&self, message: Message) {
        lock(&self.messages).push(message);
        if !self.woken.swap(true, Ordering::AcqRel) {
            // A full socket has woken the loop already.
            let _ = (&self.bell).write(&[1]);
        }
    }

    /// Takes all that has come, on the loop's thread.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        let mut bytes = [0; 64];
        let _ = (&self.ear).read(&mut bytes);
        self.woken.store(false, Ordering::Release);
        let messages = std::mem::take(&mut *lock(&self.messages));
        for message in messages {
            match message {
                Message::Done(number, deliver) => {
                    let Some(future) = lock(&self.waiting).remove(&number) else {
                        continue;
                    };
                    let future = future.bind(py);
                    if future.call_method0("done")?.is_truthy()? {
                        continue;
                    }
                    match deliver(py) {
                        Ok(value) => future.call_method1("set_result", (value,))?,
                        Err(exception) => {
                            future.call_method1("set_exception", (exception.into_value(py),))?
                        }
                    };
                }
                Message::Ask(callback) => self.answer(py, callback)?,
            }
        }
        Ok(())
    }

    fn answer(&self, py: Python<'_>, callback: Callback) -> PyResult<()> {
        let (asked, reply) = callback.ask(py);
        let awaitable = match asked {
            Ok(value) if value.bind(py).hasattr("__await__")? => value,
            answer => {
                let _ = reply.send(answer);
                return Ok(());
            }
        };
        let ensure_future = py.import("asyncio")?.getattr("ensure_future")?;
        let task = ensure_future.call1((wrapped(py, awaitable)?,))?;
        let reply = Mutex::new(Some(reply));
        let on_done = PyCFunction::new_closure(py, None, None, move |args, _| -> PyResult<()> {
            let task = args.get_item(0)?;
            if let Some(reply) = lock(&reply).take() {
                let _ = reply.send(task.call_method0("result").map(Bound::unbind));
            }
            Ok(())
        })?;
        task.call_method1("add_done_callback", (on_done,))?;
        Ok(())
    }
}

/// `StopAsyncIteration` may not leave a task, so an awaitable is awaited by a coroutine that turns it into `None`.
fn wrapped(py: Python<'_>, awaitable: Py<PyAny>) -> PyResult<Bound<'_, PyAny>> {
    py.import("gatewright._client")?
        .getattr("_next_or_none")?
        .call1((awaitable,))
}

/// What the loop calls when results are there.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct Drain {
    event_loop: Arc<EventLoop>,
}

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.event_loop.drain(py)
    }
}
