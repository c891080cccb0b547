//! Webhooks, as the SDKs call them. Nothing is started for them.

use std::sync::Arc;

use gatewright_boundary::HostWebhook;

use crate::blob::Blob;
use crate::error::NativeError;

/// Verifies and signs.
#[derive(Debug, uniffi::Object)]
pub struct NativeWebhook {
    webhook: HostWebhook,
}

#[uniffi::export]
impl NativeWebhook {
    /// A webhook with these secrets. An infinite `max_body` is no limit.
    ///
    /// # Errors
    /// `{"code", "message"}`.
    #[uniffi::constructor]
    pub fn new(
        secrets: Vec<String>,
        tolerance_seconds: f64,
        max_body: f64,
    ) -> Result<Arc<Self>, NativeError> {
        let webhook = HostWebhook::open(&secrets, tolerance_seconds, max_body)?;
        Ok(Arc::new(Self { webhook }))
    }

    /// Verifies a request: what was proven as lines, or an error as JSON. `headers` are lines, a name and a value in turns.
    #[must_use]
    pub fn verify(&self, body: Blob, headers: &str, now_seconds: f64) -> String {
        self.webhook.verify(&body, headers, now_seconds)
    }

    /// Says in words why a request does not verify.
    #[must_use]
    pub fn explain(&self, body: Blob, headers: &str, now_seconds: f64) -> String {
        self.webhook.explain(&body, headers, now_seconds)
    }

    /// Signs a body: headers as JSON, or an error as JSON.
    #[must_use]
    pub fn sign(&self, body: Blob, message_id: &str, timestamp_seconds: f64) -> String {
        self.webhook.sign(&body, message_id, timestamp_seconds)
    }
}

/// A new `whsec_` secret of 32 bytes from the system's randomness.
///
/// # Errors
/// `{"code", "message"}`, where the system gives none.
#[uniffi::export]
pub fn generate_secret() -> Result<String, NativeError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| {
        format!(
            "{{\"code\":\"no_randomness\",\"message\":\"the system gives no randomness: {error}\"}}"
        )
    })?;
    Ok(gatewright_boundary::generate_secret(&random))
}
