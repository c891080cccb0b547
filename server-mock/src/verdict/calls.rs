//! Which requests are attempts of one call, found without the client's help.
//!
//! A call that is named by `X-Mock-Call` or by its `Idempotency-Key` (of one method and path) is all its requests. Else a
//! request is the next attempt of an earlier call when it asks for the same (method, path, query, body), comes after
//! that call's last attempt had failed, and within [`MAX_GAP_NS`]; of several such calls it belongs to the one that
//! has waited longest, which is the kindest to the client. Two copies under way together of which one is left when the other
//! is answered (a hedge) are one call. A key that no earlier attempt had counts as another call,
//! unless the client never sends a key twice: then it makes a new one for each attempt, and that is what is judged.

use std::collections::{HashMap, VecDeque};

use http::Method;

use super::request::{End, Request};
use crate::clock::NS;

/// How long after a failure, and after the wait that was asked for, a request may still be its repetition.
const MAX_GAP_NS: u64 = 90 * NS;
/// The same after an answer that no repetition can change: somebody who asks again later wants to know again.
const MAX_FINAL_GAP_NS: u64 = 10 * NS;

/// Requests that ask for the same and may have come between the two copies of one.
pub(super) const MOST_BETWEEN: usize = 32;

/// The attempts of one call, as places in the list of requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    pub(crate) at: Vec<usize>,
    /// Whether the client named it, so that no attempt is a guess.
    pub(crate) named: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Name<'a> {
    Call(&'a str),
    Key(&'a str, &'a Method, &'a str),
}

type Content<'a> = (&'a Method, &'a str, u64);

/// Sorts requests, oldest first, into calls, in the order of their first attempts.
pub(crate) fn grouped(requests: &[Request]) -> Vec<Attempts> {
    let keeps_keys = keeps_keys(requests);
    let hedges = hedges(requests);
    let mut calls: Vec<Attempts> = Vec::new();
    let mut call_of: HashMap<usize, usize> = HashMap::new();
    let mut named: HashMap<Name<'_>, usize> = HashMap::new();
    // Calls whose last attempt failed, by what they ask for, in the order in which they failed.
    let mut waiting: HashMap<Content<'_>, VecDeque<usize>> = HashMap::new();
    for (at, request) in requests.iter().enumerate() {
        let content = (&request.method, request.target.as_str(), request.body);
        let name = match (&request.call, &request.key) {
            (Some(call), _) => Some(Name::Call(call)),
            (None, Some(key)) => Some(Name::Key(key, &request.method, request.target.as_str())),
            (None, None) => None,
        };
        let known = name.as_ref().and_then(|name| named.get(name).copied());
        let hedge = hedges.get(&at);
        let other = hedge.and_then(|other| call_of.get(other).copied());
        let call = known.or(other).or_else(|| {
            let may_be_guessed = request.call.is_none() && (request.key.is_none() || !keeps_keys);
            let queue = waiting.get_mut(&content).filter(|_| may_be_guessed)?;
            taken(queue, &calls, requests, request)
        });
        let call = call.unwrap_or_else(|| {
            calls.push(Attempts::default());
            calls.len() - 1
        });
        if let Some(attempts) = calls.get_mut(call) {
            attempts.at.push(at);
            attempts.named |= request.call.is_some() || known.is_some();
        }
        if let Some(name) = name {
            named.insert(name, call);
        }
        if hedge.is_some() {
            call_of.insert(at, call);
            // It has its answer.
            if let Some(queue) = waiting.get_mut(&content) {
                queue.retain(|other| *other != call);
            }
        } else if request.call.is_none() && request.end().failed() {
            let queue = waiting.entry(content).or_default();
            queue.retain(|other| *other != call);
            queue.push_back(call);
        }
    }
    calls
}

/// Pairs of requests that are copies of each other, both ways: one was left when the other was answered. A client that
/// names its calls says so itself.
fn hedges(requests: &[Request]) -> HashMap<usize, usize> {
    let mut alike: HashMap<(Content<'_>, Option<u64>), Vec<usize>> = HashMap::new();
    let unnamed = requests
        .iter()
        .enumerate()
        .filter(|(_, request)| request.call.is_none() && request.method.is_safe());
    for (at, request) in unnamed {
        let content = (&request.method, request.target.as_str(), request.body);
        let of_client = alike.entry((content, request.credential)).or_default();
        of_client.push(at);
    }
    let mut pairs = HashMap::new();
    for group in alike.values() {
        for (place, &at) in group.iter().enumerate() {
            let Some(request) = requests.get(at).filter(|one| one.left_ns.is_some()) else {
                continue;
            };
            let near = group
                .iter()
                .skip(place.saturating_sub(MOST_BETWEEN))
                .take(2 * MOST_BETWEEN + 1);
            let winner = near.copied().find(|other| {
                let is_winner = requests.get(*other).is_some_and(|one| request.lost_to(one));
                is_winner && !pairs.contains_key(other)
            });
            if let Some(winner) = winner.filter(|_| !pairs.contains_key(&at)) {
                pairs.extend([(at, winner), (winner, at)]);
            }
        }
    }
    pairs
}

/// Whether some key came twice for the same request.
fn keeps_keys(requests: &[Request]) -> bool {
    let mut seen = std::collections::HashSet::new();
    requests
        .iter()
        .filter_map(|request| Some((request.key.as_deref()?, request.target.as_str())))
        .any(|key| !seen.insert(key))
}

/// Takes the call out of the queue that `request` is the next attempt of.
fn taken(
    queue: &mut VecDeque<usize>,
    calls: &[Attempts],
    requests: &[Request],
    request: &Request,
) -> Option<usize> {
    let last = |call: usize| {
        let attempts = calls.get(call)?;
        requests.get(*attempts.at.last()?)
    };
    // Those that nobody will ask for again any more.
    while let Some(&oldest) = queue.front() {
        let is_over = last(oldest).is_none_or(|last| {
            let patience = match last.end() {
                End::Answered(status) if is_final(status) => MAX_FINAL_GAP_NS,
                _ => MAX_GAP_NS
                    .saturating_add(last.asked_ms().unwrap_or(0).saturating_mul(1_000_000)),
            };
            let ended = last.end_ns().unwrap_or(u64::MAX);
            ended.saturating_add(patience) < request.start_ns
        });
        if !is_over {
            break;
        }
        queue.pop_front();
    }
    let (place, _) = queue
        .iter()
        .enumerate()
        .filter_map(|(place, call)| {
            let last = last(*call)?;
            // One without a key and one with a key are not the same call of one client.
            let like = last.key.is_some() == request.key.is_some() && last.end().failed();
            // Nor are those of two credentials, unless the first was refused.
            let is_renewed = matches!(last.end(), End::Answered(401));
            let like = like && (last.credential == request.credential || is_renewed);
            let ended = last.over_before(request)?;
            like.then_some((place, ended))
        })
        .min_by_key(|(_, ended)| *ended)?;
    queue.remove(place)
}

/// Whether a status says that the request itself is wrong.
pub(super) fn is_final(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 409 | 425 | 429)
}
