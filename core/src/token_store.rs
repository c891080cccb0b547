//! Where tokens of OAuth are kept between runs, and between processes.
//!
//! A refresh holds the store's lock from before it reads until after it has saved, so that of several processes one refreshes and the others
//! find what it saved: a server that rotates refresh tokens takes back all of them where one is used twice.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use gatewright_engine::oauth::TokenSet;

use crate::body::BoxError;
use crate::runtime::BoxFuture;

#[cfg(feature = "native")]
mod file;
#[cfg(feature = "native")]
pub use file::FileStore;

/// Holds a store's lock until it is dropped.
pub struct StoreLock(
    #[expect(dead_code, reason = "dropped, not read")] Option<Box<dyn Send + Sync>>,
);

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}

impl StoreLock {
    /// A lock that is given back when `guard` is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Some(Box::new(guard)))
    }

    /// No lock, for a store that no other process uses.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }
}

/// Keeps the tokens of one login.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// What is stored; `None`: nothing.
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>>;

    /// Stores `tokens` in place of what was there, whole or not at all.
    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>>;

    /// Forgets what is stored.
    fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>>;

    /// Tries to take the store's lock; `None`: somebody else has it, ask again. Default: there is no lock, which is right where one
    /// process alone uses the store. A process that ends must give its lock back, however it ends.
    fn lock(&self) -> BoxFuture<'_, Result<Option<StoreLock>, BoxError>> {
        Box::pin(std::future::ready(Ok(Some(StoreLock::none()))))
    }
}

/// Keeps tokens in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Option<TokenSet>>>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, Option<TokenSet>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
        Box::pin(std::future::ready(Ok(self.tokens().clone())))
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
        *self.tokens() = Some(tokens.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        *self.tokens() = None;
        Box::pin(std::future::ready(Ok(())))
    }
}
