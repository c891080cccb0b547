//! Writes what is left of the limits as headers, in the dialect a session asked for.
//!
//! | Dialect | Headers | Reset is |
//! |---|---|---|
//! | `draft10` | `RateLimit-Policy`, `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) | seconds until whole |
//! | `triple` | `RateLimit-Limit`, `-Remaining`, `-Reset` (draft-06 and before) | seconds until whole |
//! | `x-ratelimit` | `X-RateLimit-Limit`, `-Remaining`, `-Reset` | seconds until whole |
//! | `github` | the same and `-Used`, `-Resource` | the epoch second when whole |
//! | `none` | none | |
//! | `malformed` | `RateLimit`, `RateLimit-Policy` that break the grammar | |

use std::fmt::Write as _;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::clock::{MS, NS};
use crate::quota::{Refusal, Standing, Violated};
use crate::timestamp::http_date;

/// How limit headers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dialect {
    /// `RateLimit-Policy: "burst";q=10;w=10` and `RateLimit: "burst";r=3;t=7`.
    Draft10,
    /// `X-RateLimit-*` with the reset as an epoch second.
    Github,
    /// Headers that no parser should accept.
    Malformed,
    /// No limit headers.
    None,
    /// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`.
    Triple,
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
    /// Adds the headers for `standing` at `now_ns`. `refusal` adds the concurrency policy where it was violated.
    pub(crate) fn write(
        self,
        headers: &mut HeaderMap,
        standing: &Standing,
        refusal: Option<&Refusal>,
        now_ns: u64,
    ) {
        let limit = u64::from(standing.limits.burst);
        let remaining = standing.remaining;
        let restored_in = standing.restored_in_ns.div_ceil(NS);
        match self {
            Self::Draft10 => draft10(headers, standing, refusal),
            Self::Triple => {
                put(headers, "ratelimit-limit", limit);
                put(headers, "ratelimit-remaining", remaining);
                put(headers, "ratelimit-reset", restored_in);
            }
            Self::XRatelimit => {
                put(headers, "x-ratelimit-limit", limit);
                put(headers, "x-ratelimit-remaining", remaining);
                put(headers, "x-ratelimit-reset", restored_in);
            }
            Self::Github => {
                let whole_at = now_ns.saturating_add(standing.restored_in_ns).div_ceil(NS);
                put(headers, "x-ratelimit-limit", limit);
                put(headers, "x-ratelimit-remaining", remaining);
                put(headers, "x-ratelimit-used", limit.saturating_sub(remaining));
                put(headers, "x-ratelimit-reset", whole_at);
                headers.insert(
                    HeaderName::from_static("x-ratelimit-resource"),
                    HeaderValue::from_static("core"),
                );
            }
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

fn draft10(headers: &mut HeaderMap, standing: &Standing, refusal: Option<&Refusal>) {
    let limits = &standing.limits;
    let mut policy = format!("\"burst\";q={};w={}", limits.burst, limits.window_seconds());
    let mut left = format!(
        "\"burst\";r={};t={}",
        standing.remaining,
        standing.restored_in_ns.div_ceil(NS)
    );
    // Writing to a String cannot fail.
    if let Some(day) = standing.day {
        let _ = write!(policy, ", \"day\";q={};w=86400", day.limit);
        let _ = write!(
            left,
            ", \"day\";r={};t={}",
            day.remaining,
            day.ends_in_ns.div_ceil(NS)
        );
    }
    if let Some(most) = limits.concurrency
        && refusal.is_some_and(|refusal| refusal.violated.contains(&Violated::Concurrency))
    {
        let _ = write!(
            policy,
            ", \"concurrency\";q={most};qu=\"concurrent-requests\""
        );
        let _ = write!(left, ", \"concurrency\";r=0");
    }
    insert(headers, RATELIMIT_POLICY, policy);
    insert(headers, RATELIMIT, left);
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
