//! The replay guard of a layer, whatever its type, and the name under which it remembers.

use std::sync::Arc;

use gatewright_webhook::BodyBound;
use gatewright_webhook::replay::{AsyncReplayGuard, ReplayKey, Reservation, Reserve, Settled};

use crate::delivery::Delivery;
use crate::{BoxError, BoxFuture};

type EventId = dyn Fn(&Delivery) -> Option<String> + Send + Sync;

/// A guard, and your name for the sender.
#[derive(Clone)]
pub(crate) struct Once {
    sender: Arc<str>,
    guard: Arc<dyn AnyGuard>,
    event_id: Option<Arc<EventId>>,
}

impl Once {
    pub(crate) fn new<G>(sender: String, guard: G) -> Self
    where
        G: AsyncReplayGuard + 'static,
        G::Error: Into<BoxError>,
    {
        Self {
            sender: sender.into(),
            guard: Arc::new(guard),
            event_id: None,
        }
    }

    pub(crate) fn by_event_id(
        &mut self,
        id: impl Fn(&Delivery) -> Option<String> + Send + Sync + 'static,
    ) {
        self.event_id = Some(Arc::new(id));
    }

    pub(crate) async fn reserve(&self, of: &Delivery, now: i64) -> Result<Reserve, BoxError> {
        self.guard.reserve(self.key(of), now).await
    }

    fn key(&self, of: &Delivery) -> ReplayKey {
        let verified = &of.verified;
        // An id in a body that is not signed is anybody's: with another one, a recorded message would be a new one.
        let bound = matches!(verified.body_bound, BodyBound::Full | BodyBound::Fields);
        let id = self.event_id.as_ref().filter(|_| bound);
        match id.and_then(|id| id(of)) {
            Some(id) => ReplayKey::for_message(&self.sender, verified.scheme, &id),
            None => verified.replay_key(&self.sender),
        }
    }

    /// Commits what is done, and releases what is not.
    pub(crate) async fn settle(
        &self,
        reservation: Reservation,
        done: bool,
        now: i64,
    ) -> Result<Settled, BoxError> {
        self.guard.settle(reservation, done, now).await
    }
}

trait AnyGuard: Send + Sync {
    fn reserve(&self, key: ReplayKey, now: i64) -> BoxFuture<'_, Result<Reserve, BoxError>>;

    fn settle(
        &self,
        reservation: Reservation,
        done: bool,
        now: i64,
    ) -> BoxFuture<'_, Result<Settled, BoxError>>;
}

impl<G> AnyGuard for G
where
    G: AsyncReplayGuard,
    G::Error: Into<BoxError>,
{
    fn reserve(&self, key: ReplayKey, now: i64) -> BoxFuture<'_, Result<Reserve, BoxError>> {
        Box::pin(async move {
            let reserved = AsyncReplayGuard::reserve(self, &key, now).await;
            reserved.map_err(Into::into)
        })
    }

    fn settle(
        &self,
        reservation: Reservation,
        done: bool,
        now: i64,
    ) -> BoxFuture<'_, Result<Settled, BoxError>> {
        Box::pin(async move {
            let settled = if done {
                self.commit(reservation, now).await
            } else {
                self.release(reservation, now).await
            };
            settled.map_err(Into::into)
        })
    }
}
