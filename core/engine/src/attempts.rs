//! The record of a call: what each attempt did, what the server said, what was decided and why.
//! Every result carries it, success or error.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use crate::pacing::WaitReason;
use crate::retry::{FailureClass, NoRetry, RetryCause};

/// One attempt of a call, as it happened. Times count from the start of the call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When it was sent.
    pub started: Duration,
    /// How long the call was held back before it (pacing, token refresh), backoff not included.
    pub queued: Duration,
    /// Why it was held back longest, where it was.
    pub queued_for: Option<WaitReason>,
    /// From sending to its outcome.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
    /// What the server asked for, as read from its headers.
    pub retry_after: Option<Duration>,
    /// The server's id of the request.
    pub request_id: Option<HeaderValue>,
    /// What was decided then, and why.
    pub decision: Decision,
    /// Tokens left in the retry budget after the decision.
    pub budget_left: u32,
    /// The region that it went to (host and port), where the client has several.
    pub region: Option<Arc<str>>,
    /// It was the second copy of a request whose answer was slow.
    pub hedge: bool,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Under way.
    Pending,
    /// The server answered with this status.
    Status(u16),
    /// There was no (complete) answer.
    Failed {
        /// What kind of failure.
        class: FailureClass,
        /// The transport's own words, free of secrets.
        text: String,
    },
    /// The caller went away.
    Cancelled,
}

/// What was decided after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Not decided: under way, or the caller went away.
    None,
    /// The answer went to the caller.
    Return,
    /// Another attempt after `wait`.
    Retry {
        /// What made it worth another.
        cause: RetryCause,
        /// How long to wait first.
        wait: Duration,
    },
    /// A new token first, then another attempt.
    RefreshToken,
    /// The server named another place of the same origin.
    Redirect,
    /// No other attempt.
    GiveUp(NoRetry),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Status(status) => write!(f, "{status}"),
            Self::Failed { class, .. } => write!(f, "{class}"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Return => f.write_str("return"),
            Self::Retry { cause, wait } => write!(f, "retry in {} ({cause})", Readable(*wait)),
            Self::RefreshToken => f.write_str("refresh the token and retry"),
            Self::Redirect => f.write_str("follow the redirect"),
            Self::GiveUp(why) => write!(f, "give up ({why})"),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} at {}", self.number, Readable(self.started))?;
        if let Some(region) = &self.region {
            write!(f, " in {region}")?;
        }
        if self.hedge {
            f.write_str(" (hedge)")?;
        }
        if let Some(reason) = &self.queued_for {
            write!(f, " (held {} for {reason})", Readable(self.queued))?;
        }
        write!(f, ": {} in {}", self.outcome, Readable(self.took))?;
        if let Some(wait) = self.retry_after {
            write!(f, ", asked for {}", Readable(wait))?;
        }
        write!(f, " -> {}", self.decision)
    }
}

/// A duration as people read it: `3.2 ms`, `1.50 s`, `2 min 5 s`.
#[derive(Clone, Copy, Debug)]
pub struct Readable(pub Duration);

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if self.0.is_zero() {
            f.write_str("0 ms")
        } else if seconds < 0.01 {
            write!(f, "{:.1} ms", seconds * 1e3)
        } else if seconds < 1.0 {
            write!(f, "{:.0} ms", seconds * 1e3)
        } else if seconds < 120.0 {
            if self.0.subsec_nanos() == 0 {
                write!(f, "{} s", self.0.as_secs())
            } else {
                write!(f, "{seconds:.2} s")
            }
        } else {
            write!(
                f,
                "{} min {} s",
                self.0.as_secs() / 60,
                self.0.as_secs() % 60
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let shown = |ms| Readable(Duration::from_millis(ms)).to_string();
        assert_eq!(
            [shown(0), shown(3), shown(250), shown(1500), shown(2000)],
            ["0 ms", "3.0 ms", "250 ms", "1.50 s", "2 s"]
        );
        assert_eq!(shown(125_000), "2 min 5 s");
    }

    #[test]
    fn an_attempt_reads_as_one_line() {
        let attempt = Attempt {
            number: 2,
            started: Duration::from_millis(1500),
            queued: Duration::ZERO,
            queued_for: None,
            took: Duration::from_millis(20),
            outcome: Outcome::Status(503),
            retry_after: Some(Duration::from_secs(2)),
            request_id: None,
            decision: Decision::Retry {
                cause: RetryCause::Unavailable,
                wait: Duration::from_secs(2),
            },
            budget_left: 495,
            region: None,
            hedge: false,
        };
        assert_eq!(
            attempt.to_string(),
            "#2 at 1.50 s: 503 in 20 ms, asked for 2 s -> retry in 2 s (the server was unavailable)"
        );
    }
}
