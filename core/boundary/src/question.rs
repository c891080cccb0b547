//! Questions to the host language: a token, a hook, the next piece of a body.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | asked | `answer`, `fail` | answered |
//! | asked | the future that asked is dropped | gone, and the host language is told by `abandon` |
//! | asked | the port is closed | failed |

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use gatewright::BoxError;

use crate::error::HostCause;
use crate::json;
use crate::port::Port;

/// What the host language said.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: Option<String>,
    pub(crate) bytes: Option<Bytes>,
}

/// Where an answer is put.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    reply: Mutex<Option<Result<Reply, BoxError>>>,
    waker: AtomicWaker,
}

impl Slot {
    pub(crate) fn fill(&self, reply: Result<Reply, BoxError>) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
        self.waker.wake();
    }
}

/// Begins the JSON of a question; members of its own follow.
fn begin(number: u32, client: u32, call: u32, what: &str) -> Vec<u8> {
    let mut question = Vec::with_capacity(128);
    question.push(b'{');
    for (name, value) in [("question", number), ("client", client), ("call", call)] {
        json::member(&mut question, name);
        json::number(&mut question, value.into());
    }
    json::member(&mut question, "what");
    json::string(&mut question, what);
    question
}

/// A question that awaits its answer.
pub(crate) struct Asked {
    port: Arc<Port>,
    number: u32,
    client: u32,
    call: u32,
    slot: Arc<Slot>,
}

impl Asked {
    /// An answer that came, and that nobody has read.
    pub(crate) fn unread(&self) -> Option<Reply> {
        let mut reply = self
            .slot
            .reply
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        reply.take().and_then(Result::ok)
    }
}

/// Asks the host language for `what`; `more` writes members beside the usual ones.
pub(crate) fn ask(
    port: &Arc<Port>,
    client: u32,
    call: u32,
    what: &str,
    more: impl FnOnce(&mut Vec<u8>),
) -> Asked {
    let slot = Arc::new(Slot::default());
    let number = port.keep_question(Arc::clone(&slot));
    let mut question = begin(number, client, call, what);
    more(&mut question);
    question.push(b'}');
    port.tell(question);
    Asked {
        port: Arc::clone(port),
        number,
        client,
        call,
        slot,
    }
}

/// Tells the host language of `what`; `more` writes members beside the usual ones. Nothing is answered.
pub(crate) fn tell(
    port: &Port,
    client: u32,
    call: u32,
    what: &str,
    more: impl FnOnce(&mut Vec<u8>),
) {
    let mut note = begin(0, client, call, what);
    more(&mut note);
    note.push(b'}');
    port.tell(note);
}

/// Tells the host language that it may close a body's stream.
pub(crate) fn tell_body_closed(port: &Port, client: u32, call: u32, stream: u32) {
    tell(port, client, call, "bodyClose", |out| {
        json::member(out, "stream");
        json::number(out, stream.into());
    });
}

impl Future for Asked {
    type Output = Result<Reply, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.slot.waker.register(cx.waker());
        let reply = self
            .slot
            .reply
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        reply.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.port.forget_question(self.number) {
            let mut note = begin(self.number, self.client, self.call, "abandon");
            note.push(b'}');
            self.port.tell(note);
        }
    }
}

/// The failure of a question whose port was closed.
pub(crate) fn gone() -> BoxError {
    "the host thread that was asked is gone".into()
}

/// The failure of what the host language threw.
pub(crate) fn thrown(cause: u32, text: &str) -> BoxError {
    // One line of it, as everywhere in errors.
    Box::new(HostCause {
        cause,
        text: text.to_owned(),
    })
}
