//! `auth=` into a credential.

use std::time::Duration;

use gatewright::runtime::BoxFuture;
use gatewright::{Auth, BoxError, FetchToken, OAuth, Token};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::callback::ask_home;
use crate::error::to_exception;
use crate::oauth::{Parts, and_signed};
use crate::slot::Slot;
use crate::token_store::PythonStore;

/// The callable, where `auth` is one or has one for its token. A credential of `gatewright/_auth.py` tells its parts.
pub(crate) fn callback(auth: &Bound<'_, PyAny>) -> PyResult<Option<Slot>> {
    if !auth.hasattr(PARTS)? {
        return Ok(Some(Slot::new(auth.clone())));
    }
    let parts = auth.call_method0(PARTS)?.cast_into::<PyTuple>()?;
    let is_callback = parts.get_item(0)?.eq("callback")?;
    is_callback
        .then(|| parts.get_item(1).map(Slot::new))
        .transpose()
}

/// The user's own store of tokens, where the credential has one.
pub(crate) fn token_store(auth: &Bound<'_, PyAny>) -> PyResult<Option<PythonStore>> {
    if !auth.hasattr(PARTS)? {
        return Ok(None);
    }
    let parts = auth.call_method0(PARTS)?.cast_into::<PyTuple>()?;
    if !parts.get_item(0)?.eq("oauth")? {
        return Ok(None);
    }
    let given = parts.get_item(1)?.cast_into::<PyDict>()?;
    given
        .get_item("token_store")?
        .map(PythonStore::new)
        .transpose()
}

/// The method of a credential that gives a tuple of its kind and its parts.
pub(crate) const PARTS: &str = "_parts";

/// A credential, and its OAuth where it is one.
pub(crate) struct Read {
    pub(crate) auth: Auth,
    pub(crate) oauth: Option<OAuth>,
}

/// Reads a credential. `callback`: the callable that gives its tokens; `store`: the user's own store of them; where there is one.
pub(crate) fn read(
    py: Python<'_>,
    auth: &Bound<'_, PyAny>,
    callback: Option<&Slot>,
    store: Option<&PythonStore>,
) -> PyResult<Read> {
    let mut oauth = None;
    let alone = match callback {
        Some(callback) => {
            let tokens = Auth::token(PythonTokens(callback.clone()));
            if !auth.hasattr(PARTS)? {
                return Ok(Read {
                    auth: tokens,
                    oauth,
                });
            }
            tokens
        }
        None => by_kind(py, auth, store, &mut oauth)?,
    };
    Ok(Read {
        auth: and_signed(alone, auth)?,
        oauth,
    })
}

fn by_kind(
    py: Python<'_>,
    auth: &Bound<'_, PyAny>,
    store: Option<&PythonStore>,
    oauth: &mut Option<OAuth>,
) -> PyResult<Auth> {
    let parts = auth.call_method0(PARTS)?.cast_into::<PyTuple>()?;
    let text = |at: usize| parts.get_item(at)?.extract::<String>();
    let given = parts.get_item(1)?;
    Ok(match text(0)?.as_str() {
        "bearer" => Auth::bearer(text(1)?),
        "basic" => Auth::basic(text(1)?, text(2)?),
        "header" => Auth::api_key(&text(1)?, text(2)?).map_err(|error| to_exception(py, error))?,
        "query" => Auth::api_key_query(text(1)?, text(2)?),
        "cookie" => Auth::api_key_cookie(text(1)?, text(2)?),
        "oauth" => {
            let settings = Parts::new("OAuth", given.cast()?).oauth()?;
            let settings = match store {
                Some(store) => settings.store(store.clone()),
                None => settings,
            };
            Auth::oauth(oauth.insert(settings).clone())
        }
        "dpop" => Parts::new("Dpop", given.cast()?).dpop()?,
        "hmac" => Auth::signed(Parts::new("HmacSignature", given.cast()?).hmac()?),
        "http_signature" => {
            Auth::signed(Parts::new("HttpSignature", given.cast()?).http_signature()?)
        }
        other => {
            return Err(PyTypeError::new_err(format!(
                "no credential is called {other:?}"
            )));
        }
    })
}

/// Asks a Python callable for tokens.
pub(crate) struct PythonTokens(pub(crate) Slot);

impl FetchToken for PythonTokens {
    fn fetch(&self) -> BoxFuture<'static, Result<Token, BoxError>> {
        let callback = self.0.clone();
        Box::pin(ask_home(move |py| callback.call(py, ()), read_token))
    }
}

/// A token as a callback gives it: the token itself, the token with its lifetime in seconds, or a `Token`.
fn read_token(answer: &Bound<'_, PyAny>) -> PyResult<Token> {
    let (secret, lifetime) = if let Ok(secret) = answer.extract::<String>() {
        (secret, None)
    } else if let Ok((secret, lifetime)) = answer.extract::<(String, Option<f64>)>() {
        (secret, lifetime)
    } else if answer.hasattr("value")? && answer.hasattr("expires_in")? {
        (
            answer.getattr("value")?.extract()?,
            answer.getattr("expires_in")?.extract()?,
        )
    } else {
        return Err(PyTypeError::new_err(format!(
            "the token callback gave {}; it must give a str, (str, seconds) or a Token",
            answer.get_type().name()?
        )));
    };
    let expires_in = match lifetime {
        None => None,
        Some(seconds) => Some(Duration::try_from_secs_f64(seconds).map_err(|_| {
            PyValueError::new_err(format!(
                "the token callback gave a lifetime of {seconds} seconds"
            ))
        })?),
    };
    Ok(Token {
        secret: secret.into(),
        expires_in,
    })
}
