//! Reads the dialects that spread one policy over three headers: `-Limit`, `-Remaining` and `-Reset`.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;

use super::reset::read_reset;
use super::structured::{window_in, window_of};
use super::{Reading, Unit};
use crate::decimal::decimal;
use crate::time::Now;

/// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`.
pub(super) fn read_draft06(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    let names = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
    let Some(mut reading) = read_three(headers, now, names, "default", Unit::Requests) else {
        return Vec::new();
    };
    if reading.window.is_none() {
        reading.window = reading.limit.and_then(|limit| window_of(headers, limit));
    }
    vec![reading]
}

/// `X-RateLimit-*`, or `X-Rate-Limit-*` as Twitter spells it.
pub(super) fn read_prefixed(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    let spellings = [
        [
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ],
        [
            "x-rate-limit-limit",
            "x-rate-limit-remaining",
            "x-rate-limit-reset",
        ],
    ];
    let read = |names| read_three(headers, now, names, "x-ratelimit", Unit::Requests);
    let Some(mut reading) = spellings.into_iter().find_map(read) else {
        return Vec::new();
    };
    // GitHub counts each group of endpoints by itself.
    reading.partition_key =
        text(headers, "x-ratelimit-resource").map(|resource| resource.as_bytes().into());
    vec![reading]
}

/// OpenAI's `X-RateLimit-*-Requests` and `X-RateLimit-*-Tokens`.
pub(super) fn read_per_unit(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    let requests = [
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ];
    let tokens = [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ];
    let requests = read_three(headers, now, requests, "requests", Unit::Requests);
    requests
        .into_iter()
        .chain(read_three(headers, now, tokens, "tokens", Unit::Tokens))
        .collect()
}

fn read_three(
    headers: &HeaderMap,
    now: Now,
    [limit, remaining, reset]: [&str; 3],
    policy: &'static str,
    unit: Unit,
) -> Option<Reading> {
    let remaining = whole(text(headers, remaining)?)?;
    let (limit, window) = text(headers, limit).map_or((None, None), read_limit);
    Some(Reading {
        policy: Cow::Borrowed(policy),
        partition_key: None,
        limit,
        window,
        remaining: Some(remaining),
        reset_after: text(headers, reset).and_then(|value| read_reset(value, headers, now)),
        unit,
    })
}

/// The limit that applies, and its window where the header lists policies as well: `10, 10;w=1, 50;w=60`.
fn read_limit(value: &str) -> (Option<u64>, Option<Duration>) {
    let first = value.split([',', ';']).next().unwrap_or_default().trim();
    let limit = whole(first);
    let window = match limit {
        Some(limit) if value.contains(';') => window_in(value.as_bytes(), limit),
        _ => None,
    };
    (limit, window)
}

/// A count: digits, saturated; a fraction is cut off. Negative counts mean different things to different servers and
/// are ignored.
fn whole(value: &str) -> Option<u64> {
    let digits = value.split('.').next().unwrap_or_default();
    decimal(value)?;
    if digits.is_empty() {
        return Some(0);
    }
    // `decimal` has seen that there are only digits: what does not fit is too large.
    Some(digits.parse().unwrap_or(u64::MAX))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
