//! Reads the dialects that say how long a quota's window is, or how large its bucket, but not when it is reset.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;

use super::reset::read_reset;
use super::triple::{text, whole};
use super::{Reading, Scope, Unit};
use crate::time::Now;

/// The windows that Kong counts by. A month and a year are as long as they can be.
const WINDOWS: [(&str, &str, &str, u64); 6] = [
    (
        "second",
        "x-ratelimit-limit-second",
        "x-ratelimit-remaining-second",
        1,
    ),
    (
        "minute",
        "x-ratelimit-limit-minute",
        "x-ratelimit-remaining-minute",
        60,
    ),
    (
        "hour",
        "x-ratelimit-limit-hour",
        "x-ratelimit-remaining-hour",
        3_600,
    ),
    (
        "day",
        "x-ratelimit-limit-day",
        "x-ratelimit-remaining-day",
        86_400,
    ),
    (
        "month",
        "x-ratelimit-limit-month",
        "x-ratelimit-remaining-month",
        31 * 86_400,
    ),
    (
        "year",
        "x-ratelimit-limit-year",
        "x-ratelimit-remaining-year",
        366 * 86_400,
    ),
];

/// Kong's `X-RateLimit-Limit-Minute` and `-Remaining-Minute`, for each window that is configured. `RateLimit-Limit`,
/// `-Remaining` and `-Reset` are of the one that is nearest to its end, so that only that one is read, with its length.
/// Without these three all windows are read, of which it is known only that they are reset within their own length. Empty
/// where the three are there and speak of none of the windows: then whoever sends this counts otherwise than Kong.
pub(super) fn read_kong(headers: &HeaderMap, now: Now) -> Vec<Reading> {
    let mut readings: Vec<Reading> = WINDOWS
        .iter()
        .filter_map(|&(policy, limit, remaining, seconds)| {
            Some(Reading {
                policy: Cow::Borrowed(policy),
                partition_key: None,
                scope: Scope::Credential,
                limit: text(headers, limit).and_then(whole),
                window: Some(Duration::from_secs(seconds)),
                remaining: Some(whole(text(headers, remaining)?)?),
                reset_after: None,
                reset_at: None,
                unit: Unit::Requests,
            })
        })
        .collect();
    let of = |name| text(headers, name).and_then(whole);
    let (limit, remaining) = (of("ratelimit-limit"), of("ratelimit-remaining"));
    if remaining.is_none() {
        return readings;
    }
    let reset = text(headers, "ratelimit-reset").and_then(|value| read_reset(value, headers, now));
    let reset = reset.and_then(|reset| reset.after);
    readings.retain_mut(|reading| {
        reading.reset_after = reset;
        let within = reset.is_none() || reset <= reading.window;
        reading.limit == limit && reading.remaining == remaining && within
    });
    readings
}

/// All plans leak their bucket in this time: 40 at 2 a second, 80 at 4, 400 at 20.
const SHOPIFY_WINDOW: Duration = Duration::from_secs(20);

/// Shopify's `X-Shopify-Shop-Api-Call-Limit: 32/40`: taken, and what the bucket holds.
pub(super) fn read_shopify(headers: &HeaderMap) -> Vec<Reading> {
    let read = || {
        let (taken, holds) = text(headers, "x-shopify-shop-api-call-limit")?.split_once('/')?;
        let (taken, holds) = (whole(taken.trim())?, whole(holds.trim())?);
        let holds_u32 = u32::try_from(holds).ok().filter(|&holds| holds > 0)?;
        let missing = u32::try_from(taken.min(holds)).unwrap_or(holds_u32);
        let window = SHOPIFY_WINDOW.as_secs();
        Some(Reading {
            policy: Cow::Borrowed("shopify"),
            partition_key: None,
            scope: Scope::Credential,
            limit: Some(holds),
            window: Some(SHOPIFY_WINDOW),
            remaining: Some(holds.saturating_sub(taken)),
            // In whole seconds, as other servers say it.
            reset_after: Some(Duration::from_secs(
                (u64::from(missing) * window).div_ceil(u64::from(holds_u32)),
            )),
            reset_at: None,
            unit: Unit::Requests,
        })
    };
    read().into_iter().collect()
}
