//! `auth=` into a credential. `gatewright/_auth.py` has turned it into a tuple of a name and its parts.

use std::time::Duration;

use gatewright::{Auth, BoxError, FetchToken, Token};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::callback::{PythonError, ask_home};
use crate::error::to_exception;

/// Reads the tuple.
pub(crate) fn read(py: Python<'_>, parts: &Bound<'_, PyTuple>) -> PyResult<Auth> {
    let text = |at: usize| parts.get_item(at)?.extract::<String>();
    Ok(match text(0)?.as_str() {
        "none" => Auth::none(),
        "bearer" => Auth::bearer(text(1)?),
        "basic" => Auth::basic(text(1)?, text(2)?),
        "header" => Auth::api_key(&text(1)?, text(2)?).map_err(|error| to_exception(py, error))?,
        "query" => Auth::api_key_query(text(1)?, text(2)?),
        "cookie" => Auth::api_key_cookie(text(1)?, text(2)?),
        "callback" => Auth::token(PythonTokens {
            callback: parts.get_item(1)?.unbind(),
        }),
        other => {
            return Err(PyTypeError::new_err(format!(
                "no credential is called {other:?}"
            )));
        }
    })
}

/// Asks a Python callable for tokens.
struct PythonTokens {
    callback: Py<PyAny>,
}

impl FetchToken for PythonTokens {
    fn fetch(&self) -> gatewright::runtime::BoxFuture<'static, Result<Token, BoxError>> {
        let callback = Python::attach(|py| self.callback.clone_ref(py));
        Box::pin(async move {
            let answer = ask_home(move |py| callback.call0(py))
                .await
                .map_err(PythonError::boxed)?;
            Python::attach(|py| read_token(answer.bind(py))).map_err(PythonError::boxed)
        })
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
