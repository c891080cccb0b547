//! What carries one attempt: a request out, an answer back. No retries, no redirects, no credentials here.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use gatewright_engine::retry::FailureClass;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::body::{Body, BoxError};
use crate::runtime::BoxFuture;

#[cfg(all(feature = "native", any(target_os = "android", test)))]
mod android_store;
#[cfg(all(feature = "native", target_vendor = "apple", not(target_os = "macos")))]
mod apple;
#[cfg(feature = "native")]
mod failures;
#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "native")]
pub(crate) mod pins;
#[cfg(feature = "native")]
mod roots;
#[cfg(feature = "native")]
pub(crate) mod sleep;
#[cfg(feature = "native")]
mod tls;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub mod web;

/// A request as it goes onto the wire. Its `Debug` leaves out header values: credentials are among them.
pub struct TransportRequest {
    /// The method.
    pub method: Method,
    /// The URL, with the credential where it goes into the query.
    pub url: Url,
    /// The headers, with the credential.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// The answer is to come from the server itself, where the host has an HTTP cache of its own beneath: a browser's would answer what
    /// the client's cache wants to validate, share answers between credentials, and hold the second copy of a hedged request until the
    /// first is answered.
    pub fresh: bool,
}

impl fmt::Debug for TransportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportRequest")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field(
                "headers",
                &self
                    .headers
                    .keys()
                    .map(http::HeaderName::as_str)
                    .collect::<Vec<_>>(),
            )
            .field("body", &self.body)
            .finish()
    }
}

/// An answer's head, and its body as it comes in.
#[derive(Debug)]
pub struct TransportResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: ResponseBody,
}

/// Why an attempt brought no complete answer.
#[derive(Debug)]
pub struct TransportError {
    /// What kind of failure.
    pub class: FailureClass,
    /// In words; no URL, no header, no secret.
    pub text: String,
    /// The cause.
    pub source: Option<BoxError>,
}

impl TransportError {
    /// A failure of this class.
    #[must_use]
    pub fn new(class: FailureClass, text: impl Into<String>) -> Self {
        Self {
            class,
            text: text.into(),
            source: None,
        }
    }

    /// What to do next, where that is not what every failure of its class asks for.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        #[cfg(feature = "native")]
        if self
            .source
            .as_ref()
            .is_some_and(|source| source.is::<pins::PinMismatch>())
        {
            return Some(pins::PinMismatch::ADVICE);
        }
        if self
            .source
            .as_ref()
            .is_some_and(|source| source.is::<crate::throughput::Stalled>())
        {
            return Some(crate::throughput::ADVICE);
        }
        None
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            write!(f, "{}", self.class)
        } else {
            write!(f, "{}: {}", self.class, self.text)
        }
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Carries attempts.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`; resolves with the answer's head. Dropping the future ends the attempt.
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>>;
}

/// The chunks of an answer's body.
pub struct ResponseBody(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>);

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody")
    }
}

impl ResponseBody {
    /// A body from a stream of chunks.
    pub fn new(stream: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// A body that is all there.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        let chunk = (!bytes.is_empty()).then_some(Ok(bytes));
        Self::new(futures_util::stream::iter(chunk))
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}
