//! The journal as lists and pictures show it: rows without bodies, and what happened in each of the last seconds.

use std::time::Instant;

use super::{Entry, Journal, request_id};
use crate::clock::MS;
use crate::noted::QuotaLevel;
use crate::tier::Tier;

/// Entries that one look goes through at most.
const MAX_LOOKED_AT: usize = 20_000;

/// A request without its headers and body.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    /// The session's clock when it arrived.
    pub(crate) at_ms: u64,
    /// None while it is under way.
    pub(crate) took_ns: Option<u64>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) op: &'static str,
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<String>,
    pub(crate) committed: bool,
    pub(crate) replayed: bool,
    pub(crate) region: Option<String>,
    pub(crate) logical: String,
    pub(crate) attempt: u32,
    pub(crate) tenant: Option<String>,
    pub(crate) tier: Option<Tier>,
    pub(crate) quota: Option<QuotaLevel>,
}

/// How a request ended, as colours tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    /// It is under way.
    Open,
    /// 1xx to 3xx.
    Fine,
    /// 429.
    Limited,
    /// Any other 4xx.
    Client,
    /// 5xx.
    Server,
    /// No answer was sent.
    Cut,
}

impl StatusClass {
    pub(crate) const ALL: [Self; 6] = [
        Self::Open,
        Self::Fine,
        Self::Limited,
        Self::Client,
        Self::Server,
        Self::Cut,
    ];

    /// The word in classes of the style sheet and in filters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Fine => "fine",
            Self::Limited => "limited",
            Self::Client => "client",
            Self::Server => "server",
            Self::Cut => "cut",
        }
    }

    fn of(over: bool, status: Option<u16>) -> Self {
        match (over, status) {
            (false, _) => Self::Open,
            (true, None) => Self::Cut,
            (true, Some(429)) => Self::Limited,
            (true, Some(500..)) => Self::Server,
            (true, Some(400..)) => Self::Client,
            (true, Some(_)) => Self::Fine,
        }
    }
}

impl Row {
    pub(crate) fn class(&self) -> StatusClass {
        StatusClass::of(self.took_ns.is_some(), self.status)
    }

    /// Of a request that is over.
    pub(crate) fn class_of(status: Option<u16>) -> StatusClass {
        StatusClass::of(true, status)
    }
}

/// Which rows are wanted; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowFilter {
    pub(crate) op: Option<String>,
    pub(crate) class: Option<StatusClass>,
    /// In the path, the query, the name of the logical call, the tenant or the request id.
    pub(crate) text: Option<String>,
}

impl RowFilter {
    fn wants(&self, entry: &Entry) -> bool {
        let class = || StatusClass::of(entry.over_ns().is_some(), entry.ending.status);
        let op = self.op.as_deref();
        op.is_none_or(|op| entry.op.name() == op)
            && self.class.is_none_or(|wanted| wanted == class())
            && self.text.as_deref().is_none_or(|text| entry.mentions(text))
    }
}

impl Entry {
    /// How long it took: until its answer, its cut, or its client's leaving.
    fn over_ns(&self) -> Option<u64> {
        self.took_ns.or(self.left_ns)
    }

    fn mentions(&self, text: &str) -> bool {
        self.path.contains(text)
            || self.query.contains(text)
            || self.logical.to_string().contains(text)
            || request_id(self.request_id).contains(text)
            || self
                .fault
                .as_deref()
                .is_some_and(|fault| fault.contains(text))
            || self
                .account
                .as_ref()
                .is_some_and(|of| of.tenant.contains(text))
    }

    fn row(&self, seq: u64) -> Row {
        Row {
            seq,
            at_ms: self.at_ns / MS,
            took_ns: self.over_ns(),
            method: self.method.as_str().into(),
            path: self.path.to_string(),
            query: self.query.to_string(),
            op: self.op.name(),
            status: self.ending.status,
            fault: self.fault.as_deref().map(Into::into),
            committed: self.ending.committed,
            replayed: self.ending.replayed,
            region: self.region.as_deref().map(Into::into),
            logical: self.logical.to_string(),
            attempt: self.attempt,
            tenant: self.account.as_ref().map(|of| of.tenant.to_string()),
            tier: self.account.as_ref().map(|of| of.tier),
            quota: self.quota.clone(),
        }
    }
}

/// What arrived within one second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    pub(crate) fine: u32,
    /// 4xx, 429 too.
    pub(crate) client: u32,
    /// 5xx, and those that got no answer.
    pub(crate) server: u32,
}

/// The last seconds, oldest first, and how long their requests took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    pub(crate) seconds: Vec<Second>,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) refused: u64,
    /// Nanoseconds, in order of size.
    pub(crate) took_ns: Vec<u64>,
}

impl Activity {
    /// Adds what happened elsewhere in the same seconds; how long its requests took is left out.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.seconds.len() < other.seconds.len() {
            self.seconds.resize(other.seconds.len(), Second::default());
        }
        for (sum, second) in self.seconds.iter_mut().zip(&other.seconds) {
            sum.fine += second.fine;
            sum.client += second.client;
            sum.server += second.server;
        }
        self.requests += other.requests;
        self.errors += other.errors;
        self.refused += other.refused;
    }
}

impl Journal {
    /// The newest rows that are wanted, newest first.
    pub(crate) fn newest(&self, filter: &RowFilter, limit: usize) -> Vec<Row> {
        let last = self.last_seq();
        let newest = self.entries.iter().rev().zip((1..=last).rev());
        newest
            .take(MAX_LOOKED_AT)
            .filter(|(entry, _)| filter.wants(entry))
            .take(limit)
            .map(|(entry, seq)| entry.row(seq))
            .collect()
    }

    /// The row of this number.
    pub(crate) fn row(&self, seq: u64) -> Option<Row> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        Some(self.entries.get(at)?.row(seq))
    }

    /// What arrived in the last `seconds` of real time.
    pub(crate) fn activity(&self, seconds: usize) -> Activity {
        let now = Instant::now();
        let mut activity = Activity {
            seconds: vec![Second::default(); seconds],
            ..Activity::default()
        };
        for entry in self.entries.iter().rev().take(MAX_LOOKED_AT) {
            let age_s = now.saturating_duration_since(entry.received).as_secs();
            let Some(second) = usize::try_from(age_s)
                .ok()
                .and_then(|age| seconds.checked_sub(age + 1))
                .and_then(|at| activity.seconds.get_mut(at))
            else {
                break;
            };
            activity.requests += 1;
            match StatusClass::of(entry.over_ns().is_some(), entry.ending.status) {
                StatusClass::Open | StatusClass::Fine => second.fine += 1,
                StatusClass::Limited => {
                    second.client += 1;
                    activity.refused += 1;
                }
                StatusClass::Client => second.client += 1,
                StatusClass::Server | StatusClass::Cut => {
                    second.server += 1;
                    activity.errors += 1;
                }
            }
            activity.took_ns.extend(entry.over_ns());
        }
        activity.took_ns.sort_unstable();
        activity
    }
}
