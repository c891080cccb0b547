//! What receives: a verifier, its clock, whom to tell of failures, and what to fetch with.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gatewright_webhook::Webhook;

use crate::failure::Failure;
use crate::{BoxError, BoxFuture};

type Tell = dyn Fn(&Failure) + Send + Sync;
type Confirm = dyn Fn(String) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

/// A verifier at an endpoint. Cheap to clone; make it once.
///
/// ```
/// use gatewright_webhook::Webhook;
/// use gatewright_webhook_tower::Receiver;
///
/// # fn main() -> Result<(), gatewright_webhook::KeyError> {
/// let webhook = Webhook::new(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])?;
/// let receiver = Receiver::new(webhook).on_failure(|failure| eprintln!("{}: {failure}", failure.code()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Receiver {
    pub(crate) webhook: Webhook,
    pub(crate) explains: bool,
    #[cfg(feature = "asymmetric")]
    pub(crate) fetch: Option<Arc<crate::certificates::Fetch>>,
    pub(crate) confirm: Option<Arc<Confirm>>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    on_failure: Option<Arc<Tell>>,
}

impl Receiver {
    /// Receives what `webhook` verifies, by the system's clock.
    ///
    /// Where the scheme signs the URL (Twilio, Square), give the verifier the public one
    /// ([`WebhookBuilder::url`](gatewright_webhook::WebhookBuilder::url)): the path and query it leaves out are the request's. Without it
    /// the URL is `https`, the header `Host`, and the request's path and query.
    #[must_use]
    pub fn new(webhook: Webhook) -> Self {
        Self {
            webhook,
            explains: false,
            #[cfg(feature = "asymmetric")]
            fetch: None,
            confirm: None,
            clock: Arc::new(unix_seconds),
            on_failure: None,
        }
    }

    /// Another clock, in unix seconds; for tests.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(now);
        self
    }

    /// Tells of every failure, beside the `tracing` warning that it is. It is called where requests are handled, so it must not block.
    #[must_use]
    pub fn on_failure(mut self, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.on_failure = Some(Arc::new(tell));
        self
    }

    /// Whether to look for the likely cause of each refusal ([`Webhook::explain_request`]) and put it into
    /// [`Failure::Unverified`] and the log. Default `false`: it may take a tenth of a second, and a stranger could ask for it. For
    /// development; the sender is told nothing either way.
    #[must_use]
    pub const fn explain(mut self, explains: bool) -> Self {
        self.explains = explains;
        self
    }

    /// How to confirm a subscription of AWS SNS: GET this URL, which is one of AWS's own, with a deadline. It is asked for verified
    /// requests of the configured topic alone. Without it such a request goes to the handler as any other.
    #[must_use]
    pub fn confirm_subscription<F>(
        mut self,
        confirm: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.confirm = Some(Arc::new(move |url| Box::pin(confirm(url))));
        self
    }

    /// The verifier.
    #[must_use]
    pub const fn webhook(&self) -> &Webhook {
        &self.webhook
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn tell(&self, failure: &Failure) {
        tracing::warn!(
            target: "gatewright_webhook",
            scheme = self.webhook.scheme().name(),
            code = failure.code(),
            "{failure}"
        );
        if let Some(tell) = &self.on_failure {
            tell(failure);
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("scheme", &self.webhook.scheme())
            .field("explain", &self.explains)
            .finish_non_exhaustive()
    }
}

/// Before 1970 every timestamp is too new, and is refused.
fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
