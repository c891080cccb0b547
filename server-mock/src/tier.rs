//! The tiers of the platform and what each allows.
//!
//! | Tier | Rate | Burst | A day | At once |
//! |---|---|---|---|---|
//! | tiny | 3 per 2 s | 3 | | 10 |
//! | free | 60 per min | 10 | 1 000 | 2 |
//! | starter | 600 per min | 50 | | 10 |
//! | pro | 6 000 per min | 300 | | 50 |
//! | enterprise | 60 000 per min | 3 000 | | 500 |
//! | unlimited | | | | |
//!
//! `tiny` exists to make pacing visible in a test, so its concurrency is 10 and not 1: a client that sends its
//! whole burst at once is paced correctly and must not be refused for it. `unlimited` is for benchmarks and
//! exactly-once runs: no limit and no limit headers.

use serde::{Deserialize, Serialize};

use crate::meter::{Terms, Window};

/// A plan a tenant is on; it decides the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Tier {
    /// 60 000 calls a minute, burst 3 000, 500 at once.
    Enterprise,
    /// 60 calls a minute, burst 10, 1 000 a day, 2 at once.
    Free,
    /// 6 000 calls a minute, burst 300, 50 at once.
    Pro,
    /// 600 calls a minute, burst 50, 10 at once.
    Starter,
    /// 3 calls in 2 s, burst 3, 10 at once.
    Tiny,
    /// No limit, no limit headers.
    Unlimited,
}

/// What a tenant may do; every limit that is set must hold for a call to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Calls in `period_ms`, sustained.
    pub count: u32,
    /// The period `count` refers to, in milliseconds.
    pub period_ms: u64,
    /// Calls let in at once after a rest.
    pub burst: u32,
    /// Calls in one UTC day of the session's clock. Default: none.
    #[serde(default)]
    pub per_day: Option<u32>,
    /// Calls in progress at the same time. Default: none.
    #[serde(default)]
    pub concurrency: Option<u32>,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 6] = [
        Self::Tiny,
        Self::Free,
        Self::Starter,
        Self::Pro,
        Self::Enterprise,
        Self::Unlimited,
    ];

    /// The word used in keys and bodies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Starter => "starter",
            Self::Tiny => "tiny",
            Self::Unlimited => "unlimited",
        }
    }

    /// Reads the word used in keys and bodies.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// The limits of the tier; `None` for `unlimited`.
    pub fn limits(self) -> Option<Limits> {
        let (count, period_ms, burst, per_day, concurrency) = match self {
            Self::Enterprise => (60_000, 60_000, 3_000, None, 500),
            Self::Free => (60, 60_000, 10, Some(1_000), 2),
            Self::Pro => (6_000, 60_000, 300, None, 50),
            Self::Starter => (600, 60_000, 50, None, 10),
            Self::Tiny => (3, 2_000, 3, None, 10),
            Self::Unlimited => return None,
        };
        Some(Limits {
            count,
            period_ms,
            burst,
            per_day,
            concurrency: Some(concurrency),
        })
    }
}

impl Limits {
    /// The rate and the burst.
    pub(crate) fn terms(&self, window: Window) -> Terms {
        Terms {
            count: self.count,
            period_ms: self.period_ms,
            burst: self.burst,
            window,
        }
    }

    /// Why these limits cannot be enforced, if they cannot.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.count == 0 || self.burst == 0 {
            return Some("count and burst must be at least 1");
        }
        if self.per_day == Some(0) || self.concurrency == Some(0) {
            return Some("per_day and concurrency must be at least 1: no wait would ever help");
        }
        if self.period_ms == 0 || self.period_ms > 366 * 86_400_000 {
            return Some("period_ms must be between 1 and 31622400000");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_is_found_by_its_name() {
        for tier in Tier::ALL {
            assert_eq!(Tier::from_name(tier.name()), Some(tier));
        }
        assert_eq!(Tier::from_name("Pro"), None);
    }
}
