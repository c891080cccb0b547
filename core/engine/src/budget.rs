//! How many retries a host may cost: a token bucket that successes refill (as in the AWS SDKs'
//! standard retry mode), so that a dead server sees little more than the load it would see anyway.

use crate::defaults;

/// What a retry is to be paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryCost {
    /// A retry after an answer or a broken connection.
    Plain,
    /// A retry after a timeout: dearer, the server may still be at work on the first.
    AfterTimeout,
}

impl RetryCost {
    pub(crate) const fn tokens(self) -> u32 {
        match self {
            Self::Plain => defaults::RETRY_COST,
            Self::AfterTimeout => defaults::TIMEOUT_RETRY_COST,
        }
    }
}

/// The retry budget of one client and host.
#[derive(Clone, Debug)]
pub struct Budget {
    capacity: u32,
    left: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(defaults::BUDGET_TOKENS)
    }
}

impl Budget {
    /// A full budget of `capacity` tokens.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Self {
            capacity,
            left: capacity,
        }
    }

    /// Tokens left.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.left
    }

    /// The most it can hold.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Pays for a retry, and answers what was taken; `None` where it cannot be afforded.
    pub fn take(&mut self, cost: RetryCost) -> Option<u32> {
        let tokens = cost.tokens();
        self.left = self.left.checked_sub(tokens)?;
        Some(tokens)
    }

    /// A call succeeded: it gives back what its last retry took, or one token.
    pub fn refund(&mut self, taken: Option<u32>) {
        let tokens = taken.unwrap_or(defaults::SUCCESS_REFUND);
        self.left = self.left.saturating_add(tokens).min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_server_gets_a_hundred_retries_and_no_more() {
        let mut budget = Budget::default();
        let granted = (0..1_000)
            .filter(|_| budget.take(RetryCost::Plain).is_some())
            .count();
        assert_eq!((granted, budget.left()), (100, 0));
    }

    #[test]
    fn retries_after_timeouts_cost_double() {
        let mut budget = Budget::default();
        assert_eq!(budget.take(RetryCost::AfterTimeout), Some(10));
        assert_eq!(budget.left(), 490);
    }

    #[test]
    fn success_gives_back_what_its_retry_took_and_never_overfills() {
        let mut budget = Budget::default();
        let taken = budget.take(RetryCost::Plain);
        budget.refund(taken);
        assert_eq!(budget.left(), 500);
        budget.refund(None);
        assert_eq!(budget.left(), 500);
    }
}
