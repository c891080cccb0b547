//! Extractors for axum 0.8: a handler that verifies by itself, without a layer.

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use gatewright_webhook::Verified;
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::receiver::Receiver;

/// The raw body of a request that verified; the state has the [`Receiver`] (`FromRef`). Challenges are answered before the handler runs.
///
/// It verifies, and does not know whether the handler succeeds: for handling each message once take
/// [`WebhookLayer::replay_guard`](crate::WebhookLayer::replay_guard).
#[derive(Clone, Debug)]
pub struct SignedBody(pub Delivery);

impl<S> FromRequest<S> for SignedBody
where
    S: Send + Sync,
    Receiver: FromRef<S>,
{
    type Rejection = Answer;

    async fn from_request(request: Request, state: &S) -> Result<Self, Answer> {
        let receiver = Receiver::from_ref(state);
        let (parts, body) = request.into_parts();
        receiver.receive(&parts, body).await.map(Self)
    }
}

/// The body of a request that verified, read as JSON; otherwise as [`SignedBody`]. What verifies and is not a `T` is answered 422.
///
/// ```
/// use axum::{Router, routing::post};
/// use gatewright_webhook::Webhook;
/// use gatewright_webhook_tower::{Receiver, SignedJson};
///
/// #[derive(serde::Deserialize)]
/// struct Invoice { id: String }
///
/// async fn paid(SignedJson { payload, .. }: SignedJson<Invoice>) {
///     println!("{} is paid", payload.id);
/// }
///
/// # fn main() -> Result<(), gatewright_webhook::KeyError> {
/// let webhook = Webhook::new(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])?;
/// let app: Router = Router::new().route("/hooks", post(paid)).with_state(Receiver::new(webhook));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SignedJson<T> {
    /// The body.
    pub payload: T,
    /// What was proven.
    pub verified: Verified,
}

impl<S, T> FromRequest<S> for SignedJson<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    Receiver: FromRef<S>,
{
    type Rejection = Answer;

    async fn from_request(request: Request, state: &S) -> Result<Self, Answer> {
        let SignedBody(delivery) = SignedBody::from_request(request, state).await?;
        match delivery.json() {
            Ok(payload) => Ok(Self {
                payload,
                verified: delivery.verified,
            }),
            Err(error) => {
                Receiver::from_ref(state).tell(&Failure::BadPayload(error.into()));
                Err(Answer::opaque(StatusCode::UNPROCESSABLE_ENTITY))
            }
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        Self::into_response(self).map(Body::new)
    }
}
