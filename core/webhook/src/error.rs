//! Why a webhook was refused: precise for the developer, one opaque text for the sender.

use std::error::Error;
use std::fmt;

use crate::limits;
use crate::plain::{Number, Text};

/// Why a request is not a webhook to be trusted.
///
/// `Display` is for the developer and the log: it says what to do and holds no secret and no
/// expected signature. Answer the sender with status 400 and [`VerifyError::FOR_SENDER`], whatever
/// the reason, so that nobody can learn by trying.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// No signature in the list fits any of the secrets.
    BadSignature,
    /// `webhook-id` has a dot, a control character, too many bytes, or is not UTF-8.
    BadMessageId,
    /// `webhook-timestamp` is not 1 to 11 ASCII digits.
    BadTimestamp,
    /// The body is larger than the cap.
    BodyTooLarge {
        /// The cap in bytes.
        max: usize,
    },
    /// A required header is there, with nothing in it.
    EmptyHeader {
        /// The header's name.
        name: &'static str,
    },
    /// A required header is not there.
    MissingHeader {
        /// The header's name.
        name: &'static str,
    },
    /// A required header is there more than once.
    RepeatedHeader {
        /// The header's name.
        name: &'static str,
    },
    /// The timestamp is after `now` by more than the tolerance.
    TooNew {
        /// Seconds by which it is after `now`.
        by: u64,
        /// The tolerance in seconds.
        tolerance: u64,
    },
    /// The timestamp is before `now` by more than the tolerance.
    TooOld {
        /// Seconds by which it is before `now`.
        by: u64,
        /// The tolerance in seconds.
        tolerance: u64,
    },
    /// The signature header is longer, or lists more signatures, than any honest sender's.
    TooManySignatures,
}

impl VerifyError {
    /// What to tell the sender, whatever the reason.
    pub const FOR_SENDER: &str = "webhook verification failed";

    /// The code of every variant, for bindings to walk.
    pub const ALL: &[&str] = &[
        "bad_signature",
        "bad_message_id",
        "bad_timestamp",
        "body_too_large",
        "empty_header",
        "missing_header",
        "repeated_header",
        "too_new",
        "too_old",
        "too_many_signatures",
    ];

    /// A stable code for programs, one of [`VerifyError::ALL`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::BadMessageId => "bad_message_id",
            Self::BadTimestamp => "bad_timestamp",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::EmptyHeader { .. } => "empty_header",
            Self::MissingHeader { .. } => "missing_header",
            Self::RepeatedHeader { .. } => "repeated_header",
            Self::TooNew { .. } => "too_new",
            Self::TooOld { .. } => "too_old",
            Self::TooManySignatures => "too_many_signatures",
        }
    }

    /// The header the error is about, if it is about one.
    #[must_use]
    pub const fn header(&self) -> Option<&'static str> {
        use crate::schemes::standard::{ID, SIGNATURE, TIMESTAMP};
        match self {
            Self::EmptyHeader { name }
            | Self::MissingHeader { name }
            | Self::RepeatedHeader { name } => Some(*name),
            Self::BadMessageId => Some(ID),
            Self::BadTimestamp | Self::TooNew { .. } | Self::TooOld { .. } => Some(TIMESTAMP),
            Self::TooManySignatures => Some(SIGNATURE),
            Self::BadSignature | Self::BodyTooLarge { .. } => None,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadSignature => f.write_str(
                "no signature matches: verify the raw body bytes before anything parses them, with the secret of this endpoint; explain() looks for the cause",
            ),
            Self::BadMessageId => write!(
                f,
                "webhook-id cannot be used: expected UTF-8 of at most {} bytes without \".\" and control characters; refuse the request",
                Number::of(limits::MAX_MESSAGE_ID),
            ),
            Self::BadTimestamp => f.write_str(
                "webhook-timestamp is not a unix time in seconds: expected 1 to 11 ASCII digits; refuse the request",
            ),
            Self::BodyTooLarge { max } => write!(
                f,
                "body is larger than {} bytes: raise max_body if the sender really sends that much",
                Number::of(*max),
            ),
            Self::EmptyHeader { name } => write!(
                f,
                "header {} is empty: look for a proxy that clears it, or refuse the request",
                Text(name),
            ),
            Self::MissingHeader { name } => write!(
                f,
                "header {} is missing: hand in all headers of the request, and check that the sender follows Standard Webhooks",
                Text(name),
            ),
            Self::RepeatedHeader { name } => write!(
                f,
                "header {} is there more than once: look for a proxy that adds it, or refuse the request",
                Text(name),
            ),
            Self::TooNew { by, tolerance } => write!(
                f,
                "webhook-timestamp is {} s in the future, tolerance {} s: set the clock of this machine",
                Number(*by),
                Number(*tolerance),
            ),
            Self::TooOld { by, tolerance } => write!(
                f,
                "webhook-timestamp is {} s in the past, tolerance {} s: set the clock of this machine, and verify on arrival, before any queue",
                Number(*by),
                Number(*tolerance),
            ),
            Self::TooManySignatures => write!(
                f,
                "webhook-signature is longer than {} bytes or lists more than {} signatures ({} of them v1a): refuse the request",
                Number::of(limits::MAX_SIGNATURE_HEADER),
                Number::of(limits::MAX_SIGNATURES),
                Number::of(limits::MAX_ED25519_SIGNATURES),
            ),
        }
    }
}

impl Error for VerifyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_every_text_is_exact() {
        let name = "webhook-id";
        let texts = [
            (
                VerifyError::BadSignature,
                "no signature matches: verify the raw body bytes before anything parses them, with the secret of this endpoint; explain() looks for the cause",
            ),
            (
                VerifyError::BadMessageId,
                "webhook-id cannot be used: expected UTF-8 of at most 512 bytes without \".\" and control characters; refuse the request",
            ),
            (
                VerifyError::BadTimestamp,
                "webhook-timestamp is not a unix time in seconds: expected 1 to 11 ASCII digits; refuse the request",
            ),
            (
                VerifyError::BodyTooLarge { max: 10 },
                "body is larger than 10 bytes: raise max_body if the sender really sends that much",
            ),
            (
                VerifyError::EmptyHeader { name },
                "header webhook-id is empty: look for a proxy that clears it, or refuse the request",
            ),
            (
                VerifyError::MissingHeader { name },
                "header webhook-id is missing: hand in all headers of the request, and check that the sender follows Standard Webhooks",
            ),
            (
                VerifyError::RepeatedHeader { name },
                "header webhook-id is there more than once: look for a proxy that adds it, or refuse the request",
            ),
            (
                VerifyError::TooNew {
                    by: 301,
                    tolerance: 300,
                },
                "webhook-timestamp is 301 s in the future, tolerance 300 s: set the clock of this machine",
            ),
            (
                VerifyError::TooOld {
                    by: 301,
                    tolerance: 300,
                },
                "webhook-timestamp is 301 s in the past, tolerance 300 s: set the clock of this machine, and verify on arrival, before any queue",
            ),
            (
                VerifyError::TooManySignatures,
                "webhook-signature is longer than 8192 bytes or lists more than 64 signatures (8 of them v1a): refuse the request",
            ),
        ];
        for (error, text) in &texts {
            assert_eq!(error.to_string(), *text);
        }
        let codes: Vec<_> = texts.iter().map(|(error, _)| error.code()).collect();
        assert_eq!(codes, VerifyError::ALL);
    }
}
