//! A quota that a client shares with other processes: the step after pacing, before the credential.
//!
//! [`RedisQuota`](crate::RedisQuota) (feature `redis`) is the one that comes with this crate; [`SharedQuota`] is for one's
//! own. A client without a shared quota does nothing of this.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatewright_engine::call::{Call, Step};
use gatewright_engine::pacing::WaitReason;
use gatewright_engine::retry::FailureClass;

pub use gatewright_engine::call::NoPermit;
pub use gatewright_engine::fleet::{ShareMode, ShareState};

use crate::Error;
use crate::client::{ClientBuilder, Inner};
use crate::runtime::{BoxFuture, Instant, Runtime, until};

/// A permit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What was waited for, for the record of the attempt; `None` where the permit was there.
    pub waited_for: Option<WaitReason>,
    /// What [`SharedQuota::give_back`] is told where the permit is not used.
    pub ticket: u64,
}

/// A quota that several clients share, wherever they are. One permit is taken for each attempt.
pub trait SharedQuota: fmt::Debug + Send + Sync + 'static {
    /// Takes a permit, waiting for it if need be. `deadline` is when the call's time is up, by `runtime`'s clock; no answer
    /// by then counts as a refusal.
    ///
    /// Dropping the future before it is ready must leave no permit taken.
    ///
    /// # Errors
    /// [`NoPermit`] where there can be none before the deadline; the call fails with `rate_limited`.
    fn take<'a>(
        &'a self,
        runtime: &'a dyn Runtime,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Taken, NoPermit>>;

    /// A permit that was taken was not used: nothing was sent. `ticket` is what came with it.
    fn give_back(&self, ticket: u64) {
        let _ = ticket;
    }

    /// The server asked this client to be left alone for so long (429, or `Retry-After` on a 503), or said that nothing is
    /// left of a quota until then.
    fn on_throttled(&self, pause: Duration) {
        let _ = pause;
    }

    /// A client of the API at `origin`, such as `https://api.example.com`, is about to be made that uses this quota.
    ///
    /// # Errors
    /// Where that cannot be; then no client is made.
    fn on_client(&self, origin: &str) -> Result<(), Error> {
        let _ = origin;
        Ok(())
    }

    /// What is known of it, for `client.state()`.
    fn state(&self) -> Option<ShareState> {
        None
    }
}

impl ClientBuilder {
    /// A quota that is shared with other processes. Each attempt takes a permit of it, beside what the server's own headers
    /// and [`quota`](Self::quota) ask for; requests to other origins take none. Default: none.
    pub fn shared_quota(mut self, quota: impl SharedQuota) -> Self {
        self.shared_quota = Some(Arc::new(quota));
        self
    }
}

/// A permit in hand. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit(Option<(Arc<dyn SharedQuota>, u64)>);

impl Permit {
    /// The attempt is over. A permit was used unless nothing can have reached the server.
    pub(crate) fn settle(mut self, failed: Option<FailureClass>) {
        if !matches!(
            failed,
            Some(FailureClass::Connect | FailureClass::ConnectTimeout | FailureClass::Tls)
        ) {
            self.0 = None;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some((quota, ticket)) = self.0.take() {
            quota.give_back(ticket);
        }
    }
}

/// Takes the permit that the call asked for with [`Step::TakeQuota`].
pub(crate) async fn take(
    client: &Inner,
    cross_origin: bool,
    call: &mut Call,
) -> (Step, Option<Permit>) {
    let runtime = &*client.runtime;
    let Some(quota) = client.shared_quota.as_ref().filter(|_| !cross_origin) else {
        return (call.on_quota(runtime.instant(), Ok(None)), None);
    };
    let deadline = call.deadline();
    let taken = match until(runtime, deadline, quota.take(runtime, deadline)).await {
        Ok(taken) => taken,
        Err(_) => Err(NoPermit {
            retry_after: Duration::ZERO,
            reason: WaitReason::SharedQuota { away: false },
        }),
    };
    let (answer, permit) = match taken {
        Ok(taken) => (
            Ok(taken.waited_for),
            Some(Permit(Some((Arc::clone(quota), taken.ticket)))),
        ),
        Err(refused) => (Err(refused), None),
    };
    (call.on_quota(runtime.instant(), answer), permit)
}

/// What the server asked this client for is asked of all that share the quota.
pub(crate) fn observe(client: &Inner, cross_origin: bool, call: &Call) {
    let Some(quota) = client.shared_quota.as_ref().filter(|_| !cross_origin) else {
        return;
    };
    if let Some(pause) = call.asked_for_quiet(client.runtime.instant()) {
        quota.on_throttled(pause);
    }
}
