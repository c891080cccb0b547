//! A handler for each type of event, with a type of your own for its payload.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tower_service::Service;

use crate::answer::Answer;
use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::{BoxError, BoxFuture};

type Handled = BoxFuture<'static, Result<(), BoxError>>;
type Handler = dyn Fn(&str, Delivery) -> Result<Handled, serde_json::Error> + Send + Sync;
type Tell = dyn Fn(&Failure) + Send + Sync;

/// Handlers by type of event. By itself ([`dispatch`](Self::dispatch)), or as the service behind a
/// [`WebhookLayer`](crate::WebhookLayer).
///
/// ```
/// use gatewright_webhook_tower::Events;
///
/// #[derive(serde::Deserialize)]
/// struct User { id: String }
///
/// // {"type": "user.created", "data": {"id": "u_1"}}
/// let events = Events::new()
///     .payload_in(["data"])
///     .on::<User, _>("user.created", |user, delivery| async move {
///         println!("{} in {:?}", user.id, delivery.verified.message_id);
///         Ok(())
///     });
/// ```
///
/// As a service it answers 204 for what was handled and for what has no handler (the sender need not try again), 422 for a payload
/// that is not of the handler's type, 500 where the handler failed. The body of these answers says nothing of the reason.
#[derive(Clone)]
pub struct Events {
    kind: Kind,
    payload: Vec<String>,
    handlers: HashMap<String, Arc<Handler>>,
    on_failure: Option<Arc<Tell>>,
}

/// Where an event says its type.
#[derive(Clone)]
enum Kind {
    /// A member of the JSON body, by the names on the way to it.
    Member(Vec<String>),
    Header(String),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Dispatched {
    /// Its handler succeeded.
    Handled,
    /// It has none.
    NoHandler,
}

/// Why an event was not handled. For the developer: it may quote the body.
#[derive(Debug)]
#[non_exhaustive]
pub enum DispatchError {
    /// The event does not say its type where it was looked for.
    NoType,
    /// Its payload is not of the handler's type.
    BadPayload {
        /// The event's type.
        kind: String,
        /// What serde says; `None` where there is no such member.
        error: Option<serde_json::Error>,
    },
    /// The handler failed.
    Handler {
        /// The event's type.
        kind: String,
        /// What the handler says.
        error: BoxError,
    },
}

impl Events {
    /// No handlers; the type is the body's member `type`, the payload the whole body.
    #[must_use]
    pub fn new() -> Self {
        Self {
            kind: Kind::Member(vec!["type".to_owned()]),
            payload: Vec::new(),
            handlers: HashMap::new(),
            on_failure: None,
        }
    }

    /// Reads the type from another member of the body, by the names on the way: `["event", "type"]` for Slack.
    #[must_use]
    pub fn type_in<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.kind = Kind::Member(path.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the type from a header: `x-github-event`, `x-shopify-topic`. No scheme signs these: whoever is on the way, or has a
    /// recorded delivery, can name another. Let each handler's type be one that only its own events fit.
    #[must_use]
    pub fn type_header(mut self, name: impl Into<String>) -> Self {
        self.kind = Kind::Header(name.into());
        self
    }

    /// Takes a member of the body for the payload, by the names on the way: `["data"]` for Standard Webhooks,
    /// `["data", "object"]` for Stripe. Default: the whole body.
    #[must_use]
    pub fn payload_in<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.payload = path.into_iter().map(Into::into).collect();
        self
    }

    /// Handles events of type `kind`, whose payload is a `T`. One handler for each type: the last one given.
    #[must_use]
    pub fn on<T, F>(
        mut self,
        kind: impl Into<String>,
        handler: impl Fn(T, Delivery) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: DeserializeOwned,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let erased: Arc<Handler> = Arc::new(move |payload, delivery| {
            let payload = serde_json::from_str(payload)?;
            Ok(Box::pin(handler(payload, delivery)))
        });
        self.handlers.insert(kind.into(), erased);
        self
    }

    /// Tells of what fails behind a layer, beside the `tracing` warning that it is.
    #[must_use]
    pub fn on_failure(mut self, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.on_failure = Some(Arc::new(tell));
        self
    }

    /// Runs the handler of a delivery; `headers` are its request's.
    ///
    /// # Errors
    ///
    /// [`DispatchError`].
    pub async fn dispatch(
        &self,
        delivery: Delivery,
        headers: &HeaderMap,
    ) -> Result<Dispatched, DispatchError> {
        let (kind, handling) = match self.find(delivery, headers)? {
            Some(found) => found,
            None => return Ok(Dispatched::NoHandler),
        };
        match handling.await {
            Ok(()) => Ok(Dispatched::Handled),
            Err(error) => Err(DispatchError::Handler { kind, error }),
        }
    }

    /// The type of an event and its handler, begun.
    fn find(
        &self,
        delivery: Delivery,
        headers: &HeaderMap,
    ) -> Result<Option<(String, Handled)>, DispatchError> {
        let body = delivery.body.clone();
        let text = std::str::from_utf8(&body).map_err(|_| DispatchError::NoType)?;
        let kind = self.kind.of(text, headers).ok_or(DispatchError::NoType)?;
        let Some(handler) = self.handlers.get(&kind) else {
            return Ok(None);
        };
        let started = match member(text, &self.payload) {
            Some(payload) => handler(payload, delivery).map_err(Some),
            None => Err(None),
        };
        match started {
            Ok(handling) => Ok(Some((kind, handling))),
            Err(error) => Err(DispatchError::BadPayload { kind, error }),
        }
    }

    fn tell(&self, failure: &Failure) {
        tracing::warn!(target: "gatewright_webhook", code = failure.code(), "{failure}");
        if let Some(tell) = &self.on_failure {
            tell(failure);
        }
    }

    async fn answer(&self, delivery: Option<Delivery>, headers: &HeaderMap) -> Answer {
        let Some(delivery) = delivery else {
            self.tell(&Failure::NoLayer);
            return Answer::opaque(StatusCode::INTERNAL_SERVER_ERROR);
        };
        match self.dispatch(delivery, headers).await {
            Ok(Dispatched::Handled | Dispatched::NoHandler) => {
                Answer::empty(StatusCode::NO_CONTENT)
            }
            Err(error @ DispatchError::Handler { .. }) => {
                self.tell(&Failure::HandlerFailed(error.into()));
                Answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Err(error) => {
                self.tell(&Failure::BadPayload(error.into()));
                Answer::empty(StatusCode::UNPROCESSABLE_ENTITY)
            }
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl Kind {
    /// `None` where it is not there once, as text.
    fn of(&self, body: &str, headers: &HeaderMap) -> Option<String> {
        match self {
            Self::Member(path) => serde_json::from_str(member(body, path)?).ok(),
            Self::Header(name) => {
                let mut values = headers.get_all(name).iter();
                let value = values.next()?.to_str().ok()?;
                values.next().is_none().then(|| value.to_owned())
            }
        }
    }
}

/// What stands at a place in JSON, as it is written there. `None` where nothing does.
fn member<'j>(json: &'j str, path: &[String]) -> Option<&'j str> {
    path.iter().try_fold(json, |json, name| {
        let members: BTreeMap<String, &'j RawValue> = serde_json::from_str(json).ok()?;
        members.get(name).map(|value| value.get())
    })
}

impl<B> Service<Request<B>> for Events
where
    B: Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let events = self.clone();
        Box::pin(async move {
            let (mut parts, _) = request.into_parts();
            let delivery = parts.extensions.remove::<Delivery>();
            let answer = events.answer(delivery, &parts.headers).await;
            Ok(answer.into_response())
        })
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("types", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DispatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoType => {
                f.write_str("the event does not say its type: see Events::type_in and type_header")
            }
            Self::BadPayload {
                kind,
                error: Some(error),
            } => write!(
                f,
                "the payload of {kind:?} is not of its handler's type: {error}"
            ),
            Self::BadPayload { kind, error: None } => {
                write!(
                    f,
                    "{kind:?} has no payload where Events::payload_in looks for it"
                )
            }
            Self::Handler { kind, error } => write!(f, "the handler of {kind:?} failed: {error}"),
        }
    }
}

impl Error for DispatchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::BadPayload {
                error: Some(error), ..
            } => Some(error),
            Self::Handler { error, .. } => Some(&**error),
            Self::NoType | Self::BadPayload { error: None, .. } => None,
        }
    }
}
