//! `GET /v1/usage` and `GET /admin/usage`: totals and a series over time of what was counted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::cell::{CLASSES, Cell};
use super::{Bucket, Place, UsageLog};
use crate::call::Call;
use crate::clock::NS;
use crate::key::Identity;
use crate::parameter::digits;
use crate::problem::invalid_parameter;
use crate::reply::Reply;
use crate::timestamp::{parse_rfc3339, rfc3339};

/// Points an answer may have, empty ones counted.
const MAX_POINTS: u64 = 2_000;

/// Instants in milliseconds since 1970: until the year 9999, so that sums cannot overflow.
pub(super) const UNTIL_9999_MS: RangeInclusive<u64> = 0..=253_402_300_799_999;

/// What is asked, as it stands in the query.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct UsageQuery {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) bucket: Option<String>,
    pub(crate) group_by: Option<String>,
}

/// What points are told apart by, beside time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GroupBy {
    Op,
    Status,
    Tenant,
    Tier,
}

/// A question that can be answered.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Only of this tenant.
    pub(crate) tenant: Option<String>,
    /// In seconds since the Unix epoch, whole buckets.
    pub(crate) from_s: u64,
    pub(crate) to_s: u64,
    pub(crate) bucket: Bucket,
    pub(crate) group_by: Option<GroupBy>,
}

/// What is wrong with a question: the parameter and what was expected.
pub(crate) type Wrong = (&'static str, String);

/// What was used: in all, and over time.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// Whose; none when it is of all tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The begin of the first bucket, as RFC 3339.
    pub from: String,
    /// The end of the last bucket.
    pub to: String,
    /// How long the time is that a point stands for.
    pub bucket: Bucket,
    /// All of it together.
    pub totals: UsageCounts,
    /// Points in order of time; buckets without a request have none.
    pub series: Vec<UsagePoint>,
}

/// What was used in one bucket, by one group if groups were asked for.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct UsagePoint {
    /// The begin of the bucket, as RFC 3339.
    pub start: String,
    /// The same in seconds since the Unix epoch.
    #[serde(skip)]
    pub start_s: u64,
    /// The operation, status class, tenant or tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub counts: UsageCounts,
}

/// Requests by how they ended, and how long they took.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct UsageCounts {
    /// Requests whose key was good.
    pub requests: u64,
    /// Those by class of the status that was sent: `2xx` and so on, `none` where none was. Classes without any are left out.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Those that a limit refused.
    pub refused: u64,
    /// Those answered from an earlier one with their idempotency key.
    pub replayed: u64,
    /// Those that had a fault.
    pub faulted: u64,
    /// How long they took; none where there are none.
    pub latency_ms: Option<LatencyMs>,
}

/// Real time from a request's arrival to the head of its answer, in milliseconds: estimates, the longest excepted.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct LatencyMs {
    /// Half of the requests took no longer.
    pub p50: f64,
    /// Nine in ten took no longer.
    pub p90: f64,
    /// 99 in 100 took no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl UsageQuery {
    /// Reads it; what is left out is an hour of minutes, a day of hours or a month of days, until now.
    pub(crate) fn read(&self, now_ns: u64, tenant: Option<String>) -> Result<Wanted, Wrong> {
        let bucket = match self.bucket.as_deref() {
            None | Some("minute") => Bucket::Minute,
            Some("hour") => Bucket::Hour,
            Some("day") => Bucket::Day,
            Some(_) => return Err(("bucket", "must be minute, hour or day".into())),
        };
        let group_by = match self.group_by.as_deref() {
            None => None,
            Some("op") => Some(GroupBy::Op),
            Some("status") => Some(GroupBy::Status),
            Some("tier") => Some(GroupBy::Tier),
            Some("tenant") if tenant.is_none() => Some(GroupBy::Tenant),
            Some(_) => return Err(("group_by", "must be op, status or tier".into())),
        };
        let to_s = instant("to", self.to.as_deref())?.unwrap_or(now_ns / NS + 1);
        let to_s = to_s
            .div_ceil(bucket.seconds())
            .saturating_mul(bucket.seconds());
        let usual = match bucket {
            Bucket::Minute => 3_600,
            Bucket::Hour => 86_400,
            Bucket::Day => 30 * 86_400,
        };
        let from_s = instant("from", self.from.as_deref())?;
        let from_s = bucket.start(from_s.unwrap_or(to_s.saturating_sub(usual)));
        if from_s >= to_s {
            return Err(("from", "must be before to".into()));
        }
        if (to_s - from_s) / bucket.seconds() > MAX_POINTS {
            let why = format!(
                "at most {MAX_POINTS} buckets at once; ask for a shorter time or a longer bucket"
            );
            return Err(("bucket", why));
        }
        Ok(Wanted {
            tenant,
            from_s,
            to_s,
            bucket,
            group_by,
        })
    }
}

/// RFC 3339, or milliseconds since the Unix epoch.
fn instant(name: &'static str, text: Option<&str>) -> Result<Option<u64>, Wrong> {
    let Some(text) = text else { return Ok(None) };
    let seconds = match digits(text) {
        Some(ms) => Some(ms / 1_000).filter(|_| UNTIL_9999_MS.contains(&ms)),
        None => parse_rfc3339(text).map(|ns| ns / NS),
    };
    match seconds {
        Some(seconds) => Ok(Some(seconds)),
        None => Err((
            name,
            "must be an instant such as 2026-01-31T12:00:00Z, or milliseconds since 1970".into(),
        )),
    }
}

impl UsageLog {
    /// What was counted of what is wanted.
    pub(crate) fn usage(&self, wanted: &Wanted) -> Usage {
        let inner = self.settled();
        let mut totals = Cell::default();
        let mut points: BTreeMap<(u64, String), Cell> = BTreeMap::new();
        let at = Bucket::ALL
            .iter()
            .position(|bucket| *bucket == wanted.bucket);
        let cells = at.and_then(|at| inner.by_bucket.get(at));
        let first = Place {
            start_s: wanted.from_s,
            tenant: "".into(),
            tier: "",
            op: "",
        };
        for (place, cell) in cells.iter().flat_map(|cells| cells.range(first.clone()..)) {
            if place.start_s >= wanted.to_s {
                break;
            }
            if wanted
                .tenant
                .as_deref()
                .is_some_and(|tenant| tenant != &*place.tenant)
            {
                continue;
            }
            totals.add(cell);
            let mut add = |group: &str, cell: &Cell| {
                points
                    .entry((place.start_s, group.to_owned()))
                    .or_default()
                    .add(cell);
            };
            match wanted.group_by {
                None => add("", cell),
                Some(GroupBy::Op) => add(place.op, cell),
                Some(GroupBy::Tenant) => add(&place.tenant, cell),
                Some(GroupBy::Tier) => add(place.tier, cell),
                Some(GroupBy::Status) => {
                    for (class, part) in by_class(cell) {
                        add(class, &part);
                    }
                }
            }
        }
        Usage {
            tenant: wanted.tenant.clone(),
            from: rfc3339(wanted.from_s * NS),
            to: rfc3339(wanted.to_s * NS),
            bucket: wanted.bucket,
            totals: counts(&totals),
            series: points
                .into_iter()
                .map(|((start_s, group), cell)| UsagePoint {
                    start: rfc3339(start_s * NS),
                    start_s,
                    group: wanted.group_by.map(|_| group),
                    counts: UsageCounts {
                        // Latencies are not kept by class.
                        latency_ms: counts(&cell)
                            .latency_ms
                            .filter(|_| wanted.group_by != Some(GroupBy::Status)),
                        ..counts(&cell)
                    },
                })
                .collect(),
        }
    }

    /// The same time as one, by `op`, `tier` or `tenant`, the busiest first.
    pub(crate) fn groups(&self, wanted: &Wanted, by: &str) -> Vec<(String, UsageCounts)> {
        let inner = self.settled();
        let at = Bucket::ALL
            .iter()
            .position(|bucket| *bucket == wanted.bucket);
        let cells = at.and_then(|at| inner.by_bucket.get(at));
        let mut groups: BTreeMap<&str, Cell> = BTreeMap::new();
        for (place, cell) in cells.into_iter().flatten() {
            let in_time = (wanted.from_s..wanted.to_s).contains(&place.start_s);
            if in_time
                && wanted
                    .tenant
                    .as_deref()
                    .is_none_or(|tenant| tenant == &*place.tenant)
            {
                let group = match by {
                    "tier" => place.tier,
                    "tenant" => &place.tenant,
                    _ => place.op,
                };
                groups.entry(group).or_default().add(cell);
            }
        }
        let mut groups: Vec<_> = groups
            .into_iter()
            .map(|(name, cell)| (name.to_owned(), counts(&cell)))
            .collect();
        groups.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.requests));
        groups
    }

    /// The tenants that have used anything.
    pub(crate) fn tenants(&self) -> BTreeSet<String> {
        let inner = self.settled();
        let cells = inner.by_bucket.iter().flatten();
        cells.map(|(place, _)| place.tenant.to_string()).collect()
    }
}

/// A cell for each class of statuses that it has; refusals are 4xx, what else was counted is of no class.
fn by_class(cell: &Cell) -> impl Iterator<Item = (&'static str, Cell)> {
    let refused = cell.refused;
    let parts = CLASSES.iter().zip(cell.by_class).enumerate();
    parts
        .filter(|(_, (_, count))| *count > 0)
        .map(move |(at, (class, count))| {
            let mut part = Cell::default();
            if let Some(own) = part.by_class.get_mut(at) {
                *own = count;
            }
            if *class == "4xx" {
                part.refused = refused;
            }
            (*class, part)
        })
}

fn counts(cell: &Cell) -> UsageCounts {
    let ms = |us: u64| us as f64 / 1_000.0;
    let percentile = |of| cell.latencies.percentile(of).map(ms);
    let latency_ms = || {
        Some(LatencyMs {
            p50: percentile(0.5)?,
            p90: percentile(0.9)?,
            p99: percentile(0.99)?,
            max: ms(cell.latencies.max_us()),
        })
    };
    UsageCounts {
        requests: cell.requests(),
        by_status: CLASSES
            .iter()
            .zip(cell.by_class)
            .filter(|(_, count)| *count > 0)
            .map(|(class, count)| (*class, count))
            .collect(),
        refused: cell.refused,
        replayed: cell.replayed,
        faulted: cell.faulted,
        latency_ms: latency_ms(),
    }
}

/// `GET /v1/usage`: what the tenant of the key has used, requests that are over.
pub(crate) fn respond(call: &Call, identity: &Identity) -> Reply {
    let query = UsageQuery {
        from: call.parameter("from"),
        to: call.parameter("to"),
        bucket: call.parameter("bucket"),
        group_by: call.parameter("group_by"),
    };
    match query.read(call.world.clock.now_ns(), Some(identity.tenant.clone())) {
        Ok(wanted) => Reply::json(StatusCode::OK, &call.world.usage.usage(&wanted)),
        Err((name, why)) => call.problem(invalid_parameter(name, &why)),
    }
}
