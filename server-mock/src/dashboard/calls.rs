//! Logical calls: each as a timeline of its attempts.

use askama::Template;

use super::Scene;
use super::format::time;
use super::page::Shown;
use crate::journal::RowFilter;
use crate::timeline::{TimelineCall, calls, duration, svg};

/// Requests that are looked at, and calls that are shown.
const MAX_ROWS: usize = 1_000;
const MAX_CALLS: usize = 40;

/// A call as it is shown.
pub(super) struct CallShown {
    /// Tells it from the others.
    pub(super) key: u64,
    pub(super) title: String,
    pub(super) op: String,
    pub(super) logical: String,
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
    fn of(call: &TimelineCall, at_ms: u64, scene: &Scene<'_>) -> Option<Self> {
        let last = call.last()?;
        let first = call.attempts.first()?;
        let waits = call.waits_ms();
        let steps = call.attempts.iter().enumerate().map(|(at, attempt)| Step {
            href: format!("/dashboard/requests/{}{}", attempt.seq, scene.query()),
            waited: at
                .checked_sub(1)
                .and_then(|at| waits.get(at))
                .map(|ms| duration(*ms)),
            class: attempt.class(),
            outcome: attempt.outcome(),
            took: attempt
                .end_ms
                .map(|end| duration(end - attempt.start_ms))
                .unwrap_or_default(),
            fault: attempt.fault.clone(),
            asked: attempt.asked_ms.map(duration),
            quota: attempt
                .quota
                .map(|(remaining, limit)| format!("{remaining} of {limit} left")),
        });
        Some(Self {
            key: first.seq,
            title: call.title.clone(),
            op: call.op.clone(),
            logical: call.logical.clone(),
            at: time(at_ms),
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
    let mut rows = {
        let journal = scene.session.world.journal();
        journal.newest(&RowFilter::default(), MAX_ROWS)
    };
    rows.reverse();
    let at_ms = |seq: u64| {
        let found = rows.binary_search_by_key(&seq, |row| row.seq);
        found
            .ok()
            .and_then(|at| rows.get(at))
            .map_or(0, |row| row.at_ms)
    };
    calls(&rows)
        .iter()
        .rev()
        .filter(|call| !retried || call.attempts.len() > 1)
        .take(most)
        .filter_map(|call| {
            let first = call.attempts.first()?.seq;
            CallShown::of(call, at_ms(first), scene)
        })
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
