//! Usage over time: requests by how they ended, by key and operation, and how long they took.

use askama::Template;

use super::Scene;
use super::format::{count, date, percent, time_to_second};
use super::page::Shown;
use crate::clock::MS;
use crate::usage::{Bucket, Usage, UsageCounts, UsagePoint, UsageQuery, Wanted};

/// Rows of the table, the busiest.
const MAX_GROUPS: usize = 60;
/// Room for bars, in percents; what is beside it is for the numbers.
const PLOT: (f64, f64) = (5.0, 95.0);
const BAR_HEIGHT: f64 = 150.0;

/// One piece of a bar.
struct Piece {
    class: &'static str,
    x: String,
    y: String,
    width: String,
    height: String,
    title: String,
}

struct Tick {
    at: String,
    text: String,
}

struct GroupShown {
    name: String,
    requests: String,
    errors: String,
    refused: String,
    p50: String,
    p90: String,
    p99: String,
    max: String,
}

/// 4xx and 5xx and those that got no answer.
fn errors(counts: &UsageCounts) -> u64 {
    let of = |class| counts.by_status.get(class).copied().unwrap_or(0);
    of("4xx") + of("5xx") + of("none")
}

impl GroupShown {
    fn of(name: String, counts: &UsageCounts) -> Self {
        let ms = |value: Option<f64>| value.map_or_else(|| "–".into(), crate::timeline::duration);
        let latency = counts.latency_ms;
        Self {
            name,
            requests: count(counts.requests),
            errors: percent(errors(counts), counts.requests),
            refused: count(counts.refused),
            p50: ms(latency.map(|of| of.p50)),
            p90: ms(latency.map(|of| of.p90)),
            p99: ms(latency.map(|of| of.p99)),
            max: ms(latency.map(|of| of.max)),
        }
    }
}

/// The bars: a bucket each, by class of status.
fn bars(wanted: &Wanted, points: &[UsagePoint]) -> (Vec<Piece>, u64) {
    let most = points
        .iter()
        .map(|point| point.counts.requests)
        .max()
        .unwrap_or(0);
    let buckets = (wanted.to_s - wanted.from_s) / wanted.bucket.seconds();
    let slot = (PLOT.1 - PLOT.0) / buckets.max(1) as f64;
    let mut pieces = Vec::new();
    for point in points {
        let at = point.start_s.saturating_sub(wanted.from_s) / wanted.bucket.seconds();
        let x = PLOT.0 + slot * at as f64;
        let mut y = BAR_HEIGHT;
        for (class, style) in [
            ("2xx", "fine"),
            ("3xx", "fine"),
            ("1xx", "fine"),
            ("4xx", "client"),
            ("5xx", "server"),
            ("none", "cut"),
        ] {
            let requests = point.counts.by_status.get(class).copied().unwrap_or(0);
            if requests == 0 {
                continue;
            }
            let height = (requests as f64 / most.max(1) as f64 * (BAR_HEIGHT - 12.0)).max(1.0);
            y -= height;
            let what = if class == "none" { "no answer" } else { class };
            pieces.push(Piece {
                class: style,
                x: format!("{:.3}", x + slot * 0.08),
                y: format!("{y:.1}"),
                width: format!("{:.3}", slot * 0.84),
                height: format!("{height:.1}"),
                title: format!(
                    "{}: {} {what}",
                    label(point.start_s, wanted.bucket),
                    count(requests)
                ),
            });
        }
    }
    (pieces, most)
}

fn label(start_s: u64, bucket: Bucket) -> String {
    match bucket {
        Bucket::Day => date(start_s * 1_000),
        _ => time_to_second(start_s * 1_000).chars().take(5).collect(),
    }
}

/// Where the time is named.
fn ticks(wanted: &Wanted) -> Vec<Tick> {
    let buckets = (wanted.to_s - wanted.from_s) / wanted.bucket.seconds();
    let step = (buckets / 6).max(1);
    (0..buckets)
        .step_by(usize::try_from(step).unwrap_or(1))
        .map(|at| Tick {
            at: format!(
                "{:.3}",
                PLOT.0 + (PLOT.1 - PLOT.0) / buckets as f64 * (at as f64 + 0.5)
            ),
            text: label(wanted.from_s + at * wanted.bucket.seconds(), wanted.bucket),
        })
        .collect()
}

/// The same counts by operation, tier or tenant, the busiest first.
fn groups(scene: &Scene<'_>, wanted: &Wanted, by: &str) -> Vec<GroupShown> {
    // One bucket over all the time would mix what percentiles are of, so each is asked for by itself.
    let usage = scene.session.world.usage.groups(wanted, by);
    usage
        .into_iter()
        .take(MAX_GROUPS)
        .map(|(name, counts)| GroupShown::of(name, &counts))
        .collect()
}

pub(super) fn show(scene: &Scene<'_>) -> Option<Shown> {
    let asked = scene.asked;
    let by = match asked.group_by.as_str() {
        "tier" => "tier",
        "tenant" => "tenant",
        _ => "op",
    };
    let bucket = match asked.bucket.as_str() {
        "hour" => "hour",
        "day" => "day",
        _ => "minute",
    };
    let tenant = (!asked.tenant.is_empty()).then(|| asked.tenant.clone());
    let query = UsageQuery {
        bucket: Some(bucket.into()),
        ..UsageQuery::default()
    };
    let wanted = query.read(scene.now_ms() * MS, tenant).ok()?;
    let usage: Usage = scene.session.world.usage.usage(&wanted);
    let (pieces, most) = bars(&wanted, &usage.series);
    let page = UsagePage {
        pieces,
        most: count(most),
        ticks: ticks(&wanted),
        total: GroupShown::of("All".into(), &usage.totals),
        groups: groups(scene, &wanted, by),
        any: usage.totals.requests > 0,
        tenants: scene.session.world.usage.tenants().into_iter().collect(),
        tenant: &asked.tenant,
        bucket,
        by,
        session: scene.session.name(),
        path: scene.path,
    };
    Some(("Usage".into(), page.render().ok()?))
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage<'a> {
    pieces: Vec<Piece>,
    most: String,
    ticks: Vec<Tick>,
    total: GroupShown,
    groups: Vec<GroupShown>,
    any: bool,
    tenants: Vec<String>,
    tenant: &'a str,
    bucket: &'a str,
    by: &'a str,
    session: &'a str,
    path: &'a str,
}
