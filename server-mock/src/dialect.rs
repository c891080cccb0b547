//! Writes what is left of the limits as headers, in the dialect a session asked for.
//!
//! | Dialect | Headers | Reset is |
//! |---|---|---|
//! | `draft10` | `RateLimit-Policy`, `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): every policy | seconds until whole |
//! | `draft07` | `RateLimit: limit=, remaining=, reset=`, `RateLimit-Policy: 3;w=2` (draft -07) | seconds until whole |
//! | `draft05` | `RateLimit-Limit: 3, 3;w=2`, `-Remaining`, `-Reset` (drafts -03 to -05) | seconds until whole |
//! | `draft06` | `RateLimit-Limit`, `-Remaining`, `-Reset`, `RateLimit-Policy: 3;w=2` (draft -06) | seconds until whole |
//! | `triple` | `RateLimit-Limit`, `-Remaining`, `-Reset` | seconds until whole |
//! | `x-ratelimit` | `X-RateLimit-Limit`, `-Remaining`, `-Reset` | seconds until whole |
//! | `github` | the same and `-Used`, `-Resource` | the epoch second when whole |
//! | `tyk` | `X-RateLimit-Limit`, `-Remaining`, `-Reset` | the epoch second when whole |
//! | `apisix` | `X-RateLimit-Limit`, `-Remaining`, `-Reset` | seconds until whole, with three decimals |
//! | `openai` | `X-RateLimit-{Limit,Remaining,Reset}-{Requests,Tokens}`; tokens where a policy counts them | a duration such as `6m0s` |
//! | `kong` | `X-RateLimit-{Limit,Remaining}-{Second,Minute,Hour,Day}` of every policy, and `RateLimit-*` of the tightest | seconds until whole |
//! | `none` | none | |
//! | `malformed` | `RateLimit`, `RateLimit-Policy` that break the grammar | |
//!
//! Dialects with room for one policy show the tightest: the one with the least left, of those the slowest. Seconds are
//! rounded up.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::clock::{MS, NS};
use crate::limiter::{Item, Report};
use crate::policy::Unit;
use crate::timestamp::http_date;

/// How limit headers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dialect {
    /// `X-RateLimit-*` with the reset in seconds and their fraction, as APISIX writes it.
    Apisix,
    /// `RateLimit-Limit: 10, 10;w=10`, `RateLimit-Remaining`, `RateLimit-Reset`.
    Draft05,
    /// `RateLimit-Limit`, `-Remaining`, `-Reset` and `RateLimit-Policy: 10;w=10`.
    Draft06,
    /// `RateLimit: limit=10, remaining=3, reset=7` and `RateLimit-Policy: 10;w=10`.
    Draft07,
    /// `RateLimit-Policy: "burst";q=10;w=10` and `RateLimit: "burst";r=3;t=7`.
    Draft10,
    /// `X-RateLimit-*` with the reset as an epoch second.
    Github,
    /// `X-RateLimit-Limit-Minute`, `X-RateLimit-Remaining-Minute` and `RateLimit-*`, as Kong writes them.
    Kong,
    /// Headers that no parser should accept.
    Malformed,
    /// No limit headers.
    None,
    /// `X-RateLimit-Remaining-Requests`, `-Tokens` and the reset as a duration such as `6m0s`.
    Openai,
    /// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`.
    Triple,
    /// `X-RateLimit-*` with the reset as an epoch second, without GitHub's own two.
    Tyk,
    /// `X-RateLimit-*` with the reset in seconds from now.
    #[serde(rename = "x-ratelimit")]
    XRatelimit,
}

/// How the wait after a refusal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// `Retry-After` as a date of the session's clock.
    HttpDate,
    /// `Retry-After: soon`, which means nothing.
    Malformed,
    /// `Retry-After-Ms` in milliseconds, and no `Retry-After`.
    Ms,
    /// Nothing.
    None,
    /// `Retry-After` in whole seconds.
    Seconds,
}

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 13] = [
        Self::Apisix,
        Self::Draft05,
        Self::Draft06,
        Self::Draft07,
        Self::Draft10,
        Self::Github,
        Self::Kong,
        Self::Malformed,
        Self::None,
        Self::Openai,
        Self::Triple,
        Self::Tyk,
        Self::XRatelimit,
    ];

    /// Adds the headers that say what is left at `now_ns`.
    pub(crate) fn write(self, headers: &mut HeaderMap, report: &Report, now_ns: u64) {
        let Some(tightest) = report.tightest(Unit::Requests) else {
            return;
        };
        let restored_in = tightest.restored_in_ns.div_ceil(NS);
        let whole_at = now_ns.saturating_add(tightest.restored_in_ns).div_ceil(NS);
        match self {
            Self::Draft10 => draft10(headers, report),
            Self::Draft07 => {
                let left = format!(
                    "limit={}, remaining={}, reset={restored_in}",
                    tightest.limit, tightest.remaining
                );
                insert(headers, RATELIMIT, left);
                insert(headers, RATELIMIT_POLICY, quotas(report));
            }
            Self::Draft05 => {
                triple(headers, tightest);
                let name = HeaderName::from_static("ratelimit-limit");
                insert(
                    headers,
                    name,
                    format!("{}, {}", tightest.limit, quotas(report)),
                );
            }
            Self::Draft06 => {
                triple(headers, tightest);
                insert(headers, RATELIMIT_POLICY, quotas(report));
            }
            Self::Triple => triple(headers, tightest),
            Self::XRatelimit => x_ratelimit(headers, tightest, restored_in.to_string()),
            Self::Tyk => x_ratelimit(headers, tightest, whole_at.to_string()),
            Self::Apisix => {
                let millis = tightest.restored_in_ns.div_ceil(MS);
                let seconds = format!("{}.{:03}", millis / 1_000, millis % 1_000);
                x_ratelimit(headers, tightest, seconds);
            }
            Self::Github => {
                x_ratelimit(headers, tightest, whole_at.to_string());
                let used = tightest.limit.saturating_sub(tightest.remaining);
                put(headers, "x-ratelimit-used", used);
                let resource = match &*tightest.name {
                    "burst" | "day" => "core",
                    policy => policy,
                };
                let name = HeaderName::from_static("x-ratelimit-resource");
                insert(headers, name, resource.into());
            }
            Self::Openai => {
                for unit in [Unit::Requests, Unit::Tokens] {
                    openai(headers, report, unit);
                }
            }
            Self::Kong => kong(headers, report, tightest),
            Self::None => {}
            Self::Malformed => {
                headers.insert(RATELIMIT, HeaderValue::from_static("\"burst;r=;t=soon"));
                headers.insert(
                    RATELIMIT_POLICY,
                    HeaderValue::from_static("burst q=many, ;w=-1"),
                );
            }
        }
    }
}

fn draft10(headers: &mut HeaderMap, report: &Report) {
    let mut policies = String::new();
    let mut left = String::new();
    // Writing to a String cannot fail.
    for item in &report.items {
        let comma = if policies.is_empty() { "" } else { ", " };
        let _ = write!(
            policies,
            "{comma}\"{}\";q={};w={}",
            item.name, item.limit, item.window_s
        );
        if item.unit != Unit::Requests {
            let _ = write!(policies, ";qu=\"{}\"", item.unit.word());
        }
        let _ = write!(
            left,
            "{comma}\"{}\";r={};t={}",
            item.name,
            item.remaining,
            item.restored_in_ns.div_ceil(NS)
        );
        if let Some(key) = &item.key {
            let key = STANDARD.encode(key);
            let _ = write!(policies, ";pk=:{key}:");
            let _ = write!(left, ";pk=:{key}:");
        }
    }
    if let Some((most, violated)) = report.concurrency {
        let _ = write!(
            policies,
            ", \"concurrency\";q={most};qu=\"concurrent-requests\""
        );
        if violated {
            let _ = write!(left, ", \"concurrency\";r=0");
        }
    }
    insert(headers, RATELIMIT_POLICY, policies);
    insert(headers, RATELIMIT, left);
}

/// `10;w=10, 1000;w=86400`: the policies that count requests, as drafts before 08 list them.
fn quotas(report: &Report) -> String {
    report
        .items
        .iter()
        .filter(|item| item.unit == Unit::Requests)
        .map(|item| format!("{};w={}", item.limit, item.window_s))
        .collect::<Vec<_>>()
        .join(", ")
}

fn triple(headers: &mut HeaderMap, item: &Item) {
    put(headers, "ratelimit-limit", item.limit);
    put(headers, "ratelimit-remaining", item.remaining);
    put(headers, "ratelimit-reset", item.restored_in_ns.div_ceil(NS));
}

fn x_ratelimit(headers: &mut HeaderMap, item: &Item, reset: String) {
    put(headers, "x-ratelimit-limit", item.limit);
    put(headers, "x-ratelimit-remaining", item.remaining);
    let name = HeaderName::from_static("x-ratelimit-reset");
    insert(headers, name, reset);
}

fn openai(headers: &mut HeaderMap, report: &Report, unit: Unit) {
    let Some(item) = report.tightest(unit) else {
        return;
    };
    let mut say = |what: &str, value: String| {
        let name = format!("x-ratelimit-{what}-{}", unit.word());
        if let Ok(name) = HeaderName::try_from(name) {
            insert(headers, name, value);
        }
    };
    say("limit", item.limit.to_string());
    say("remaining", item.remaining.to_string());
    say("reset", go_duration(item.restored_in_ns));
}

/// `120ms`, `1s`, `6m0.5s`, `1h0m0s`: as Go prints durations, rounded up to milliseconds.
fn go_duration(ns: u64) -> String {
    let millis = ns.div_ceil(MS);
    if millis == 0 {
        return "0s".into();
    }
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, fraction) = (millis / 1_000 % 60, millis % 1_000);
    let mut text = String::new();
    // Writing to a String cannot fail.
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    let _ = write!(text, "{seconds}");
    if fraction > 0 {
        let fraction = format!("{fraction:03}");
        let _ = write!(text, ".{}", fraction.trim_end_matches('0'));
    }
    text.push('s');
    text
}

/// Kong names windows; a rate for another time is said for the next longer one that has a name.
fn kong(headers: &mut HeaderMap, report: &Report, tightest: &Item) {
    const NAMED: [(&str, u64); 4] = [
        ("second", 1_000),
        ("minute", 60_000),
        ("hour", 3_600_000),
        ("day", 86_400_000),
    ];
    let mut items: Vec<&Item> = report
        .items
        .iter()
        .filter(|item| item.unit == Unit::Requests)
        .collect();
    // Two of the same name: the tighter one is written last and stays.
    items.sort_by_key(|item| std::cmp::Reverse(item.remaining));
    for item in items {
        let (word, unit_ms) = NAMED
            .into_iter()
            .find(|(_, unit_ms)| *unit_ms >= item.period_ms)
            .unwrap_or(("day", 86_400_000));
        let scaled =
            u128::from(item.count) * u128::from(unit_ms) / u128::from(item.period_ms.max(1));
        let scaled = u64::try_from(scaled).unwrap_or(u64::MAX);
        for (what, value) in [("limit", scaled), ("remaining", item.remaining)] {
            if let Ok(name) = HeaderName::try_from(format!("x-ratelimit-{what}-{word}")) {
                headers.insert(name, HeaderValue::from(value));
            }
        }
    }
    triple(headers, tightest);
}

impl RetryAfter {
    /// Adds the header that asks the caller to wait `wait_ns` from `now_ns`.
    pub(crate) fn write(self, headers: &mut HeaderMap, wait_ns: u64, now_ns: u64) {
        match self {
            Self::Seconds => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait_ns.div_ceil(NS).max(1)));
            }
            Self::HttpDate => {
                let at = now_ns.saturating_add(wait_ns).div_ceil(NS);
                insert(headers, RETRY_AFTER, http_date(at));
            }
            Self::Ms => {
                headers.insert(
                    RETRY_AFTER_MS,
                    HeaderValue::from(wait_ns.div_ceil(MS).max(1)),
                );
            }
            Self::None => {}
            Self::Malformed => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("soon"));
            }
        }
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: u64) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_does() {
        for (ns, text) in [
            (0, "0s"),
            (1, "1ms"),
            (120 * MS, "120ms"),
            (NS, "1s"),
            (8_640 * MS, "8.64s"),
            (360 * NS, "6m0s"),
            (3_600 * NS + 1, "1h0m0.001s"),
        ] {
            assert_eq!(go_duration(ns), text);
        }
    }
}
