//! Logical calls: each as a timeline of its attempts.

use askama::Template;

use super::Scene;
use super::format::time;
use super::page::Shown;
use crate::timeline::{TimelineCall, calls, duration, svg};

/// Requests that are looked at, and calls that are shown.
const MAX_REQUESTS: usize = 1_000;
const MAX_CALLS: usize = 40;

/// A call as it is shown.
pub(super) struct CallShown {
    /// Tells it from the others.
    pub(super) key: u64,
    pub(super) title: String,
    pub(super) op: &'static str,
    pub(super) name: Option<String>,
    pub(super) at: String,
    pub(super) class: &'static str,
    pub(super) outcome: String,
    pub(super) attempts: usize,
    pub(super) took: String,
    pub(super) committed: usize,
    pub(super) svg: String,
    pub(super) steps: Vec<Step>,
}

/// An attempt in words.
pub(super) struct Step {
    pub(super) href: String,
    pub(super) waited: Option<String>,
    pub(super) class: &'static str,
    pub(super) outcome: String,
    pub(super) took: String,
    pub(super) fault: Option<String>,
    pub(super) asked: Option<String>,
    pub(super) quota: Option<String>,
}

impl CallShown {
    fn of(call: &TimelineCall, scene: &Scene<'_>) -> Option<Self> {
        let last = call.last()?;
        let first = call.attempts.first()?;
        let steps = call.attempts.iter().map(|attempt| Step {
            href: format!("/dashboard/requests/{}{}", attempt.seq, scene.query()),
            waited: attempt.waited_ms.map(duration),
            class: attempt.class(),
            outcome: attempt.outcome(),
            took: attempt
                .end_ms
                .map(|end| duration(end - attempt.start_ms))
                .unwrap_or_default(),
            fault: attempt.fault.clone(),
            asked: attempt.asked_ms.map(|ms| duration(ms as f64)),
            quota: attempt
                .quota
                .map(|(remaining, limit)| format!("{remaining} of {limit} left")),
        });
        Some(Self {
            key: first.seq,
            title: call.title.clone(),
            op: call.op,
            name: call.name.clone(),
            at: time(call.at_ms),
            class: last.class(),
            outcome: last.outcome(),
            attempts: call.attempts.len(),
            took: duration(call.took_ms()),
            committed: call
                .attempts
                .iter()
                .filter(|attempt| attempt.committed)
                .count(),
            svg: svg(call),
            steps: steps.collect(),
        })
    }
}

/// The latest calls, newest first; with `retried` only those of several attempts.
pub(super) fn latest(scene: &Scene<'_>, retried: bool, most: usize) -> Vec<CallShown> {
    let requests = scene.session.world.journal().newest_requests(MAX_REQUESTS);
    calls(&requests)
        .iter()
        .rev()
        .filter(|call| !retried || call.attempts.len() > 1)
        .take(most)
        .filter_map(|call| CallShown::of(call, scene))
        .collect()
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let all = !scene.asked.all.is_empty();
    let page = Calls {
        calls: latest(scene, !all, MAX_CALLS),
        all,
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Calls".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "calls.html")]
struct Calls<'a> {
    calls: Vec<CallShown>,
    all: bool,
    session: &'a str,
    path: &'a str,
}
