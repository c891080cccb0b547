//! What a caller may see and change around each attempt.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use crate::body::BoxError;
use crate::runtime::BoxFuture;

/// An attempt that is about to be sent. Credentials are put on after the hooks, so that they never see a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct BeforeAttempt {
    /// 1 for the first.
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The URL, redacted.
    pub url: String,
    /// The headers; may be changed. An `Authorization` set here wins over the client's credential.
    pub headers: HeaderMap,
}

/// An attempt that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct AfterAttempt {
    /// 1 for the first.
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The URL, redacted.
    pub url: String,
    /// The answer's status and headers, where there was one.
    pub answer: Option<(StatusCode, HeaderMap)>,
    /// What went wrong, where there was no complete answer.
    pub error: Option<String>,
    /// From sending to this moment.
    pub took: Duration,
}

/// Called around each attempt. An error ends the call with kind `hook`.
pub trait Hooks: fmt::Debug + Send + Sync + 'static {
    /// Before an attempt is sent.
    fn before<'a>(&'a self, attempt: &'a mut BeforeAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        let _ = attempt;
        Box::pin(std::future::ready(Ok(())))
    }

    /// After its outcome is known.
    fn after<'a>(&'a self, attempt: &'a AfterAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        let _ = attempt;
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A hook before each attempt, from a closure.
pub(crate) struct BeforeFn<F>(pub(crate) F);

impl<F> fmt::Debug for BeforeFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeFn")
    }
}

impl<F> Hooks for BeforeFn<F>
where
    F: Fn(&mut BeforeAttempt) -> Result<(), BoxError> + Send + Sync + 'static,
{
    fn before<'a>(&'a self, attempt: &'a mut BeforeAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(std::future::ready((self.0)(attempt)))
    }
}

/// A hook after each attempt, from a closure.
pub(crate) struct AfterFn<F>(pub(crate) F);

impl<F> fmt::Debug for AfterFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AfterFn")
    }
}

impl<F> Hooks for AfterFn<F>
where
    F: Fn(&AfterAttempt) -> Result<(), BoxError> + Send + Sync + 'static,
{
    fn after<'a>(&'a self, attempt: &'a AfterAttempt) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(std::future::ready((self.0)(attempt)))
    }
}
