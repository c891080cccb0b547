//! How the core asks Python for something (a token, a hook, the next piece of a body) without a Python lock inside of
//! the runtime: the question goes home, to the thread or event loop that made the call, and is answered there.
//!
//! A synchronous call comes out of the runtime to answer, so that the callback may use a client itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::event_loop::EventLoop;

/// Python code to run at home.
pub(crate) type Question = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// A question that waits to be answered.
pub(crate) struct Callback {
    question: Question,
    reply: oneshot::Sender<PyResult<Py<PyAny>>>,
}

impl Callback {
    /// Asks, and answers with what came of it as it is: in a synchronous call that must not be an awaitable.
    pub(crate) fn answer(self, py: Python<'_>) {
        let answer = (self.question)(py).and_then(|value| refuse_awaitable(py, value));
        // The call may have gone away meanwhile.
        let _ = self.reply.send(answer);
    }

    /// Asks, and hands over the answer or the awaitable that will bring it.
    pub(crate) fn ask(
        self,
        py: Python<'_>,
    ) -> (PyResult<Py<PyAny>>, oneshot::Sender<PyResult<Py<PyAny>>>) {
        ((self.question)(py), self.reply)
    }
}

fn refuse_awaitable(py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
    if value.bind(py).hasattr("__await__")? {
        // Closed, so that Python does not warn of a coroutine that was never awaited on top.
        let _ = value.bind(py).call_method0("close");
        return Err(pyo3::exceptions::PyTypeError::new_err(
            "an async callback was given to a Client; use AsyncClient, or a plain function",
        ));
    }
    Ok(value)
}

/// The questions of one synchronous call.
#[derive(Default)]
pub(crate) struct Mailbox {
    questions: Mutex<VecDeque<Callback>>,
    waker: Mutex<Option<Waker>>,
}

impl Mailbox {
    pub(crate) fn take(&self) -> Option<Callback> {
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

    fn post(&self, callback: Callback) {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(callback);
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
    /// By the event loop that the call belongs to.
    Loop(Arc<EventLoop>),
}

thread_local! {
    static CURRENT: RefCell<Option<Home>> = const { RefCell::new(None) };
}

impl Home {
    /// The home of the call that is being polled on this thread.
    fn current() -> Option<Self> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// Asks `question`; resolves with the answer.
    pub(crate) fn ask(
        &self,
        question: Question,
    ) -> impl Future<Output = PyResult<Py<PyAny>>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let callback = Callback { question, reply };
        match self {
            Self::Caller(mailbox) => mailbox.post(callback),
            Self::Loop(event_loop) => event_loop.post(callback),
        }
        async move {
            answer.await.unwrap_or_else(|_| {
                Err(pyo3::exceptions::PyRuntimeError::new_err(
                    "the event loop of the call went away",
                ))
            })
        }
    }
}

/// Asks `question` at the home of the call that is being polled.
pub(crate) async fn ask_home(
    question: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    match Home::current() {
        Some(home) => home.ask(Box::new(question)).await,
        None => Err(pyo3::exceptions::PyRuntimeError::new_err(
            "a callback was asked for outside of any call",
        )),
    }
}

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

    pub(crate) fn boxed(exception: PyErr) -> gatewright::BoxError {
        Python::attach(|py| Box::new(Self::new(py, exception)) as gatewright::BoxError)
    }
}

impl std::fmt::Display for PythonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for PythonError {}
