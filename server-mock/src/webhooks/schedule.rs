//! When a delivery is tried again: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, each ±20 %, or later where its receiver asks
//! for that (`Retry-After`, RFC 9110, section 10.2.3), within a bound.

use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::clock::{MS, NS};
use crate::stable_hash::{stable_hash, unit};

const DAY_MS: u64 = 86_400_000;
const MAX_RETRIES: usize = 20;
const MAX_DELAY_MS: u64 = 30 * DAY_MS;
const MAX_TIMEOUT_MS: u64 = 30_000;

/// How a session delivers webhooks. A change replaces all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct WebhookOptions {
    /// Milliseconds of the session's clock before each further attempt, ±20 %; at most 20 of at most 30 days. Default: 5 s, 5 min,
    /// 30 min, 2 h, 5 h, 10 h, 10 h.
    pub delays_ms: Vec<u64>,
    /// The longest wait a receiver's `Retry-After` can ask for, in milliseconds, at most 30 days. Default: 24 h; 0 passes it over.
    pub max_retry_after_ms: u64,
    /// Real milliseconds an attempt may take, from looking up the name to the answer's headers, where the endpoint does not say;
    /// 1 to 30 000. Default: 10 000.
    pub timeout_ms: u64,
    /// Real milliseconds connecting to one address may take, 1 to 30 000. Default: 3 000.
    pub connect_timeout_ms: u64,
    /// Whether endpoints that keep failing are disabled. Default: true.
    pub disable_failing: bool,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        Self {
            delays_ms: seconds.map(|s| s * 1_000).into(),
            max_retry_after_ms: DAY_MS,
            timeout_ms: 10_000,
            connect_timeout_ms: 3_000,
            disable_failing: true,
        }
    }
}

impl WebhookOptions {
    /// Why it cannot be so, if it cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.delays_ms.len() > MAX_RETRIES {
            return Err(format!("delays_ms: at most {MAX_RETRIES}"));
        }
        let waits = self.delays_ms.iter().chain([&self.max_retry_after_ms]);
        if waits.into_iter().any(|ms| *ms > MAX_DELAY_MS) {
            return Err("no wait may be longer than 30 days".into());
        }
        for (name, ms) in [
            ("timeout_ms", self.timeout_ms),
            ("connect_timeout_ms", self.connect_timeout_ms),
        ] {
            if !(1..=MAX_TIMEOUT_MS).contains(&ms) {
                return Err(format!("{name} must be 1 to {MAX_TIMEOUT_MS}, got {ms}"));
            }
        }
        Ok(())
    }

    /// The wait after the `attempts`-th attempt failed, ±20 % by hash; none after the last.
    pub(crate) fn wait_ns(&self, attempts: usize, delivery: u64, seed: u64) -> Option<u64> {
        let delay_ms = self.delays_ms.get(attempts.checked_sub(1)?)?;
        let hash = stable_hash(&[
            b"jitter",
            &seed.to_le_bytes(),
            &delivery.to_le_bytes(),
            &(attempts as u64).to_le_bytes(),
        ]);
        Some((*delay_ms as f64 * MS as f64 * (0.8 + 0.4 * unit(hash))) as u64)
    }

    /// What a receiver asks to wait at `now_ns`, as far as that is respected.
    pub(crate) fn asked_ns(&self, retry_after: Option<&str>, now_ns: u64) -> Option<u64> {
        let most_ns = self.max_retry_after_ms.saturating_mul(MS);
        let asked_ns = retry_after_ns(retry_after?.trim(), now_ns)?;
        Some(asked_ns.min(most_ns)).filter(|ns| *ns > 0)
    }
}

/// Seconds, or a date of the session's clock.
fn retry_after_ns(text: &str, now_ns: u64) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only so many digits that no clock could show: as long as it gets.
        return Some(text.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(NS));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let seconds = date.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(seconds.saturating_mul(NS).saturating_sub(now_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_schedule_within_a_fifth() {
        let options = WebhookOptions::default();
        let expected = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        for delivery in 1..200 {
            for (attempt, delay_s) in expected.iter().enumerate() {
                let wait_ns = options.wait_ns(attempt + 1, delivery, 9).unwrap();
                let share = wait_ns as f64 / (delay_s * NS) as f64;
                assert!((0.8..=1.2).contains(&share), "attempt {attempt}: {share}");
            }
            assert_eq!(options.wait_ns(8, delivery, 9), None);
            assert_eq!(options.wait_ns(0, delivery, 9), None);
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let options = WebhookOptions::default();
        let now_ns = 784_111_777 * NS;
        for (text, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("0", None),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            // In the past.
            ("Sun, 06 Nov 1994 08:49:00 GMT", None),
            ("86401", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let asked = options.asked_ns(Some(text), now_ns);
            assert_eq!(asked, seconds.map(|s| s * NS), "{text}");
        }
        assert_eq!(options.asked_ns(None, now_ns), None);
        let none = WebhookOptions {
            max_retry_after_ms: 0,
            ..options
        };
        assert_eq!(none.asked_ns(Some("120"), now_ns), None);
    }
}
