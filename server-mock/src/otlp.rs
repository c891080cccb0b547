//! Traces and metrics over OTLP/HTTP in JSON (OTLP 1.x): a server span for each request, a child of the `traceparent` that came with it,
//! and what `/metrics` says, from time to time.
//!
//! Started only by `--otlp URL`. A thread of its own collects spans and sends them in batches; a collector that is slow or
//! away costs spans, which are counted, and holds no request up. Nothing names a key, a tenant or a session.
//!
//! | A request came with | Its span |
//! |---|---|
//! | no `traceparent`, or one that cannot be read | the root of a new trace |
//! | `traceparent`, sampled | a child of it |
//! | `traceparent`, not sampled | none |

mod metric;
mod post;
mod span;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use post::{Collector, Sender, Signal};
use serde_json::{Value, json};
use span::Span;
use tokio::sync::watch;

use crate::call::Call;
use crate::client::Client;
use crate::clock::real_now_ns;
use crate::gateway::Shared;
use crate::noted::Notes;

/// Spans that wait to be sent; more are dropped.
const MAX_WAITING: usize = 8_192;
/// Spans in one request.
const MAX_BATCH: usize = 512;
/// How long a span waits for others.
const MAX_DELAY: Duration = Duration::from_millis(500);
/// How long the end of the program waits for the last spans.
const MAX_FLUSH: Duration = Duration::from_secs(3);

/// How often metrics are sent, in real time.
const METRICS_EVERY: Duration = Duration::from_secs(10);

enum Message {
    Span(Box<Span>),
    /// A request about all metrics.
    Metrics(Box<Value>),
    /// Answered once everything before it was sent, or could not be.
    Flush(SyncSender<()>),
}

/// Where spans and metrics go.
pub(crate) struct Traces {
    messages: SyncSender<Message>,
    dropped: AtomicU64,
    takes_metrics: bool,
    started_ns: u64,
}

impl Traces {
    /// Starts the thread that sends to the collector at `url`, such as `http://127.0.0.1:4318`.
    pub(crate) fn start(url: &str, client: &Client) -> io::Result<Self> {
        let collector =
            Collector::at(url).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let takes_metrics = collector.takes_metrics();
        let mut sender = Sender::new(collector, client.clone());
        let (messages, waiting) = sync_channel(MAX_WAITING);
        thread::Builder::new()
            .name("gatewright-otlp".into())
            .spawn(move || send(&mut sender, &waiting))?;
        Ok(Self {
            messages,
            dropped: AtomicU64::new(0),
            takes_metrics,
            started_ns: real_now_ns(),
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

    /// Sends what was counted until now.
    pub(crate) fn metrics(&self, shared: &Arc<Shared>) {
        if self.takes_metrics {
            let all = shared.worlds.surroundings().metrics.all(shared);
            let request = metric::request(&all, self.started_ns, real_now_ns());
            // The next ones say the same and more.
            let _ = self.messages.try_send(Message::Metrics(Box::new(request)));
        }
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

/// Sends metrics from time to time until the gateway stops.
pub(crate) async fn tell_metrics(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(METRICS_EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match &shared.worlds.surroundings().traces {
            Some(traces) => traces.metrics(&shared),
            None => return,
        }
    }
}

/// Who sends, and with what.
fn resource() -> (Value, Value) {
    let version = env!("CARGO_PKG_VERSION");
    let attributes = [
        span::text("service.name", "gatewright-gateway"),
        span::text("service.version", version),
    ];
    (
        json!({ "attributes": attributes }),
        json!({ "name": "gatewright-gateway", "version": version }),
    )
}

/// The thread: ends when the traces are gone.
fn send(sender: &mut Sender, messages: &Receiver<Message>) {
    let mut batch: Vec<Span> = Vec::new();
    let mut due = Instant::now();
    let send_batch = |sender: &mut Sender, batch: &mut Vec<Span>| {
        if !batch.is_empty() {
            sender.send(Signal::Traces, &span::request(&std::mem::take(batch)));
        }
    };
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
                    send_batch(sender, &mut batch);
                }
            }
            Ok(Message::Metrics(request)) => sender.send(Signal::Metrics, &request),
            Ok(Message::Flush(done)) => {
                send_batch(sender, &mut batch);
                let _ = done.try_send(());
            }
            Err(RecvTimeoutError::Timeout) => send_batch(sender, &mut batch),
            Err(RecvTimeoutError::Disconnected) => {
                send_batch(sender, &mut batch);
                return;
            }
        }
    }
}
