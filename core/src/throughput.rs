//! Keeps a transfer that is too slow from being waited for: measures bodies as they come and as they go out.
//!
//! The rule is `gatewright_engine::throughput`. Reading is measured where `response.rs` waits for the next piece; sending by a stream
//! around the body, which sees when the transport asks for more.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use gatewright_engine::Instant;
use gatewright_engine::retry::FailureClass;
use gatewright_engine::throughput::Throughput;
pub use gatewright_engine::throughput::{MinThroughput, Stalled};

use crate::body::{Body, BoxError, ByteStream};
use crate::client::ClientBuilder;
use crate::request::RequestBuilder;
use crate::runtime::{Runtime, until};
use crate::transport::TransportError;

/// What to do about a transfer that is too slow.
pub(crate) const ADVICE: &str = "lower `min_throughput`, or look at the server and the network";

/// A body in memory is handed to the transport in pieces of this size, so that its going out is seen.
const PIECE: usize = 64 * 1024;

/// Which transfers have to achieve how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Floor {
    /// Downloads and resumable uploads the default; other bodies nothing, since the deadline covers them.
    #[default]
    Transfers,
    /// None anything.
    Off,
    /// All bodies this.
    Everywhere(MinThroughput),
}

impl Floor {
    fn given(floor: Option<MinThroughput>) -> Self {
        match floor {
            Some(floor) if floor.bytes_per_second > 0 => Self::Everywhere(floor),
            _ => Self::Off,
        }
    }

    /// For bodies whose deadline covers them.
    pub(crate) const fn of_bodies(self) -> Option<MinThroughput> {
        match self {
            Self::Everywhere(floor) => Some(floor),
            Self::Transfers | Self::Off => None,
        }
    }

    /// For downloads and resumable uploads.
    pub(crate) fn of_transfers(self) -> Option<MinThroughput> {
        match self {
            Self::Everywhere(floor) => Some(floor),
            Self::Transfers => Some(MinThroughput::default()),
            Self::Off => None,
        }
    }
}

impl ClientBuilder {
    /// The least that the bodies of all calls have to achieve, as they come and as they go out; `None`: nothing. Slower ones end with
    /// `timeout`, and the error says what was measured. Only time is counted in which the other side was waited for.
    ///
    /// Default: 1 KiB/s over 20 s for [`download`](RequestBuilder::download) and [`upload`](RequestBuilder::upload), nothing for all else,
    /// whose bodies the deadline covers. A `grace` of zero counts as the default's.
    pub fn min_throughput(mut self, floor: impl Into<Option<MinThroughput>>) -> Self {
        self.min_throughput = Floor::given(floor.into().map(sensible));
        self
    }
}

impl RequestBuilder {
    /// The least that the bodies of this call have to achieve; `None`: nothing. Default: the client's.
    pub fn min_throughput(mut self, floor: impl Into<Option<MinThroughput>>) -> Self {
        self.transfer.floor = Floor::given(floor.into().map(sensible));
        self
    }
}

fn sensible(mut floor: MinThroughput) -> MinThroughput {
    if floor.grace.is_zero() {
        floor.grace = MinThroughput::default().grace;
    }
    floor
}

pub(crate) fn stalled(stalled: Stalled) -> TransportError {
    TransportError {
        class: FailureClass::ReadTimeout,
        text: stalled.to_string(),
        source: Some(Box::new(stalled)),
    }
}

/// Why sending was given up.
#[derive(Debug)]
pub(crate) enum Late {
    /// The attempt's time was up.
    Attempt,
    /// The server took the body too slowly.
    Stalled(Stalled),
    /// The body was sent, and no answer came for so long.
    NoAnswer(Duration),
}

/// Watches a body on its way out.
#[derive(Debug)]
pub(crate) struct Watch {
    sending: Arc<Mutex<Sending>>,
    answer_timeout: Option<Duration>,
}

#[derive(Debug)]
struct Sending {
    throughput: Throughput,
    grace: Duration,
    /// Since when the transport is at work on what it was given; `None` while it waits for the body's own source.
    since: Option<Instant>,
    /// The size of what it is at work on.
    size: u64,
    /// All of it was handed over.
    ended: Option<Instant>,
}

impl Watch {
    /// Puts a watch on a body. From its end on the answer is waited for as long as `answer_timeout` says.
    pub(crate) fn on(
        body: Body,
        floor: MinThroughput,
        answer_timeout: Option<Duration>,
        runtime: &Arc<dyn Runtime>,
    ) -> (Body, Option<Self>) {
        let (stream, length): (ByteStream, Option<u64>) = match body {
            Body::Empty => return (body, None),
            Body::Bytes(bytes) => {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                (
                    Box::pin(futures_util::stream::iter(Pieces(bytes))),
                    Some(length),
                )
            }
            Body::Once { stream, length } => (stream, length),
            Body::Replayable { make, length } => (make(), length),
        };
        let sending = Arc::new(Mutex::new(Sending {
            throughput: Throughput::new(floor),
            grace: floor.grace,
            since: Some(runtime.instant()),
            size: 0,
            ended: None,
        }));
        let stream = Watched {
            stream,
            sending: Arc::clone(&sending),
            runtime: Arc::clone(runtime),
        };
        let watch = Self {
            sending,
            answer_timeout,
        };
        (Body::once(stream, length), Some(watch))
    }

    /// Awaits the answer, until `timeout_at` or until the body goes out too slowly.
    pub(crate) async fn until<F: Future>(
        &self,
        runtime: &dyn Runtime,
        timeout_at: Instant,
        answer: F,
    ) -> Result<F::Output, Late> {
        let mut answer = std::pin::pin!(answer);
        loop {
            let at = self.look_again_at(runtime.instant()).min(timeout_at);
            if let Ok(answer) = until(runtime, at, answer.as_mut()).await {
                return Ok(answer);
            }
            let now = runtime.instant();
            if now >= timeout_at {
                return Err(Late::Attempt);
            }
            self.judge(now)?;
        }
    }

    fn look_again_at(&self, now: Instant) -> Instant {
        let sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        match (sending.ended, self.answer_timeout, sending.since) {
            (Some(ended), Some(timeout), _) => ended + timeout,
            (Some(_), None, _) => Instant::from_nanos(u64::MAX),
            (None, _, Some(since)) => since + sending.throughput.patience(),
            (None, _, None) => now + sending.grace,
        }
    }

    fn judge(&self, now: Instant) -> Result<(), Late> {
        let sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        match (sending.ended, self.answer_timeout, sending.since) {
            (Some(ended), Some(timeout), _) if now >= ended + timeout => {
                Err(Late::NoAnswer(timeout))
            }
            (None, _, Some(since)) => sending
                .throughput
                .check(now.since(since))
                .map_err(Late::Stalled),
            _ => Ok(()),
        }
    }
}

struct Watched {
    stream: ByteStream,
    sending: Arc<Mutex<Sending>>,
    runtime: Arc<dyn Runtime>,
}

impl Stream for Watched {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream.as_mut().poll_next(cx);
        let now = self.runtime.instant();
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = sending.since.take() {
            let size = std::mem::take(&mut sending.size);
            sending.throughput.on_bytes(size, now.since(since));
        }
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(piece))) => {
                sending.since = Some(now);
                sending.size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            }
            Poll::Ready(Some(Err(_)) | None) => sending.ended = Some(now),
        }
        drop(sending);
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

struct Pieces(Bytes);

impl Iterator for Pieces {
    type Item = Result<Bytes, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(Ok(self.0.split_to(PIECE.min(self.0.len()))))
    }
}
