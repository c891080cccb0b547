//! Whether a server that is down is left alone.
//!
//! A server counts as down for its clients once at least half of the last [`VOLUME`] answers within [`WINDOW_NS`] were
//! failures (5xx, a cut connection, or the client's own timeout). From then until its first good answer a client that
//! has a breaker sends a probe now and then; [`PROBE_EVERY_NS`] is generous to it. What was on its way when the last of
//! those failures was answered does not count.

use std::collections::BTreeMap;

use super::aspect::Aspect;
use super::crowd::about_all;
use super::grade::Mark;
use super::report::Tally;
use super::request::Request;
use crate::clock::{MS, NS};

/// Answers it takes to know.
const VOLUME: usize = 20;
/// The time they came in.
const WINDOW_NS: u64 = 30 * NS;
/// A request in so much time is a probe.
const PROBE_EVERY_NS: u64 = 5 * NS;
/// Probes a client may have on top.
const SPARE_PROBES: u64 = 3;
/// What was sent so shortly after an answer cannot know of it.
const IN_FLIGHT_NS: u64 = 10 * MS;

/// A time in which a server was down.
pub(super) struct Outage {
    region: Option<String>,
    /// The first of the answers by which it was known.
    from_ns: u64,
    known_ns: u64,
    /// The arrival of the first request that was answered well again, if one was.
    up_ns: Option<u64>,
}

impl Outage {
    /// Whether a request ended in it: a client that gives up then spares the server.
    pub(super) fn has(&self, request: &Request) -> bool {
        self.region == request.region
            && request
                .end_ns()
                .is_some_and(|end| end >= self.from_ns && self.up_ns.is_none_or(|up| end < up))
    }
}

/// The first outage of each region.
pub(super) fn outages(requests: &[Request]) -> Vec<Outage> {
    let mut by_region: BTreeMap<Option<&str>, Vec<(u64, &Request)>> = BTreeMap::new();
    for request in requests {
        if let Some(end) = request.end_ns() {
            let region = by_region.entry(request.region.as_deref()).or_default();
            region.push((end, request));
        }
    }
    by_region
        .into_iter()
        .filter_map(|(region, mut ended)| {
            ended.sort_by_key(|(end, request)| (*end, request.seq));
            let (from_ns, known_ns) = down_at(&ended)?;
            let up_ns = ended
                .iter()
                .filter(|(_, request)| !request.end().is_down())
                .map(|(_, request)| request.start_ns)
                .find(|start| *start > known_ns);
            Some(Outage {
                region: region.map(Into::into),
                from_ns,
                known_ns,
                up_ns,
            })
        })
        .collect()
}

pub(super) fn judge(requests: &[Request], outages: &[Outage], tally: &mut Tally) {
    for outage in outages {
        judge_one(requests, outage, tally);
    }
}

fn judge_one(requests: &[Request], outage: &Outage, tally: &mut Tally) {
    let known_ns = outage.known_ns;
    let later: Vec<u64> = requests
        .iter()
        .filter(|request| request.region == outage.region)
        .map(|request| request.start_ns)
        .filter(|start| *start > known_ns.saturating_add(IN_FLIGHT_NS))
        .filter(|start| outage.up_ns.is_none_or(|up| *start < up))
        .collect();
    let last_ns = later.iter().copied().max().unwrap_or(known_ns);
    let span_ns = last_ns.saturating_sub(known_ns);
    let allowed = span_ns / PROBE_EVERY_NS + SPARE_PROBES;
    let (count, seconds) = (later.len(), span_ns as f64 / NS as f64);
    if count as u64 > allowed {
        let text = format!(
            "{count} more requests in {seconds:.1} s after {VOLUME} answers of which half were failures"
        );
        tally.broken(&about_all(Aspect::Outage, Mark::Minor, text));
    } else {
        let text = format!("{count} more requests in {seconds:.1} s after the failures");
        tally.kept_as(Aspect::Outage, text);
    }
}

/// When the answers began by which a client could know that the server is down, and when it could.
fn down_at(ended: &[(u64, &Request)]) -> Option<(u64, u64)> {
    ended.windows(VOLUME).find_map(|window| {
        let (first, _) = window.first()?;
        let (last, _) = window.last()?;
        let failures = window
            .iter()
            .filter(|(_, request)| request.end().is_down())
            .count();
        let is_down = last - first <= WINDOW_NS && failures * 2 >= VOLUME;
        is_down.then_some((*first, *last))
    })
}
