//! Reads what a server says about its rate limits, whichever dialect of header it speaks.
//!
//! | Dialect | Headers | Source |
//! |---|---|---|
//! | [`Dialect::Draft10`] | `RateLimit: "burst";r=3;t=7`, `RateLimit-Policy: "burst";q=10;w=10` | draft-ietf-httpapi-ratelimit-headers-08 to -10, RFC 9651 lists |
//! | [`Dialect::Draft07`] | `RateLimit: limit=10, remaining=3, reset=7`, `RateLimit-Policy: 10;w=10` | draft -07, RFC 8941 dictionary |
//! | [`Dialect::Kong`] | `X-RateLimit-Limit-Minute`, `-Remaining-Minute` and so on, beside the triple | Kong's rate limiting |
//! | [`Dialect::Draft06`] | `RateLimit-Limit: 10, 10;w=10`, `RateLimit-Remaining`, `RateLimit-Reset` | drafts -00 to -06 |
//! | [`Dialect::PerUnit`] | `X-RateLimit-Remaining-Requests`, `-Tokens` and their `-Limit-`, `-Reset-` | OpenAI and who copied it |
//! | [`Dialect::Anthropic`] | `Anthropic-RateLimit-Requests-Remaining`, `-Input-Tokens-` and so on | Anthropic |
//! | [`Dialect::Discord`] | `X-RateLimit-*` with `-Bucket`, `-Reset-After`, `-Scope` | Discord |
//! | [`Dialect::XRateLimit`] | `X-RateLimit-Remaining` or `X-Rate-Limit-Remaining`, `-Limit`, `-Reset`, `-Resource` | GitHub, Tyk, APISIX, X (Twitter), many |
//! | [`Dialect::Shopify`] | `X-Shopify-Shop-Api-Call-Limit: 32/40` | Shopify's REST Admin API |
//!
//! The first of these that is present and well-formed is read, the others are ignored. What is malformed or negative
//! is left out, what is absurd saturates; however much a server sends, at most [`MAX_POLICIES`] policies are kept.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;

use crate::retry_after::server_date;
use crate::time::{Now, UnixMillis};

mod per_window;
mod plain;
mod reset;
mod scope;
mod structured;
mod triple;

use scope::read_reach;
pub use scope::{Reach, Scope};
use structured::Lines;

/// Policies that one response can name; what comes after is ignored.
pub const MAX_POLICIES: usize = 8;

/// What one response said of the limits that apply to it. Empty (and free of allocation) where it said nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitReadings {
    readings: Vec<Reading>,
    dialect: Option<Dialect>,
    reach: Reach,
    served_at: Option<UnixMillis>,
}

/// What one response said of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The policy's name: the server's own in [`Dialect::Draft10`], the window in [`Dialect::Kong`] (`minute`), the unit
    /// where it is in the header's name (`requests`, `tokens`), else `default`, `x-ratelimit`, `discord`, `shopify`.
    pub policy: Cow<'static, str>,
    /// Which of the server's counters for that policy (draft-10 `pk`, GitHub's resource, Discord's bucket).
    pub partition_key: Option<Box<[u8]>>,
    /// Which calls of a credential take from it, as far as that is not said by the partition key.
    pub scope: Scope,
    /// The quota: how many units fit in the window.
    pub limit: Option<u64>,
    /// The window the quota is for.
    pub window: Option<Duration>,
    /// Units left when the server answered.
    pub remaining: Option<u64>,
    /// Time until the quota is reset or restored, counted from when the server answered. Usually whole seconds.
    pub reset_after: Option<Duration>,
    /// The same as a time of the server's clock, where it was said so. Usually whole seconds.
    pub reset_at: Option<UnixMillis>,
    /// What is counted.
    pub unit: Unit,
}

/// What a policy counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Calls in progress at the same time. So many may be under way, and no more.
    ConcurrentRequests,
    /// Bytes of content. A call without a body may cost none, so that it holds nobody back: it is reported.
    ContentBytes,
    /// Something this client does not know. It is reported.
    Other,
    /// Calls. Each takes one, so that they are paced.
    #[default]
    Requests,
    /// Tokens of a language model. Nobody knows what a call will take, but it takes some: calls are held back where none
    /// are left, and otherwise it is reported.
    Tokens,
}

/// How the headers were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// `Anthropic-RateLimit-*`, with resets as RFC 3339 times.
    Anthropic,
    /// `X-RateLimit-*` with `X-RateLimit-Bucket`.
    Discord,
    /// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`.
    Draft06,
    /// `RateLimit` as a dictionary.
    Draft07,
    /// `RateLimit` as a list of named policies.
    Draft10,
    /// `X-RateLimit-*-Second`, `-Minute`, `-Hour`, `-Day`, `-Month`, `-Year`.
    Kong,
    /// `X-RateLimit-*-Requests` and `X-RateLimit-*-Tokens`.
    PerUnit,
    /// `X-Shopify-Shop-Api-Call-Limit`.
    Shopify,
    /// `X-RateLimit-*` or `X-Rate-Limit-*`.
    XRateLimit,
}

impl LimitReadings {
    /// Whether the response said nothing of limits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty()
    }

    /// What the server's clock showed (`Date`, cut to whole seconds), where a reset is said as a time of it.
    #[must_use]
    pub fn served_at(&self) -> Option<UnixMillis> {
        self.served_at
    }

    /// Which calls a refusal with these headers is meant for.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The dialect that was read.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// The readings, in the server's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Reading> {
        self.readings.iter()
    }
}

impl<'a> IntoIterator for &'a LimitReadings {
    type Item = &'a Reading;
    type IntoIter = std::slice::Iter<'a, Reading>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Reads the rate-limit headers of a response that arrived at `now`.
///
/// Dates and epoch seconds are read against the response's own `Date` where it has one, else against `now.wall`.
#[must_use]
pub fn read_limits(headers: &HeaderMap, now: Now) -> LimitReadings {
    let (present, lines) = Present::in_headers(headers);
    if present == Present::default() {
        return LimitReadings::default();
    }
    let reach = read_reach(headers, present.has(Present::REACH));
    if present.has(Present::STRUCTURED) {
        let readings = structured::read_list(headers, lines);
        if !readings.is_empty() {
            return LimitReadings {
                readings,
                dialect: Some(Dialect::Draft10),
                reach,
                served_at: None,
            };
        }
    }
    let readers: [Reader; 8] = [
        (Present::STRUCTURED, Dialect::Draft07, |headers, _| {
            structured::read_dictionary(headers)
        }),
        (Present::PER_WINDOW, Dialect::Kong, per_window::read_kong),
        (Present::TRIPLE, Dialect::Draft06, triple::read_draft06),
        (Present::PER_UNIT, Dialect::PerUnit, triple::read_per_unit),
        (
            Present::ANTHROPIC,
            Dialect::Anthropic,
            triple::read_anthropic,
        ),
        (
            Present::PREFIXED | Present::BUCKET,
            Dialect::Discord,
            triple::read_discord,
        ),
        (
            Present::PREFIXED,
            Dialect::XRateLimit,
            triple::read_prefixed,
        ),
        (Present::SHOPIFY, Dialect::Shopify, |headers, _| {
            per_window::read_shopify(headers)
        }),
    ];
    for (needed, dialect, read) in readers {
        if !present.has(needed) {
            continue;
        }
        let readings = read(headers, now);
        if !readings.is_empty() {
            let needs_clock = readings.iter().any(|reading| reading.reset_at.is_some());
            return LimitReadings {
                readings,
                dialect: Some(dialect),
                reach,
                served_at: needs_clock.then(|| server_date(headers)).flatten(),
            };
        }
    }
    LimitReadings {
        reach,
        ..LimitReadings::default()
    }
}

/// What of [`Present`] a dialect needs, and what reads it.
type Reader = (u16, Dialect, fn(&HeaderMap, Now) -> Vec<Reading>);

/// Which headers are worth a look, a bit each. Found in one pass over the names, because every response pays for it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Present(u16);

impl Present {
    const STRUCTURED: u16 = 1;
    const TRIPLE: u16 = 1 << 1;
    const PER_WINDOW: u16 = 1 << 2;
    const PER_UNIT: u16 = 1 << 3;
    const ANTHROPIC: u16 = 1 << 4;
    const PREFIXED: u16 = 1 << 5;
    const BUCKET: u16 = 1 << 6;
    const SHOPIFY: u16 = 1 << 7;
    const REACH: u16 = 1 << 8;

    /// Whether all of `bits` are there.
    fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    fn in_headers(headers: &HeaderMap) -> (Self, Lines<'_>) {
        let (mut present, mut lines) = (0, Lines::default());
        for (name, value) in headers {
            let name = name.as_str();
            // Most names are done with here.
            if !matches!(name.as_bytes(), [b'r' | b'x' | b'a' | b's', ..]) {
                continue;
            }
            present |= match name.as_bytes() {
                [b'r', b'a', b't', ..] => match name {
                    // A policy alone says how many calls may be under way.
                    "ratelimit" => {
                        lines.several |= lines.left.replace(value).is_some();
                        Self::STRUCTURED
                    }
                    "ratelimit-policy" => {
                        lines.several |= lines.policies.replace(value).is_some();
                        Self::STRUCTURED
                    }
                    "ratelimit-remaining" => Self::TRIPLE,
                    _ => 0,
                },
                [b'x', b'-', b'r', b'a', b't', ..] => match name {
                    "x-ratelimit-remaining" | "x-rate-limit-remaining" => Self::PREFIXED,
                    "x-ratelimit-remaining-requests" | "x-ratelimit-remaining-tokens" => {
                        Self::PER_UNIT
                    }
                    "x-ratelimit-bucket" => Self::BUCKET,
                    "x-ratelimit-scope" | "x-ratelimit-global" => Self::REACH,
                    _ if name.starts_with("x-ratelimit-remaining-") => Self::PER_WINDOW,
                    _ => 0,
                },
                [b'x', b'-', b's', b'h', ..] if name == "x-shopify-shop-api-call-limit" => {
                    Self::SHOPIFY
                }
                [b'a', b'n', b't', b'h', ..] if name.starts_with("anthropic-ratelimit-") => {
                    Self::ANTHROPIC
                }
                [b's', b't', b'r', b'i', ..] if name == "stripe-rate-limited-reason" => Self::REACH,
                _ => 0,
            };
        }
        (Self(present), lines)
    }
}

#[cfg(test)]
mod tests;
