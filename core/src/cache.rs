//! The private HTTP cache (RFC 9111) around a call: looked at before anything is sent, filled after that.
//!
//! What is decided is decided in `gatewright_engine::cache`; here it is done. A client without a cache does nothing of this.
//!
//! | Request | Done |
//! |---|---|
//! | GET, fresh | answered, nothing is sent |
//! | GET, stale | validated (`cache/validation.rs`), one at a time for each stored answer (`cache/flight.rs`) |
//! | GET, not stored | sent; stored where it may be |
//! | GET with a range, with conditions of its own or with a body, OPTIONS | sent, as if there were no cache |
//! | HEAD | answered from a stored GET that is fresh; else sent, and what is stored is forgotten where its answer shows a change |
//! | POST, PUT, PATCH, DELETE, any method that is not known | sent; what it may have changed is forgotten |
//! | streamed | answered from the cache too, but what comes from the server is not stored |

mod call;
mod change;
mod deliver;
mod flight;
mod settings;
mod validation;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatewright_engine::cache::{CacheState, Partitions, Rules, Store};
use http::{HeaderMap, HeaderName};

use crate::Error;
use crate::client::{Client, Inner};
use crate::runtime::Runtime;
use crate::send::{Prepared, Sent};
use flight::Flights;

pub use gatewright_engine::cache::{CacheMode, CacheStatus};
pub use settings::CacheSettings;

/// The cache of one client.
#[derive(Debug)]
pub(crate) struct Cache {
    rules: Rules,
    partitions: Partitions,
    store: Mutex<Store>,
    flights: Arc<Flights>,
}

impl Cache {
    pub(crate) fn new(rules: Rules, runtime: &dyn Runtime) -> Self {
        Self {
            rules,
            partitions: Partitions::new([runtime.random(), runtime.random()]),
            store: Mutex::new(Store::new(rules.max_bytes)),
            flights: Arc::default(),
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> CacheState {
        self.store().state()
    }

    fn count(&self, status: CacheStatus) {
        self.store().count(status);
    }
}

impl Client {
    /// Forgets every answer that the cache has stored; what is under way is not stored either. Without a cache nothing happens.
    pub fn clear_cache(&self) {
        if let Some(cache) = &self.inner.cache {
            cache.store().clear();
        }
    }
}

/// Fields of a request that hooks have changed on the way out, in any of its attempts: by these the cache cannot tell
/// requests apart, since it is asked before any hook.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Vec<HeaderName>>);

impl Watch {
    /// For the requests of a client with a cache and with hooks.
    fn of(client: &Inner) -> Option<Arc<Self>> {
        (!client.hooks.is_empty()).then(Arc::default)
    }

    /// A hook made `after` of `before`.
    pub(crate) fn note(&self, before: &HeaderMap, after: &HeaderMap) {
        let names = before.keys().chain(after.keys());
        let changed =
            names.filter(|name| !before.get_all(*name).iter().eq(after.get_all(*name).iter()));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in changed {
            if !known.contains(name) {
                known.push(name.clone());
            }
        }
    }

    fn changed(&self) -> Vec<HeaderName> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Sends a request through the cache, where the client has one.
pub(crate) async fn send(client: &Client, request: Prepared) -> Result<Sent, Error> {
    match &client.inner.cache {
        Some(cache) => Box::pin(call::through(client, cache, request)).await,
        None if request.cache_mode == CacheMode::OnlyIfCached => {
            Err(deliver::not_cached(&client.inner, &request))
        }
        None => crate::send::send(&client.inner, request).await,
    }
}
