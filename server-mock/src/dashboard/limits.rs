//! Rate limits of each key: what is left now, and the level over time against its bound, with the refusals.
//!
//! Where gateways share the counts (`--limits`), what is left is what the store says, which is asked as often as the page is made; how the
//! store is doing stands above. The pictures are of this gateway's decisions: what others used between them is seen as the level falling.

use std::fmt::Write as _;

use askama::Template;

use super::Scene;
use super::format::{count, percent, time_to_second};
use super::page::Shown;
use crate::journal::{Row, RowFilter};
use crate::session::LimitState;
use crate::shared_limits::{LimitsFail, StoreState};

/// Requests that are looked at, decisions that one picture shows, and keys that have one.
const MAX_ROWS: usize = 3_000;
const MAX_DECISIONS: usize = 240;
const MAX_KEYS: usize = 30;
/// Keys whose counts a shared store is asked for.
pub(super) const MAX_LOOKED_AT: usize = 64;
/// The picture's own units; it is stretched to its room.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;

/// The limits of one key as they are shown.
pub(super) struct LimitShown {
    pub(super) tenant: String,
    pub(super) tier: &'static str,
    pub(super) remaining: u64,
    pub(super) limit: u64,
    pub(super) is_empty: bool,
    pub(super) rate: String,
    pub(super) day: Option<String>,
    pub(super) in_progress: u32,
    /// Whether that is of all gateways that share the counts.
    pub(super) of_all: bool,
    pub(super) concurrency: Option<u32>,
    pub(super) restored_in_s: u64,
    pub(super) allowed: String,
    pub(super) refused: String,
    pub(super) refused_share: String,
    pub(super) any_refused: bool,
    pub(super) picture: Option<Picture>,
}

/// The store that gateways share.
struct StoreShown {
    name: &'static str,
    is_away: bool,
    fail: &'static str,
    failed: String,
    lost: String,
}

impl StoreShown {
    fn of(state: &StoreState) -> Self {
        Self {
            name: match state.store {
                "sqlite" => "SQLite file",
                "redis" => "Redis",
                "redis-cluster" => "Redis Cluster",
                other => other,
            },
            is_away: state.away,
            fail: match state.fail {
                LimitsFail::Closed => "closed: 503",
                LimitsFail::Open => "open: all are let in",
                LimitsFail::Local => "local: a part of each limit",
            },
            failed: count(state.failed),
            lost: count(state.lost),
        }
    }
}

/// The level over time.
pub(super) struct Picture {
    /// Of a `polyline`.
    pub(super) line: String,
    /// The same, closed, to be filled.
    pub(super) area: String,
    /// Percents along the time.
    pub(super) refusals: Vec<Mark>,
    pub(super) from: String,
    pub(super) to: String,
    /// All of it in words.
    pub(super) summary: String,
}

pub(super) struct Mark {
    pub(super) x: String,
    pub(super) title: String,
}

impl LimitShown {
    fn of(state: &LimitState, of_all: Option<u32>, picture: Option<Picture>) -> Self {
        let limits = state.limits;
        let limit = u64::from(limits.burst).max(state.remaining);
        let period = match limits.period_ms {
            1_000 => "s".into(),
            60_000 => "min".into(),
            3_600_000 => "h".into(),
            ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
            ms => format!("{ms} ms"),
        };
        let decisions = state.allowed.saturating_add(state.refused);
        Self {
            tenant: state.tenant.clone(),
            tier: state.tier.name(),
            remaining: state.remaining,
            limit,
            is_empty: state.remaining == 0,
            rate: format!(
                "{} / {period}, burst {}",
                count(limits.count.into()),
                limits.burst
            ),
            day: limits
                .per_day
                .zip(state.day_remaining)
                .map(|(limit, left)| format!("{} of {}", count(left.into()), count(limit.into()))),
            in_progress: of_all.unwrap_or(state.in_progress),
            of_all: of_all.is_some(),
            concurrency: limits.concurrency,
            restored_in_s: state.restored_in_s,
            allowed: count(state.allowed),
            refused: count(state.refused),
            refused_share: percent(state.refused, decisions),
            any_refused: state.refused > 0,
            picture,
        }
    }
}

/// The keys that have used limits, those refused most first; with pictures if wanted.
pub(super) fn keys(scene: &Scene<'_>, with_pictures: bool, most: usize) -> Vec<LimitShown> {
    let mut states = scene.session.limits();
    states.sort_by_key(|state| std::cmp::Reverse((state.refused, state.allowed)));
    let rows = if with_pictures {
        let journal = scene.session.world.journal();
        journal.newest(&RowFilter::default(), MAX_ROWS)
    } else {
        Vec::new()
    };
    let now_ms = scene.now_ms();
    let is_shared = scene.session.world.surroundings.shared_limits.is_some();
    states
        .iter()
        .take(most)
        .map(|state| {
            let of_all = scene.in_progress.get(&(state.tenant.clone(), state.tier));
            LimitShown::of(
                state,
                of_all.copied(),
                picture(state, &rows, now_ms, is_shared),
            )
        })
        .collect()
}

/// Draws the latest decisions of a key; `rows` are the newest first.
fn picture(state: &LimitState, rows: &[Row], now_ms: u64, is_shared: bool) -> Option<Picture> {
    let mut decisions: Vec<&Row> = rows
        .iter()
        .filter(|row| {
            row.quota.is_some()
                && row.tenant.as_deref() == Some(&state.tenant)
                && row.tier == Some(state.tier)
        })
        .take(MAX_DECISIONS)
        .collect();
    decisions.reverse();
    let (first, last) = (decisions.first()?.at_ms, decisions.last()?.at_ms);
    // What comes after the last decision is shown for a while, not for as long as nobody calls.
    let after = (last.saturating_sub(first) / 4).max(state.limits.period_ms.min(10_000));
    let end = now_ms
        .clamp(last, last.saturating_add(after))
        .max(first + 1);
    let span = (end - first) as f64;
    let x = |ms: f64| ((ms - first as f64) / span).clamp(0.0, 1.0);
    let bound = decisions
        .iter()
        .filter_map(|row| Some(row.quota.as_ref()?.limit))
        .max()?
        .max(1) as f64;
    let y = |level: f64| HEIGHT * (1.0 - (level / bound).clamp(0.0, 1.0));
    let per_ms = f64::from(state.limits.count) / state.limits.period_ms.max(1) as f64;
    let mut line = String::new();
    let mut refusals = Vec::new();
    let mut point = |ms: f64, level: f64| {
        let _ = write!(line, "{:.1},{:.1} ", x(ms) * WIDTH, y(level));
    };
    let mut before: Option<(f64, f64)> = None;
    for row in &decisions {
        let Some(quota) = &row.quota else { continue };
        let at = row.at_ms as f64;
        if let Some((then, level)) = before {
            // It comes back at its rate until it is whole or the next call takes from it.
            let whole = then + (bound - level) / per_ms.max(f64::MIN_POSITIVE);
            if whole < at {
                point(whole, bound);
            }
            point(at, (level + (at - then) * per_ms).min(bound));
        } else {
            point(at, bound);
        }
        point(at, quota.remaining as f64);
        before = Some((at, quota.remaining as f64));
        if !quota.refused_by.is_empty() {
            refusals.push(Mark {
                x: format!("{:.3}", x(at) * 100.0),
                title: format!(
                    "{} refused by {}",
                    time_to_second(row.at_ms),
                    quota.refused_by.join(", ")
                ),
            });
        }
    }
    if is_shared {
        // Others may have used some since: where it stands now is what the store says.
        point(end as f64, state.remaining as f64);
    } else if let Some((then, level)) = before {
        let whole = then + (bound - level) / per_ms.max(f64::MIN_POSITIVE);
        if whole < end as f64 {
            point(whole, bound);
        }
        point(
            end as f64,
            (level + (end as f64 - then) * per_ms).min(bound),
        );
    }
    let summary = format!(
        "{} decisions from {} to {}, {} refused; {} of {bound} calls left after the last",
        decisions.len(),
        time_to_second(first),
        time_to_second(last),
        refusals.len(),
        before.map_or(0.0, |(_, level)| level),
    );
    Some(Picture {
        area: format!("0,{HEIGHT} {line}{WIDTH},{HEIGHT}"),
        line,
        refusals,
        from: time_to_second(first),
        to: time_to_second(end),
        summary,
    })
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let store = scene.session.world.surroundings.shared_limits.as_ref();
    let page = Limits {
        store: store.map(|store| StoreShown::of(&store.state())),
        keys: keys(scene, true, MAX_KEYS),
    };
    Some(("Limits".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "limits.html")]
struct Limits {
    store: Option<StoreShown>,
    keys: Vec<LimitShown>,
}
