//! The tower layer: whatever is behind it gets verified deliveries only, and, with a replay guard, each of them once.

use std::task::{Context, Poll};

use bytes::Bytes;
use gatewright_webhook::replay::{AsyncReplayGuard, Reservation, Reserve, Settled};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::Answer;
use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::guard::Once;
use crate::receiver::Receiver;
use crate::{BoxError, BoxFuture};

/// Lets through what verified. The service behind it gets the raw body, whole, and in the request's extensions the
/// [`Delivery`](crate::Delivery) and its [`Verified`](gatewright_webhook::Verified); challenges are answered for it.
///
/// ```
/// use axum::{Extension, Json, Router, routing::post};
/// use gatewright_webhook::replay::MemoryReplayGuard;
/// use gatewright_webhook::{Verified, Webhook};
/// use gatewright_webhook_tower::{Receiver, WebhookLayer};
///
/// # fn main() -> Result<(), gatewright_webhook::KeyError> {
/// async fn handle(Extension(verified): Extension<Verified>, body: String) {
///     println!("{:?}: {body}", verified.message_id);
/// }
///
/// let webhook = Webhook::new(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])?;
/// let verifying = WebhookLayer::new(Receiver::new(webhook)).replay_guard("billing", MemoryReplayGuard::new());
/// let app: Router = Router::new().route("/hooks", post(handle).layer(verifying));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebhookLayer {
    receiver: Receiver,
    once: Option<Once>,
}

impl WebhookLayer {
    /// Lets through what `receiver` verifies.
    #[must_use]
    pub const fn new(receiver: Receiver) -> Self {
        Self {
            receiver,
            once: None,
        }
    }

    /// Handles each message once: it is reserved before the handler runs, committed where that answers 2xx, else released, so that the
    /// sender's next try is handled. `sender` is your own name for the sender: ids are unique within one sender only.
    ///
    /// A message that was handled is answered 200, one that a handler has now 503. A handler that is dropped before it answers (the
    /// sender hung up) keeps its reservation until the lease ends.
    #[must_use]
    pub fn replay_guard<G>(mut self, sender: impl Into<String>, guard: G) -> Self
    where
        G: AsyncReplayGuard + 'static,
        G::Error: Into<BoxError>,
    {
        self.once = Some(Once::new(sender.into(), guard));
        self
    }

    /// Knows a message by an id of its body, for the guard given before: where a scheme signs no id of its own (Stripe's event id), a
    /// retry that was signed again is otherwise another message. `None` for what has none, and it counts only where the body is signed.
    /// Without a guard it does nothing.
    #[must_use]
    pub fn event_id(
        mut self,
        id: impl Fn(&Delivery) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        if let Some(once) = &mut self.once {
            once.by_event_id(id);
        }
        self
    }
}

impl<S> Layer<S> for WebhookLayer {
    type Service = WebhookService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookService {
            layer: self.clone(),
            inner,
        }
    }
}

/// A service behind a [`WebhookLayer`].
#[derive(Clone)]
pub struct WebhookService<S> {
    layer: WebhookLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for WebhookService<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Either<Full<Bytes>, R>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is the one to call.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let delivery = match layer.receiver.receive(&parts, body).await {
                Ok(delivery) => delivery,
                Err(answer) => return Ok(answer.into_response().map(Either::Left)),
            };
            let reservation = match layer.reserve(&delivery).await {
                Ok(reservation) => reservation,
                Err(answer) => return Ok(answer.into_response().map(Either::Left)),
            };
            parts.extensions.insert(delivery.verified.clone());
            let body = Full::new(delivery.body.clone());
            parts.extensions.insert(delivery);
            let answered = inner.call(Request::from_parts(parts, body)).await;
            let done = answered
                .as_ref()
                .is_ok_and(|response| response.status().is_success());
            layer.settle(reservation, done).await;
            Ok(answered?.map(Either::Right))
        })
    }
}

impl WebhookLayer {
    async fn reserve(&self, delivery: &Delivery) -> Result<Option<Reservation>, Answer> {
        let Some(once) = &self.once else {
            return Ok(None);
        };
        match once.reserve(delivery, self.receiver.now()).await {
            Ok(Reserve::New(reservation)) => Ok(Some(reservation)),
            Ok(Reserve::AlreadyDone) => Err(Answer::empty(StatusCode::OK)),
            Ok(Reserve::InProgress { .. }) => Err(Answer::empty(StatusCode::SERVICE_UNAVAILABLE)),
            Ok(Reserve::Full) => {
                let full = "it has no room for more messages".into();
                Err(self.receiver.try_again(&Failure::ReplayStore(full)))
            }
            Err(error) => Err(self.receiver.try_again(&Failure::ReplayStore(error))),
        }
    }

    /// The handler's answer stands whatever the store says: what it did is done.
    async fn settle(&self, reservation: Option<Reservation>, done: bool) {
        let (Some(once), Some(reservation)) = (&self.once, reservation) else {
            return;
        };
        match once.settle(reservation, done, self.receiver.now()).await {
            Ok(Settled::Settled) => {}
            Ok(Settled::Lost) => self.receiver.tell(&Failure::LeaseEnded),
            Err(error) => self.receiver.tell(&Failure::ReplayStore(error)),
        }
    }
}

impl std::fmt::Debug for WebhookLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookLayer")
            .field("receiver", &self.receiver)
            .field("replay_guard", &self.once.is_some())
            .finish()
    }
}

impl<S> std::fmt::Debug for WebhookService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookService")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}
