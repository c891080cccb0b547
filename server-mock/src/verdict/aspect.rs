//! What is judged: the name of each aspect, what is asked of a client, where that is from, and what to do.

use serde::Serialize;

/// One thing a client does well or badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Aspect {
    /// A wait that the server asked for is kept before the same call comes again.
    RetryAfter,
    /// Other calls are held back too while the server asks for a pause.
    Pause,
    /// Calls are not sent when the server has said that none is left.
    RateLimit,
    /// Without a word from the server there is a wait before each attempt, and it grows.
    Backoff,
    /// Waits differ between calls, so that clients do not come back together.
    Jitter,
    /// A call ends after a few attempts.
    Attempts,
    /// What cannot succeed is not sent again.
    FinalErrors,
    /// What passes is sent again where that does no harm.
    Recovery,
    /// What might have been done is not sent again without an idempotency key.
    UnsafeRetry,
    /// All attempts of a call have one idempotency key, and no other call has it.
    IdempotencyKey,
    /// Nothing is done twice.
    SideEffects,
    /// A server that is down is left alone.
    Outage,
    /// A server that does not answer is not waited for without end.
    Timeout,
    /// Connections are used again.
    Connections,
}

impl Aspect {
    /// Every aspect, in the order of reports.
    pub const ALL: [Self; 14] = [
        Self::RetryAfter,
        Self::Pause,
        Self::RateLimit,
        Self::Backoff,
        Self::Jitter,
        Self::Attempts,
        Self::FinalErrors,
        Self::Recovery,
        Self::UnsafeRetry,
        Self::IdempotencyKey,
        Self::SideEffects,
        Self::Outage,
        Self::Timeout,
        Self::Connections,
    ];

    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::RetryAfter => "retry-after",
            Self::Pause => "pause",
            Self::RateLimit => "rate-limit",
            Self::Backoff => "backoff",
            Self::Jitter => "jitter",
            Self::Attempts => "attempts",
            Self::FinalErrors => "final-errors",
            Self::Recovery => "recovery",
            Self::UnsafeRetry => "unsafe-retry",
            Self::IdempotencyKey => "idempotency-key",
            Self::SideEffects => "side-effects",
            Self::Outage => "outage",
            Self::Timeout => "timeout",
            Self::Connections => "connections",
        }
    }

    /// What is asked of a client.
    pub fn asks(self) -> &'static str {
        match self {
            Self::RetryAfter => "waits as long as Retry-After says before it tries again",
            Self::Pause => "holds other calls back while Retry-After runs",
            Self::RateLimit => "does not send when the limit headers say that nothing is left",
            Self::Backoff => "waits before each attempt, longer each time",
            Self::Jitter => "spreads its waits by chance",
            Self::Attempts => "stops after a few attempts",
            Self::FinalErrors => "does not repeat what cannot succeed",
            Self::Recovery => "tries again where that is safe",
            Self::UnsafeRetry => {
                "does not repeat a POST or PATCH that may have been done, without a key"
            }
            Self::IdempotencyKey => "sends one idempotency key with all attempts of a call",
            Self::SideEffects => "makes nothing happen twice",
            Self::Outage => "leaves a server alone that is down",
            Self::Timeout => "does not wait for ever",
            Self::Connections => "uses connections again",
        }
    }

    /// What to do where it is not kept.
    pub fn advice(self) -> &'static str {
        match self {
            Self::RetryAfter => {
                "take Retry-After as the least wait, in seconds, as a date and as Retry-After-Ms; where it is too long, give up and say so"
            }
            Self::Pause => {
                "share the pause between all calls of the same credential, so that they do not run into the same refusal one by one"
            }
            Self::RateLimit => {
                "read RateLimit (r, t) or X-RateLimit-Remaining and wait for the reset before sending, not after the 429"
            }
            Self::Backoff => {
                "wait a random time up to 0.5 s × 2ⁿ, and on 429 and 503 at least half of it"
            }
            Self::Jitter => {
                "choose each wait at random (full jitter), not only by the attempt's number"
            }
            Self::Attempts => {
                "three attempts in all are enough for nearly everything; bound their time too"
            }
            Self::FinalErrors => {
                "repeat only 408, 425, 429, 5xx and broken connections; 409 only where a key is still in flight"
            }
            Self::Recovery => {
                "repeat GET, PUT and DELETE, and POST with an idempotency key, after 5xx, 429 and broken connections"
            }
            Self::UnsafeRetry => {
                "send an Idempotency-Key with every POST and PATCH, or do not repeat them and say that the outcome is unknown"
            }
            Self::IdempotencyKey => {
                "make the key once for each call, before its first attempt, and keep it"
            }
            Self::SideEffects => "send the same Idempotency-Key with each attempt",
            Self::Outage => {
                "open a circuit breaker after so many failures and send one probe now and then"
            }
            Self::Timeout => "set a timeout for each attempt and a deadline for the whole call",
            Self::Connections => {
                "keep one pool of connections for the life of the program, and read answers to their end"
            }
        }
    }

    /// Where what is asked comes from.
    pub fn source(self) -> &'static str {
        match self {
            Self::RetryAfter => "RFC 9110, section 10.2.3; RFC 6585, section 4",
            Self::Pause => "RFC 6585, section 4; RFC 9110, section 15.6.4",
            Self::RateLimit => "draft-ietf-httpapi-ratelimit-headers-10",
            Self::Backoff => "RFC 9110, section 9.2.2; Google SRE book, chapter 22",
            Self::Jitter => "AWS Architecture Blog, Exponential Backoff And Jitter (2015)",
            Self::Attempts => "Google SRE book, chapter 21: three attempts for a request",
            Self::FinalErrors => "RFC 9110, section 15.5",
            Self::Recovery => "RFC 9110, sections 9.2.2 and 15.6",
            Self::UnsafeRetry => "RFC 9110, section 9.2.2",
            Self::IdempotencyKey => "draft-ietf-httpapi-idempotency-key-header",
            Self::SideEffects => {
                "RFC 9110, section 9.2.2; draft-ietf-httpapi-idempotency-key-header"
            }
            Self::Outage => "Google SRE book, chapter 22; Nygard, Release It!, Circuit Breaker",
            Self::Timeout => "Nygard, Release It!, Timeouts",
            Self::Connections => "RFC 9112, section 9.3",
        }
    }
}
