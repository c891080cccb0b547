//! Answers: whole, or as a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use gatewright_engine::attempts::Attempt;
use gatewright_engine::cache::CacheStatus;
use gatewright_engine::call::request_id;
use gatewright_engine::concurrency::Slot;
use gatewright_engine::error::ErrorParts;
use gatewright_engine::redact::Redactor;
use gatewright_engine::retry::FailureClass;
use gatewright_engine::throughput::Throughput;
use gatewright_engine::{ErrorKind, Instant};
use http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use crate::Error;
use crate::runtime::{Runtime, until_from};
use crate::throughput::stalled;
use crate::transport::{ResponseBody, TransportError};

/// What a whole and a streamed answer have in common.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) elapsed: Duration,
    pub(crate) redactor: Arc<Redactor>,
    /// How a client with a cache answered; `None` where the cache had no part in it.
    pub(crate) cache: Option<CacheStatus>,
}

impl Head {
    pub(crate) fn error(&self, kind: ErrorKind, what: String) -> ErrorParts {
        let mut parts = ErrorParts::new(kind, what);
        parts.method = Some(self.method.clone());
        parts.url = Some(self.redactor.url(&self.url));
        parts.status = Some(self.status);
        parts.headers = self.headers.clone();
        parts.request_id = request_id(&self.headers)
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        parts.attempts.clone_from(&self.attempts);
        parts.elapsed = self.elapsed;
        parts
    }
}

macro_rules! head_accessors {
    () => {
        /// The status.
        #[must_use]
        pub fn status(&self) -> StatusCode {
            self.head.status
        }

        /// The headers.
        #[must_use]
        pub fn headers(&self) -> &HeaderMap {
            &self.head.headers
        }

        /// A header's value, where it is there and is text.
        #[must_use]
        pub fn header(&self, name: &str) -> Option<&str> {
            self.head.headers.get(name)?.to_str().ok()
        }

        /// The URL that answered, without the credential.
        #[must_use]
        pub fn url(&self) -> &Url {
            &self.head.url
        }

        /// The URL that answered, redacted, for logs.
        #[must_use]
        pub fn shown_url(&self) -> String {
            self.head.redactor.url(&self.head.url)
        }

        /// The method of the request that was answered.
        #[must_use]
        pub fn method(&self) -> &Method {
            &self.head.method
        }

        /// The server's id of the request.
        #[must_use]
        pub fn request_id(&self) -> Option<&str> {
            request_id(&self.head.headers)?.to_str().ok()
        }

        /// What was done, attempt by attempt.
        #[must_use]
        pub fn attempts(&self) -> &[Attempt] {
            &self.head.attempts
        }

        /// How a client with a cache answered; `None` without a cache, and for requests with which it has nothing to do.
        #[must_use]
        pub fn cache_status(&self) -> Option<CacheStatus> {
            self.head.cache
        }

        /// Whether the body came from the cache: it was fresh, confirmed by the server, or allowed to be stale.
        #[must_use]
        pub fn from_cache(&self) -> bool {
            self.head.cache.is_some_and(CacheStatus::from_cache)
        }

        /// From the start of the call to its answer.
        #[must_use]
        pub fn elapsed(&self) -> Duration {
            self.head.elapsed
        }
    };
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) head: Head,
    pub(crate) body: Bytes,
}

impl Response {
    head_accessors!();

    /// The body.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body decoded from JSON.
    ///
    /// # Errors
    /// `decode`, with the place in the body where it went wrong.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|why| {
            let what = format!(
                "was answered {} with a body that is not the JSON expected: {why}",
                self.head.status
            );
            Error::from(self.head.error(ErrorKind::Decode, what)).caused_by(why)
        })
    }

    /// An error about this answer, for callers that decode it themselves: it names request, attempts and request id.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, what: &str) -> Error {
        self.head
            .error(kind, format!("was answered {} {what}", self.head.status))
            .into()
    }

    /// Takes the parts out.
    #[must_use]
    pub fn into_parts(self) -> (StatusCode, HeaderMap, Bytes, Vec<Attempt>) {
        (
            self.head.status,
            self.head.headers,
            self.body,
            self.head.attempts,
        )
    }
}

/// An answer whose body comes in as a stream.
#[derive(Debug)]
pub struct StreamResponse {
    pub(crate) head: Head,
    pub(crate) body: ResponseBody,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) deadline: Instant,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) throughput: Option<Throughput>,
    pub(crate) silence: Silence,
    /// Where attempts at once are limited: this one is under way until its body is read.
    pub(crate) slot: Option<Slot>,
}

/// Which setting says how long a stream may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// That of the client.
    ReadTimeout,
    /// That of a stream of events.
    IdleTimeout,
}

impl Silence {
    const fn broken(self) -> (&'static str, &'static str) {
        match self {
            Self::ReadTimeout => (
                "nothing came within the read timeout",
                "raise `read_timeout`, or look at the server",
            ),
            Self::IdleTimeout => (
                "nothing came within the idle timeout",
                "raise `idle_timeout`, or let the server send comments in between",
            ),
        }
    }
}

impl StreamResponse {
    head_accessors!();

    /// An error about this answer, for callers that read it themselves: it names request, attempts and request id.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, what: &str) -> Error {
        self.head
            .error(kind, format!("was answered {} {what}", self.head.status))
            .into()
    }

    /// The next piece of the body, `None` at its end.
    ///
    /// # Errors
    /// `connection_lost` where it broke off, `timeout` where it stalled or the deadline passed, `decode` where its
    /// encoding is broken. What came before stays good.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match next_chunk(
            &mut self.body,
            &*self.runtime,
            self.deadline,
            self.read_timeout,
            self.throughput.as_mut(),
        )
        .await
        {
            Ok(chunk) => {
                if chunk.is_none() {
                    self.slot = None;
                }
                Ok(chunk)
            }
            Err(mut error) => {
                self.slot = None;
                let mut advice = error.advice();
                if error.class == FailureClass::ReadTimeout && advice.is_none() {
                    let (text, what_to_do) = self.silence.broken();
                    text.clone_into(&mut error.text);
                    advice = Some(what_to_do);
                }
                let kind = match error.class {
                    FailureClass::Decode => ErrorKind::Decode,
                    FailureClass::ReadTimeout | FailureClass::Timeout => ErrorKind::Timeout,
                    FailureClass::Protocol => ErrorKind::Protocol,
                    _ => ErrorKind::ConnectionLost,
                };
                let what = format!(
                    "was answered {}, but its body broke off: {error}",
                    self.head.status
                );
                let mut parts = self.head.error(kind, self.head.redactor.text(&what));
                parts.advice = advice;
                Err(Error::from(parts).caused_by(error))
            }
        }
    }
}

/// The next chunk, in time: before the deadline, and no later than `read_timeout` after the one before.
pub(crate) async fn next_chunk(
    body: &mut ResponseBody,
    runtime: &dyn Runtime,
    deadline: Instant,
    read_timeout: Option<Duration>,
    throughput: Option<&mut Throughput>,
) -> Result<Option<Bytes>, TransportError> {
    // Read once somebody has to wait: a piece that is there costs no look at the clock.
    const NEVER: u64 = u64::MAX;
    let begun = AtomicU64::new(NEVER);
    let patience = throughput.as_ref().map(|throughput| throughput.patience());
    let moment = || {
        if read_timeout.is_none() && patience.is_none() {
            return deadline;
        }
        let now = runtime.instant();
        begun.store(now.as_nanos(), Ordering::Relaxed);
        let limits = [read_timeout, patience].into_iter().flatten();
        limits.fold(deadline, |first, limit| first.min(now + limit))
    };
    let came = until_from(runtime, moment, body.next()).await;
    if let Some(throughput) = throughput {
        let waited = match begun.load(Ordering::Relaxed) {
            NEVER => Duration::ZERO,
            begun => runtime.instant().since(Instant::from_nanos(begun)),
        };
        let slow = match &came {
            Ok(Some(Ok(chunk))) => {
                throughput.on_bytes(u64::try_from(chunk.len()).unwrap_or(u64::MAX), waited);
                throughput.judge()
            }
            Ok(_) => Ok(()),
            Err(_) => throughput.check(waited),
        };
        if let Err(slow) = slow
            && runtime.instant() < deadline
        {
            return Err(stalled(slow));
        }
    }
    match came {
        Ok(chunk) => chunk.transpose(),
        Err(_) if runtime.instant() >= deadline => Err(TransportError::new(
            FailureClass::Timeout,
            "the deadline of the call passed",
        )),
        Err(_) => Err(TransportError::new(
            FailureClass::ReadTimeout,
            "nothing came within the read timeout",
        )),
    }
}
