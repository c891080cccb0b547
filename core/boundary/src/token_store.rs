//! A token store of the host language's own: a keychain, a database. It keeps one text, which is the JSON of `TokenSet::to_json`.
//!
//! | Question | With | Answer |
//! |---|---|---|
//! | `storeLoad` | | text with what is stored, or nothing |
//! | `storeSave` | `tokens` | nothing, once it is stored |
//! | `storeClear` | | nothing, once it is forgotten |
//! | `storeLock` | | text `true`: it is ours now; `false`: somebody else has it, and is asked again soon |
//! | `storeUnlock` | | not answered |
//!
//! Each has `credential`, the name of the credential whose store is meant; null is the client's own.

use std::fmt;
use std::sync::Arc;

use gatewright::BoxError;
use gatewright::oauth::TokenSet;
use gatewright::runtime::BoxFuture;
use gatewright::token_store::{StoreLock, TokenStore};

use crate::call;
use crate::json;
use crate::port::Port;
use crate::question::{Asked, ask, tell};

/// Asks a client's token store.
#[derive(Clone)]
pub(crate) struct HostStore {
    pub(crate) port: Arc<Port>,
    /// The host language's number of the client.
    pub(crate) client: u32,
    /// The credential's name.
    pub(crate) credential: Option<String>,
}

impl fmt::Debug for HostStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostStore")
    }
}

impl HostStore {
    fn ask(&self, what: &str, tokens: Option<&str>) -> Asked {
        ask(&self.port, self.client, call::current(), what, |out| {
            self.write(out);
            if let Some(tokens) = tokens {
                json::member(out, "tokens");
                json::string(out, tokens);
            }
        })
    }

    fn unlock(&self) {
        tell(&self.port, self.client, 0, "storeUnlock", |out| {
            self.write(out)
        });
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::member(out, "credential");
        json::or_null(out, self.credential.as_deref(), json::string);
    }
}

impl TokenStore for HostStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
        Box::pin(async move {
            match self.ask("storeLoad", None).await?.text {
                None => Ok(None),
                Some(text) => Ok(Some(TokenSet::from_json(&text)?)),
            }
        })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let text = tokens.to_json();
            self.ask("storeSave", Some(&text)).await.map(drop)
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move { self.ask("storeClear", None).await.map(drop) })
    }

    fn lock(&self) -> BoxFuture<'_, Result<Option<StoreLock>, BoxError>> {
        Box::pin(async move {
            let mut taking = Taking {
                store: self,
                asked: self.ask("storeLock", None),
            };
            let text = (&mut taking.asked).await?.text;
            match text.as_deref() {
                Some(TAKEN) => Ok(Some(StoreLock::new(Held(self.clone())))),
                Some("false") => Ok(None),
                _ => {
                    Err("the token store said neither that it is locked nor that it is not".into())
                }
            }
        })
    }
}

/// The answer of a store whose lock is ours.
const TAKEN: &str = "true";

/// A lock that is asked for. Where nobody reads the answer any more, it is given back.
struct Taking<'a> {
    store: &'a HostStore,
    asked: Asked,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        let unread = self.asked.unread();
        if unread.and_then(|reply| reply.text).as_deref() == Some(TAKEN) {
            self.store.unlock();
        }
    }
}

/// The lock of a store, until it is dropped.
struct Held(HostStore);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.unlock();
    }
}
