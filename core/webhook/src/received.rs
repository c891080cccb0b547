//! One received request, as the framework has it: what is verified, and what the signature may cover besides the body.

use std::fmt;

use crate::headers::Headers;

/// A request that was received. Most schemes need its body and headers alone; Twilio and Square sign the URL too, and HTTP
/// Message Signatures (RFC 9421) may also cover the method.
///
/// ```
/// use gatewright_webhook::Received;
///
/// let headers = [("x-twilio-signature", "…")];
/// let received = Received::new(b"CallSid=1", &headers).url("https://example.com/calls").method("POST");
/// assert_eq!(received.url, Some("https://example.com/calls"));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Received<'r> {
    /// The raw body, as it came over the wire.
    pub body: &'r [u8],
    /// All headers.
    pub headers: &'r dyn Headers,
    /// The whole URL the sender called, with its query. Behind a proxy that is the public one, not the one the proxy called.
    pub url: Option<&'r str>,
    /// The method, in capitals. `None` is taken for `POST`.
    pub method: Option<&'r str>,
}

impl<'r> Received<'r> {
    /// A request with this raw body and these headers.
    #[must_use]
    pub const fn new(body: &'r [u8], headers: &'r dyn Headers) -> Self {
        Self {
            body,
            headers,
            url: None,
            method: None,
        }
    }

    /// The URL the sender called.
    #[must_use]
    pub const fn url(mut self, url: &'r str) -> Self {
        self.url = Some(url);
        self
    }

    /// The request's method.
    #[must_use]
    pub const fn method(mut self, method: &'r str) -> Self {
        self.method = Some(method);
        self
    }
}

/// Without what a log must not hold: the body and the headers.
impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("url", &self.url)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
