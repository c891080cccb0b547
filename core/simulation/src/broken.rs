//! Rules that are switched off on purpose, one at a time, to show that the invariants would notice.
//!
//! Each breaks something at the boundary of the engine: its settings, what goes in, what is made of what comes out. None
//! needs a hook in the engine itself.

use std::fmt;

use crate::check::Invariant;

/// A rule that is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenRule {
    /// Every request counts as safe to repeat.
    AllRepeatable,
    /// The engine is given one attempt more than the user allowed.
    AttemptMore,
    /// The breaker is not given to the engine.
    BreakerOff,
    /// The breaker does not stay open for longer after a probe that failed.
    BreakerRestless,
    /// The retry budget has no bound.
    BudgetUnbounded,
    /// A call that is cancelled does not say so.
    CancelForgotten,
    /// The limit of attempts at once is not given to the engine.
    ConcurrencyOff,
    /// The engine is not told the call's deadline.
    DeadlineIgnored,
    /// The second copy of a request is not the last.
    HedgeTwice,
    /// The second copy of a request is a call like any other, which is retried.
    HedgeUnbounded,
    /// Each attempt goes with an idempotency key of its own.
    KeyPerAttempt,
    /// What the gateway says of its quotas does not reach the engine.
    LimitsHidden,
    /// A redirect to another host takes the credential along.
    CredentialTravels,
    /// What the gateway says of its quotas in the manner of draft-06 does not reach the engine.
    Draft06Hidden,
    /// What the gateway says of its quotas with fractions of a second does not reach the engine.
    FractionsHidden,
    /// What the gateway says of its quotas in the manner of GitHub does not reach the engine.
    GitHubHidden,
    /// The user's own quota is not given to the engine.
    LocalQuotaOff,
    /// What the gateway says of its quotas in the manner of OpenAI does not reach the engine.
    OpenAiHidden,
    /// Calls are not held back.
    PacingOff,
    /// A waiting call takes a new place in line when it first asks again.
    PlaceLost,
    /// The record of a call is not what happened.
    RecordTampered,
    /// Redirects lead to any host.
    RedirectAnywhere,
    /// Any number of redirects is followed.
    RedirectsUnbounded,
    /// `Retry-After` does not reach the engine.
    RetryAfterHidden,
    /// What the engine says to wait before a retry is not waited.
    RetryAtOnce,
    /// A call that waits is not asked again when its time has come.
    TimerForgotten,
    /// A token that was refused is used again.
    TokenKept,
}

impl BrokenRule {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::AllRepeatable,
        Self::AttemptMore,
        Self::BreakerOff,
        Self::BreakerRestless,
        Self::BudgetUnbounded,
        Self::CancelForgotten,
        Self::ConcurrencyOff,
        Self::CredentialTravels,
        Self::DeadlineIgnored,
        Self::Draft06Hidden,
        Self::FractionsHidden,
        Self::GitHubHidden,
        Self::HedgeTwice,
        Self::HedgeUnbounded,
        Self::KeyPerAttempt,
        Self::LimitsHidden,
        Self::LocalQuotaOff,
        Self::OpenAiHidden,
        Self::PacingOff,
        Self::PlaceLost,
        Self::RecordTampered,
        Self::RedirectAnywhere,
        Self::RedirectsUnbounded,
        Self::RetryAfterHidden,
        Self::RetryAtOnce,
        Self::TimerForgotten,
        Self::TokenKept,
    ];

    /// The invariant that is broken with it.
    #[must_use]
    pub const fn breaks(self) -> Invariant {
        match self {
            Self::AllRepeatable | Self::KeyPerAttempt => Invariant::OneEffect,
            Self::AttemptMore => Invariant::Attempts,
            Self::BreakerOff | Self::BreakerRestless => Invariant::Breaker,
            Self::ConcurrencyOff => Invariant::Concurrency,
            Self::BudgetUnbounded => Invariant::RetryLoad,
            Self::CancelForgotten => Invariant::Permits,
            Self::DeadlineIgnored => Invariant::Deadline,
            Self::Draft06Hidden
            | Self::FractionsHidden
            | Self::GitHubHidden
            | Self::LimitsHidden
            | Self::OpenAiHidden
            | Self::PacingOff => Invariant::Quota,
            Self::CredentialTravels | Self::RedirectAnywhere | Self::RedirectsUnbounded => {
                Invariant::Redirects
            }
            Self::HedgeTwice | Self::HedgeUnbounded => Invariant::Hedge,
            Self::LocalQuotaOff => Invariant::LocalQuota,
            Self::PlaceLost => Invariant::Order,
            Self::RecordTampered => Invariant::Record,
            Self::RetryAfterHidden | Self::RetryAtOnce => Invariant::RetryAfter,
            Self::TimerForgotten => Invariant::Ends,
            Self::TokenKept => Invariant::Token,
        }
    }
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
