//! Why a delivery was not handled, or not settled: for the developer, never for the sender.

use std::error::Error;
use std::fmt;

use gatewright_webhook::{Explanation, VerifyError};

use crate::BoxError;

/// What went wrong with a delivery. Its text says what to do, and holds no secret and no expected signature.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// It is not to be trusted.
    Unverified {
        /// The verdict.
        error: VerifyError,
        /// The likely cause, with [`explain`](crate::Receiver::explain) on.
        explanation: Option<Explanation>,
    },
    /// The body ended before its end.
    BodyBroken(BoxError),
    /// The certificate that it names could not be fetched.
    CertificateNotFetched(BoxError),
    /// It verified and asks to confirm a subscription, which failed.
    NotConfirmed(BoxError),
    /// It verified, and the replay store failed: before the handler ran, or, where the handler succeeded, after.
    ReplayStore(BoxError),
    /// The handler took longer than its lease: another one may have handled the message too.
    LeaseEnded,
    /// It verified, and its payload is not of the handler's type.
    BadPayload(BoxError),
    /// It verified, and its handler failed.
    HandlerFailed(BoxError),
    /// A service for verified deliveries was called without a [`WebhookLayer`](crate::WebhookLayer) around it.
    NoLayer,
}

impl Failure {
    /// A stable code for programs: [`VerifyError::code`], or `body_broken`, `certificate_not_fetched`, `not_confirmed`,
    /// `replay_store`, `lease_ended`, `bad_payload`, `handler_failed`, `no_layer`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unverified { error, .. } => error.code(),
            Self::BodyBroken(_) => "body_broken",
            Self::CertificateNotFetched(_) => "certificate_not_fetched",
            Self::NotConfirmed(_) => "not_confirmed",
            Self::ReplayStore(_) => "replay_store",
            Self::LeaseEnded => "lease_ended",
            Self::BadPayload(_) => "bad_payload",
            Self::HandlerFailed(_) => "handler_failed",
            Self::NoLayer => "no_layer",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified {
                error,
                explanation: None,
            } => error.fmt(f),
            Self::Unverified {
                error,
                explanation: Some(explanation),
            } => write!(f, "{error}: {explanation}"),
            Self::BodyBroken(error) => write!(f, "the body broke off: {error}"),
            Self::CertificateNotFetched(error) => {
                write!(f, "the certificate could not be fetched: {error}")
            }
            Self::NotConfirmed(error) => {
                write!(f, "the subscription could not be confirmed: {error}")
            }
            Self::ReplayStore(error) => write!(f, "the replay store failed: {error}"),
            Self::LeaseEnded => f.write_str(
                "the handler took longer than its lease: another one may have handled the message too",
            ),
            Self::BadPayload(error) => {
                write!(f, "the payload is not of the handler's type: {error}")
            }
            Self::HandlerFailed(error) => write!(f, "the handler failed: {error}"),
            Self::NoLayer => {
                f.write_str("there is no verified delivery: put a WebhookLayer around this service")
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unverified { error, .. } => Some(error),
            Self::BodyBroken(error)
            | Self::CertificateNotFetched(error)
            | Self::NotConfirmed(error)
            | Self::ReplayStore(error)
            | Self::BadPayload(error)
            | Self::HandlerFailed(error) => Some(&**error),
            Self::LeaseEnded | Self::NoLayer => None,
        }
    }
}
