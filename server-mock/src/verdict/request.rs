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

/// A client that leaves may be back before it is noticed that it left.
const NOTICE_NS: u64 = 20 * MS;
/// Who sends two copies of a request leaves the slower one this soon after the other was answered.
const HEDGE_NS: u64 = 2_000 * MS;

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
    /// Whether it takes effect only on a state that it names (`If-Match`, `Upload-Offset`), and so but once.
    pub(crate) conditional: bool,
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

    /// When it ended, if that was before `after` was sent. That its client had left may have been noticed a little later.
    pub(super) fn over_before(&self, after: &Self) -> Option<u64> {
        let ended = self.end_ns()?;
        let is_noticed_late = self.left_ns.is_some()
            && ended <= after.start_ns.saturating_add(NOTICE_NS)
            && after.end_ns().is_none_or(|end| ended < end);
        (ended <= after.start_ns || is_noticed_late).then_some(ended)
    }

    /// Whether it was one of two copies that were under way together, and its client left it when `other` was answered.
    pub(super) fn lost_to(&self, other: &Self) -> bool {
        let (Some(left), Some(answered)) = (self.end_ns(), other.end_ns()) else {
            return false;
        };
        self.left_ns.is_some()
            && matches!(other.end(), End::Answered(..400))
            && self.method.is_safe()
            && self.start_ns < answered
            && other.start_ns < left
            && answered <= left
            && left - answered <= HEDGE_NS
    }

    /// What the client was asked to wait after it, in milliseconds.
    pub(crate) fn asked_ms(&self) -> Option<u64> {
        self.told.retry_after_ms
    }

    /// Whether it can be repeated without harm (RFC 9110, section 9.2.2).
    pub(super) fn is_idempotent(&self) -> bool {
        self.method.is_idempotent() || self.key.is_some()
    }

    /// Whether it went to the authorization server, which has rules of its own, and no keys.
    pub(super) fn is_of_authorization(&self) -> bool {
        self.op.starts_with("oauth.")
    }

    /// Whether it is a copy of `other`: the same was asked, safely, of one client without a name for its call.
    fn is_copy_of(&self, other: &Self) -> bool {
        self.method.is_safe()
            && self.call.is_none()
            && other.call.is_none()
            && (&self.method, &self.target) == (&other.method, &other.target)
            && (self.body, self.credential) == (other.body, other.credential)
    }

    /// Whether `other`, a copy of it, was still under way when it ended: its client had not given up.
    pub(super) fn ended_beside(&self, other: &Self) -> bool {
        let Some(end) = self.end_ns() else {
            return false;
        };
        self.seq != other.seq
            && other.start_ns < end
            && other.end_ns().is_none_or(|later| later > end)
            && self.is_copy_of(other)
    }

    /// Whether the gateway answered without a fault in the way.
    pub(super) fn is_genuine(&self) -> bool {
        self.fault.is_none()
    }

    /// How long after `before` it came, in milliseconds: by real time, or by the session's clock where that was moved
    /// on in between.
    pub(crate) fn waited_ms(&self, before: &Self) -> Option<f64> {
        let ended = before.over_before(self)?;
        let real = self.start_ns.saturating_sub(ended) as f64 / MS as f64;
        let took_ms = ended.saturating_sub(before.start_ns) / MS;
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
