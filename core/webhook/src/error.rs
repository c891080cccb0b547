//! Why a webhook was refused: precise for the developer, one opaque text for the sender.

use std::borrow::Cow;
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
    /// The signed id has a character that separates it from what follows (a dot), a control character, too many bytes, or is not
    /// UTF-8.
    BadMessageId {
        /// Where it was read: the header's name.
        name: Cow<'static, str>,
    },
    /// The timestamp does not have the form of its scheme (1 to 11 ASCII digits; exactly 10 where nothing separates it from what
    /// follows; RFC 3339 in UTC for SNS and PayPal), or is not there once.
    BadTimestamp {
        /// Where it was read: the header's name, or what the body calls it.
        name: Cow<'static, str>,
    },
    /// A certificate cannot be used: not PEM, not RSA of 2048 to 4096 bits, or outside of its dates.
    BadCertificate,
    /// The request names a certificate at an address that is not the provider's.
    BadCertificateUrl,
    /// The body does not have the form that the scheme's signature is read from (Mailgun, SNS, Linear, Twilio).
    BodyMalformed,
    /// The body is larger than the cap.
    BodyTooLarge {
        /// The cap in bytes.
        max: usize,
    },
    /// A required header is there, with nothing in it.
    EmptyHeader {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// A required header is not there.
    MissingHeader {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// The signature is by a certificate, and the one it names was not handed in: fetch it, hand it in by
    /// [`add_certificate`](crate::Webhook::add_certificate), and verify again.
    MissingCertificate {
        /// Where it is. This URL passed the rules of its scheme; do not follow redirects from it.
        url: String,
    },
    /// The scheme signs the URL, and none was given.
    MissingUrl,
    /// The signature fits, and covers less than was asked for.
    NotCovered,
    /// A required header is there more than once.
    RepeatedHeader {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// The timestamp is after `now` by more than the tolerance.
    TooNew {
        /// Where the timestamp was read: the header's name, or what the body calls it.
        name: Cow<'static, str>,
        /// Seconds by which it is after `now`.
        by: u64,
        /// The tolerance in seconds.
        tolerance: u64,
    },
    /// The timestamp is before `now` by more than the tolerance.
    TooOld {
        /// Where the timestamp was read: the header's name, or what the body calls it.
        name: Cow<'static, str>,
        /// Seconds by which it is before `now`.
        by: u64,
        /// The tolerance in seconds.
        tolerance: u64,
    },
    /// The signature header is longer, or lists more signatures, than any honest sender's.
    TooManySignatures {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// The message is of another topic than the one configured.
    WrongTopic,
}

impl VerifyError {
    /// What to tell the sender, whatever the reason.
    pub const FOR_SENDER: &str = "webhook verification failed";

    /// The code of every variant, for bindings to walk.
    pub const ALL: &[&str] = &[
        "bad_signature",
        "bad_message_id",
        "bad_timestamp",
        "bad_certificate",
        "bad_certificate_url",
        "body_malformed",
        "body_too_large",
        "empty_header",
        "missing_header",
        "missing_certificate",
        "missing_url",
        "not_covered",
        "repeated_header",
        "too_new",
        "too_old",
        "too_many_signatures",
        "wrong_topic",
    ];

    /// A stable code for programs, one of [`VerifyError::ALL`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::BadMessageId { .. } => "bad_message_id",
            Self::BadTimestamp { .. } => "bad_timestamp",
            Self::BadCertificate => "bad_certificate",
            Self::BadCertificateUrl => "bad_certificate_url",
            Self::BodyMalformed => "body_malformed",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::EmptyHeader { .. } => "empty_header",
            Self::MissingHeader { .. } => "missing_header",
            Self::MissingCertificate { .. } => "missing_certificate",
            Self::MissingUrl => "missing_url",
            Self::NotCovered => "not_covered",
            Self::RepeatedHeader { .. } => "repeated_header",
            Self::TooNew { .. } => "too_new",
            Self::TooOld { .. } => "too_old",
            Self::TooManySignatures { .. } => "too_many_signatures",
            Self::WrongTopic => "wrong_topic",
        }
    }

    /// The header the error is about, if it is about one.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::EmptyHeader { name }
            | Self::MissingHeader { name }
            | Self::RepeatedHeader { name }
            | Self::BadMessageId { name }
            | Self::BadTimestamp { name }
            | Self::TooNew { name, .. }
            | Self::TooOld { name, .. }
            | Self::TooManySignatures { name } => Some(name),
            Self::BadSignature
            | Self::BadCertificate
            | Self::BadCertificateUrl
            | Self::BodyMalformed
            | Self::BodyTooLarge { .. }
            | Self::MissingCertificate { .. }
            | Self::MissingUrl
            | Self::NotCovered
            | Self::WrongTopic => None,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadSignature => f.write_str(
                "no signature matches: verify the raw body bytes before anything parses them, with the secret of this endpoint; explain() looks for the cause",
            ),
            Self::BadMessageId { name } => write!(
                f,
                "{} cannot be used: expected UTF-8 of at most {} bytes without \".\" and control characters; refuse the request",
                Text(name),
                Number::of(limits::MAX_MESSAGE_ID),
            ),
            // What SNS and PayPal call it.
            Self::BadTimestamp { name }
                if matches!(&**name, "Timestamp" | "paypal-transmission-time") =>
            {
                write!(
                    f,
                    "{} is not a time in UTC (RFC 3339): refuse the request",
                    Text(name),
                )
            }
            Self::BadTimestamp { name } => write!(
                f,
                "{} is not a unix time in seconds: expected 1 to 11 ASCII digits; refuse the request",
                Text(name),
            ),
            Self::BadCertificate => f.write_str(
                "certificate cannot be used: expected PEM with an RSA key of 2048 to 4096 bits, within its dates; fetch it again, or refuse the request",
            ),
            Self::BadCertificateUrl => f.write_str(
                "the request names a certificate at an address that is not the provider's: refuse the request",
            ),
            Self::BodyMalformed => f.write_str(
                "body does not have the form this scheme's signature is read from: hand in the raw body, and check that the sender uses this scheme",
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
                "header {} is missing: hand in all headers of the request, and check that the sender uses this scheme",
                Text(name),
            ),
            Self::MissingCertificate { url } => write!(
                f,
                "the signature is by a certificate that was not handed in: fetch {} without following redirects, and hand it in",
                Text(url),
            ),
            Self::NotCovered => f.write_str(
                "the signature fits, and covers less of the request than is asked for: ask the sender to cover more, or ask for less",
            ),
            Self::WrongTopic => f.write_str(
                "message of another topic than the one configured: refuse it, or configure its topic_arn",
            ),
            Self::MissingUrl => f.write_str(
                "this scheme signs the URL: hand in the one the sender called, or configure it",
            ),
            Self::RepeatedHeader { name } => write!(
                f,
                "header {} is there more than once: look for a proxy that adds it, or refuse the request",
                Text(name),
            ),
            Self::TooNew { name, by, tolerance } => write!(
                f,
                "{} is {} s in the future, tolerance {} s: set the clock of this machine",
                Text(name),
                Number(*by),
                Number(*tolerance),
            ),
            Self::TooOld { name, by, tolerance } => write!(
                f,
                "{} is {} s in the past, tolerance {} s: set the clock of this machine, and verify on arrival, before any queue",
                Text(name),
                Number(*by),
                Number(*tolerance),
            ),
            Self::TooManySignatures { name } => write!(
                f,
                "{} is longer than {} bytes or lists more than {} signatures ({} of them of key pairs): refuse the request",
                Text(name),
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
    use crate::layout::Name;

    #[test]
    fn times_are_named_as_their_scheme_writes_them() {
        let error = VerifyError::BadTimestamp {
            name: "Timestamp".into(),
        };
        assert_eq!(
            error.to_string(),
            "Timestamp is not a time in UTC (RFC 3339): refuse the request"
        );
    }

    #[test]
    fn every_code_is_listed_once_and_every_text_is_exact() {
        let name = || Name::from("webhook-id");
        let texts = [
            (
                VerifyError::BadSignature,
                "no signature matches: verify the raw body bytes before anything parses them, with the secret of this endpoint; explain() looks for the cause",
            ),
            (
                VerifyError::BadMessageId { name: name() },
                "webhook-id cannot be used: expected UTF-8 of at most 512 bytes without \".\" and control characters; refuse the request",
            ),
            (
                VerifyError::BadTimestamp {
                    name: "webhook-timestamp".into(),
                },
                "webhook-timestamp is not a unix time in seconds: expected 1 to 11 ASCII digits; refuse the request",
            ),
            (
                VerifyError::BadCertificate,
                "certificate cannot be used: expected PEM with an RSA key of 2048 to 4096 bits, within its dates; fetch it again, or refuse the request",
            ),
            (
                VerifyError::BadCertificateUrl,
                "the request names a certificate at an address that is not the provider's: refuse the request",
            ),
            (
                VerifyError::BodyMalformed,
                "body does not have the form this scheme's signature is read from: hand in the raw body, and check that the sender uses this scheme",
            ),
            (
                VerifyError::BodyTooLarge { max: 10 },
                "body is larger than 10 bytes: raise max_body if the sender really sends that much",
            ),
            (
                VerifyError::EmptyHeader { name: name() },
                "header webhook-id is empty: look for a proxy that clears it, or refuse the request",
            ),
            (
                VerifyError::MissingHeader { name: name() },
                "header webhook-id is missing: hand in all headers of the request, and check that the sender uses this scheme",
            ),
            (
                VerifyError::MissingCertificate {
                    url: "https://a/b".to_owned(),
                },
                "the signature is by a certificate that was not handed in: fetch https://a/b without following redirects, and hand it in",
            ),
            (
                VerifyError::MissingUrl,
                "this scheme signs the URL: hand in the one the sender called, or configure it",
            ),
            (
                VerifyError::NotCovered,
                "the signature fits, and covers less of the request than is asked for: ask the sender to cover more, or ask for less",
            ),
            (
                VerifyError::RepeatedHeader { name: name() },
                "header webhook-id is there more than once: look for a proxy that adds it, or refuse the request",
            ),
            (
                VerifyError::TooNew {
                    name: "webhook-timestamp".into(),
                    by: 301,
                    tolerance: 300,
                },
                "webhook-timestamp is 301 s in the future, tolerance 300 s: set the clock of this machine",
            ),
            (
                VerifyError::TooOld {
                    name: "webhook-timestamp".into(),
                    by: 301,
                    tolerance: 300,
                },
                "webhook-timestamp is 301 s in the past, tolerance 300 s: set the clock of this machine, and verify on arrival, before any queue",
            ),
            (
                VerifyError::TooManySignatures {
                    name: "webhook-signature".into(),
                },
                "webhook-signature is longer than 8192 bytes or lists more than 64 signatures (8 of them of key pairs): refuse the request",
            ),
            (
                VerifyError::WrongTopic,
                "message of another topic than the one configured: refuse it, or configure its topic_arn",
            ),
        ];
        for (error, text) in &texts {
            assert_eq!(error.to_string(), *text);
        }
        let codes: Vec<_> = texts.iter().map(|(error, _)| error.code()).collect();
        assert_eq!(codes, VerifyError::ALL);
    }
}
