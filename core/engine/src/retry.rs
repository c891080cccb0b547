//! Is this failure retried? The table of `docs/decisions/0002-defaults.md` as a pure function.
//!
//! | What happened | Retried |
//! |---|---|
//! | nothing was processed: connect failed, REFUSED_STREAM, GOAWAY | always |
//! | broken off after sending: reset, incomplete answer, timeout | if idempotent, by method or by key |
//! | 408, 425, 429 | always |
//! | 500, 502, 503, 504 | if idempotent |
//! | 409 that says an idempotent request is in flight | yes |
//! | 401 | once, with a new token (`call.rs`) |
//! | all else | never |
//!
//! A server's own `x-should-retry: true|false` wins over the table.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use crate::backoff::{Backoff, Jitter};
use crate::budget::RetryCost;
use crate::defaults;
use crate::problem::Problem;

/// How one client retries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, at least 1. Default 3.
    pub max_attempts: u32,
    /// The wait where the server names none.
    pub backoff: Backoff,
    /// The longest Retry-After that is waited out. Default 60 s.
    pub max_retry_after: Duration,
    /// Tokens of the retry budget of each host. Default 500.
    pub budget: u32,
    /// The header by which a server overrules the table. Default `x-should-retry`.
    pub should_retry_header: HeaderName,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: defaults::MAX_ATTEMPTS,
            backoff: Backoff::default(),
            max_retry_after: defaults::MAX_RETRY_AFTER,
            budget: defaults::BUDGET_TOKENS,
            should_retry_header: HeaderName::from_static("x-should-retry"),
        }
    }
}

/// How an attempt failed without a complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The request's own body stream failed.
    BodySource,
    /// No connection: refused, no route, DNS.
    Connect,
    /// No connection in time.
    ConnectTimeout,
    /// The connection broke after sending: reset, closed, answer incomplete.
    ConnectionLost,
    /// The body came whole, but its encoding (gzip) is broken.
    Decode,
    /// A redirect whose target the host keeps to itself, as browsers do.
    HiddenRedirect,
    /// A hook of the caller's refused the attempt.
    Hook,
    /// The server said that it did not process the request (REFUSED_STREAM, GOAWAY).
    NotProcessed,
    /// What came is no HTTP.
    Protocol,
    /// The next piece of the body did not come in time.
    ReadTimeout,
    /// The body is larger than the caller allows.
    ResponseTooLarge,
    /// No answer in time.
    Timeout,
    /// The TLS handshake failed.
    Tls,
}

impl FailureClass {
    /// Every class.
    pub const ALL: &[Self] = &[
        Self::BodySource,
        Self::Connect,
        Self::ConnectTimeout,
        Self::ConnectionLost,
        Self::Decode,
        Self::HiddenRedirect,
        Self::Hook,
        Self::NotProcessed,
        Self::Protocol,
        Self::ReadTimeout,
        Self::ResponseTooLarge,
        Self::Timeout,
        Self::Tls,
    ];

    /// A stable name, such as `connection_lost`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodySource => "body_source",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectionLost => "connection_lost",
            Self::Decode => "decode",
            Self::HiddenRedirect => "hidden_redirect",
            Self::Hook => "hook",
            Self::NotProcessed => "not_processed",
            Self::Protocol => "protocol",
            Self::ReadTimeout => "read_timeout",
            Self::ResponseTooLarge => "response_too_large",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodySource => "request body failed",
            Self::Connect => "no connection",
            Self::ConnectTimeout => "no connection in time",
            Self::ConnectionLost => "connection lost",
            Self::Decode => "undecodable body",
            Self::HiddenRedirect => "hidden redirect",
            Self::Hook => "hook failed",
            Self::NotProcessed => "not processed",
            Self::Protocol => "no valid HTTP",
            Self::ReadTimeout => "body stalled",
            Self::ResponseTooLarge => "body too large",
            Self::Timeout => "no answer in time",
            Self::Tls => "TLS failed",
        })
    }
}

/// Why another attempt is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryCause {
    /// The connection broke and the request may be repeated.
    ConnectionLost,
    /// An idempotent request with this key is still in flight.
    InFlight,
    /// The server never got to it.
    NotProcessed,
    /// 408 or 425.
    NotReady,
    /// 429.
    RateLimited,
    /// 500, 502, 504.
    ServerError,
    /// The server's own header said so.
    ServerSaysSo,
    /// It took too long and the request may be repeated.
    Timeout,
    /// 503.
    Unavailable,
}

impl fmt::Display for RetryCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionLost => "the connection broke and the request is safe to repeat",
            Self::InFlight => "the same request is still in flight",
            Self::NotProcessed => "the server did not get to it",
            Self::NotReady => "the server was not ready",
            Self::RateLimited => "rate limited",
            Self::ServerError => "server error",
            Self::ServerSaysSo => "the server says so",
            Self::Timeout => "it took too long and is safe to repeat",
            Self::Unavailable => "the server was unavailable",
        })
    }
}

/// Why there is no other attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoRetry {
    /// The body was a stream that can be sent only once.
    BodyNotReplayable,
    /// The circuit breaker of the host is open.
    CircuitOpen,
    /// The deadline would pass first.
    Deadline,
    /// This outcome would not change.
    NotRetryable,
    /// The request may have taken effect and repeating it could double that.
    NotIdempotent,
    /// The retry budget of the host is used up.
    OutOfBudget,
    /// All attempts are used up.
    OutOfAttempts,
    /// The server asked for more patience than `max_retry_after` allows.
    RetryAfterTooLong,
    /// The server's own header said not to.
    ServerSaysNo,
}

impl fmt::Display for NoRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CircuitOpen => "the circuit breaker of the host is open",
            Self::BodyNotReplayable => "the body can be sent only once",
            Self::Deadline => "the deadline would pass first",
            Self::NotRetryable => "another attempt would not change it",
            Self::NotIdempotent => "the request is not safe to repeat",
            Self::OutOfBudget => "the retry budget of this host is used up",
            Self::OutOfAttempts => "all attempts are used up",
            Self::RetryAfterTooLong => "the server asks for a longer wait than allowed",
            Self::ServerSaysNo => "the server says not to",
        })
    }
}

/// The table's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An answer for the caller.
    Return,
    /// Worth another attempt, if attempts, deadline, budget and body allow.
    Retry {
        /// Why.
        cause: RetryCause,
        /// What it costs.
        cost: RetryCost,
        /// How close to zero the wait may be.
        jitter: Jitter,
    },
    /// A 401 that a new token may cure.
    Unauthorized,
    /// No other attempt.
    GiveUp(NoRetry),
}

const fn retry(cause: RetryCause) -> Verdict {
    Verdict::Retry {
        cause,
        cost: RetryCost::Plain,
        jitter: Jitter::Full,
    }
}

/// Judges an answer. `repeatable`: the method is idempotent or the request carries a key.
#[must_use]
pub fn judge_status(
    policy: &RetryPolicy,
    repeatable: bool,
    status: StatusCode,
    headers: &HeaderMap,
    problem: Option<&Problem>,
) -> Verdict {
    if status.as_u16() < 400 {
        return Verdict::Return;
    }
    match headers
        .get(&policy.should_retry_header)
        .map(http::HeaderValue::as_bytes)
    {
        Some(b"true") => return retry(RetryCause::ServerSaysSo),
        Some(b"false") => return Verdict::GiveUp(NoRetry::ServerSaysNo),
        _ => {}
    }
    let overloaded = |cause| Verdict::Retry {
        cause,
        cost: RetryCost::Plain,
        jitter: Jitter::UpperHalf,
    };
    let if_repeatable = |verdict| {
        if repeatable {
            verdict
        } else {
            Verdict::GiveUp(NoRetry::NotIdempotent)
        }
    };
    match status.as_u16() {
        401 => Verdict::Unauthorized,
        408 | 425 => retry(RetryCause::NotReady),
        409 if problem.is_some_and(Problem::is_in_flight) => retry(RetryCause::InFlight),
        429 => overloaded(RetryCause::RateLimited),
        500 | 502 | 504 => if_repeatable(retry(RetryCause::ServerError)),
        503 => if_repeatable(overloaded(RetryCause::Unavailable)),
        _ => Verdict::GiveUp(NoRetry::NotRetryable),
    }
}

/// Judges an attempt that brought no complete answer.
#[must_use]
pub const fn judge_failure(repeatable: bool, class: FailureClass) -> Verdict {
    match class {
        FailureClass::Connect | FailureClass::NotProcessed => retry(RetryCause::NotProcessed),
        FailureClass::ConnectTimeout => Verdict::Retry {
            cause: RetryCause::NotProcessed,
            cost: RetryCost::AfterTimeout,
            jitter: Jitter::Full,
        },
        FailureClass::ConnectionLost | FailureClass::Protocol => {
            if repeatable {
                retry(RetryCause::ConnectionLost)
            } else {
                Verdict::GiveUp(NoRetry::NotIdempotent)
            }
        }
        FailureClass::Timeout | FailureClass::ReadTimeout => {
            if repeatable {
                Verdict::Retry {
                    cause: RetryCause::Timeout,
                    cost: RetryCost::AfterTimeout,
                    jitter: Jitter::Full,
                }
            } else {
                Verdict::GiveUp(NoRetry::NotIdempotent)
            }
        }
        FailureClass::BodySource
        | FailureClass::Decode
        | FailureClass::HiddenRedirect
        | FailureClass::Hook
        | FailureClass::ResponseTooLarge
        | FailureClass::Tls => Verdict::GiveUp(NoRetry::NotRetryable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, repeatable: bool) -> Verdict {
        let code = StatusCode::from_u16(code).unwrap();
        judge_status(
            &RetryPolicy::default(),
            repeatable,
            code,
            &HeaderMap::new(),
            None,
        )
    }

    fn retries(verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Retry { .. })
    }

    #[test]
    fn success_and_redirects_go_to_the_caller() {
        for code in [200, 201, 204, 206, 301, 304] {
            assert_eq!(status(code, false), Verdict::Return, "{code}");
        }
    }

    #[test]
    fn statuses_that_promise_nothing_happened_are_always_retried() {
        for code in [408, 425, 429] {
            assert!(retries(status(code, false)), "{code}");
        }
    }

    #[test]
    fn server_errors_are_retried_only_where_repeating_is_safe() {
        for code in [500, 502, 503, 504] {
            assert!(retries(status(code, true)), "{code}");
            assert_eq!(
                status(code, false),
                Verdict::GiveUp(NoRetry::NotIdempotent),
                "{code}"
            );
        }
    }

    #[test]
    fn other_statuses_are_never_retried() {
        for code in [
            400, 402, 403, 404, 405, 409, 410, 412, 413, 422, 451, 501, 505, 511,
        ] {
            assert_eq!(
                status(code, true),
                Verdict::GiveUp(NoRetry::NotRetryable),
                "{code}"
            );
        }
        assert_eq!(status(401, true), Verdict::Unauthorized);
    }

    #[test]
    fn a_409_is_retried_only_where_the_same_request_is_in_flight() {
        let problem = Problem {
            code: Some("idempotency_in_flight".into()),
            ..Problem::default()
        };
        let judge = |problem| {
            judge_status(
                &RetryPolicy::default(),
                true,
                StatusCode::CONFLICT,
                &HeaderMap::new(),
                problem,
            )
        };
        assert!(retries(judge(Some(&problem))));
        let reused = Problem {
            code: Some("idempotency_key_reused".into()),
            ..Problem::default()
        };
        assert!(!retries(judge(Some(&reused))));
    }

    #[test]
    fn the_servers_own_word_wins_over_the_table() {
        let judge = |code: u16, word: &'static str| {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("x-should-retry"),
                http::HeaderValue::from_static(word),
            )]);
            judge_status(
                &RetryPolicy::default(),
                false,
                StatusCode::from_u16(code).unwrap(),
                &headers,
                None,
            )
        };
        assert!(retries(judge(404, "true")));
        assert_eq!(judge(429, "false"), Verdict::GiveUp(NoRetry::ServerSaysNo));
        assert_eq!(judge(200, "true"), Verdict::Return);
        assert_eq!(judge(404, "maybe"), Verdict::GiveUp(NoRetry::NotRetryable));
    }

    #[test]
    fn a_connection_lost_after_sending_is_retried_only_where_repeating_is_safe() {
        for class in [
            FailureClass::ConnectionLost,
            FailureClass::Timeout,
            FailureClass::Protocol,
            FailureClass::ReadTimeout,
        ] {
            assert!(retries(judge_failure(true, class)), "{class:?}");
            assert_eq!(
                judge_failure(false, class),
                Verdict::GiveUp(NoRetry::NotIdempotent),
                "{class:?}"
            );
        }
    }

    #[test]
    fn what_never_reached_the_server_is_always_retried() {
        for class in [
            FailureClass::Connect,
            FailureClass::ConnectTimeout,
            FailureClass::NotProcessed,
        ] {
            assert!(retries(judge_failure(false, class)), "{class:?}");
        }
    }

    #[test]
    fn failures_of_our_own_are_never_retried() {
        for class in [
            FailureClass::BodySource,
            FailureClass::Decode,
            FailureClass::HiddenRedirect,
            FailureClass::Hook,
            FailureClass::Tls,
        ] {
            assert_eq!(
                judge_failure(true, class),
                Verdict::GiveUp(NoRetry::NotRetryable),
                "{class:?}"
            );
        }
    }
}
