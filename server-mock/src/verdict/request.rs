//! One request as the verdict sees it: what was asked, when, and how it ended for the client.

use http::Method;

use crate::clock::MS;
use crate::told::Told;

/// Faults that break an answer after its status has been sent.
const BREAKING: [&str; 8] = [
    "reset@",
    "fin@",
    "bad-chunk",
    "short",
    "bad-gzip",
    "truncated-gzip",
    "big-headers",
    "stall@",
];

/// One request of a session.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) seq: u64,
    /// The session's clock at its arrival.
    pub(crate) at_ms: u64,
    /// Real nanoseconds since the session's start.
    pub(crate) start_ns: u64,
    pub(crate) took_ns: Option<u64>,
    pub(crate) left_ns: Option<u64>,
    pub(crate) op: &'static str,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// A hash of the body.
    pub(crate) body: u64,
    /// A hash of the credential.
    pub(crate) credential: Option<u64>,
    pub(crate) key: Option<String>,
    /// `X-Mock-Call`.
    pub(crate) call: Option<String>,
    /// Whether it carries a proof that is made anew for each attempt (DPoP).
    pub(crate) has_proof: bool,
    pub(crate) agent: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) outcome: Option<u16>,
    pub(crate) committed: bool,
    pub(crate) fault: Option<String>,
    pub(crate) connection: u64,
    pub(crate) region: Option<String>,
    pub(crate) told: Told,
    /// Calls left of the limits when it was decided, and how many there may be.
    pub(crate) quota: Option<(u64, u64)>,
}

/// How a request ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A whole answer.
    Answered(u16),
    /// An answer that breaks off or cannot be read.
    Broken(u16),
    /// The connection ended without an answer.
    Cut,
    /// The client left before it had an answer.
    Left,
    /// It is still going on.
    Open,
}

impl Request {
    pub(crate) fn end(&self) -> End {
        if self.left_ns.is_some() {
            return End::Left;
        }
        let breaks = self
            .fault
            .as_deref()
            .is_some_and(|fault| BREAKING.iter().any(|kind| fault.starts_with(kind)));
        match (self.took_ns, self.status) {
            (None, _) => End::Open,
            (Some(_), None) => End::Cut,
            (Some(_), Some(status)) if breaks => End::Broken(status),
            (Some(_), Some(status)) => End::Answered(status),
        }
    }

    /// When it ended for the client, in real nanoseconds since the session's start.
    pub(crate) fn end_ns(&self) -> Option<u64> {
        let took = self.left_ns.or(self.took_ns)?;
        Some(self.start_ns.saturating_add(took))
    }

    /// What the client was asked to wait after it, in milliseconds.
    pub(crate) fn asked_ms(&self) -> Option<u64> {
        self.told.retry_after_ms
    }

    /// Whether it can be repeated without harm (RFC 9110, section 9.2.2).
    pub(super) fn is_idempotent(&self) -> bool {
        self.method.is_idempotent() || self.key.is_some()
    }

    /// Whether the gateway answered without a fault in the way.
    pub(super) fn is_genuine(&self) -> bool {
        self.fault.is_none()
    }

    /// How long after `before` it came, in milliseconds: by real time, or by the session's clock where that was moved
    /// on in between.
    pub(crate) fn waited_ms(&self, before: &Self) -> Option<f64> {
        let ended = before.end_ns()?;
        let real = self.start_ns.checked_sub(ended)? as f64 / MS as f64;
        let took_ms = (ended - before.start_ns) / MS;
        let clock = self
            .at_ms
            .saturating_sub(before.at_ms)
            .saturating_sub(took_ms);
        Some(real.max(clock as f64))
    }
}

impl End {
    /// Whether the client did not get what it asked for.
    pub(super) fn failed(self) -> bool {
        match self {
            Self::Answered(status) => status >= 400,
            Self::Broken(_) | Self::Cut | Self::Left => true,
            Self::Open => false,
        }
    }

    /// Whether the server or the way to it failed, as a breaker counts.
    pub(super) fn is_down(self) -> bool {
        match self {
            Self::Answered(status) => status >= 500,
            Self::Cut | Self::Left => true,
            Self::Broken(_) | Self::Open => false,
        }
    }

    /// Whether the client cannot know if the request was carried out.
    pub(super) fn is_unknown(self) -> bool {
        matches!(self, Self::Cut | Self::Left | Self::Broken(_))
    }

    /// In words.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Answered(status) => status.to_string(),
            Self::Broken(status) => format!("{status}, broken off"),
            Self::Cut => "no answer".into(),
            Self::Left => "client left".into(),
            Self::Open => "in progress".into(),
        }
    }
}
