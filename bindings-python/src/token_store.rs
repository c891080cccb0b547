//! `token_store=`: tokens kept where the user's own Python code says, in a keychain or a database.
//!
//! The methods are asked at the home of the call that needs the tokens, as all callbacks are, and may be `async` there. `unlock` alone has no
//! call that waits for it: it is called on a thread of its own, and is a plain function.

use std::fmt;

use gatewright::BoxError;
use gatewright::oauth::TokenSet;
use gatewright::runtime::BoxFuture;
use gatewright::token_store::{StoreLock, TokenStore};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::callback::ask_home;
use crate::slot::Slot;

/// A store in Python: `load`, `save` and `clear`, and where processes share it `lock` and `unlock`.
#[derive(Clone)]
pub(crate) struct PythonStore {
    store: Slot,
    locks: bool,
}

impl fmt::Debug for PythonStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PythonStore")
    }
}

impl PythonStore {
    /// What the garbage collector is to see.
    pub(crate) const fn slot(&self) -> &Slot {
        &self.store
    }

    /// Refuses what lacks a method now, rather than when the first token has been fetched.
    pub(crate) fn new(store: Bound<'_, PyAny>) -> PyResult<Self> {
        let has = |name: &str| -> PyResult<bool> {
            Ok(store
                .getattr_opt(name)?
                .is_some_and(|method| method.is_callable()))
        };
        for name in ["load", "save", "clear"] {
            if !has(name)? {
                return Err(PyTypeError::new_err(format!(
                    "OAuth: token_store= takes an object with load(), save(tokens) and clear(); this one has no {name}()"
                )));
            }
        }
        let locks = has("lock")?;
        if locks != has("unlock")? {
            return Err(PyTypeError::new_err(
                "OAuth: token_store= has one of lock() and unlock(); it takes both, or neither",
            ));
        }
        Ok(Self {
            store: Slot::new(store),
            locks,
        })
    }

    async fn ask<T: Send + 'static>(
        &self,
        method: &'static str,
        tokens: Option<String>,
        read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> Result<T, BoxError> {
        let store = self.store.clone();
        let ask = move |py: Python<'_>| {
            let store = store.get(py)?;
            let answer = match tokens {
                Some(tokens) => store.call_method1(method, (tokens,)),
                None => store.call_method0(method),
            };
            answer.map(Bound::unbind)
        };
        ask_home(ask, read).await
    }
}

impl TokenStore for PythonStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, BoxError>> {
        Box::pin(async move {
            let stored = self.ask("load", None, read_stored).await?;
            match stored {
                None => Ok(None),
                Some(text) => Ok(Some(TokenSet::from_json(&text)?)),
            }
        })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), BoxError>> {
        let text = tokens.to_json().to_string();
        Box::pin(async move { self.ask("save", Some(text), |_| Ok(())).await })
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move { self.ask("clear", None, |_| Ok(())).await })
    }

    fn lock(&self) -> BoxFuture<'_, Result<Option<StoreLock>, BoxError>> {
        Box::pin(async move {
            if !self.locks {
                return Ok(Some(StoreLock::none()));
            }
            let store = self.clone();
            // Read where the store was asked: a lock that is taken for a call that went away meanwhile is given back.
            let read = move |taken: &Bound<'_, PyAny>| {
                if !taken.extract::<bool>()? {
                    return Ok(None);
                }
                Ok(Some(StoreLock::new(Held(store))))
            };
            self.ask("lock", None, read).await
        })
    }
}

fn read_stored(stored: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if stored.is_none() {
        return Ok(None);
    }
    stored.extract::<String>().map(Some).map_err(|_| {
        let kind = stored
            .get_type()
            .name()
            .map_or_else(|_| String::new(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "the token store's load() gave {kind}; it must give the str that save() got, or None"
        ))
    })
}

/// The store's lock, until it is dropped.
struct Held(PythonStore);

impl Drop for Held {
    fn drop(&mut self) {
        let store = self.0.store.clone();
        let unlock = move || {
            // Where the interpreter ends, so does the process, and its lock with it.
            Python::try_attach(|py| {
                if let Err(error) = store.get(py).and_then(|store| store.call_method0("unlock")) {
                    error.write_unraisable(py, None);
                }
            });
        };
        // Not here: this may be the thread of a runtime, which must not wait for Python.
        std::thread::spawn(unlock);
    }
}
