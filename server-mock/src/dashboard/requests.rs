//! The requests of a session as they come, and one of them in full.

use std::collections::BTreeSet;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Scene;
use super::bodies::readable;
use super::format::{date_time, time, took};
use super::page::Shown;
use crate::journal::{JournalEntry, Row, RowFilter, StatusClass};

/// Rows on one page.
const MAX_ROWS: usize = 150;

/// A row as it is shown.
pub(super) struct RowShown {
    pub(super) seq: u64,
    pub(super) href: String,
    pub(super) time: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) op: &'static str,
    pub(super) class: &'static str,
    pub(super) outcome: String,
    pub(super) took: String,
    /// From the second on, where the client named the call.
    pub(super) attempt: Option<u32>,
    pub(super) fault: Option<String>,
    pub(super) replayed: bool,
    pub(super) committed: bool,
    pub(super) who: Option<String>,
    pub(super) quota: Option<String>,
    pub(super) region: Option<String>,
}

impl RowShown {
    pub(super) fn of(row: Row, scene: &Scene<'_>) -> Self {
        let class = row.class();
        Self {
            href: format!("/dashboard/requests/{}{}", row.seq, scene.query()),
            seq: row.seq,
            time: time(row.at_ms),
            class: class.name(),
            outcome: outcome(class, row.status),
            took: row.took_ns.map(took).unwrap_or_default(),
            who: row
                .tenant
                .zip(row.tier)
                .map(|(tenant, tier)| format!("{tenant} · {}", tier.name())),
            quota: row
                .quota
                .map(|quota| format!("{} of {}", quota.remaining, quota.limit)),
            path: match row.query.as_str() {
                "" => row.path,
                query => format!("{}?{query}", row.path),
            },
            method: row.method,
            op: row.op,
            attempt: (row.attempt > 1 && !row.logical.starts_with("request:"))
                .then_some(row.attempt),
            fault: row.fault,
            replayed: row.replayed,
            committed: row.committed,
            region: row.region,
        }
    }
}

fn outcome(class: StatusClass, status: Option<u16>) -> String {
    match (class, status) {
        (StatusClass::Open, _) => "…".into(),
        (_, Some(status)) => status.to_string(),
        (_, None) => "cut".into(),
    }
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let asked = scene.asked;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = RowFilter {
        op: given(&asked.op),
        class: StatusClass::ALL
            .into_iter()
            .find(|class| class.name() == asked.status),
        text: given(&asked.q),
    };
    let (rows, ops, total) = {
        let journal = scene.session.world.journal();
        let recent = journal.newest(&RowFilter::default(), 1_000);
        let ops: BTreeSet<&'static str> = recent.iter().map(|row| row.op).collect();
        (journal.newest(&filter, MAX_ROWS), ops, journal.len())
    };
    let page = Requests {
        rows: rows
            .into_iter()
            .map(|row| RowShown::of(row, scene))
            .collect(),
        session: scene.session.name(),
        ops,
        op: &asked.op,
        status: &asked.status,
        q: &asked.q,
        filtered: filter.op.is_some() || filter.class.is_some() || filter.text.is_some(),
        total: total as u64,
        clear: scene.query(),
        path: scene.path,
    };
    Some(("Requests".into(), page.render().ok()?))
}

pub(super) fn show_one(scene: &Scene<'_>, seq: u64) -> Option<Shown> {
    let entry = {
        let journal = scene.session.world.journal();
        let mut found = journal.after(seq.checked_sub(1)?, None, 1);
        found.pop().filter(|entry| entry.seq == seq)?
    };
    let row = scene.session.world.journal().row(seq)?;
    let others: Vec<RowShown> = {
        let journal = scene.session.world.journal();
        let filter = RowFilter {
            text: Some(entry.logical.clone()),
            ..RowFilter::default()
        };
        let mut rows = journal.newest(&filter, 50);
        rows.retain(|row| row.logical == entry.logical);
        rows.reverse();
        rows.into_iter()
            .map(|row| RowShown::of(row, scene))
            .collect()
    };
    let over_ns = entry.took_ns.or(entry.left_ns);
    let class = match over_ns {
        None => StatusClass::Open,
        Some(_) => Row::class_of(entry.status),
    };
    let body = STANDARD.decode(&entry.body_base64).unwrap_or_default();
    let page = Request {
        title: format!("{} {}", entry.method, entry.path),
        class: class.name(),
        outcome: outcome(class, entry.status),
        at: date_time(entry.at_ms),
        took: over_ns.map(took).unwrap_or_default(),
        body: readable(&body, entry.body_length),
        others: if others.len() > 1 { others } else { Vec::new() },
        back: format!("/dashboard/requests{}", scene.query()),
        who: row
            .tenant
            .zip(row.tier)
            .map(|(tenant, tier)| format!("{tenant} on {}", tier.name())),
        entry: &entry,
    };
    Some((
        format!("{} {}", entry.method, entry.path),
        page.render().ok()?,
    ))
}

#[derive(Template)]
#[template(path = "requests.html")]
struct Requests<'a> {
    rows: Vec<RowShown>,
    session: &'a str,
    ops: BTreeSet<&'static str>,
    op: &'a str,
    status: &'a str,
    q: &'a str,
    filtered: bool,
    total: u64,
    clear: String,
    path: &'a str,
}

#[derive(Template)]
#[template(path = "request.html")]
struct Request<'a> {
    title: String,
    class: &'static str,
    outcome: String,
    at: String,
    took: String,
    body: Option<String>,
    others: Vec<RowShown>,
    back: String,
    who: Option<String>,
    entry: &'a JournalEntry,
}
