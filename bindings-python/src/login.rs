//! Logging in and out by OAuth: the native half of `_login.py`, for both clients.
//!
//! Tokens of a login are kept where the client's credential takes them from.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatewright::oauth::{DeviceLogin, Login, LoopbackLogin, TokenSet};
use gatewright::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::error::to_exception;
use crate::transfers::{Waiter, of};

/// A login that was begun.
enum Begun {
    Browser(Login),
    Loopback(LoopbackLogin),
    Device(DeviceLogin),
}

/// What a user is shown.
#[derive(Default)]
struct Shown {
    url: Option<String>,
    user_code: Option<String>,
    verification_uri: Option<String>,
    verification_uri_complete: Option<String>,
    expires_in: Option<f64>,
}

impl Begun {
    fn shown(&self) -> Shown {
        match self {
            Self::Browser(login) => Shown {
                url: Some(login.url().to_string()),
                ..Shown::default()
            },
            Self::Loopback(login) => Shown {
                url: Some(login.url().to_string()),
                ..Shown::default()
            },
            Self::Device(login) => Shown {
                url: None,
                user_code: Some(login.user_code().to_owned()),
                verification_uri: Some(login.verification_uri().to_string()),
                verification_uri_complete: login
                    .verification_uri_complete()
                    .map(ToString::to_string),
                expires_in: Some(login.expires_in().as_secs_f64()),
            },
        }
    }

    /// Its end: by what the user came back with, or once the user has decided.
    async fn end(self, redirect: Option<String>, patience: Duration) -> Result<TokenSet, Error> {
        match self {
            Self::Browser(login) => login.finish(&redirect.unwrap_or_default()).await,
            Self::Loopback(login) => login.wait(patience).await,
            Self::Device(login) => login.wait().await,
        }
    }
}

/// A login that was begun, and what a user is shown for it.
#[pyclass(frozen, module = "gatewright._native")]
pub(crate) struct NativeLogin {
    begun: Mutex<Option<Begun>>,
    shown: Shown,
    waiter: Waiter,
}

/// Type, scope, seconds until it expires, access token, refresh token and ID token.
type Tokens = (
    String,
    Option<String>,
    Option<f64>,
    String,
    Option<String>,
    Option<String>,
);

fn told(tokens: &TokenSet) -> Tokens {
    let text = |secret: &gatewright::engine::redact::Secret| secret.expose().to_owned();
    (
        tokens.token_type.clone(),
        tokens.scope.clone(),
        tokens.lifetime.map(|lifetime| lifetime.as_secs_f64()),
        text(&tokens.access_token),
        tokens.refresh_token.as_ref().map(text),
        tokens.id_token.as_ref().map(text),
    )
}

#[pymethods]
impl NativeLogin {
    /// Where the user's browser goes.
    #[getter]
    fn url(&self) -> Option<&str> {
        self.shown.url.as_deref()
    }

    /// What the user types in on the other device.
    #[getter]
    fn user_code(&self) -> Option<&str> {
        self.shown.user_code.as_deref()
    }

    /// Where the user goes there.
    #[getter]
    fn verification_uri(&self) -> Option<&str> {
        self.shown.verification_uri.as_deref()
    }

    /// The same with the code in it.
    #[getter]
    fn verification_uri_complete(&self) -> Option<&str> {
        self.shown.verification_uri_complete.as_deref()
    }

    /// How many seconds the user has.
    #[getter]
    const fn expires_in(&self) -> Option<f64> {
        self.shown.expires_in
    }

    /// Ends the login: the tokens, or what a task awaits them by.
    fn end(&self, py: Python<'_>, redirect: Option<String>, timeout: f64) -> PyResult<Py<PyAny>> {
        let patience = Duration::try_from_secs_f64(timeout).map_err(|_| {
            let what =
                format!("`timeout` is {timeout}; it must be a number of seconds, zero or more");
            to_exception(py, Error::new(ErrorKind::InvalidRequest, what))
        })?;
        let begun = self
            .begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let end = async move {
            match begun {
                Some(begun) => begun.end(redirect, patience).await,
                None => Err(Error::new(
                    ErrorKind::Closed,
                    "the login is over; begin another",
                )),
            }
        };
        self.waiter.wait(py, end, |py, tokens| {
            Ok(told(&tokens).into_pyobject(py)?.into_any().unbind())
        })
    }
}

/// Begins a login of this kind: `authorization`, `loopback` or `device`.
#[pyfunction]
pub(crate) fn begin_login(
    client: &Bound<'_, PyAny>,
    credential: Option<&str>,
    kind: &str,
    redirect_uri: Option<String>,
) -> PyResult<Py<PyAny>> {
    enum Kind {
        Browser(String),
        Loopback,
        Device,
    }
    let py = client.py();
    let kind = match (kind, redirect_uri) {
        ("authorization", Some(redirect_uri)) => Kind::Browser(redirect_uri),
        ("loopback", None) => Kind::Loopback,
        ("device", None) => Kind::Device,
        _ => return Err(PyTypeError::new_err("no such login")),
    };
    let (made, waiter) = of(client)?;
    let oauth = made
        .oauth(credential)
        .map_err(|error| to_exception(py, error))?;
    let flow = oauth.over(&made.client);
    let begin = async move {
        Ok(match kind {
            Kind::Browser(redirect_uri) => Begun::Browser(flow.authorization(&redirect_uri).await?),
            Kind::Loopback => Begun::Loopback(flow.loopback().await?),
            Kind::Device => Begun::Device(flow.device().await?),
        })
    };
    let ends_by = waiter.clone();
    waiter.wait(py, begin, move |py, begun| {
        let login = NativeLogin {
            shown: begun.shown(),
            begun: Mutex::new(Some(begun)),
            waiter: ends_by,
        };
        Ok(Py::new(py, login)?.into_any())
    })
}

/// Logs out: revokes and forgets the tokens.
#[pyfunction]
pub(crate) fn log_out(client: &Bound<'_, PyAny>, credential: Option<&str>) -> PyResult<Py<PyAny>> {
    let py = client.py();
    let (made, waiter) = of(client)?;
    let oauth = made
        .oauth(credential)
        .map_err(|error| to_exception(py, error))?;
    let flow = oauth.over(&made.client);
    let revoke = async move { flow.revoke().await };
    waiter.wait(py, revoke, |py, ()| Ok(py.None()))
}
