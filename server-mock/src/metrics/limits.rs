//! Decisions of the rate limits, by tier and outcome.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Exposition;
use crate::quota::Violated;
use crate::tier::Tier;

const DECISIONS: &str = "gatewright_rate_limit_decisions_total";
const VIOLATIONS: &str = "gatewright_rate_limit_violations_total";
/// What can refuse a call; policies of a session are one, or users would name labels.
const LIMITS: [&str; 4] = ["burst", "day", "concurrency", "policy"];

#[derive(Default)]
struct OfTier {
    allowed: AtomicU64,
    refused: AtomicU64,
    violated: [AtomicU64; LIMITS.len()],
}

/// Decisions so far.
#[derive(Default)]
pub(crate) struct LimitCounts([OfTier; Tier::ALL.len()]);

impl LimitCounts {
    /// Counts a decision; without a violated limit the call was let in.
    pub(crate) fn decided(&self, tier: Tier, violated: &[Violated]) {
        let at = Tier::ALL.iter().position(|known| *known == tier);
        let Some(of) = at.and_then(|at| self.0.get(at)) else {
            return;
        };
        if violated.is_empty() {
            of.allowed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        of.refused.fetch_add(1, Ordering::Relaxed);
        for why in violated {
            let at = match why {
                Violated::Burst => 0,
                Violated::Day => 1,
                Violated::Concurrency => 2,
                Violated::Policy(_) => 3,
            };
            if let Some(count) = of.violated.get(at) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn write(&self, text: &mut Exposition) {
        let tiers = || Tier::ALL.iter().zip(&self.0);
        let of_limits = || tiers().filter(|(tier, _)| **tier != Tier::Unlimited);
        text.family(
            DECISIONS,
            "counter",
            "Decisions of the rate limits by tier and outcome.",
        );
        for (tier, of) in of_limits() {
            for (outcome, count) in [("allowed", &of.allowed), ("refused", &of.refused)] {
                let labels = [("tier", tier.name()), ("outcome", outcome)];
                text.sample(DECISIONS, &labels, count.load(Ordering::Relaxed) as f64);
            }
        }
        text.family(
            VIOLATIONS,
            "counter",
            "Limits that refused calls; one call may violate several.",
        );
        for (tier, of) in of_limits() {
            for (limit, count) in LIMITS.iter().zip(&of.violated) {
                let labels = [("tier", tier.name()), ("limit", *limit)];
                text.sample(VIOLATIONS, &labels, count.load(Ordering::Relaxed) as f64);
            }
        }
    }
}
