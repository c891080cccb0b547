//! What the sender is answered where no handler answers.

use bytes::Bytes;
use gatewright_webhook::{Challenge, Scheme, VerifyError};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An answer to the sender: the answer to a challenge, or a status with a text that says nothing about the reason.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
}

impl Answer {
    /// It did not verify.
    pub(crate) fn unverified(scheme: Scheme, error: &VerifyError) -> Self {
        Self::opaque(match (scheme, error) {
            (_, VerifyError::BodyTooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            // Discord tries an endpoint with a wrong signature, and takes nothing else for a refusal.
            (Scheme::Discord, _) => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        })
    }

    /// A refusal, with the one text there is for all of them.
    pub(crate) const fn opaque(status: StatusCode) -> Self {
        Self {
            status,
            content_type: TEXT,
            body: Bytes::from_static(VerifyError::FOR_SENDER.as_bytes()),
        }
    }

    /// A status alone.
    pub(crate) const fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: TEXT,
            body: Bytes::new(),
        }
    }

    pub(crate) fn challenge(challenge: Challenge) -> Self {
        Self {
            status: StatusCode::from_u16(challenge.status).unwrap_or(StatusCode::OK),
            content_type: HeaderValue::from_static(challenge.content_type),
            body: challenge.body.into(),
        }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// As a response of HTTP.
    #[must_use]
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let has_body = !self.body.is_empty();
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        if has_body {
            response
                .headers_mut()
                .insert(CONTENT_TYPE, self.content_type);
        }
        response
    }
}
