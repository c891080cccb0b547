//! What must hold, by name, and that it did not.

use std::fmt;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// No call has more attempts than allowed; a 401 is repeated once, with a new token.
    Attempts,
    /// A host that is down is left alone but for a probe now and then.
    Breaker,
    /// No more attempts are under way than allowed.
    Concurrency,
    /// Nothing is sent after a deadline, and no call lives longer.
    Deadline,
    /// Every call ends.
    Ends,
    /// A request has one second copy at most, which makes one attempt, once its answer is slow, and only where nothing changes.
    Hedge,
    /// The quota that the user set is kept.
    LocalQuota,
    /// A call takes effect once at most, and with it each key.
    OneEffect,
    /// Who came first goes first.
    Order,
    /// When all is over nothing is taken, and calls go again.
    Permits,
    /// A client that is alone and is told the truth is hardly ever refused.
    Quota,
    /// The record of a call says what happened.
    Record,
    /// Redirects are few, stay where they may, and take no credential elsewhere.
    Redirects,
    /// Nobody comes back before the time that the gateway named.
    RetryAfter,
    /// Retries do not go beyond what the budget pays for.
    RetryLoad,
    /// After a 401 another token is used.
    Token,
}

impl Invariant {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Attempts,
        Self::Breaker,
        Self::Concurrency,
        Self::Deadline,
        Self::Ends,
        Self::Hedge,
        Self::LocalQuota,
        Self::OneEffect,
        Self::Order,
        Self::Permits,
        Self::Quota,
        Self::Record,
        Self::Redirects,
        Self::RetryAfter,
        Self::RetryLoad,
        Self::Token,
    ];
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempts => "never more than the attempts",
            Self::Breaker => "a host that is down is left alone",
            Self::Concurrency => "never more at once than allowed",
            Self::Deadline => "never past the deadline",
            Self::Ends => "every call ends",
            Self::Hedge => "one second copy, and only of what is slow",
            Self::LocalQuota => "the user's own quota is kept",
            Self::OneEffect => "at most one side effect",
            Self::Order => "first come, first served",
            Self::Permits => "permits always come back",
            Self::Quota => "admitted calls are within the quota",
            Self::Record => "the record is what happened",
            Self::Redirects => "redirects stay where they may",
            Self::RetryAfter => "never earlier than Retry-After",
            Self::RetryLoad => "retries are within the budget",
            Self::Token => "a refused token is not used again",
        })
    }
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, in milliseconds of real time.
    pub at: u64,
    /// The number of the call, where it was one.
    pub call: Option<u32>,
    /// What happened instead.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: at {} ms", self.invariant, self.at)?;
        if let Some(call) = self.call {
            write!(f, ", call {call}")?;
        }
        write!(f, ": {}", self.what)
    }
}
