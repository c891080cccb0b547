//! Attempts to deliver webhooks, by outcome.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Exposition;

const ATTEMPTS: &str = "gatewright_webhook_attempts_total";
const OUTCOMES: [&str; 4] = ["delivered", "gone", "refused", "unanswered"];

/// Attempts so far: 2xx, 410, any other status, and no answer.
#[derive(Default)]
pub(super) struct WebhookCounts([AtomicU64; OUTCOMES.len()]);

impl WebhookCounts {
    pub(super) fn attempt(&self, status: Option<u16>) {
        let at = match status {
            Some(200..300) => 0,
            Some(410) => 1,
            Some(_) => 2,
            None => 3,
        };
        if let Some(count) = self.0.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn write(&self, text: &mut Exposition) {
        text.family(
            ATTEMPTS,
            "counter",
            "Attempts to deliver webhooks by outcome.",
        );
        for (outcome, count) in OUTCOMES.iter().zip(&self.0) {
            let count = count.load(Ordering::Relaxed) as f64;
            text.sample(ATTEMPTS, &[("outcome", outcome)], count);
        }
    }
}
