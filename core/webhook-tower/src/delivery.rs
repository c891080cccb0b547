//! A webhook that verified, with its raw body.

use bytes::Bytes;
use gatewright_webhook::Verified;
use serde::de::DeserializeOwned;

/// A delivery that verified. [`WebhookLayer`](crate::WebhookLayer) puts it into the request's extensions; cloning it is cheap.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// What was proven. Where `body_bound` is not `full` (Mailgun, PayPal), less than the whole body is signed.
    pub verified: Verified,
    /// The raw body, as it came over the wire.
    pub body: Bytes,
}

impl Delivery {
    pub(crate) const fn new(verified: Verified, body: Bytes) -> Self {
        Self { verified, body }
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// What serde says. It may quote the body, so it is not for the sender.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}
