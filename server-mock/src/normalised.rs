//! A journal without what may differ between two runs of the same scenario: in which order calls that run side by side
//! arrived, over which connections, and how long it took.
//!
//! | Of an entry | In the normalised journal |
//! |---|---|
//! | `logical`, `method`, `path`, `query`, `body_sha256`, `op`, `region`, `fault`, `status`, `outcome`, `committed`, `replayed`, `key_fingerprint`, `signature`, `told` | as they are |
//! | `at_ms` | since the session's first request; the same where the clock is frozen, or moved by the scenario alone |
//! | `headers` | in the order of their names, without those in [`LEFT_OUT`] |
//! | `seq`, `received_ns`, `took_ns`, `left_ns`, `connection`, `request_id` | left out |
//! | `attempt` | counted for each credential |
//! | the order | by `logical`, then credential, then `attempt` |
//!
//! What a scenario has to do for it: set the clock, as limits of a day depend on its time (`freeze`, `advance_to`); name
//! its calls (by `Idempotency-Key`, `X-Mock-Call`, or by what they ask for); and let calls that use up one limit, or that take steps of one `script`, follow each other. Everything else the gateway
//! decides by hash, so that neither its threads nor the client's change it.

use serde::Serialize;

use crate::journal::JournalEntry;
use crate::told::Told;

/// Headers that say on which port, by which span and over which connection.
const LEFT_OUT: [&str; 5] = [
    "connection",
    "host",
    "traceparent",
    "tracestate",
    "user-agent",
];

/// One request of a normalised journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NormalisedEntry {
    /// The name of the logical call.
    pub logical: String,
    /// Which request of it.
    pub attempt: u32,
    /// Milliseconds of the session's clock since its first request.
    pub at_ms: u64,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query.
    pub query: String,
    /// Headers, by name.
    pub headers: Vec<(String, String)>,
    /// SHA-256 of the body.
    pub body_sha256: String,
    /// The operation.
    pub op: &'static str,
    /// The region.
    pub region: Option<String>,
    /// The hash of the credential.
    pub key_fingerprint: Option<String>,
    /// What came of the check of its signature.
    pub signature: Option<String>,
    /// The fault that was played.
    pub fault: Option<String>,
    /// The status that was sent.
    pub status: Option<u16>,
    /// The status the gateway came to.
    pub outcome: Option<u16>,
    /// Whether it changed a record.
    pub committed: bool,
    /// Whether it was answered from an earlier request.
    pub replayed: bool,
    /// What the answer's headers said about coming back.
    pub told: Option<Told>,
}

/// Normalises entries of one session, oldest first.
pub(crate) fn normalised(entries: Vec<JournalEntry>) -> Vec<NormalisedEntry> {
    let began_ms = entries.iter().map(|entry| entry.at_ms).min().unwrap_or(0);
    let mut all: Vec<NormalisedEntry> = entries
        .into_iter()
        .map(|entry| {
            let mut headers = entry.headers;
            headers.retain(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            headers.sort();
            NormalisedEntry {
                logical: entry.logical,
                attempt: entry.attempt,
                at_ms: entry.at_ms.saturating_sub(began_ms),
                method: entry.method,
                path: entry.path,
                query: entry.query,
                headers,
                body_sha256: entry.body_sha256,
                op: entry.op,
                region: entry.region,
                key_fingerprint: entry.key_fingerprint,
                signature: entry.signature,
                fault: entry.fault,
                status: entry.status,
                outcome: entry.outcome,
                committed: entry.committed,
                replayed: entry.replayed,
                told: entry.told,
            }
        })
        .collect();
    let call = |entry: &NormalisedEntry| (entry.logical.clone(), entry.key_fingerprint.clone());
    all.sort_by_cached_key(|entry| (call(entry), entry.attempt));
    // Callers that ask for the same share a name, and their attempts are counted together.
    let (mut last, mut attempt) = (None, 0);
    for entry in &mut all {
        let this = Some(call(entry));
        attempt = if this == last { attempt + 1 } else { 1 };
        entry.attempt = attempt;
        last = this;
    }
    all
}
