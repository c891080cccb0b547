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
use pyo3::sync::PyOnceLock;
use pyo3::types::PyCFunction;

use crate::callback::{Question, ends_the_program};
use crate::fork::PerProcess;

/// Makes a call's result of Python, on the loop's thread.
pub(crate) type Deliver = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

enum Message {
    /// The call of this number is done.
    Done(u64, Deliver),
    /// A call asks something, in this context.
    Ask(u64, Arc<Py<PyAny>>, Box<dyn Question>),
    /// Nobody waits for the answer to the question of this number any more.
    Abandoned(u64),
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
    /// The tasks that answer questions.
    tasks: Mutex<HashMap<u64, Py<PyAny>>>,
    numbers: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EventLoop {
    /// The loop that runs on this thread.
    pub(crate) fn running(py: Python<'_>) -> PyResult<Arc<Self>> {
        static GET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let get = GET.get_or_try_init(py, || {
            PyResult::Ok(py.import("asyncio")?.getattr("get_running_loop")?.unbind())
        })?;
        let python = get.bind(py).call0()?;
        let loops = LOOPS.get_or_make(|| PyResult::Ok(Arc::default()))?;
        if let Some(known) = lock(&loops).iter().find(|known| known.python.is(&python)) {
            return Ok(Arc::clone(known));
        }
        // Loops that were closed are forgotten here: their results have nowhere to go. Asking them runs Python, so that
        // the list is not locked meanwhile.
        let present: Vec<_> = lock(&loops).clone();
        let mut closed = Vec::new();
        for known in present {
            let is_closed = known.python.bind(py).call_method0("is_closed")?;
            if is_closed.is_truthy()? {
                closed.push(known);
            }
        }
        let fresh = Self::watched(py, python)?;
        let mut loops = lock(&loops);
        loops.retain(|known| !closed.iter().any(|gone| Arc::ptr_eq(gone, known)));
        loops.push(Arc::clone(&fresh));
        drop(loops);
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
            tasks: Mutex::default(),
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
        let forgotten = lock(&self.waiting).remove(&number);
        drop(forgotten);
    }

    /// The call of this number is done. From any thread.
    pub(crate) fn done(&self, number: u64, deliver: Deliver) {
        self.put(Message::Done(number, deliver));
    }

    fn put(&self, message: Message) {
        lock(&self.messages).push(message);
        if !self.woken.swap(true, Ordering::AcqRel) {
            // A full socket has woken the loop already.
            let _ = (&self.bell).write(&[1]);
        }
    }

    /// Takes all that has come, on the loop's thread. What goes wrong with one does not keep the others from theirs.
    fn drain(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let mut bytes = [0; 64];
        let _ = (&self.ear).read(&mut bytes);
        self.woken.store(false, Ordering::Release);
        let messages = std::mem::take(&mut *lock(&self.messages));
        let mut outcome = Ok(());
        for message in messages {
            let taken = match message {
                Message::Done(number, deliver) => self.deliver(py, number, deliver),
                Message::Ask(number, context, question) => {
                    self.ask_in(py, number, &context, question)
                }
                Message::Abandoned(number) => self.abandoned(py, number),
            };
            if outcome.is_ok() {
                outcome = taken;
            }
        }
        outcome
    }

    fn deliver(&self, py: Python<'_>, number: u64, deliver: Deliver) -> PyResult<()> {
        let Some(future) = lock(&self.waiting).remove(&number) else {
            return Ok(());
        };
        let future = future.bind(py);
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        match deliver(py) {
            Ok(value) => future.call_method1("set_result", (value,))?,
            Err(exception) => future.call_method1("set_exception", (exception.into_value(py),))?,
        };
        Ok(())
    }

    fn ask_in(
        self: &Arc<Self>,
        py: Python<'_>,
        number: u64,
        context: &Arc<Py<PyAny>>,
        question: Box<dyn Question>,
    ) -> PyResult<()> {
        let (this, question) = (Arc::clone(self), Mutex::new(Some(question)));
        let ask = PyCFunction::new_closure(py, None, None, move |args, _| -> PyResult<()> {
            match lock(&question).take() {
                Some(question) => this.ask(args.py(), number, question),
                None => Ok(()),
            }
        })?;
        context.bind(py).call_method1("run", (ask,)).map(drop)
    }

    fn ask(
        self: &Arc<Self>,
        py: Python<'_>,
        number: u64,
        mut question: Box<dyn Question>,
    ) -> PyResult<()> {
        let asked = question.ask(py);
        let task = match asked {
            Ok(value) if value.bind(py).hasattr("__await__")? => answering_task(py, value),
            answer => {
                let ends = ends_the_program(py, &answer);
                question.answer(py, answer);
                return ends;
            }
        };
        let task = match task {
            Ok(task) => task,
            Err(error) => {
                question.answer(py, Err(error));
                return Ok(());
            }
        };
        lock(&self.tasks).insert(number, task.clone().unbind());
        // Weak, or a task that never ends would keep its closed loop's sockets, and they it.
        let (this, question) = (Arc::downgrade(self), Mutex::new(Some(question)));
        let on_done = PyCFunction::new_closure(py, None, None, move |args, _| -> PyResult<()> {
            let finished = this
                .upgrade()
                .and_then(|this| lock(&this.tasks).remove(&number));
            drop(finished);
            let task = args.get_item(0)?;
            let question = lock(&question).take();
            if let Some(question) = question {
                let answer = task.call_method0("result").map(Bound::unbind);
                question.answer(args.py(), answer);
            }
            Ok(())
        })?;
        task.call_method1("add_done_callback", (on_done,))?;
        Ok(())
    }

    fn abandoned(&self, py: Python<'_>, number: u64) -> PyResult<()> {
        let task = lock(&self.tasks).remove(&number);
        match task {
            Some(task) => task.bind(py).call_method0("cancel").map(drop),
            None => Ok(()),
        }
    }
}

/// `StopAsyncIteration` may not leave a task, so an awaitable is awaited by a coroutine that turns it into `None`.
fn answering_task(py: Python<'_>, awaitable: Py<PyAny>) -> PyResult<Bound<'_, PyAny>> {
    static AWAIT: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let (wrap, task_of) = AWAIT.get_or_try_init(py, || {
        PyResult::Ok((
            py.import("gatewright._awaiting")?
                .getattr("next_or_none")?
                .unbind(),
            py.import("asyncio")?.getattr("ensure_future")?.unbind(),
        ))
    })?;
    let coroutine = wrap.bind(py).call1((awaitable,))?;
    task_of.bind(py).call1((coroutine,))
}

/// A question that a loop answers. Where it goes away unanswered, because the call was cancelled, so does the answering.
pub(crate) struct Waiting {
    event_loop: Arc<EventLoop>,
    number: Option<u64>,
}

impl Waiting {
    /// Posts the question to the loop. From any thread.
    pub(crate) fn begin(
        event_loop: &Arc<EventLoop>,
        context: Arc<Py<PyAny>>,
        question: Box<dyn Question>,
    ) -> Self {
        let number = event_loop.numbers.fetch_add(1, Ordering::Relaxed);
        event_loop.put(Message::Ask(number, context, question));
        Self {
            event_loop: Arc::clone(event_loop),
            number: Some(number),
        }
    }

    /// It was answered.
    pub(crate) fn over(mut self) {
        self.number = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.event_loop.put(Message::Abandoned(number));
        }
    }
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
