//! Whether a server that is down is left alone.
//!
//! A server counts as down for its clients once at least half of the last [`VOLUME`] answers within [`WINDOW_NS`] were
//! failures (5xx, a cut connection, or the client's own timeout). From then until its first good answer a client that
//! has a breaker sends a probe now and then; [`PROBE_EVERY_NS`] is generous to it. What was on its way when the last of
//! those failures was answered does not count.

use std::collections::HashMap;

use super::aspect::Aspect;
use super::crowd::about_all;
use super::grade::Mark;
use super::report::Tally;
use super::request::{End, Request};
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

pub(super) fn judge(requests: &[Request], tally: &mut Tally) {
    let mut by_region: HashMap<Option<&str>, Vec<&Request>> = HashMap::new();
    for request in requests {
        by_region
            .entry(request.region.as_deref())
            .or_default()
            .push(request);
    }
    let mut regions: Vec<_> = by_region.into_iter().collect();
    regions.sort_by_key(|(region, _)| *region);
    for (_, requests) in regions {
        judge_one(&requests, tally);
    }
}

fn judge_one(requests: &[&Request], tally: &mut Tally) {
    let mut ended: Vec<(u64, &Request)> = requests
        .iter()
        .filter(|request| !matches!(request.end(), End::Open))
        .filter_map(|request| Some((request.end_ns()?, *request)))
        .collect();
    ended.sort_by_key(|(end, request)| (*end, request.seq));
    let Some(known_ns) = down_at(&ended) else {
        return;
    };
    let up_ns = ended
        .iter()
        .filter(|(_, request)| !request.end().is_down())
        .map(|(_, request)| request.start_ns)
        .find(|start| *start > known_ns);
    let later: Vec<u64> = requests
        .iter()
        .map(|request| request.start_ns)
        .filter(|start| *start > known_ns.saturating_add(IN_FLIGHT_NS))
        .filter(|start| up_ns.is_none_or(|up| *start < up))
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

/// When a client could know that the server is down.
fn down_at(ended: &[(u64, &Request)]) -> Option<u64> {
    ended.windows(VOLUME).find_map(|window| {
        let (first, _) = window.first()?;
        let (last, _) = window.last()?;
        let failures = window
            .iter()
            .filter(|(_, request)| request.end().is_down())
            .count();
        let is_down = last - first <= WINDOW_NS && failures * 2 >= VOLUME;
        is_down.then_some(*last)
    })
}
