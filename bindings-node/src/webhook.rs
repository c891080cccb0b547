//! Webhooks, as JavaScript calls them. Nothing is started for them.

use gatewright_js_boundary::JsWebhook;
use napi_derive::napi;

use crate::js_value::{Content, Text};

/// Verifies and signs.
#[napi]
pub struct NativeWebhook {
    pub(crate) webhook: JsWebhook,
}

#[napi]
impl NativeWebhook {
    /// Verifies a request: what was proven as lines, or an error as JSON. `headers` are lines too.
    #[napi(catch_unwind)]
    pub fn verify(&self, body: Content, headers: Text, now_seconds: Option<f64>) -> String {
        self.webhook.verify(&body.0, &headers.0, now(now_seconds))
    }

    /// Says in words why a request does not verify.
    #[napi(catch_unwind)]
    pub fn explain(&self, body: Content, headers: Text, now_seconds: Option<f64>) -> String {
        self.webhook.explain(&body.0, &headers.0, now(now_seconds))
    }

    /// Signs a body: headers as JSON, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn sign(&self, body: Content, message_id: Text, timestamp_seconds: Option<f64>) -> String {
        self.webhook
            .sign(&body.0, &message_id.0, now(timestamp_seconds))
    }
}

/// The time that is given, or the clock's, in seconds since 1970.
fn now(given: Option<f64>) -> f64 {
    given.unwrap_or_else(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    })
}
