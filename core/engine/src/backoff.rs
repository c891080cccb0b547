//! How long to wait before a retry where the server named no time: capped exponential backoff
//! with full jitter, `rand(0, min(cap, base * 2^n))`. After 429 and 503 at least half of it, because
//! full jitter alone can hit a throttled server again at once.

use std::time::Duration;

use crate::defaults;
use crate::time::Random;

/// The formula's two parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait. Default 0.5 s.
    pub base: Duration,
    /// Upper bound of every wait. Default 8 s.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: defaults::BACKOFF_BASE,
            cap: defaults::BACKOFF_CAP,
        }
    }
}

/// Whether the wait may come close to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Anything from zero up.
    Full,
    /// The upper half: the server said that it is overloaded.
    UpperHalf,
}

impl Backoff {
    /// The wait before retry number `retry` (0 for the first).
    pub fn wait(&self, retry: u32, jitter: Jitter, random: &mut dyn Random) -> Duration {
        let factor = 1u32.checked_shl(retry).unwrap_or(u32::MAX);
        let bound = self.base.saturating_mul(factor).min(self.cap);
        let share = match jitter {
            Jitter::Full => random.next_unit(),
            Jitter::UpperHalf => 0.5 + random.next_unit() / 2.0,
        };
        share_of(bound, share)
    }
}

/// `share` (0 to 1) of `whole`, without the panics of `Duration::mul_f64`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "float casts saturate, and a wait needs no exact nanosecond"
)]
pub(crate) fn share_of(whole: Duration, share: f64) -> Duration {
    let nanos = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos((nanos as f64 * share.clamp(0.0, 1.0)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(f64);
    impl Random for Fixed {
        fn next_u64(&mut self) -> u64 {
            (self.0 * u64::MAX as f64) as u64
        }
    }

    #[test]
    fn bounds_double_up_to_the_cap() {
        let top = |n| {
            Backoff::default()
                .wait(n, Jitter::Full, &mut Fixed(1.0))
                .as_millis()
        };
        assert_eq!(
            [top(0), top(1), top(2), top(3), top(4)],
            [499, 999, 1999, 3999, 7999]
        );
        assert_eq!(top(5), 7999);
    }

    #[test]
    fn no_retry_number_overflows() {
        for n in [31, 32, 33, 63, 64, u32::MAX] {
            assert!(
                Backoff::default().wait(n, Jitter::Full, &mut Fixed(1.0)) <= defaults::BACKOFF_CAP
            );
        }
    }

    #[test]
    fn overloaded_servers_get_at_least_half_the_bound() {
        let wait = Backoff::default().wait(1, Jitter::UpperHalf, &mut Fixed(0.0));
        assert_eq!(wait, Duration::from_millis(500));
        assert_eq!(
            Backoff::default().wait(1, Jitter::Full, &mut Fixed(0.0)),
            Duration::ZERO
        );
    }
}
