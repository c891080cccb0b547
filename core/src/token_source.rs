//! A token that is fetched: one fetch at a time, however many calls wait for it. When one is needed says `engine::token`.
//!
//! | Event | What follows |
//! |---|---|
//! | a call needs a token, none is being fetched | it begins the fetch, and waits for it |
//! | another call needs one meanwhile | it waits for the same fetch (`five_hundred_calls_wait_for_one_refresh`) |
//! | a waiter goes away | the fetch goes on: whoever still waits drives it, and natively the runtime does (`a_cancelled_waiter_does_not_end_the_refresh`) |
//! | the fetch fails | all who wait are told; the next call begins another (`a_refresh_that_fails_does_not_poison`) |
//! | the fetch fails or dawdles, the old token is still good | the old one is used (`a_token_that_is_still_good_outlives_a_failed_refresh`) |

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use gatewright_engine::auth::Credential;
use gatewright_engine::redact::Secret;
use gatewright_engine::token::{Generation, Need, Token, TokenCell};

use crate::body::BoxError;
use crate::runtime::{BoxFuture, RandomOf, Runtime, servers_instant, until};
use crate::transport::Transport;

/// While the old token is good, a call waits no longer than this for the new one.
const PATIENCE: Duration = Duration::from_secs(2);

/// What fetches use to reach a server: the client's own transport and clocks.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: Arc<dyn Runtime>,
}

/// Gets the next token.
pub(crate) trait Renew: Send + Sync + 'static {
    /// Gets a token other than `known`, which was refused or is about to expire.
    fn renew(
        &self,
        wire: Wire,
        known: Option<Secret>,
    ) -> BoxFuture<'static, Result<Token, BoxError>>;
}

/// Fetches tokens. Implemented for closures that return a future of a [`Token`].
pub trait FetchToken: Send + Sync + 'static {
    /// Fetches a new token. A failure is not remembered: the next request tries again.
    fn fetch(&self) -> BoxFuture<'static, Result<Token, BoxError>>;
}

impl<F, Fut> FetchToken for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Token, BoxError>> + Send + 'static,
{
    fn fetch(&self) -> BoxFuture<'static, Result<Token, BoxError>> {
        Box::pin(self())
    }
}

/// Tokens of a callback.
pub(crate) struct Callback<F>(pub(crate) F);

impl<F: FetchToken> Renew for Callback<F> {
    fn renew(&self, _: Wire, _: Option<Secret>) -> BoxFuture<'static, Result<Token, BoxError>> {
        self.0.fetch()
    }
}

/// A failed fetch, shared by all who waited for it.
#[derive(Clone, Debug)]
pub(crate) struct TokenFailure(pub(crate) Arc<BoxError>);

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TokenFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&**self.0)
    }
}

type Flight = Shared<BoxFuture<'static, Result<(), TokenFailure>>>;

/// A token, and how to get the next.
pub(crate) struct TokenSource {
    renew: Box<dyn Renew>,
    number: u64,
    cell: Mutex<TokenCell>,
    /// The token that was given last, whether or not it is still good.
    known: Mutex<Option<Secret>>,
    flight: Mutex<Option<Flight>>,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TokenSource {
    pub(crate) fn new(renew: impl Renew) -> Self {
        static SOURCES: AtomicU64 = AtomicU64::new(1);
        Self {
            renew: Box::new(renew),
            number: SOURCES.fetch_add(1, Ordering::Relaxed),
            cell: Mutex::default(),
            known: Mutex::default(),
            flight: Mutex::default(),
        }
    }

    /// Tells it from the other sources of this process.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// A token that is good now. Joins the fetch that is under way; a waiter that goes away does not end it.
    pub(crate) async fn token(
        self: &Arc<Self>,
        transport: &Arc<dyn Transport>,
        runtime: &Arc<dyn Runtime>,
    ) -> Result<(Secret, Generation), TokenFailure> {
        // A token may be invalidated between its coming and its use, so it is asked for again; but a source whose tokens
        // are never good must not be asked for ever.
        for _ in 0..3 {
            let meanwhile = match lock(&self.cell).need(servers_instant(&**runtime)) {
                Need::Use(secret, generation) => return Ok((secret, generation)),
                Need::Refresh { meanwhile } => meanwhile,
            };
            let Some((mut flight, begun)) = self.join(transport, runtime) else {
                // The fetch that was under way has just ended.
                continue;
            };
            let Some(valid) = meanwhile else {
                flight.await?;
                continue;
            };
            if !begun {
                // A step on the way, in case nobody else drives it.
                return match (&mut flight).now_or_never() {
                    Some(Ok(())) => continue,
                    Some(Err(_)) | None => Ok(valid),
                };
            }
            let patience = runtime.instant() + PATIENCE;
            match until(&**runtime, patience, flight).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Ok(valid),
            }
        }
        Err(TokenFailure(Arc::new(
            "the tokens that are fetched have expired already".into(),
        )))
    }

    /// The server refused the token of this generation.
    pub(crate) fn invalidate(&self, generation: Generation) {
        lock(&self.cell).invalidate(generation);
    }

    /// The fetch to wait for, and whether it begins here; `None`: there is a token by now.
    fn join(
        self: &Arc<Self>,
        transport: &Arc<dyn Transport>,
        runtime: &Arc<dyn Runtime>,
    ) -> Option<(Flight, bool)> {
        let mut flight = lock(&self.flight);
        if let Some(flight) = &*flight {
            return Some((flight.clone(), false));
        }
        // Looked at under the lock that a fetch takes when it ends: one that ended since this call looked is not begun again.
        let now = servers_instant(&**runtime);
        if matches!(lock(&self.cell).need(now), Need::Use(..)) {
            return None;
        }
        // Not the source itself: it holds this future, and would never go where nobody drives that to its end.
        let source = Arc::downgrade(self);
        let wire = Wire {
            transport: Arc::clone(transport),
            runtime: Arc::clone(runtime),
        };
        let gone = || TokenFailure(Arc::new("the client is gone".into()));
        let fetching: BoxFuture<'static, Result<(), TokenFailure>> = Box::pin(async move {
            let runtime = Arc::clone(&wire.runtime);
            let fetch = source.upgrade().map(|source| {
                let known = lock(&source.known).clone();
                source.renew.renew(wire, known)
            });
            let fetched = fetch.ok_or_else(gone)?.await.and_then(usable);
            let source = source.upgrade().ok_or_else(gone)?;
            let now = servers_instant(&*runtime);
            let mut flight = lock(&source.flight);
            let outcome = match fetched {
                Ok(token) => {
                    *lock(&source.known) = Some(token.secret.clone());
                    lock(&source.cell).on_token(token, now, &mut RandomOf(&*runtime));
                    Ok(())
                }
                Err(error) => {
                    lock(&source.cell).on_failed(now);
                    Err(TokenFailure(Arc::new(error)))
                }
            };
            *flight = None;
            outcome
        });
        let shared = fetching.shared();
        *flight = Some(shared.clone());
        drive(&shared);
        Some((shared, true))
    }
}

/// Lets the runtime drive a fetch, where there is one: what a server has given must be kept even where nobody waits any more.
#[cfg(feature = "native")]
fn drive(flight: &Flight) {
    if let Ok(handle) = tokio::runtime::Handle::try_current() {
        drop(handle.spawn(flight.clone().map(|_| ())));
    }
}

#[cfg(not(feature = "native"))]
fn drive(_: &Flight) {}

/// Refuses a token that no header can carry or that has expired before it came.
fn usable(token: Token) -> Result<Token, BoxError> {
    Credential::Bearer(token.secret.clone()).check()?;
    if token
        .expires_in
        .is_some_and(|lifetime| lifetime <= Duration::ZERO)
    {
        return Err("the token has expired already".into());
    }
    Ok(token)
}
