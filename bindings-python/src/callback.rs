//! How the core asks Python for something (a token, a hook, the next piece of a body) without a Python lock inside of
//! the runtime: the question goes home, to the thread or event loop that made the call, and is answered and read there.
//!
//! A synchronous call comes out of the runtime to answer, so that the callback may use a client itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gatewright::BoxError;
use pyo3::exceptions::{PyException, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::event_loop::{EventLoop, Waiting};

/// Python code to run at home, and how to read its answer.
pub(crate) trait Question: Send {
    /// Runs the code. An awaitable that comes of it is to be awaited first.
    fn ask(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>>;

    /// Reads the answer, and sends it to whoever asked. That call may have gone away meanwhile.
    fn answer(self: Box<Self>, py: Python<'_>, answer: PyResult<Py<PyAny>>);
}

struct Pending<A, R, T> {
    ask: Option<A>,
    read: R,
    reply: oneshot::Sender<Result<T, BoxError>>,
}

impl<A, R, T> Question for Pending<A, R, T>
where
    A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send,
    R: FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send,
    T: Send,
{
    fn ask(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.ask.take() {
            Some(ask) => ask(py),
            None => Err(PyRuntimeError::new_err("a callback was asked twice")),
        }
    }

    fn answer(self: Box<Self>, py: Python<'_>, answer: PyResult<Py<PyAny>>) {
        let Self { read, reply, .. } = *self;
        let read = answer.and_then(|answer| read(answer.bind(py)));
        let _ = reply
            .send(read.map_err(|exception| Box::new(PythonError::new(py, exception)) as BoxError));
    }
}

/// Asks and answers in a synchronous call, where the answer must not be an awaitable. What is to end the program
/// (`KeyboardInterrupt`, `SystemExit`) ends the call as it is.
pub(crate) fn answer_now(mut question: Box<dyn Question>, py: Python<'_>) -> PyResult<()> {
    let answer = question
        .ask(py)
        .and_then(|value| refuse_awaitable(py, value));
    let ends = ends_the_program(py, &answer);
    question.answer(py, answer);
    ends
}

/// An error where the answer is an exception that nobody is to handle.
pub(crate) fn ends_the_program(py: Python<'_>, answer: &PyResult<Py<PyAny>>) -> PyResult<()> {
    match answer {
        Err(exception) if !exception.is_instance_of::<PyException>(py) => {
            Err(exception.clone_ref(py))
        }
        _ => Ok(()),
    }
}

fn refuse_awaitable(py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
    if value.bind(py).hasattr("__await__")? {
        // Closed, so that Python does not warn of a coroutine that was never awaited on top.
        let _ = value.bind(py).call_method0("close");
        return Err(PyTypeError::new_err(
            "an async callback was given to a Client; use AsyncClient, or a plain function",
        ));
    }
    Ok(value)
}

/// The questions of one synchronous call.
#[derive(Default)]
pub(crate) struct Mailbox {
    questions: Mutex<VecDeque<Box<dyn Question>>>,
    waker: Mutex<Option<Waker>>,
}

impl Mailbox {
    pub(crate) fn take(&self) -> Option<Box<dyn Question>> {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    pub(crate) fn register(&self, waker: &Waker) {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !slot
            .as_ref()
            .is_some_and(|present| present.will_wake(waker))
        {
            *slot = Some(waker.clone());
        }
    }

    fn post(&self, question: Box<dyn Question>) {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(question);
        let waker = self
            .waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Where a call's questions are answered.
#[derive(Clone)]
pub(crate) enum Home {
    /// By the thread that waits for the call.
    Caller(Arc<Mailbox>),
    /// By the event loop that the call belongs to, in the `contextvars` context of the call.
    Loop(Arc<EventLoop>, Arc<Py<PyAny>>),
}

thread_local! {
    static CURRENT: RefCell<Option<Home>> = const { RefCell::new(None) };
}

impl Home {
    /// The home of a call that begins now in this event loop.
    pub(crate) fn of_loop(py: Python<'_>, event_loop: &Arc<EventLoop>) -> PyResult<Self> {
        let context = py.import("contextvars")?.call_method0("copy_context")?;
        Ok(Self::Loop(
            Arc::clone(event_loop),
            Arc::new(context.unbind()),
        ))
    }

    /// The home of the call that is being polled on this thread.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// Runs `ask`, and awaits what it gives where that can be awaited; resolves with what `read` makes of the answer.
    pub(crate) fn ask<T, A, R>(
        &self,
        ask: A,
        read: R,
    ) -> impl Future<Output = Result<T, BoxError>> + Send + use<T, A, R>
    where
        A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
        R: FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let question = Box::new(Pending {
            ask: Some(ask),
            read,
            reply,
        });
        let waiting = match self {
            Self::Caller(mailbox) => {
                mailbox.post(question);
                None
            }
            Self::Loop(event_loop, context) => {
                Some(Waiting::begin(event_loop, Arc::clone(context), question))
            }
        };
        async move {
            let answer = answer.await;
            if let Some(waiting) = waiting {
                waiting.over();
            }
            answer.unwrap_or_else(|_| Err("the call that was to answer went away".into()))
        }
    }
}

/// Asks at the home of the call that is being polled, see [`Home::ask`].
pub(crate) async fn ask_home<T: Send + 'static>(
    ask: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
) -> Result<T, BoxError> {
    match at_home().await {
        Some(home) => home.ask(ask, read).await,
        None => Err("a callback was asked for outside of any call".into()),
    }
}

/// The home of the call that polls this. The runtime drives a fetch of tokens too: where its thread comes first, it
/// leaves the question to a call that waits, and gives up where none does.
async fn at_home() -> Option<Home> {
    let (mut waited, mut turn) = (Duration::ZERO, FIRST_TURN);
    while waited < PATIENCE {
        let mut over = pin!(tokio::time::sleep(turn));
        let home = poll_fn(|cx| match Home::current() {
            Some(home) => Poll::Ready(Some(home)),
            None => over.as_mut().poll(cx).map(|()| None),
        });
        if let Some(home) = home.await {
            return Some(home);
        }
        waited += turn;
        turn = (turn * 2).min(LONGEST_TURN);
    }
    None
}

const FIRST_TURN: Duration = Duration::from_millis(1);
const LONGEST_TURN: Duration = Duration::from_millis(50);
/// A thread that waits for its call may not run for a while, where the machine has more to do than it can.
const PATIENCE: Duration = Duration::from_secs(30);

/// Polls `future` as a call that has this home.
pub(crate) struct AtHome<F> {
    pub(crate) home: Option<Home>,
    pub(crate) future: F,
}

impl<F: Future + Unpin> Future for AtHome<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(home) = &self.home else {
            return Pin::new(&mut self.future).poll(cx);
        };
        let outer = CURRENT.with(|current| current.replace(Some(home.clone())));
        let polled = Pin::new(&mut self.future).poll(cx);
        CURRENT.with(|current| current.replace(outer));
        polled
    }
}

/// An exception of the caller's own code, on its way through the core.
#[derive(Debug)]
pub(crate) struct PythonError {
    pub(crate) exception: PyErr,
    text: String,
}

impl PythonError {
    pub(crate) fn new(py: Python<'_>, exception: PyErr) -> Self {
        let value = exception.value(py);
        let name = value
            .get_type()
            .name()
            .map_or_else(|_| "exception".to_owned(), |name| name.to_string());
        let said = value
            .str()
            .map_or_else(|_| String::new(), |text| text.to_string());
        let text = if said.is_empty() {
            name
        } else {
            format!("{name}: {said}")
        };
        Self { exception, text }
    }
}

impl std::fmt::Display for PythonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for PythonError {}
