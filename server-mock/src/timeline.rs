//! Logical calls as people see them: the attempts of each, what was waited between them, and the level of the quota.
//!
//! Attempts belong together by the name of their logical call. A name that comes from the key or from `X-Mock-Call` keeps
//! all its requests together. A name made of method, path, query and body is that of every call like it, so there a call
//! ends with an answer that gives no reason to repeat it.

mod svg;

use std::collections::HashMap;

use crate::journal::Row;

pub(crate) use svg::{duration, svg};

/// A logical call.
#[derive(Clone, Debug)]
pub(crate) struct TimelineCall {
    /// `key:…`, `call:…` or `request:…`.
    pub(crate) logical: String,
    /// Such as `contacts.create`.
    pub(crate) op: String,
    /// Such as `POST /v1/contacts`.
    pub(crate) title: String,
    /// Oldest first; at least one.
    pub(crate) attempts: Vec<TimelineAttempt>,
}

/// One request of a logical call. Times are real milliseconds since the session began.
#[derive(Clone, Debug)]
pub(crate) struct TimelineAttempt {
    pub(crate) seq: u64,
    pub(crate) start_ms: f64,
    /// None while it is under way.
    pub(crate) end_ms: Option<f64>,
    /// The status that was sent; none if no response was.
    pub(crate) status: Option<u16>,
    /// The fault it was given.
    pub(crate) fault: Option<String>,
    /// How long its answer asked the client to wait.
    pub(crate) asked_ms: Option<f64>,
    /// Calls left after it, and how many there may be.
    pub(crate) quota: Option<(u64, u64)>,
    /// Whether it changed something.
    pub(crate) committed: bool,
}

impl TimelineAttempt {
    fn of(row: &Row) -> Self {
        let ms = |ns: u64| ns as f64 / 1e6;
        Self {
            seq: row.seq,
            start_ms: ms(row.received_ns),
            end_ms: row
                .took_ns
                .map(|took| ms(row.received_ns.saturating_add(took))),
            status: row.status,
            fault: row.fault.clone(),
            asked_ms: row.told_ms.map(|ms| ms as f64),
            quota: row
                .quota
                .as_ref()
                .map(|quota| (quota.remaining, quota.limit)),
            committed: row.committed,
        }
    }

    /// Whether its answer is the end of a call whose requests are only alike.
    fn is_final(&self) -> bool {
        self.end_ms.is_some()
            && self
                .status
                .is_some_and(|status| !matches!(status, 408 | 409 | 425 | 429 | 500..))
    }

    /// The status, or what happened in its place.
    pub(crate) fn outcome(&self) -> String {
        match (self.end_ms, self.status) {
            (None, _) => "under way".into(),
            (_, Some(status)) => status.to_string(),
            (_, None) => "no answer".into(),
        }
    }

    /// A class of the style sheet.
    pub(crate) fn class(&self) -> &'static str {
        match (self.end_ms, self.status) {
            (None, _) => "open",
            (_, None) => "cut",
            (_, Some(429)) => "limited",
            (_, Some(500..)) => "server",
            (_, Some(400..)) => "client",
            (_, Some(_)) => "fine",
        }
    }
}

impl TimelineCall {
    /// Real milliseconds from the first byte to the last answer so far.
    pub(crate) fn took_ms(&self) -> f64 {
        let start = self.attempts.first().map_or(0.0, |first| first.start_ms);
        let ends = self
            .attempts
            .iter()
            .map(|attempt| attempt.end_ms.unwrap_or(attempt.start_ms));
        ends.fold(start, f64::max) - start
    }

    /// What was waited before each attempt but the first.
    pub(crate) fn waits_ms(&self) -> Vec<f64> {
        let pairs = self.attempts.iter().zip(self.attempts.iter().skip(1));
        pairs
            .map(|(before, after)| {
                (after.start_ms - before.end_ms.unwrap_or(after.start_ms)).max(0.0)
            })
            .collect()
    }

    /// The last attempt.
    pub(crate) fn last(&self) -> Option<&TimelineAttempt> {
        self.attempts.last()
    }
}

/// The calls that rows, oldest first, belong to; the call that was last heard of comes last.
pub(crate) fn calls(rows: &[Row]) -> Vec<TimelineCall> {
    let mut all: Vec<TimelineCall> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for row in rows {
        let attempt = TimelineAttempt::of(row);
        let named = !row.logical.starts_with("request:");
        let known = by_name.get(row.logical.as_str()).copied();
        let going_on = known
            .and_then(|at| all.get_mut(at))
            .filter(|call| named || !call.last().is_some_and(TimelineAttempt::is_final));
        match going_on {
            Some(call) => call.attempts.push(attempt),
            None => {
                by_name.insert(&row.logical, all.len());
                all.push(TimelineCall {
                    logical: row.logical.clone(),
                    op: row.op.into(),
                    title: format!("{} {}", row.method, row.path),
                    attempts: vec![attempt],
                });
            }
        }
    }
    all.sort_by_key(|call| call.last().map_or(0, |last| last.seq));
    all
}
