//! Traces over OTLP/HTTP in JSON (OTLP 1.x): a server span for each request, a child of the `traceparent` that came with it.
//!
//! Started only by `--otlp URL`. A thread of its own collects spans and sends them in batches; a collector that is slow or
//! away costs spans, which are counted, and holds no request up. No span names a key, a tenant or a session.
//!
//! | A request came with | Its span |
//! |---|---|
//! | no `traceparent`, or one that cannot be read | the root of a new trace |
//! | `traceparent`, sampled | a child of it |
//! | `traceparent`, not sampled | none |

mod post;
mod span;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use post::Collector;
use span::Span;

use crate::call::Call;
use crate::noted::Notes;

/// Spans that wait to be sent; more are dropped.
const MAX_WAITING: usize = 8_192;
/// Spans in one request.
const MAX_BATCH: usize = 512;
/// How long a span waits for others.
const MAX_DELAY: Duration = Duration::from_millis(500);
/// How long the end of the program waits for the last spans.
const MAX_FLUSH: Duration = Duration::from_secs(3);

enum Message {
    Span(Box<Span>),
    /// Answered once everything before it was sent, or could not be.
    Flush(SyncSender<()>),
}

/// Where spans go.
pub(crate) struct Traces {
    messages: SyncSender<Message>,
    dropped: AtomicU64,
}

impl Traces {
    /// Starts the thread that sends to the collector at `url`, such as `http://127.0.0.1:4318`.
    pub(crate) fn start(url: &str) -> io::Result<Self> {
        let collector =
            Collector::at(url).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let (messages, waiting) = sync_channel(MAX_WAITING);
        thread::Builder::new()
            .name("gatewright-otlp".into())
            .spawn(move || send(&collector, &waiting))?;
        Ok(Self {
            messages,
            dropped: AtomicU64::new(0),
        })
    }

    /// The span of a request that is over.
    pub(crate) fn request(&self, call: &Call, notes: &Notes, took: Duration) {
        if let Some(span) = Span::of(call, notes, took)
            && self
                .messages
                .try_send(Message::Span(Box::new(span)))
                .is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Spans that were not taken, because too many waited.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits, for a moment, until all spans are sent.
    pub(crate) fn flush(&self) {
        let (done, sent) = sync_channel(1);
        if self.messages.try_send(Message::Flush(done)).is_ok() {
            // A collector that is away loses the last spans.
            let _ = sent.recv_timeout(MAX_FLUSH);
        }
    }
}

/// The thread: ends when the traces are gone.
fn send(collector: &Collector, messages: &Receiver<Message>) {
    let mut batch: Vec<Span> = Vec::new();
    let mut due = Instant::now();
    loop {
        let next = if batch.is_empty() {
            messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            messages.recv_timeout(due.saturating_duration_since(Instant::now()))
        };
        match next {
            Ok(Message::Span(span)) => {
                if batch.is_empty() {
                    due = Instant::now() + MAX_DELAY;
                }
                batch.push(*span);
                if batch.len() >= MAX_BATCH {
                    collector.send(&std::mem::take(&mut batch));
                }
            }
            Ok(Message::Flush(done)) => {
                collector.send(&std::mem::take(&mut batch));
                let _ = done.try_send(());
            }
            Err(RecvTimeoutError::Timeout) => collector.send(&std::mem::take(&mut batch)),
            Err(RecvTimeoutError::Disconnected) => {
                collector.send(&batch);
                return;
            }
        }
    }
}
