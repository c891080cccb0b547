//! What an operation answers, and the body types that go on the wire.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use serde::Serialize;
use tokio::time::Sleep;

use crate::quota::InProgress;

/// An answer before the headers every response has are added.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Whether a record was created, changed or deleted for it.
    pub(crate) committed: bool,
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::with_capacity(16),
            body: Body::full(Bytes::new()),
            committed: false,
        }
    }

    /// `value` as JSON; a value that cannot be written is a bug and shows as an empty 500.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(text) => Self::json_text(status, text.into()),
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// JSON that is already written.
    pub(crate) fn json_text(status: StatusCode, text: Bytes) -> Self {
        Self::new(status).with(CONTENT_TYPE, JSON).with_body(text)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a header made at run time; one that cannot be written is left out.
    pub(crate) fn with_text(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.into()) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn committed(mut self) -> Self {
        self.committed = true;
        self
    }
}

/// A response body; a call counts as in progress until its streamed body has been sent or dropped.
pub(crate) struct Body {
    source: Source,
    in_progress: Option<InProgress>,
}

type Live = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

enum Source {
    Full(Bytes),
    /// Pieces made as they are asked for.
    Pieces(Box<dyn Pieces>),
    /// Pieces as they come about, whenever that is.
    Live(Live),
    /// A beginning, and then a wait.
    Stalled {
        front: Bytes,
        announced: Option<u64>,
        end: Pin<Box<Sleep>>,
    },
    /// Somebody else's body, as it comes; each piece within a time.
    Relayed {
        body: Pin<Box<dyn HttpBody<Data = Bytes, Error = io::Error> + Send>>,
        within: Duration,
        late: Pin<Box<Sleep>>,
    },
    /// Pieces with a pause before each.
    Paced {
        pieces: Box<dyn Pieces>,
        pause: Duration,
        sleep: Pin<Box<Sleep>>,
    },
}

/// A body made piece by piece.
pub(crate) trait Pieces: Send {
    /// The next piece, or `None` at the end.
    fn next_piece(&mut self) -> Option<Bytes>;

    /// Bytes still to come, if they are counted; it decides between `Content-Length` and chunks.
    fn remaining(&self) -> Option<u64>;
}

impl Body {
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self {
            source: Source::Full(bytes),
            in_progress: None,
        }
    }

    pub(crate) fn pieces(pieces: impl Pieces + 'static) -> Self {
        Self {
            source: Source::Pieces(Box::new(pieces)),
            in_progress: None,
        }
    }

    /// Sends pieces as they come about.
    pub(crate) fn live(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self {
            source: Source::Live(Box::pin(pieces)),
            in_progress: None,
        }
    }

    /// Sends `pieces` with a real pause before each.
    pub(crate) fn paced(pieces: impl Pieces + 'static, pause: Duration) -> Self {
        Self {
            source: Source::Paced {
                pieces: Box::new(pieces),
                pause,
                sleep: Box::pin(tokio::time::sleep(pause)),
            },
            in_progress: None,
        }
    }

    /// Sends what comes from elsewhere; it fails where nothing comes within a time.
    pub(crate) fn relayed(
        body: impl HttpBody<Data = Bytes, Error = io::Error> + Send + 'static,
        within: Duration,
    ) -> Self {
        Self {
            source: Source::Relayed {
                body: Box::pin(body),
                within,
                late: Box::pin(tokio::time::sleep(within)),
            },
            in_progress: None,
        }
    }

    /// The bytes, if they are all here.
    pub(crate) fn whole(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Full(bytes) => Some(bytes),
            Source::Live(_)
            | Source::Pieces(_)
            | Source::Relayed { .. }
            | Source::Stalled { .. }
            | Source::Paced { .. } => None,
        }
    }

    /// At most `limit` bytes from the front, ending the body.
    pub(crate) fn take_front(self, limit: usize) -> Bytes {
        let mut pieces = match self.source {
            Source::Full(mut bytes) => {
                bytes.truncate(limit);
                return bytes;
            }
            // Of what has not come about there is nothing to take.
            Source::Live(_) => return Bytes::new(),
            Source::Stalled { mut front, .. } => {
                front.truncate(limit);
                return front;
            }
            // What it would be is not here yet.
            Source::Relayed { .. } => return Bytes::new(),
            Source::Pieces(pieces) | Source::Paced { pieces, .. } => pieces,
        };
        let mut front = Vec::new();
        while front.len() < limit
            && let Some(piece) = pieces.next_piece()
        {
            front.extend_from_slice(&piece);
        }
        front.truncate(limit);
        front.into()
    }

    /// Sends `bytes` of it and then nothing for a minute; what is announced stays.
    pub(crate) fn stalling(self, bytes: usize) -> Self {
        let announced = self.size_hint().exact();
        let front = self.take_front(bytes);
        Self {
            source: Source::Stalled {
                front,
                announced,
                end: Box::pin(tokio::time::sleep(Duration::from_secs(60))),
            },
            in_progress: None,
        }
    }

    /// Keeps the call in progress while a streamed body is being sent; a whole body ends it now.
    pub(crate) fn hold(&mut self, in_progress: Option<InProgress>) {
        if self.whole().is_none() {
            self.in_progress = in_progress;
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match &mut self.source {
            Source::Full(bytes) if bytes.is_empty() => None,
            Source::Full(bytes) => Some(std::mem::take(bytes)),
            Source::Live(pieces) => match pieces.as_mut().poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(piece) => piece,
            },
            Source::Pieces(pieces) => pieces.next_piece(),
            Source::Stalled { front, .. } if !front.is_empty() => Some(std::mem::take(front)),
            Source::Stalled { end, .. } => {
                return end.as_mut().poll(cx).map(|()| {
                    Some(Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the fault asked for a body that does not end",
                    )))
                });
            }
            Source::Relayed { body, within, late } => {
                return match body.as_mut().poll_frame(cx) {
                    Poll::Ready(frame) => {
                        late.as_mut().reset(tokio::time::Instant::now() + *within);
                        if frame.is_none() {
                            self.in_progress = None;
                        }
                        Poll::Ready(frame)
                    }
                    Poll::Pending => late.as_mut().poll(cx).map(|()| {
                        Some(Err(io::Error::new(
                            io::ErrorKind::TimedOut,
                            "the upstream's body does not go on",
                        )))
                    }),
                };
            }
            Source::Paced {
                pieces,
                pause,
                sleep,
            } => {
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                sleep.as_mut().reset(tokio::time::Instant::now() + *pause);
                pieces.next_piece()
            }
        };
        if piece.is_none() {
            self.in_progress = None;
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Full(bytes) => bytes.is_empty(),
            Source::Live(_) | Source::Stalled { .. } => false,
            Source::Relayed { body, .. } => body.is_end_stream(),
            Source::Pieces(pieces) | Source::Paced { pieces, .. } => pieces.remaining() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::Live(_) => SizeHint::default(),
            Source::Stalled { announced, .. } => {
                announced.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Source::Relayed { body, .. } => body.size_hint(),
            Source::Pieces(pieces) | Source::Paced { pieces, .. } => pieces
                .remaining()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

/// A body at hand, sent in pieces of a given size.
pub(crate) struct Sliced {
    pub(crate) bytes: Bytes,
    pub(crate) size: usize,
}

impl Pieces for Sliced {
    fn next_piece(&mut self) -> Option<Bytes> {
        if self.bytes.is_empty() {
            return None;
        }
        let size = self.size.clamp(1, self.bytes.len());
        Some(self.bytes.split_to(size))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
}

/// Pieces made beforehand whose total is not announced.
pub(crate) struct Queue(pub(crate) VecDeque<Bytes>);

impl Pieces for Queue {
    fn next_piece(&mut self) -> Option<Bytes> {
        self.0.pop_front()
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}
