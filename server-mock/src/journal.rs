//! The record of every request a session received, kept without the client's help and complete when it has its answer.

mod rows;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::clock::{MS, nanos};
use crate::logical::Logical;
use crate::noted::{Account, Notes, ProblemSaid, QuotaLevel};
use crate::op::Op;
use crate::redact;
use crate::stable_hash::stable_hash;
use crate::told::Told;
use crate::verdict::Request;
use crate::webhooks;

pub(crate) use rows::{Activity, Row, RowFilter, StatusClass};

/// Bytes of a body that are kept.
const KEPT_BODY_BYTES: usize = 1024 * 1024;
/// Bytes one session's journal may hold; the oldest entries go first.
const MAX_JOURNAL_BYTES: usize = 64 * 1024 * 1024;
/// The same while all journals together hold more than `MAX_TOTAL_BYTES`.
const MAX_JOURNAL_BYTES_UNDER_PRESSURE: usize = 1024 * 1024;
const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;
/// What an entry weighs besides its texts.
const ENTRY_BYTES: usize = 480;

/// One request as the gateway saw it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Counts up from 1 in each session.
    pub seq: u64,
    /// The session's clock when it arrived, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Real nanoseconds from the start of the session to its arrival.
    pub received_ns: u64,
    /// Real nanoseconds from its arrival to the answer or the cut.
    pub took_ns: Option<u64>,
    /// The method as sent.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query without `?`; credentials in it are redacted.
    pub query: String,
    /// Headers in order; credentials are redacted.
    pub headers: Vec<(String, String)>,
    /// The body, cut at 1 MiB.
    pub body_base64: String,
    /// Bytes received of the body.
    pub body_length: u64,
    /// SHA-256 of all bytes received of the body, lower-case hex.
    pub body_sha256: String,
    /// Whether the client sent the whole body.
    pub body_complete: bool,
    /// `sha256:` and the hash of the credential, if one was sent.
    pub key_fingerprint: Option<String>,
    /// `valid`, or the code of what is wrong with its signature, where that was checked.
    pub signature: Option<String>,
    /// The fault that was played.
    pub fault: Option<String>,
    /// The status that was sent; none if no response was.
    pub status: Option<u16>,
    /// The status the gateway came to, sent or not.
    pub outcome: Option<u16>,
    /// Whether it changed a record.
    pub committed: bool,
    /// Whether it was answered from an earlier request with its idempotency key.
    pub replayed: bool,
    /// The operation, such as `contacts.create`.
    pub op: &'static str,
    /// Counts connections of the gateway.
    pub connection: u64,
    /// The region it came to; none for the data port.
    pub region: Option<String>,
    /// The name of the logical call.
    pub logical: String,
    /// Which request of its logical call it is, from 1.
    pub attempt: u32,
    /// The `Request-Id` of the response.
    pub request_id: String,
    /// What the answer's headers said about coming back; none if they said nothing or no answer was sent.
    pub told: Option<Told>,
    /// Real nanoseconds from its arrival to the client's leaving, where it left before it had an answer.
    pub left_ns: Option<u64>,
    /// What its limits stood at after it, where it had limits and came as far.
    pub quota: Option<QuotaLevel>,
    /// The problem its answer says, where it says one.
    pub problem: Option<ProblemSaid>,
}

/// A request when it has been read.
pub(crate) struct Arrival<'a> {
    pub(crate) received: Instant,
    pub(crate) at_ns: u64,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) body_length: u64,
    /// Given when `body` is not all that was received.
    pub(crate) body_sha256: Option<[u8; 32]>,
    pub(crate) body_complete: bool,
    pub(crate) credential: Option<&'a str>,
    pub(crate) op: Op,
    pub(crate) connection: u64,
    pub(crate) region: Option<Arc<str>>,
    pub(crate) logical: Logical,
    pub(crate) attempt: u32,
    pub(crate) request_id: u64,
}

/// How a request ended.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ending {
    pub(crate) status: Option<u16>,
    pub(crate) outcome: Option<u16>,
    pub(crate) committed: bool,
    pub(crate) replayed: bool,
    pub(crate) told: Told,
}

struct Entry {
    received: Instant,
    at_ns: u64,
    took_ns: Option<u64>,
    method: Method,
    path: Box<str>,
    query: Box<str>,
    /// `name:value\n` for each header, one block for all.
    headers: Box<[u8]>,
    body: Bytes,
    body_length: u64,
    body_sha256: Option<[u8; 32]>,
    body_complete: bool,
    fingerprint: Option<[u8; 32]>,
    signature: Option<&'static str>,
    fault: Option<Box<str>>,
    ending: Ending,
    op: Op,
    connection: u64,
    region: Option<Arc<str>>,
    logical: Logical,
    attempt: u32,
    request_id: u64,
    left_ns: Option<u64>,
    account: Option<Account>,
    quota: Option<QuotaLevel>,
    problem: Option<ProblemSaid>,
}

/// The entries of a session, bounded in number and bytes.
pub(crate) struct Journal {
    started: Instant,
    entries: VecDeque<Entry>,
    /// The `seq` of the first entry that is still there.
    first: u64,
    bytes: usize,
    /// The bytes of all journals of the gateway.
    total: Arc<AtomicUsize>,
}

impl Journal {
    pub(crate) fn new(started: Instant, total: Arc<AtomicUsize>) -> Self {
        Self {
            started,
            entries: VecDeque::new(),
            first: 1,
            bytes: 0,
            total,
        }
    }

    /// Records a request and returns its `seq`. `most` is the number of entries to keep.
    pub(crate) fn record(&mut self, arrival: Arrival<'_>, most: usize) -> u64 {
        let seq = self.first + self.entries.len() as u64;
        let entry = Entry::new(arrival);
        let weight = entry.weight();
        self.bytes += weight;
        let most_bytes = if self.total.fetch_add(weight, Ordering::Relaxed) > MAX_TOTAL_BYTES {
            MAX_JOURNAL_BYTES_UNDER_PRESSURE
        } else {
            MAX_JOURNAL_BYTES
        };
        self.entries.push_back(entry);
        while self.entries.len() > most || (self.bytes > most_bytes && self.entries.len() > 1) {
            self.drop_first();
        }
        seq
    }

    /// Notes what came of the check of a request's signature.
    pub(crate) fn signed(&mut self, seq: u64, verdict: &'static str) {
        if let Some(entry) = self.entry(seq) {
            entry.signature = Some(verdict);
        }
    }

    /// Notes the fault a request is given.
    pub(crate) fn faulted(&mut self, seq: u64, fault: &str) {
        if let Some(entry) = self.entry(seq) {
            entry.fault = Some(fault.into());
        }
    }

    /// Notes how a request ended, and all that was noted until then.
    pub(crate) fn ended(&mut self, seq: u64, notes: &Notes) {
        if let Some(entry) = self.entry(seq) {
            entry.ending = notes.ending;
            entry.account = notes.account.clone();
            entry.quota = notes.quota.clone();
            entry.problem = notes.problem.clone();
            entry.took_ns = Some(nanos(entry.received.elapsed()));
        }
    }

    /// Notes that the client of a request left before it had an answer.
    pub(crate) fn left(&mut self, seq: u64) {
        if let Some(entry) = self.entry(seq)
            && entry.took_ns.is_none()
        {
            entry.left_ns = Some(nanos(entry.received.elapsed()));
        }
    }

    /// Whether a request is under way: neither has it its answer, nor was it noticed that its client left.
    pub(crate) fn has_open(&self) -> bool {
        // What is under way came late.
        let mut newest_first = self.entries.iter().rev();
        newest_first.any(|entry| entry.took_ns.is_none() && entry.left_ns.is_none())
    }

    /// Forgets all entries; `seq` goes on counting.
    pub(crate) fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
    }

    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The last `seq` given out.
    pub(crate) fn last_seq(&self) -> u64 {
        self.first + self.entries.len() as u64 - 1
    }

    /// The entries after `since`, oldest first, up to `limit`, of one operation if `op` is given.
    pub(crate) fn after(&self, since: u64, op: Option<&str>, limit: usize) -> Vec<JournalEntry> {
        let skip = usize::try_from(since.saturating_add(1).saturating_sub(self.first))
            .unwrap_or(usize::MAX);
        self.entries
            .iter()
            .enumerate()
            .skip(skip)
            .filter(|(_, entry)| op.is_none_or(|op| entry.op.name() == op))
            .take(limit)
            .map(|(at, entry)| entry.shown(self.first + at as u64, self.started))
            .collect()
    }

    /// What the verdict looks at, of each entry, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let seq = self.first..;
        self.entries
            .iter()
            .zip(seq)
            .map(|(entry, seq)| entry.request(seq, self.started))
            .collect()
    }

    /// The same of the newest ones, at most so many, oldest first.
    pub(crate) fn newest_requests(&self, most: usize) -> Vec<Request> {
        let skipped = self.entries.len().saturating_sub(most);
        let seq = self.first + skipped as u64..;
        (self.entries.iter().skip(skipped).zip(seq))
            .map(|(entry, seq)| entry.request(seq, self.started))
            .collect()
    }

    fn entry(&mut self, seq: u64) -> Option<&mut Entry> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.entries.get_mut(at)
    }

    fn drop_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.first += 1;
            self.bytes -= entry.weight();
            self.total.fetch_sub(entry.weight(), Ordering::Relaxed);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Entry {
    fn new(arrival: Arrival<'_>) -> Self {
        let kept = arrival.body.len().min(KEPT_BODY_BYTES);
        let front = arrival.body.get(..kept).unwrap_or_default();
        let redacted = match arrival.op {
            Op::OAuth(_) => Some(redact::form(front)),
            Op::Webhook(_) => webhooks::redacted_settings(front),
            _ => None,
        };
        // Small bodies are copied, or they would keep the connection's whole read buffer alive.
        let cut = kept < arrival.body.len() || redacted.is_some();
        let body = redacted.map_or_else(|| Bytes::copy_from_slice(front), Bytes::from);
        Self {
            received: arrival.received,
            at_ns: arrival.at_ns,
            took_ns: None,
            method: arrival.method.clone(),
            path: arrival.uri.path().into(),
            query: arrival
                .uri
                .query()
                .map(redact::query)
                .unwrap_or_default()
                .into(),
            headers: block(arrival.headers),
            body,
            body_length: arrival.body_length,
            body_sha256: arrival
                .body_sha256
                .or_else(|| cut.then(|| Sha256::digest(arrival.body).into())),
            body_complete: arrival.body_complete,
            fingerprint: arrival.credential.map(|key| Sha256::digest(key).into()),
            signature: None,
            fault: None,
            ending: Ending::default(),
            op: arrival.op,
            connection: arrival.connection,
            region: arrival.region,
            logical: arrival.logical,
            attempt: arrival.attempt,
            request_id: arrival.request_id,
            left_ns: None,
            account: None,
            quota: None,
            problem: None,
        }
    }

    fn weight(&self) -> usize {
        ENTRY_BYTES + self.path.len() + self.query.len() + self.headers.len() + self.body.len()
    }

    fn request(&self, seq: u64, started: Instant) -> Request {
        let received_ns = nanos(self.received.saturating_duration_since(started));
        let headers = String::from_utf8_lossy(&self.headers);
        let header = |wanted: &str| {
            let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
            lines.find_map(|(name, value)| (name == wanted).then(|| value.to_owned()))
        };
        let body = match &self.body_sha256 {
            Some(hash) => stable_hash(&[hash]),
            None => stable_hash(&[&self.body]),
        };
        Request {
            seq,
            at_ms: self.at_ns / MS,
            start_ns: received_ns,
            took_ns: self.took_ns,
            left_ns: self.left_ns,
            op: self.op.name(),
            method: self.method.clone(),
            target: if self.query.is_empty() {
                self.path.to_string()
            } else {
                format!("{}?{}", self.path, self.query)
            },
            body,
            credential: self.fingerprint.map(|hash| stable_hash(&[&hash])),
            key: header("idempotency-key").map(|key| key.trim_matches('"').to_owned()),
            call: header("x-mock-call"),
            has_proof: header("dpop").is_some(),
            conditional: header("if-match").is_some() || header("upload-offset").is_some(),
            agent: header("user-agent"),
            status: self.ending.status,
            outcome: self.ending.outcome,
            committed: self.ending.committed,
            fault: self.fault.as_deref().map(Into::into),
            connection: self.connection,
            region: self.region.as_deref().map(Into::into),
            told: self.ending.told,
            quota: self
                .quota
                .as_ref()
                .map(|quota| (quota.remaining, quota.limit)),
        }
    }

    fn shown(&self, seq: u64, started: Instant) -> JournalEntry {
        let sha256 = self
            .body_sha256
            .unwrap_or_else(|| Sha256::digest(&self.body).into());
        JournalEntry {
            seq,
            at_ms: self.at_ns / MS,
            received_ns: nanos(self.received.saturating_duration_since(started)),
            took_ns: self.took_ns,
            method: self.method.as_str().into(),
            path: self.path.to_string(),
            query: self.query.to_string(),
            headers: unblock(&self.headers),
            body_base64: STANDARD.encode(&self.body),
            body_length: self.body_length,
            body_sha256: hex(&sha256),
            body_complete: self.body_complete,
            key_fingerprint: self
                .fingerprint
                .map(|hash| format!("sha256:{}", hex(&hash))),
            signature: self.signature.map(Into::into),
            fault: self.fault.as_deref().map(Into::into),
            status: self.ending.status,
            outcome: self.ending.outcome,
            committed: self.ending.committed,
            replayed: self.ending.replayed,
            op: self.op.name(),
            connection: self.connection,
            region: self.region.as_deref().map(Into::into),
            logical: self.logical.to_string(),
            attempt: self.attempt,
            request_id: request_id(self.request_id),
            told: Some(self.ending.told).filter(|told| !told.is_nothing()),
            left_ns: self.left_ns,
            quota: self.quota.clone(),
            problem: self.problem.clone(),
        }
    }
}

/// `req_0123456789abcdef`.
pub(crate) fn request_id(number: u64) -> String {
    format!("req_{number:016x}")
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
            text
        })
}

fn block(headers: &HeaderMap) -> Box<[u8]> {
    let mut block = Vec::with_capacity(
        headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 2)
            .sum(),
    );
    for (name, value) in headers {
        block.extend_from_slice(name.as_str().as_bytes());
        block.push(b':');
        match redact::header(name, value) {
            Some(redacted) => block.extend_from_slice(redacted.as_bytes()),
            None => block.extend_from_slice(value.as_bytes()),
        }
        block.push(b'\n');
    }
    block.into()
}

fn unblock(block: &[u8]) -> Vec<(String, String)> {
    String::from_utf8_lossy(block)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}
