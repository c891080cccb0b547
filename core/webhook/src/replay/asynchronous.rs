//! The replay guard for stores that are asked over a network, by code that does not block.

use std::future::{Future, ready};

use super::{MemoryReplayGuard, ReplayGuard, ReplayKey, Reservation, Reserve, Settled};

/// As [`ReplayGuard`], for a store that is asked asynchronously. Each method must be atomic among all users of the store.
///
/// [`MemoryReplayGuard`] is one; [`SqlReplayGuard`](super::sql::SqlReplayGuard) is one over a store that is asked asynchronously; the
/// crate `gatewright` has one for Redis.
pub trait AsyncReplayGuard: Send + Sync {
    /// What can go wrong with the store.
    type Error;

    /// Asks for the message at `now` (unix seconds).
    ///
    /// # Errors
    ///
    /// The store's. Answer the sender 503, so that it tries again.
    fn reserve(
        &self,
        key: &ReplayKey,
        now: i64,
    ) -> impl Future<Output = Result<Reserve, Self::Error>> + Send;

    /// The handler succeeded: the message is done.
    ///
    /// # Errors
    ///
    /// The store's.
    fn commit(
        &self,
        reservation: Reservation,
        now: i64,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send;

    /// The handler failed: the message may be tried again at once.
    ///
    /// # Errors
    ///
    /// The store's.
    fn release(
        &self,
        reservation: Reservation,
        now: i64,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send;
}

impl AsyncReplayGuard for MemoryReplayGuard {
    type Error = std::convert::Infallible;

    fn reserve(
        &self,
        key: &ReplayKey,
        now: i64,
    ) -> impl Future<Output = Result<Reserve, Self::Error>> + Send {
        ready(ReplayGuard::reserve(self, key, now))
    }

    fn commit(
        &self,
        reservation: Reservation,
        now: i64,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send {
        ready(ReplayGuard::commit(self, reservation, now))
    }

    fn release(
        &self,
        reservation: Reservation,
        now: i64,
    ) -> impl Future<Output = Result<Settled, Self::Error>> + Send {
        ready(ReplayGuard::release(self, reservation, now))
    }
}
