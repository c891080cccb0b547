//! A host thread and the machine around it, for tests: tasks run until all of them wait, frames are kept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use gatewright::Body;
use gatewright::runtime::BoxFuture;
use gatewright::testing::{Scripted, VirtualClock};
use gatewright::transport::{
    ResponseBody, Transport, TransportError, TransportRequest, TransportResponse,
};
use serde_json::Value;

use crate::{Batch, Frame, Host, HostClient, Language, Port, Task};

#[derive(Default)]
pub(super) struct FakeHost {
    tasks: Mutex<Vec<Task>>,
    frames: Mutex<Vec<Frame>>,
}

impl FakeHost {
    /// Lets go of all tasks, as a runtime that is shut down does.
    pub(super) fn drop_tasks(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        drop(tasks);
    }
}

impl Host for FakeHost {
    fn spawn(&self, task: Task) {
        self.tasks.lock().unwrap().push(task);
    }

    fn deliver(&self, frame: Frame) {
        self.frames.lock().unwrap().push(frame);
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One of the kinds of frames, read back from its bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) call: u32,
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
    pub(super) large: Vec<Bytes>,
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// The bytes of a CHUNK.
    pub(super) fn piece(&self) -> Vec<u8> {
        assert_eq!(self.kind, CHUNK, "{self:?}");
        match self.large.first() {
            Some(large) => large.to_vec(),
            None => self.payload[4..].to_vec(),
        }
    }

    /// Meta and body of an ANSWER.
    pub(super) fn answer(&self) -> (u16, Value, Vec<u8>) {
        assert_eq!(
            self.kind,
            ANSWER,
            "{}",
            String::from_utf8_lossy(&self.payload)
        );
        let number =
            |at: usize| u32::from_le_bytes(self.payload[at..at + 4].try_into().unwrap()) as usize;
        let status = u16::from_le_bytes(self.payload[..2].try_into().unwrap());
        let (meta, body) = self.payload[14..].split_at(number(2));
        let body = match self.large.first() {
            Some(large) => large.to_vec(),
            None => body.to_vec(),
        };
        assert_eq!(body.len(), number(6));
        (status, serde_json::from_slice(meta).unwrap(), body)
    }
}

pub(super) const ANSWER: u8 = 1;
pub(super) const HEAD: u8 = 2;
pub(super) const CHUNK: u8 = 3;
pub(super) const END: u8 = 4;
pub(super) const ERROR: u8 = 5;
pub(super) const ASK: u8 = 6;

/// Reads a batch of one frame.
fn read(frame: Frame) -> Seen {
    let mut batch = Batch::default();
    batch.push(frame);
    let bytes = &batch.bytes;
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    assert_eq!(bytes.len(), length + 4);
    Seen {
        call: u32::from_le_bytes(bytes[4..8].try_into().unwrap()),
        kind: bytes[8],
        payload: bytes[9..].to_vec(),
        large: batch.large,
    }
}

pub(super) struct Stage {
    pub(super) clock: VirtualClock,
    pub(super) wire: Scripted,
    pub(super) host: Arc<FakeHost>,
    pub(super) port: Arc<Port>,
}

impl Stage {
    pub(super) fn new(
        script: impl IntoIterator<Item = Result<TransportResponse, TransportError>>,
    ) -> Self {
        Self::of(Language::JavaScript, script)
    }

    pub(super) fn of(
        language: Language,
        script: impl IntoIterator<Item = Result<TransportResponse, TransportError>>,
    ) -> Self {
        let host = Arc::new(FakeHost::default());
        Self {
            clock: VirtualClock::new(7),
            wire: Scripted::new(script),
            port: Port::new(Arc::clone(&host) as Arc<dyn Host>, language),
            host,
        }
    }

    pub(super) fn client(&self, settings: &str) -> HostClient {
        self.open("https://api.example.com/v1", settings).unwrap()
    }

    pub(super) fn open(&self, base_url: &str, settings: &str) -> Result<HostClient, Value> {
        self.port
            .open_client_with(base_url, settings, |builder| {
                builder
                    .transport(self.wire.clone())
                    .runtime(self.clock.clone())
            })
            .map_err(|error| serde_json::from_str(&error).unwrap())
    }

    /// As [`Stage::client`], over another transport.
    pub(super) fn client_over(&self, transport: impl Transport, settings: &str) -> HostClient {
        self.port
            .open_client_with("https://api.example.com/v1", settings, |builder| {
                builder.transport(transport).runtime(self.clock.clone())
            })
            .unwrap()
    }

    /// Polls all tasks until all of them wait.
    pub(super) fn run(&self) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut waiting = Vec::new();
        while flag.0.swap(false, Ordering::SeqCst) || !self.host.tasks.lock().unwrap().is_empty() {
            waiting.append(&mut self.host.tasks.lock().unwrap());
            waiting.retain_mut(|task: &mut Task| {
                task.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending
            });
        }
        *self.host.tasks.lock().unwrap() = waiting;
    }

    /// Lets time pass.
    pub(super) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.run();
    }

    pub(super) fn tasks(&self) -> usize {
        self.host.tasks.lock().unwrap().len()
    }

    /// Runs, and takes the frames that came.
    pub(super) fn frames(&self) -> Vec<Seen> {
        self.run();
        let frames = std::mem::take(&mut *self.host.frames.lock().unwrap());
        frames.into_iter().map(read).collect()
    }

    /// Runs; the one frame that came.
    pub(super) fn frame(&self) -> Seen {
        let mut frames = self.frames();
        assert_eq!(frames.len(), 1, "{frames:?}");
        frames.remove(0)
    }

    /// Runs; the one error that came, of this call.
    pub(super) fn error(&self, call: u32) -> Value {
        let frame = self.frame();
        assert_eq!((frame.kind, frame.call), (ERROR, call), "{frame:?}");
        frame.json()
    }

    /// Runs; the one question that came.
    pub(super) fn question(&self) -> Value {
        let frame = self.frame();
        assert_eq!((frame.kind, frame.call), (ASK, 0), "{frame:?}");
        frame.json()
    }

    /// Nothing is left of anything.
    pub(super) fn assert_empty(&self) {
        assert_eq!(self.port.sizes(), [0, 0, 0]);
        assert_eq!((self.tasks(), self.port.waiting()), (0, 0));
    }
}

pub(super) fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

pub(super) fn get(client: &HostClient, call: u32, options: Option<&str>) {
    client.start(call, "GET", "/x", 0, options, None);
}

pub(super) fn post(client: &HostClient, call: u32, options: Option<&str>, body: &'static str) {
    client.start(call, "POST", "/x", 0, options, Some(Body::from(body)));
}

type Piece = Option<Result<Bytes, TransportError>>;

/// A body whose pieces come when the test says so; `None` is its end.
#[derive(Clone, Default)]
pub(super) struct Pipe(Arc<Mutex<(VecDeque<Piece>, Option<Waker>)>>);

impl Pipe {
    pub(super) fn send(&self, piece: Piece) {
        let mut state = self.0.lock().unwrap();
        state.0.push_back(piece);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }

    pub(super) fn text(&self, text: &'static str) {
        self.send(Some(Ok(Bytes::from_static(text.as_bytes()))));
    }

    /// Pieces that nobody has read.
    pub(super) fn unread(&self) -> usize {
        self.0.lock().unwrap().0.len()
    }

    /// How many hold it beside the test: 0 once the body is dropped.
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }

    pub(super) fn answer(&self) -> Result<TransportResponse, TransportError> {
        let this = self.clone();
        Ok(TransportResponse {
            status: http::StatusCode::OK,
            headers: http::HeaderMap::new(),
            body: ResponseBody::new(futures_util::stream::poll_fn(move |cx| {
                let mut state = this.0.lock().unwrap();
                match state.0.pop_front() {
                    Some(piece) => Poll::Ready(piece),
                    None => {
                        state.1 = Some(cx.waker().clone());
                        Poll::Pending
                    }
                }
            })),
        })
    }
}

/// A transport that says when a send was dropped before it was answered, which it never is.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<()>);

impl Held {
    /// Attempts under way.
    pub(super) fn sends(&self) -> usize {
        // One is the test's, one the client's.
        Arc::strong_count(&self.0) - 2
    }
}

impl Transport for Held {
    fn send(
        &self,
        _request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        let held = Arc::clone(&self.0);
        Box::pin(async move {
            let never = std::future::pending().await;
            drop(held);
            never
        })
    }
}
