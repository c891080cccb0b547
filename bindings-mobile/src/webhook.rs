//! Webhooks, as the SDKs call them. Nothing is started for them. What settings, headers and answers look like says `gatewright-boundary`.

use std::sync::Arc;

use gatewright_boundary::{HostReplayGuard, HostVerifier, HostWebhook};

use crate::blob::Blob;
use crate::error::NativeError;

/// Verifies and signs.
#[derive(Debug, uniffi::Object)]
pub struct NativeWebhook {
    webhook: HostWebhook,
}

#[uniffi::export]
impl NativeWebhook {
    /// A webhook with these settings, a JSON object.
    ///
    /// # Errors
    /// `{"code", "message"}`.
    #[uniffi::constructor]
    pub fn new(settings: &str) -> Result<Arc<Self>, NativeError> {
        let webhook = HostWebhook::open_settings(settings)?;
        Ok(Arc::new(Self { webhook }))
    }

    /// Verifies a request: what was proven as lines, or an error as JSON. `headers` are lines, a name and a value in turns, which may begin
    /// with `:url` and `:method`.
    #[must_use]
    pub fn verify(&self, body: Blob, headers: &str, now_seconds: f64) -> String {
        self.webhook.verify(&body, headers, now_seconds)
    }

    /// Begins to verify a request whose body comes in pieces.
    ///
    /// # Errors
    /// As of `verify`.
    pub fn verifier(
        &self,
        headers: &str,
        now_seconds: f64,
    ) -> Result<Arc<NativeVerifier>, NativeError> {
        let verifier = self.webhook.verifier(headers, now_seconds)?;
        Ok(Arc::new(NativeVerifier { verifier }))
    }

    /// Why a request does not verify: a code in a line of its own, then words. Or an error as JSON.
    #[must_use]
    pub fn diagnose(&self, body: Blob, headers: &str, now_seconds: f64) -> String {
        self.webhook.diagnose(&body, headers, now_seconds)
    }

    /// The answer to a question to the endpoint as JSON, empty where the request is none. `verdict` is what `verify` said of it.
    #[must_use]
    pub fn challenge(&self, verdict: &str, body: Blob) -> String {
        self.webhook.challenge(verdict, &body)
    }

    /// Keeps a certificate: empty, or an error as JSON.
    #[must_use]
    pub fn add_certificate(&self, url: &str, pem: Blob, now_seconds: f64) -> String {
        self.webhook.add_certificate(url, &pem, now_seconds)
    }

    /// Signs a request: `{"headers", "body", "url"}`, or an error as JSON. An empty id or URL is none.
    #[must_use]
    pub fn sign_request(&self, body: Blob, id: &str, url: &str, timestamp_seconds: f64) -> String {
        self.webhook.sign_request(&body, id, url, timestamp_seconds)
    }
}

/// Verifies a body in pieces.
#[derive(Debug, uniffi::Object)]
pub struct NativeVerifier {
    verifier: HostVerifier,
}

#[uniffi::export]
impl NativeVerifier {
    /// Takes the next piece: empty, or an error as JSON.
    #[must_use]
    pub fn update(&self, piece: Blob) -> String {
        self.verifier.update(&piece)
    }

    /// The verdict, once.
    #[must_use]
    pub fn finish(&self) -> String {
        self.verifier.finish()
    }
}

/// Remembers messages in memory.
#[derive(Debug, uniffi::Object)]
pub struct NativeReplayGuard {
    guard: HostReplayGuard,
}

#[uniffi::export]
impl NativeReplayGuard {
    /// A guard with these settings, a JSON object.
    ///
    /// # Errors
    /// `{"code", "message"}`.
    #[uniffi::constructor]
    pub fn new(settings: &str) -> Result<Arc<Self>, NativeError> {
        let guard = HostReplayGuard::open(settings)?;
        Ok(Arc::new(Self { guard }))
    }

    /// Asks for a message: `new` and a token, `in_progress` and a time, `already_done` or `full`; or an error as JSON.
    #[must_use]
    pub fn reserve(&self, key: &str, now_seconds: f64) -> String {
        self.guard.reserve(key, now_seconds)
    }

    /// The handler is done: `settled` or `lost`, or an error as JSON.
    #[must_use]
    pub fn commit(&self, key: &str, token: &str, now_seconds: f64) -> String {
        self.guard.commit(key, token, now_seconds)
    }

    /// The handler failed; as `commit`.
    #[must_use]
    pub fn release(&self, key: &str, token: &str, now_seconds: f64) -> String {
        self.guard.release(key, token, now_seconds)
    }
}

/// The key of a verified message for replay guards; empty for what is no verdict.
#[uniffi::export]
#[must_use]
pub fn replay_key(sender: &str, verdict: &str) -> String {
    HostWebhook::replay_key(sender, verdict)
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
