//! The replay guard of a layer, whatever its type, and the name under which it remembers.

use std::sync::Arc;

use gatewright_webhook::Verified;
use gatewright_webhook::replay::{AsyncReplayGuard, ReplayKey, Reservation, Reserve, Settled};

use crate::{BoxError, BoxFuture};

/// A guard, and your name for the sender.
#[derive(Clone)]
pub(crate) struct Once {
    sender: Arc<str>,
    guard: Arc<dyn AnyGuard>,
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
        }
    }

    pub(crate) async fn reserve(&self, of: &Verified, now: i64) -> Result<Reserve, BoxError> {
        self.guard.reserve(of.replay_key(&self.sender), now).await
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
