//! The single error type: what happened, to which request, after which attempts, and what to do next. Never a secret.
//!
//! Display: `{code}: {method} {url} {what} ({attempts}, {elapsed}, request id); {why no other attempt}; {advice}`.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::attempts::{Attempt, Readable};
use crate::problem::Problem;
use crate::retry::NoRetry;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// What kind of error it was. Codes are stable; kinds may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[doc = $doc])+ $name,)+ }

        impl ErrorKind {
            /// Every kind. Each binding walks it in a test, so that none is forgotten in one language.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable code, such as `rate_limited`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

kinds! {
    /// 401: the server does not accept the credential.
    Authentication = "authentication",
    /// 400, and any other 4xx without a kind of its own.
    BadRequest = "bad_request",
    /// The circuit breaker of the host is open: too many calls failed of late. Nothing was sent.
    CircuitOpen = "circuit_open",
    /// The client was closed.
    Closed = "closed",
    /// 409.
    Conflict = "conflict",
    /// No connection could be made: refused, DNS. Nothing was sent.
    Connect = "connect",
    /// The connection broke before the answer was complete.
    ConnectionLost = "connection_lost",
    /// A redirect or URL leads to another origin, where credentials do not go.
    CrossOrigin = "cross_origin",
    /// The body could not be decoded.
    Decode = "decode",
    /// A hook of the caller's failed.
    Hook = "hook",
    /// Plain http to another machine.
    InsecureUrl = "insecure_url",
    /// A setting of the client is wrong.
    InvalidConfig = "invalid_config",
    /// The request cannot be sent as it is: URL, header or body. Nothing was sent.
    InvalidRequest = "invalid_request",
    /// The cache alone was asked (only-if-cached), and has no answer. Nothing was sent.
    NotCached = "not_cached",
    /// 404 or 410.
    NotFound = "not_found",
    /// It may or may not have taken effect, and repeating it could double that.
    OutcomeUnknown = "outcome_unknown",
    /// 403.
    PermissionDenied = "permission_denied",
    /// 412 or 428.
    PreconditionFailed = "precondition_failed",
    /// What came is no valid HTTP.
    Protocol = "protocol",
    /// 429, or held back so long that the deadline would have passed.
    RateLimited = "rate_limited",
    /// Too many redirects, or one that leads nowhere.
    Redirect = "redirect",
    /// The body is larger than allowed.
    ResponseTooLarge = "response_too_large",
    /// 5xx.
    Server = "server",
    /// The deadline, or the limit of an attempt, passed.
    Timeout = "timeout",
    /// The TLS handshake failed. Nothing was sent.
    Tls = "tls",
    /// The token callback failed.
    Token = "token",
    /// 422.
    Unprocessable = "unprocessable",
}

impl ErrorKind {
    /// The kind of an error status; `None` below 400.
    #[must_use]
    pub const fn of_status(status: StatusCode) -> Option<Self> {
        Some(match status.as_u16() {
            401 => Self::Authentication,
            403 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            408 => Self::Timeout,
            409 => Self::Conflict,
            412 | 428 => Self::PreconditionFailed,
            422 => Self::Unprocessable,
            429 => Self::RateLimited,
            400..=499 => Self::BadRequest,
            500.. => Self::Server,
            _ => return None,
        })
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Authentication => "check the API key or token",
            Self::BadRequest => "change the request as the server says",
            Self::CircuitOpen => "try again later; the server is given time to recover",
            Self::Closed => "make a new client, or close this one later",
            Self::Conflict => "read the current state and try again from there",
            Self::Connect => "check the address, and that the server runs and can be reached",
            Self::ConnectionLost => {
                "try again later; if it goes on, look at the server or a proxy on the way"
            }
            Self::CrossOrigin => {
                "if that place is to be trusted, name it in `allowed_origins`; credentials stay behind even then"
            }
            Self::Decode => "look at the body; it is not what its content type says",
            Self::Hook => "look at the hook's own error",
            Self::InsecureUrl => {
                "use https, or set `allow_http` if the network in between is yours"
            }
            Self::InvalidConfig => "change the setting",
            Self::InvalidRequest => "change the request; nothing was sent",
            Self::NotCached => {
                "let it go to the server (another cache mode), or fill the cache first"
            }
            Self::NotFound => "check the path and the id",
            Self::OutcomeUnknown => {
                "look whether it took effect before you send it again, or send it with an idempotency key"
            }
            Self::PermissionDenied => "use a credential with that permission",
            Self::PreconditionFailed => {
                "read the current state and its ETag, and try again with that"
            }
            Self::Protocol => "check that the address is that of an HTTP server",
            Self::RateLimited => "send less, or later",
            Self::Redirect => "use the final address directly",
            Self::ResponseTooLarge => "stream the body, or raise `max_response_bytes`",
            Self::Server => "try again later, or give the provider the request id",
            Self::Timeout => "raise `timeout`, or see in the attempts what took the time",
            Self::Tls => "check the certificate; a private CA is given with `ca_certificates`",
            Self::Token => "look at the token callback's own error",
            Self::Unprocessable => "mend the fields that the server names",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Whether the same call could end differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retryability {
    /// Not without a change to the request or the settings.
    Permanent,
    /// Later, perhaps; it was not retried here.
    Temporary,
    /// It was retried, and it stayed.
    Exhausted,
}

impl Retryability {
    /// `permanent`, `temporary` or `exhausted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Temporary => "temporary",
            Self::Exhausted => "exhausted",
        }
    }
}

/// Everything that is known about a failed call. Fill in what applies, then [`Error::from`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ErrorParts {
    /// What kind.
    pub kind: ErrorKind,
    /// What happened, in words; no secret in it.
    pub what: String,
    /// The request's method.
    pub method: Option<Method>,
    /// The request's URL, redacted.
    pub url: Option<String>,
    /// The answer's status.
    pub status: Option<StatusCode>,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body, as far as it was kept, redacted.
    pub body: Bytes,
    /// The answer's problem details.
    pub problem: Option<Problem>,
    /// The server's id of the request.
    pub request_id: Option<String>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the same call could end differently.
    pub retryability: Retryability,
    /// Why there was no other attempt.
    pub no_retry: Option<NoRetry>,
    /// What was done.
    pub attempts: Vec<Attempt>,
    /// From the start of the call to the error.
    pub elapsed: Duration,
    /// What to do next, where that is not what every error of its kind asks for.
    pub advice: Option<&'static str>,
    /// The cause, if another error was one.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ErrorParts {
    /// An error of this kind, of which nothing else is known yet.
    #[must_use]
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            method: None,
            url: None,
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            problem: None,
            request_id: None,
            retry_after: None,
            retryability: Retryability::Permanent,
            no_retry: None,
            attempts: Vec::new(),
            elapsed: Duration::ZERO,
            advice: None,
            source: None,
        }
    }
}

/// A failed call. One pointer wide.
pub struct Error(Box<ErrorParts>);

impl From<ErrorParts> for Error {
    fn from(parts: ErrorParts) -> Self {
        Self(Box::new(parts))
    }
}

impl Error {
    /// An error of this kind with nothing but words, for what is wrong before anything is sent.
    #[must_use]
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        ErrorParts::new(kind, what).into()
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The kind's stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// What happened, in words, without request, attempts and advice.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The answer's status, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// The request's URL, redacted.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The answer's headers; empty where there was none.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The answer's body, at most 256 KiB of it, with the client's secrets taken out.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// The answer's problem details (RFC 9457).
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// The server's id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long to wait before the next call.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call could end differently.
    #[must_use]
    pub fn retryability(&self) -> Retryability {
        self.0.retryability
    }

    /// Why there was no other attempt.
    #[must_use]
    pub fn no_retry(&self) -> Option<NoRetry> {
        self.0.no_retry
    }

    /// What was done, attempt by attempt.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// From the start of the call to the error.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// What to do next, in words.
    #[must_use]
    pub fn advice(&self) -> String {
        if let Some(advice) = self.0.advice {
            return advice.to_owned();
        }
        match (self.0.kind, self.0.retry_after) {
            (ErrorKind::RateLimited, Some(wait)) => {
                format!("wait {} before the next call", Readable(wait))
            }
            (ErrorKind::CircuitOpen, Some(wait)) => format!(
                "try again in {}; the server is given time to recover",
                Readable(wait)
            ),
            (_, Some(wait)) if self.0.no_retry == Some(NoRetry::CircuitOpen) => {
                format!("wait {} before the next call", Readable(wait))
            }
            (ErrorKind::Server, Some(wait)) => {
                format!("the server asks to wait {}", Readable(wait))
            }
            // The body's own source failed while it was being sent.
            (ErrorKind::InvalidRequest, _) if !self.0.attempts.is_empty() => {
                "look at the error of the body's own source".to_owned()
            }
            (ErrorKind::Timeout, _) if self.0.no_retry != Some(NoRetry::Deadline) => {
                "raise `attempt_timeout`, or look at the server".to_owned()
            }
            (kind, _) => kind.advice().to_owned(),
        }
    }

    /// The same error without the error that caused it, for several calls that share one failure.
    #[must_use]
    pub fn without_cause(&self) -> Self {
        let parts = &*self.0;
        Self(Box::new(ErrorParts {
            kind: parts.kind,
            what: parts.what.clone(),
            method: parts.method.clone(),
            url: parts.url.clone(),
            status: parts.status,
            headers: parts.headers.clone(),
            body: parts.body.clone(),
            problem: parts.problem.clone(),
            request_id: parts.request_id.clone(),
            retry_after: parts.retry_after,
            retryability: parts.retryability,
            no_retry: parts.no_retry,
            attempts: parts.attempts.clone(),
            elapsed: parts.elapsed,
            advice: parts.advice,
            source: None,
        }))
    }

    /// All parts, to be changed and made an error again.
    #[must_use]
    pub fn into_parts(self) -> ErrorParts {
        *self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        write!(f, "{}: ", parts.kind)?;
        if let (Some(method), Some(url)) = (&parts.method, &parts.url) {
            write!(f, "{method} {url} ")?;
        }
        f.write_str(&parts.what)?;
        let mut facts = Vec::new();
        match parts.attempts.len() {
            0 => {}
            1 => facts.push(format!("1 attempt, {}", Readable(parts.elapsed))),
            n => facts.push(format!("{n} attempts, {}", Readable(parts.elapsed))),
        }
        if let Some(id) = &parts.request_id {
            facts.push(format!("request id {id}"));
        }
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        let known = parts.kind == ErrorKind::CircuitOpen;
        if let Some(why) = parts
            .no_retry
            .filter(|why| *why != NoRetry::NotRetryable && !(known && *why == NoRetry::CircuitOpen))
        {
            write!(f, "; no other attempt: {why}")?;
        }
        write!(f, "; {}", self.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers and body are left out: a server may have put anything there.
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("what", &self.0.what)
            .field("method", &self.0.method)
            .field("url", &self.0.url)
            .field("status", &self.0.status)
            .field("request_id", &self.0.request_id)
            .field("retry_after", &self.0.retry_after)
            .field("retryability", &self.0.retryability)
            .field("no_retry", &self.0.no_retry)
            .field("attempts", &self.0.attempts)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|k| k.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(
            codes
                .iter()
                .all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
    }

    #[test]
    fn every_error_status_has_a_kind() {
        for code in 100..600 {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(
                ErrorKind::of_status(status).is_some(),
                code >= 400,
                "{code}"
            );
        }
    }

    #[test]
    fn an_error_reads_as_what_happened_and_what_to_do() {
        let mut parts = ErrorParts::new(
            ErrorKind::RateLimited,
            "was answered 429 Too Many Requests: quota used up",
        );
        parts.method = Some(Method::GET);
        parts.url = Some("https://h.example/v1/x?api_key=***".into());
        parts.request_id = Some("req_1".into());
        parts.retry_after = Some(Duration::from_secs(90));
        parts.no_retry = Some(NoRetry::RetryAfterTooLong);
        assert_eq!(
            Error::from(parts).to_string(),
            "rate_limited: GET https://h.example/v1/x?api_key=*** was answered 429 Too Many Requests: quota used up \
             (request id req_1); no other attempt: the server asks for a longer wait than allowed; \
             wait 90 s before the next call"
        );
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
