//! Reads the dialects that spread one policy over three headers: `-Limit`, `-Remaining` and `-Reset`.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;

use super::reset::{read_reset, read_seconds};
use super::structured::{LONGEST_KEY, window_in, window_of};
use super::{Reading, Scope, Unit};
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

/// `X-RateLimit-*`, or `X-Rate-Limit-*` as X (Twitter) spells it.
pub(super) fn read_prefixed(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    let usual = [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];
    if let Some(mut reading) =
        read_three(headers, now, usual, "x-ratelimit", Unit::Requests).map(after(headers))
    {
        // GitHub counts each group of endpoints by itself.
        reading.partition_key = text(headers, "x-ratelimit-resource")
            .filter(|resource| resource.len() <= LONGEST_KEY)
            .map(|resource| resource.as_bytes().into());
        return vec![reading];
    }
    let of_x = [
        "x-rate-limit-limit",
        "x-rate-limit-remaining",
        "x-rate-limit-reset",
    ];
    // Whoever spells it like this counts each endpoint by itself.
    read_three(headers, now, of_x, "x-rate-limit", Unit::Requests)
        .map(|reading| Reading {
            scope: Scope::Endpoint,
            ..reading
        })
        .into_iter()
        .collect()
}

/// Discord's `X-RateLimit-*`: a bucket for a group of endpoints, in which each channel, guild and webhook counts by itself.
pub(super) fn read_discord(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    let names = [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];
    let bucket = text(headers, "x-ratelimit-bucket").filter(|bucket| bucket.len() <= LONGEST_KEY);
    let (Some(reading), Some(bucket)) = (
        read_three(headers, now, names, "discord", Unit::Requests).map(after(headers)),
        bucket,
    ) else {
        return Vec::new();
    };
    vec![Reading {
        partition_key: Some(bucket.as_bytes().into()),
        scope: Scope::Resource,
        ..reading
    }]
}

/// `X-RateLimit-Reset-After`, where there is one, wins over a reset that needs a clock.
fn after(headers: &HeaderMap) -> impl Fn(Reading) -> Reading {
    let after = text(headers, "x-ratelimit-reset-after").and_then(read_seconds);
    move |reading| Reading {
        reset_after: after.or(reading.reset_after),
        reset_at: reading.reset_at.filter(|_| after.is_none()),
        ..reading
    }
}

/// Anthropic's headers, one triple for calls and one for each kind of token.
pub(super) fn read_anthropic(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    const KINDS: [(&str, Unit, [&str; 3]); 4] = [
        (
            "requests",
            Unit::Requests,
            [
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ],
        ),
        (
            "tokens",
            Unit::Tokens,
            [
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
            ],
        ),
        (
            "input-tokens",
            Unit::Tokens,
            [
                "anthropic-ratelimit-input-tokens-limit",
                "anthropic-ratelimit-input-tokens-remaining",
                "anthropic-ratelimit-input-tokens-reset",
            ],
        ),
        (
            "output-tokens",
            Unit::Tokens,
            [
                "anthropic-ratelimit-output-tokens-limit",
                "anthropic-ratelimit-output-tokens-remaining",
                "anthropic-ratelimit-output-tokens-reset",
            ],
        ),
    ];
    KINDS
        .into_iter()
        .filter_map(|(policy, unit, names)| read_three(headers, now, names, policy, unit))
        .collect()
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
    let reset = text(headers, reset).and_then(|value| read_reset(value, headers, now));
    let reset = reset.unwrap_or_default();
    Some(Reading {
        policy: Cow::Borrowed(policy),
        partition_key: None,
        scope: Scope::Credential,
        limit,
        window,
        remaining: Some(remaining),
        reset_after: reset.after,
        reset_at: reset.at,
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
pub(super) fn whole(value: &str) -> Option<u64> {
    let digits = value.split('.').next().unwrap_or_default();
    decimal(value)?;
    if digits.is_empty() {
        return Some(0);
    }
    // `decimal` has seen that there are only digits: what does not fit is too large.
    Some(digits.parse().unwrap_or(u64::MAX))
}

pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
