//! Credentials, and the one fetch at a time that renews a token.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use gatewright_engine::ErrorKind;
use gatewright_engine::auth::Credential;
use gatewright_engine::redact::Secret;
use gatewright_engine::token::{Generation, Need, TokenCell};
use http::HeaderName;

use crate::Error;
use crate::body::BoxError;
use crate::runtime::{BoxFuture, RandomOf, Runtime, servers_instant};

pub use gatewright_engine::token::Token;

/// How requests prove who they are. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Auth {
    pub(crate) credential: Credential,
    pub(crate) source: Option<Arc<TokenSource>>,
}

impl Auth {
    const fn of(credential: Credential) -> Self {
        Self {
            credential,
            source: None,
        }
    }

    /// No credential.
    #[must_use]
    pub const fn none() -> Self {
        Self::of(Credential::None)
    }

    /// An API key in the header `name`, such as `x-api-key`.
    ///
    /// # Errors
    /// `invalid_config` where `name` is no header name.
    pub fn api_key(name: &str, key: impl Into<Secret>) -> Result<Self, Error> {
        let name = HeaderName::try_from(name).map_err(|_| {
            Error::new(
                ErrorKind::InvalidConfig,
                format!("{name:?} is no header name for an API key"),
            )
        })?;
        Ok(Self::of(Credential::ApiKeyHeader {
            name,
            key: key.into(),
        }))
    }

    /// An API key in the query parameter `name`. It is redacted from every URL shown.
    #[must_use]
    pub fn api_key_query(name: impl Into<String>, key: impl Into<Secret>) -> Self {
        Self::of(Credential::ApiKeyQuery {
            name: name.into(),
            key: key.into(),
        })
    }

    /// An API key in the cookie `name`.
    #[must_use]
    pub fn api_key_cookie(name: impl Into<String>, key: impl Into<Secret>) -> Self {
        Self::of(Credential::ApiKeyCookie {
            name: name.into(),
            key: key.into(),
        })
    }

    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::of(Credential::Bearer(token.into()))
    }

    /// `Authorization: Basic …`.
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::of(Credential::Basic {
            user: user.into(),
            password: password.into(),
        })
    }

    /// A bearer token that `fetch` fetches: before the first request, ahead of its expiry, and once more after a 401.
    /// One fetch is under way at a time, however many requests wait for it.
    pub fn token(fetch: impl FetchToken) -> Self {
        let source = TokenSource {
            fetch: Box::new(fetch),
            cell: Mutex::new(TokenCell::default()),
            flight: Mutex::new(None),
        };
        Self {
            credential: Credential::Token,
            source: Some(Arc::new(source)),
        }
    }

    /// Checks the credential.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.credential
            .check()
            .map_err(|why| Error::new(ErrorKind::InvalidConfig, format!("`auth`: {why}")))
    }
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

/// A failed fetch, shared by all who waited for it.
#[derive(Clone, Debug)]
pub(crate) struct TokenFailure(Arc<BoxError>);

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
    fetch: Box<dyn FetchToken>,
    cell: Mutex<TokenCell>,
    flight: Mutex<Option<Flight>>,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

impl TokenSource {
    fn cell(&self) -> std::sync::MutexGuard<'_, TokenCell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that is good now. Joins the fetch that is under way; a waiter that goes away does not end it, because
    /// whoever still waits, or comes next, drives it on.
    pub(crate) async fn token(
        self: &Arc<Self>,
        runtime: &Arc<dyn Runtime>,
    ) -> Result<(Secret, Generation), TokenFailure> {
        // A token may be invalidated between its coming and its use, so it is asked for again; but a source whose tokens
        // are never good must not be asked for ever.
        for _ in 0..3 {
            let meanwhile = match self.cell().need(servers_instant(&**runtime)) {
                Need::Use(secret, generation) => return Ok((secret, generation)),
                Need::Refresh { meanwhile } => meanwhile,
            };
            let (flight, joined) = self.join(runtime);
            match (joined, meanwhile) {
                (true, Some(valid)) => return Ok(valid),
                (_, meanwhile) => match (flight.await, meanwhile) {
                    (Ok(()), _) => {}
                    (Err(_), Some(valid)) => return Ok(valid),
                    (Err(failure), None) => return Err(failure),
                },
            }
        }
        Err(TokenFailure(Arc::new(
            "the tokens that the callback gives have expired already".into(),
        )))
    }

    /// The server refused the token of this generation.
    pub(crate) fn invalidate(&self, generation: Generation) {
        self.cell().invalidate(generation);
    }

    fn join(self: &Arc<Self>, runtime: &Arc<dyn Runtime>) -> (Flight, bool) {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = &*flight {
            return (flight.clone(), true);
        }
        // Not the source itself: it holds this future, and would never go where nobody drives that to its end.
        let (source, runtime) = (Arc::downgrade(self), Arc::clone(runtime));
        let gone = || TokenFailure(Arc::new("the client is gone".into()));
        let fetching: BoxFuture<'static, Result<(), TokenFailure>> = Box::pin(async move {
            let fetch = source.upgrade().map(|source| source.fetch.fetch());
            let fetched = fetch.ok_or_else(gone)?.await.and_then(usable);
            let source = source.upgrade().ok_or_else(gone)?;
            let now = servers_instant(&*runtime);
            let outcome = match fetched {
                Ok(token) => {
                    source.cell().on_token(token, now, &mut RandomOf(&*runtime));
                    Ok(())
                }
                Err(error) => {
                    source.cell().on_failed(now);
                    Err(TokenFailure(Arc::new(error)))
                }
            };
            *source.flight.lock().unwrap_or_else(PoisonError::into_inner) = None;
            outcome
        });
        let shared = fetching.shared();
        *flight = Some(shared.clone());
        (shared, false)
    }
}

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
