//! Calls as people see them: the attempts of each, what was waited between them, and the level of the quota.
//!
//! There is one such picture, for the dashboard and for the verdict: which requests are attempts of one call is what the verdict finds
//! out from the wire ([`grouped`]), and so is how each ended for its client.

mod svg;

use crate::clock::MS;
use crate::verdict::{Attempts, End, Request, grouped};

pub(crate) use svg::{duration, escaped, svg};

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct TimelineCall {
    /// `call:…` or `key:…`, where the client named it.
    pub(crate) name: Option<String>,
    /// Such as `contacts.create`.
    pub(crate) op: &'static str,
    /// Such as `POST /v1/contacts`, with the query.
    pub(crate) title: String,
    /// The session's clock at its first attempt, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// Oldest first.
    pub(crate) attempts: Vec<TimelineAttempt>,
}

/// One request of a call. Times are real milliseconds since an origin that all attempts share.
#[derive(Clone, Debug)]
pub(crate) struct TimelineAttempt {
    pub(crate) seq: u64,
    pub(crate) start_ms: f64,
    /// None while it is in progress.
    pub(crate) end_ms: Option<f64>,
    pub(crate) end: End,
    /// The fault it was given.
    pub(crate) fault: Option<String>,
    /// How long after the attempt before it came, on the session's clock where that was moved.
    pub(crate) waited_ms: Option<f64>,
    /// How long its answer asked the client to wait.
    pub(crate) asked_ms: Option<u64>,
    /// Calls left after it, and how many there may be.
    pub(crate) quota: Option<(u64, u64)>,
    /// Whether it changed something.
    pub(crate) committed: bool,
}

impl TimelineAttempt {
    /// A status, or what happened in its place.
    pub(crate) fn outcome(&self) -> String {
        self.end.in_words()
    }

    /// A class of the style sheets.
    pub(crate) fn class(&self) -> &'static str {
        match self.end {
            End::Open => "open",
            End::Broken(_) | End::Cut | End::Left => "cut",
            End::Answered(429) => "limited",
            End::Answered(500..) => "server",
            End::Answered(400..) => "client",
            End::Answered(_) => "fine",
        }
    }
}

impl TimelineCall {
    /// The call of these attempts, oldest first; times are counted from `origin_ns` of the session's life.
    pub(crate) fn of(attempts: &[&Request], origin_ns: u64) -> Self {
        let ms = |ns: u64| ns.saturating_sub(origin_ns) as f64 / MS as f64;
        let first = attempts.first();
        let before = std::iter::once(None).chain(attempts.iter().map(Some));
        let shown = attempts
            .iter()
            .zip(before)
            .map(|(request, before)| TimelineAttempt {
                seq: request.seq,
                start_ms: ms(request.start_ns),
                end_ms: request.end_ns().map(ms),
                end: request.end(),
                fault: request.fault.clone(),
                waited_ms: before.and_then(|before| request.waited_ms(before)),
                asked_ms: request.asked_ms(),
                quota: request.quota,
                committed: request.committed,
            });
        Self {
            name: first.and_then(|first| match (&first.call, &first.key) {
                (Some(call), _) => Some(format!("call:{call}")),
                (None, Some(key)) => Some(format!("key:{key}")),
                (None, None) => None,
            }),
            op: first.map_or("unknown", |first| first.op),
            title: first.map_or_else(String::new, |first| {
                format!("{} {}", first.method, first.target)
            }),
            at_ms: first.map_or(0, |first| first.at_ms),
            attempts: shown.collect(),
        }
    }

    /// Real milliseconds from the first byte to the last answer so far.
    pub(crate) fn took_ms(&self) -> f64 {
        let start = self.attempts.first().map_or(0.0, |first| first.start_ms);
        let ends = self
            .attempts
            .iter()
            .map(|attempt| attempt.end_ms.unwrap_or(attempt.start_ms));
        ends.fold(start, f64::max) - start
    }

    /// The last attempt.
    pub(crate) fn last(&self) -> Option<&TimelineAttempt> {
        self.attempts.last()
    }
}

/// The calls that requests, oldest first, are attempts of; the call that was last heard of comes last.
pub(crate) fn calls(requests: &[Request]) -> Vec<TimelineCall> {
    let of = |Attempts { at, .. }: &Attempts| {
        let attempts: Vec<&Request> = at.iter().filter_map(|at| requests.get(*at)).collect();
        TimelineCall::of(&attempts, 0)
    };
    let mut all: Vec<TimelineCall> = grouped(requests).iter().map(of).collect();
    all.sort_by_key(|call| call.last().map_or(0, |last| last.seq));
    all
}
