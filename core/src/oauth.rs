//! OAuth 2 over the client's own transport, so that its proxies, roots and tests apply. The decisions are `engine::oauth`.
//!
//! [`OAuth`] says which server, which client and which grant. `Auth::oauth` makes a credential of it, whose tokens are fetched when they are needed;
//! [`OAuth::over`] is for what a user takes part in: logging in by a browser or on another device, and logging out.
//!
//! | File | What is in it |
//! |---|---|
//! | `settings.rs` | [`OAuth`] |
//! | `endpoint.rs` | one request to the server: attempts, waits, proofs |
//! | `renewal.rs` | the next token: from the store, by refresh, by client credentials |
//! | `flow.rs` | logging in and out |
//! | `loopback.rs` | the redirect of a login, taken on this machine (RFC 8252) |

mod endpoint;
mod flow;
#[cfg(feature = "native")]
mod loopback;
mod renewal;
mod settings;

pub use flow::{DeviceLogin, Login, OAuthFlow};
pub use gatewright_engine::oauth::{OAuthError, OAuthErrorKind, TokenSet};
#[cfg(feature = "native")]
pub use loopback::LoopbackLogin;
pub use settings::{ClientAuth, Grant, OAuth};

use gatewright_engine::ErrorKind;
use gatewright_engine::error::ErrorParts;

use crate::Error;
use crate::token_source::TokenFailure;

/// What the OAuth server said, where that is why `error` came: its `error`, `error_description` and status.
#[must_use]
pub fn server_error(error: &Error) -> Option<&OAuthError> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref::<OAuthError>() {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}

/// The failure of a flow as an error of the SDK.
fn into_error(error: OAuthError) -> Error {
    let kind = match error.kind() {
        OAuthErrorKind::Config => ErrorKind::InvalidConfig,
        OAuthErrorKind::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        _ => ErrorKind::Token,
    };
    let mut parts = ErrorParts::new(kind, error.to_string());
    parts.advice = Some(error.advice());
    parts.status = error
        .status()
        .and_then(|status| http::StatusCode::from_u16(status).ok());
    parts.source = Some(Box::new(error));
    parts.into()
}

/// What to do about a call that has no token.
pub(crate) fn advice_of(failure: &TokenFailure) -> Option<&'static str> {
    failure
        .0
        .downcast_ref::<OAuthError>()
        .map(OAuthError::advice)
}
