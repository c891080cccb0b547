//! The rules about all calls together: whether waits are spread and grow, and whether limits and pauses that one call
//! was told of are known to the others.

use std::collections::HashMap;

use super::aspect::Aspect;
use super::attempts::{NO_WAIT_MS, TOLERANCE_MS, Waits};
use super::calls::Attempts;
use super::grade::Mark;
use super::report::{Finding, Tally};
use super::request::{End, Request};
use crate::clock::{MS, NS};

/// So many waits say whether they are spread.
const ENOUGH_FOR_SPREAD: usize = 5;
/// So many calls with two waits say whether they grow. With full jitter the larger of so many is larger by chance alone
/// in one of 250 runs.
const ENOUGH_FOR_GROWTH: usize = 8;
/// Of so many waits the middle half is looked at, so that a few that a busy machine made longer change nothing. Of fewer
/// it is all of them: of six that are spread over a tenth of a second, half lie close together by chance in one of ten runs.
const ENOUGH_FOR_MIDDLE: usize = 20;
/// Waits that lie within this share of their median, or within a timer's noise, are all the same.
const SAME_SHARE: f64 = 0.02;
const SAME_MS: f64 = 5.0;
/// The longest second wait is at least so much longer than the longest first; or the middle one than the middle first, where
/// a busy machine made one of the first much longer.
const GROWTH: f64 = 1.1;
/// What was sent so shortly after an answer cannot know of it, unless it came over the connection that brought it.
const IN_FLIGHT_NS: u64 = 20 * MS;
/// What comes within this time after a pause may have waited for its end.
const SOON_NS: u64 = 5 * NS;

pub(super) fn judge(requests: &[Request], calls: &[Attempts], waits: &Waits, tally: &mut Tally) {
    spread(waits, tally);
    growth(waits, tally);
    pauses(requests, calls, tally);
    limits(requests, tally);
}

fn spread(waits: &Waits, tally: &mut Tally) {
    let all = waits.first.len();
    let hurried = waits.first.iter().filter(|wait| **wait < NO_WAIT_MS);
    let hurried = hurried.count();
    let mut sorted = waits.first.clone();
    if all >= ENOUGH_FOR_SPREAD && hurried * 2 > all {
        let text = format!("{hurried} of {all} calls were tried again without a wait");
        tally.broken(&about_all(Aspect::Backoff, Mark::Minor, text));
        // Whether the waits are spread is seen at those that there are.
        sorted = waits.second.clone();
    }
    sorted.retain(|wait| *wait >= NO_WAIT_MS);
    if sorted.len() < ENOUGH_FOR_SPREAD {
        return;
    }
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (sorted.len() - 1) as f64).round() as usize;
        sorted.get(place).copied().unwrap_or(0.0)
    };
    let width = if sorted.len() < ENOUGH_FOR_MIDDLE {
        at(1.0) - at(0.0)
    } else {
        at(0.75) - at(0.25)
    };
    let median = at(0.5);
    if width < SAME_MS.max(SAME_SHARE * median) {
        let text = format!(
            "{} calls waited the same, {:.0} to {:.0} ms",
            sorted.len(),
            at(0.0),
            at(1.0)
        );
        tally.broken(&about_all(Aspect::Jitter, Mark::Minor, text));
    } else {
        let text = format!(
            "{} waits from {:.0} to {:.0} ms",
            sorted.len(),
            at(0.0),
            at(1.0)
        );
        tally.kept_as(Aspect::Jitter, text);
    }
}

fn growth(waits: &Waits, tally: &mut Tally) {
    if waits.second.len() < ENOUGH_FOR_GROWTH {
        return;
    }
    let longest = |waits: &[f64]| waits.iter().copied().fold(0.0, f64::max);
    let (first, second) = (longest(&waits.first), longest(&waits.second));
    let grows = median(&waits.second) >= median(&waits.first) * GROWTH;
    if second >= NO_WAIT_MS && second < first * GROWTH && !grows {
        let text = format!("waits do not grow: up to {first:.0} ms, then up to {second:.0} ms");
        tally.broken(&about_all(Aspect::Backoff, Mark::Minor, text));
    }
}

fn median(waits: &[f64]) -> f64 {
    let mut sorted = waits.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Other calls that came while the server had asked for a pause.
fn pauses(requests: &[Request], calls: &[Attempts], tally: &mut Tally) {
    let mut call_of: HashMap<usize, usize> = HashMap::new();
    for (call, attempts) in calls.iter().enumerate() {
        call_of.extend(attempts.at.iter().map(|at| (*at, call)));
    }
    // For each credential and operation: the pause that runs, and whose call was told of it.
    let mut running: HashMap<Place<'_>, Running> = HashMap::new();
    let mut told: Vec<(u64, usize)> = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        if let (Some(end), Some(_)) = (request.end_ns(), request.asked_ms()) {
            told.push((end, at));
        }
    }
    told.sort_unstable();
    let mut told = told.into_iter().peekable();
    for (at, request) in requests.iter().enumerate() {
        while let Some((end, by)) = told.next_if(|(end, _)| *end <= request.start_ns) {
            let Some(teller) = requests.get(by) else {
                continue;
            };
            if !matches!(teller.end(), End::Answered(429 | 503)) {
                continue;
            }
            let asked_ms = teller.asked_ms().unwrap_or(0);
            let pause = Running {
                begun_ns: end,
                ends_ns: end.saturating_add(asked_ms.saturating_mul(MS)),
                ends_at_ms: teller.at_ms.saturating_add(asked_ms),
                call: call_of.get(&by).copied(),
                connection: teller.connection,
            };
            running.insert(place(teller), pause);
        }
        let Some(pause) = running.get(&place(request)) else {
            continue;
        };
        let is_own = call_of.get(&at).copied() == pause.call;
        let is_grace = request.connection != pause.connection
            && request.start_ns < pause.begun_ns.saturating_add(IN_FLIGHT_NS);
        // By the clock of the session, which a test may move, it may be over already.
        if is_own || is_grace {
            continue;
        }
        if request.at_ms >= pause.ends_at_ms {
            if request.start_ns.saturating_sub(pause.ends_ns) < SOON_NS {
                tally.kept(Aspect::Pause);
            }
            continue;
        }
        let left_ms = pause.ends_ns.saturating_sub(request.start_ns) as f64 / MS as f64;
        if left_ms > TOLERANCE_MS {
            let text = format!("another call came {left_ms:.0} ms before the pause was over");
            tally.broken(&Finding::new(Aspect::Pause, Mark::Minor, request, text));
        }
    }
}

/// A pause that a server asked for.
struct Running {
    begun_ns: u64,
    ends_ns: u64,
    /// Its end by the session's clock.
    ends_at_ms: u64,
    /// The call that was told of it.
    call: Option<usize>,
    connection: u64,
}

type Place<'a> = (Option<u64>, &'a str, Option<&'a str>);

fn place(request: &Request) -> Place<'_> {
    (request.credential, request.op, request.region.as_deref())
}

/// Calls that were refused although the client had been told that nothing was left.
fn limits(requests: &[Request], tally: &mut Tally) {
    let mut told: Vec<(u64, &Request)> = requests
        .iter()
        .filter(|request| request.told.remaining.is_some())
        .filter_map(|request| Some((request.end_ns()?, request)))
        .collect();
    told.sort_by_key(|(end, request)| (*end, request.seq));
    let mut told = told.into_iter().peekable();
    // For each credential, what was said last, and what was said last over each connection.
    let mut by_all: HashMap<Option<u64>, Vec<(u64, &Request)>> = HashMap::new();
    let mut by_connection: HashMap<(Option<u64>, u64), &Request> = HashMap::new();
    for request in requests {
        while let Some((end, teller)) = told.next_if(|(end, _)| *end <= request.start_ns) {
            by_all
                .entry(teller.credential)
                .or_default()
                .push((end, teller));
            by_connection.insert((teller.credential, teller.connection), teller);
        }
        let limited = request.told.remaining.is_some();
        let refused = request.is_genuine() && request.outcome == Some(429);
        if !limited && !refused {
            continue;
        }
        let known_ns = request.start_ns.saturating_sub(IN_FLIGHT_NS);
        let of_all = by_all.get(&request.credential).and_then(|all| {
            let known = all.iter().rev().find(|(end, _)| *end <= known_ns);
            known.map(|(_, teller)| *teller)
        });
        let own = by_connection.get(&(request.credential, request.connection));
        let said = [of_all, own.copied()]
            .into_iter()
            .flatten()
            .max_by_key(|teller| teller.end_ns());
        let knew = said.is_some_and(|teller| teller.told.remaining == Some(0));
        if refused && knew {
            let text =
                "sent, and refused, although the headers had said that nothing was left".into();
            tally.broken(&Finding::new(Aspect::RateLimit, Mark::Minor, request, text));
        } else {
            tally.kept(Aspect::RateLimit);
        }
    }
}

/// A finding about no single request.
pub(super) fn about_all(aspect: Aspect, mark: Mark, text: String) -> Finding {
    Finding {
        aspect,
        mark,
        seq: None,
        text,
    }
}
