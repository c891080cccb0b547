//! How often a transfer that breaks is taken up again, and when: attempts, backoff, and the host's retry budget as for retries.
//!
//! | A break | and | Then | Test |
//! |---|---|---|---|
//! | with progress before it | | again after a backoff; the count is 1 | `progress_sets_the_count_back` |
//! | without progress | fewer in a row than `max_attempts` | again after a longer backoff | `what_brings_nothing_is_given_up_after_as_many_attempts` |
//! | without progress | as many in a row | given up: out of attempts | `what_brings_nothing_is_given_up_after_as_many_attempts` |
//! | any | the server asks for more patience than `max_wait` | given up | `a_server_that_asks_for_too_much_patience_is_not_waited_for` |
//! | any | the budget of the host is used up | given up | `a_budget_that_is_used_up_ends_it` |
//!
//! A resumption takes from the budget what a retry takes; a transfer that ends well gives back what its last one took.

use std::time::Duration;

use crate::backoff::{Backoff, Jitter};
use crate::budget::RetryCost;
use crate::host::Host;
use crate::retry::NoRetry;
use crate::time::Random;

/// What is known of the breaks of one transfer.
#[derive(Clone, Debug)]
pub struct Resume {
    /// How waits grow.
    pub backoff: Backoff,
    /// Breaks in a row without progress, before it is given up.
    pub max_attempts: u32,
    /// The most patience that a server may ask for.
    pub max_wait: Duration,
    fruitful: bool,
    fruitless: u32,
    paid: Option<u32>,
}

impl Resume {
    /// For a transfer that begins.
    #[must_use]
    pub const fn new(backoff: Backoff, max_attempts: u32, max_wait: Duration) -> Self {
        Self {
            backoff,
            max_attempts,
            max_wait,
            fruitful: false,
            fruitless: 0,
            paid: None,
        }
    }

    /// The transfer came further.
    pub const fn on_progress(&mut self) {
        self.fruitful = true;
    }

    /// It was too slow: what came does not count as progress, or a trickle would go on for ever.
    pub const fn on_stalled(&mut self) {
        self.fruitful = false;
    }

    /// It broke. `asked` is how long the server asks to wait. Says how long to wait before the next attempt.
    ///
    /// # Errors
    /// Why there is none.
    pub fn on_broken(
        &mut self,
        cost: RetryCost,
        asked: Option<Duration>,
        host: &Host,
        random: &mut dyn Random,
    ) -> Result<Duration, NoRetry> {
        if std::mem::take(&mut self.fruitful) {
            self.fruitless = 0;
        }
        if self.fruitless.saturating_add(1) >= self.max_attempts {
            self.fruitless = 0;
            return Err(NoRetry::OutOfAttempts);
        }
        let asked = asked.unwrap_or_default();
        if asked > self.max_wait {
            return Err(NoRetry::RetryAfterTooLong);
        }
        self.paid = Some(host.pay(cost).ok_or(NoRetry::OutOfBudget)?);
        let backoff = self.backoff.wait(self.fruitless, Jitter::Full, random);
        self.fruitless = self.fruitless.saturating_add(1);
        Ok(backoff.max(asked))
    }

    /// It ended well.
    pub fn on_done(&mut self, host: &Host) {
        if let Some(taken) = self.paid.take() {
            host.give_back(taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Engine;
    use crate::pacing::PacingSettings;
    use crate::retry::RetryPolicy;
    use crate::time::Instant;
    use std::sync::Arc;

    /// Always the upper end.
    struct Most;
    impl Random for Most {
        fn next_u64(&mut self) -> u64 {
            u64::MAX
        }
    }

    fn host(budget: u32) -> Arc<Host> {
        let policy = RetryPolicy {
            budget,
            ..RetryPolicy::default()
        };
        Engine::new(policy, PacingSettings::default()).host("https://h.example")
    }

    fn fresh() -> Resume {
        let backoff = Backoff {
            base: Duration::from_millis(100),
            cap: Duration::from_millis(300),
        };
        Resume::new(backoff, 3, Duration::from_secs(60))
    }

    fn broken(resume: &mut Resume, host: &Host) -> Result<u128, NoRetry> {
        resume
            .on_broken(RetryCost::Plain, None, host, &mut Most)
            .map(|wait| (wait.as_micros() + 500) / 1000)
    }

    fn left(host: &Host) -> u32 {
        host.state(Instant::ORIGIN).budget_left
    }

    #[test]
    fn what_brings_nothing_is_given_up_after_as_many_attempts() {
        let (mut resume, host) = (fresh(), host(500));
        assert_eq!(broken(&mut resume, &host), Ok(100));
        assert_eq!(broken(&mut resume, &host), Ok(200));
        assert_eq!(broken(&mut resume, &host), Err(NoRetry::OutOfAttempts));
        // Whoever asks on begins anew.
        assert_eq!(broken(&mut resume, &host), Ok(100));
    }

    #[test]
    fn progress_sets_the_count_back() {
        let (mut resume, host) = (fresh(), host(500));
        for _ in 0..50 {
            resume.on_progress();
            assert_eq!(broken(&mut resume, &host), Ok(100));
        }
        resume.on_progress();
        resume.on_stalled();
        assert_eq!(broken(&mut resume, &host), Ok(200), "a trickle is none");
    }

    #[test]
    fn a_server_that_asks_for_too_much_patience_is_not_waited_for() {
        let (mut resume, host) = (fresh(), host(500));
        let mut asked = |asked| resume.on_broken(RetryCost::Plain, Some(asked), &host, &mut Most);
        assert_eq!(asked(Duration::from_secs(2)), Ok(Duration::from_secs(2)));
        assert_eq!(
            asked(Duration::from_secs(61)),
            Err(NoRetry::RetryAfterTooLong)
        );
    }

    #[test]
    fn a_budget_that_is_used_up_ends_it() {
        let (mut resume, host) = (fresh(), host(10));
        for left_then in [5, 0] {
            resume.on_progress();
            assert!(broken(&mut resume, &host).is_ok());
            assert_eq!(left(&host), left_then);
        }
        resume.on_progress();
        assert_eq!(broken(&mut resume, &host), Err(NoRetry::OutOfBudget));
    }

    #[test]
    fn a_transfer_that_ends_well_gives_back_what_its_last_resumption_took() {
        let (mut resume, host) = (fresh(), host(500));
        resume.on_progress();
        assert!(broken(&mut resume, &host).is_ok());
        assert_eq!(left(&host), 495);
        resume.on_done(&host);
        resume.on_done(&host);
        assert_eq!(left(&host), 500);
    }
}
