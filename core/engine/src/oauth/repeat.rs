//! Which requests of OAuth may be sent again. A code or a rotated refresh token is good for one use: a server that sees it twice takes
//! back all that came of it (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2).
//!
//! | What happened | Repeatable | Once |
//! |---|---|---|
//! | nothing was processed: connect failed, REFUSED_STREAM | again | again |
//! | 429 | again | again |
//! | 503, 5xx | again | unknown |
//! | broken off after sending, timeout | again | unknown |
//! | anything else | final | final |

use crate::retry::FailureClass;

/// Whether a request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeatable {
    /// Client credentials, discovery, device authorization, revocation: as often as it takes.
    Yes,
    /// The exchange of a code or of a refresh token: only where the server did nothing.
    Once,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer: read it.
    Final,
    /// Worth another attempt.
    Again,
    /// It may have taken effect, and must not be sent again blindly.
    Unknown,
}

/// Judges an attempt by its status, or by how it failed.
#[must_use]
pub const fn judge_outcome(repeatable: Repeatable, attempt: Result<u16, FailureClass>) -> Outcome {
    let doubtful = match repeatable {
        Repeatable::Yes => Outcome::Again,
        Repeatable::Once => Outcome::Unknown,
    };
    match attempt {
        Ok(429) => Outcome::Again,
        Ok(500..=599) => doubtful,
        Ok(_) => Outcome::Final,
        Err(FailureClass::Connect | FailureClass::ConnectTimeout | FailureClass::NotProcessed) => {
            Outcome::Again
        }
        Err(
            FailureClass::ConnectionLost
            | FailureClass::Timeout
            | FailureClass::ReadTimeout
            | FailureClass::Decode,
        ) => doubtful,
        // A certificate that is not good, or no HTTP at all, will be the same the next time.
        Err(_) => Outcome::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_sent_again_only_where_nothing_was_processed() {
        let once = |attempt| judge_outcome(Repeatable::Once, attempt);
        for again in [
            Err(FailureClass::Connect),
            Err(FailureClass::NotProcessed),
            Ok(429),
        ] {
            assert_eq!(once(again), Outcome::Again);
        }
        for unknown in [
            Err(FailureClass::ConnectionLost),
            Err(FailureClass::Timeout),
            Err(FailureClass::ReadTimeout),
            Ok(503),
        ] {
            assert_eq!(once(unknown), Outcome::Unknown);
            assert_eq!(judge_outcome(Repeatable::Yes, unknown), Outcome::Again);
        }
    }

    #[test]
    fn answers_are_final() {
        for attempt in [Ok(200), Ok(400), Ok(401), Err(FailureClass::Tls)] {
            assert_eq!(judge_outcome(Repeatable::Yes, attempt), Outcome::Final);
            assert_eq!(judge_outcome(Repeatable::Once, attempt), Outcome::Final);
        }
    }
}
