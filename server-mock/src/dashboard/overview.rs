//! What is going on, at a glance: the last minute, faults that are set, the latest requests, retried calls and limits.

use askama::Template;

use super::Scene;
use super::bars::{Bars, SECONDS};
use super::calls::{self, CallShown};
use super::faults::{self, RuleShown};
use super::format::{count, percent, took};
use super::limits::{self, LimitShown};
use super::page::Shown;
use super::requests::RowShown;
use super::webhooks::Totals;
use crate::journal::RowFilter;

const MAX_ROWS: usize = 12;
const MAX_CALLS: usize = 3;
const MAX_KEYS: usize = 4;

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let (activity, rows, total) = {
        let journal = scene.session.world.journal();
        (
            journal.activity(SECONDS),
            journal.newest(&RowFilter::default(), MAX_ROWS),
            journal.last_seq(),
        )
    };
    let percentile = |of: usize| {
        let sorted = &activity.took_ns;
        let at = (sorted.len() * of / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or_else(|| "–".into(), |ns| took(*ns))
    };
    let page = Overview {
        url: format!("http://{}", scene.shared.data),
        is_new: total == 0,
        requests: count(activity.requests),
        per_second: format!("{:.1}", activity.requests as f64 / SECONDS as f64),
        total: count(total),
        errors: percent(activity.errors, activity.requests),
        any_errors: activity.errors > 0,
        error_count: count(activity.errors),
        refused: count(activity.refused),
        any_refused: activity.refused > 0,
        p50: percentile(50),
        p95: percentile(95),
        bars: Bars::of(&activity),
        rows: rows
            .into_iter()
            .map(|row| RowShown::of(row, scene))
            .collect(),
        calls: calls::latest(scene, true, MAX_CALLS),
        keys: limits::keys(scene, false, MAX_KEYS),
        rules: faults::rules(scene)
            .into_iter()
            .filter(|rule| !rule.over)
            .collect(),
        deliveries: Totals::of(&scene.session.deliveries()),
        session: scene.session.name(),
        query: scene.query(),
        path: scene.path,
    };
    Some(("Overview".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview<'a> {
    url: String,
    is_new: bool,
    requests: String,
    per_second: String,
    total: String,
    errors: String,
    any_errors: bool,
    error_count: String,
    refused: String,
    any_refused: bool,
    p50: String,
    p95: String,
    bars: Bars,
    rows: Vec<RowShown>,
    calls: Vec<CallShown>,
    keys: Vec<LimitShown>,
    rules: Vec<RuleShown>,
    deliveries: Totals,
    session: &'a str,
    query: String,
    path: &'a str,
}
