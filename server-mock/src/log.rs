//! One line for each request, as JSON or for people to read, on standard error.
//!
//! A line has the operation and not the path, a hash of the tenant and never a key, a session, a header or a body. A thread of
//! its own writes: whoever reads slowly loses lines, which are counted, and holds no request up.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::call::Call;
use crate::clock::real_now_ns;
use crate::journal::hex;
use crate::noted::Notes;
use crate::op::Op;
use crate::timestamp::rfc3339;

/// Lines that wait to be written; more are dropped.
const MAX_WAITING: usize = 8_192;
/// How long the end of the program waits for the last lines.
const MAX_FLUSH: Duration = Duration::from_secs(1);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// An object of JSON a line.
    Json,
    /// For people to read.
    Text,
}

/// Which requests get a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LogLevel {
    /// Those answered with 5xx, or not at all.
    Warn,
    /// All but health checks and a browser's preflights. The default.
    #[default]
    Info,
    /// All.
    Debug,
}

impl LogLevel {
    fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    fn of(op: Op, status: Option<u16>) -> Self {
        match status {
            None | Some(500..) => Self::Warn,
            Some(_) if matches!(op, Op::Health | Op::Preflight) => Self::Debug,
            Some(_) => Self::Info,
        }
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| "expected warn, info or debug".into())
    }
}

/// What one line says.
#[derive(Serialize)]
struct Line<'a> {
    /// Real time.
    ts: String,
    level: &'static str,
    msg: &'static str,
    request_id: &'a str,
    op: &'static str,
    method: &'a str,
    status: Option<u16>,
    duration_ms: f64,
    /// The session's clock when it arrived.
    clock: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused_by: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
}

enum Message {
    Line(String),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

/// Where lines go.
pub(crate) struct Log {
    format: LogFormat,
    level: LogLevel,
    messages: SyncSender<Message>,
    dropped: AtomicU64,
}

impl Log {
    /// Starts the thread that writes to standard error.
    pub(crate) fn start(format: LogFormat, level: LogLevel) -> io::Result<Self> {
        let (messages, waiting) = sync_channel(MAX_WAITING);
        thread::Builder::new()
            .name("gatewright-log".into())
            .spawn(move || write(&waiting))?;
        Ok(Self {
            format,
            level,
            messages,
            dropped: AtomicU64::new(0),
        })
    }

    /// Writes the line of a request that is over, if it gets one.
    pub(crate) fn request(&self, call: &Call, notes: &Notes, took: Duration) {
        let level = LogLevel::of(call.op, notes.ending.status);
        if level > self.level {
            return;
        }
        let account = notes.account.as_ref();
        let quota = notes.quota.as_ref();
        let refused_by = quota.map_or(&[][..], |quota| &quota.refused_by);
        let line = Line {
            ts: rfc3339(real_now_ns()),
            level: level.name(),
            msg: "request",
            request_id: &call.request_id,
            op: call.op.name(),
            method: call.parts.method.as_str(),
            status: notes.ending.status,
            duration_ms: took.as_micros() as f64 / 1_000.0,
            clock: rfc3339(call.at_ns),
            tenant: account.map(|account| hashed(&account.tenant)),
            tier: account.map(|account| account.tier.name()),
            refused_by: refused_by.iter().map(String::as_str).collect(),
            fault: notes
                .fault
                .as_deref()
                .and_then(|fault| fault.split(';').next()),
            replayed: notes.ending.replayed,
            trace_id: trace_id(call),
        };
        self.say(match self.format {
            LogFormat::Json => serde_json::to_string(&line).unwrap_or_default(),
            LogFormat::Text => text(&line),
        });
    }

    fn say(&self, line: String) {
        if self.messages.try_send(Message::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let line = match self.format {
                LogFormat::Json => serde_json::json!({
                    "ts": rfc3339(real_now_ns()), "level": "warn", "msg": "lines dropped", "count": dropped,
                })
                .to_string(),
                LogFormat::Text => format!("{dropped} lines of the log were dropped: it was read too slowly"),
            };
            if self.messages.try_send(Message::Line(line)).is_err() {
                self.dropped.fetch_add(dropped, Ordering::Relaxed);
            }
        }
    }

    /// Waits, for a moment, until all lines are written.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.messages.try_send(Message::Flush(done)).is_ok() {
            // Too slow a reader loses the last lines.
            let _ = written.recv_timeout(MAX_FLUSH);
        }
    }
}

/// The thread: ends when the log is gone.
fn write(messages: &Receiver<Message>) {
    let mut out = io::BufWriter::new(io::stderr());
    while let Ok(first) = messages.recv() {
        let mut next = Ok(first);
        loop {
            match next {
                Ok(Message::Line(line)) => {
                    // Nobody reads: there is nobody to tell either.
                    let _ = writeln!(out, "{line}");
                }
                Ok(Message::Flush(done)) => {
                    let _ = out.flush();
                    let _ = done.try_send(());
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
            next = messages.try_recv();
        }
        let _ = out.flush();
    }
}

/// Tells tenants apart without naming them.
fn hashed(tenant: &str) -> String {
    let hash = Sha256::new_with_prefix(b"tenant:")
        .chain_update(tenant)
        .finalize();
    hex(hash.get(..6).unwrap_or_default())
}

/// The trace id of a good `traceparent`.
fn trace_id(call: &Call) -> Option<&str> {
    let parent = call.parts.headers.get("traceparent")?.to_str().ok()?;
    let id = parent.get(3..35)?;
    let good = parent.starts_with("00-") && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then_some(id)
}

fn text(line: &Line<'_>) -> String {
    let status = line
        .status
        .map_or("---".into(), |status| status.to_string());
    let time = line.ts.get(11..23).unwrap_or_default();
    let mut text = format!(
        "{time} {status} {:<8} {:<22} {:>9.2} ms  {}",
        line.method.escape_debug(),
        line.op,
        line.duration_ms,
        line.request_id
    );
    if let (Some(tenant), Some(tier)) = (&line.tenant, line.tier) {
        let _ = write!(text, "  {tier} {tenant}");
    }
    if !line.refused_by.is_empty() {
        let _ = write!(text, "  refused by {}", line.refused_by.join(", "));
    }
    if let Some(fault) = line.fault {
        let _ = write!(text, "  fault {}", fault.escape_debug());
    }
    if line.replayed {
        text.push_str("  replayed");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_are_told_apart_and_not_named() {
        let (one, other) = (hashed("acme"), hashed("globex"));
        assert_ne!(one, other);
        assert_eq!(one, hashed("acme"));
        assert!(one.len() == 12 && !one.contains("acme"));
    }

    #[test]
    fn levels_are_found_by_their_names() {
        assert_eq!("warn".parse(), Ok(LogLevel::Warn));
        assert!("loud".parse::<LogLevel>().is_err());
        assert!(LogLevel::of(Op::Health, Some(200)) > LogLevel::Info);
        assert_eq!(LogLevel::of(Op::Echo, None), LogLevel::Warn);
    }
}
