//! Webhooks, as JavaScript calls them. Nothing is started for them.

use gatewright_boundary::HostWebhook;
use napi::bindgen_prelude::JsValue as _;
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use crate::js_value::{Text, Told, with_content};

/// Verifies and signs.
#[napi]
pub struct NativeWebhook {
    pub(crate) webhook: HostWebhook,
}

#[napi]
impl NativeWebhook {
    /// Verifies a request: what was proven as lines, or an error as JSON. `headers` are lines too.
    #[napi(catch_unwind)]
    pub fn verify(
        &self,
        env: Env,
        body: Unknown<'_>,
        headers: Text,
        now_seconds: Option<f64>,
    ) -> Result<Told> {
        looked_at(env, body, |body| {
            self.webhook.verify(body, &headers.0, now(now_seconds))
        })
    }

    /// Says in words why a request does not verify.
    #[napi(catch_unwind)]
    pub fn explain(
        &self,
        env: Env,
        body: Unknown<'_>,
        headers: Text,
        now_seconds: Option<f64>,
    ) -> Result<Told> {
        looked_at(env, body, |body| {
            self.webhook.explain(body, &headers.0, now(now_seconds))
        })
    }

    /// Signs a body: headers as JSON, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn sign(
        &self,
        env: Env,
        body: Unknown<'_>,
        message_id: Text,
        timestamp_seconds: Option<f64>,
    ) -> Result<Told> {
        looked_at(env, body, |body| {
            self.webhook
                .sign(body, &message_id.0, now(timestamp_seconds))
        })
    }
}

/// What is told of a body, which is not copied for it.
fn looked_at(env: Env, body: Unknown<'_>, tell: impl FnOnce(&[u8]) -> String) -> Result<Told> {
    // SAFETY: a value of this environment, on its thread, and `tell` runs no JavaScript.
    unsafe { with_content(env.raw(), body.raw(), tell) }.map(Told)
}

/// The time that is given, or the clock's, in seconds since 1970.
fn now(given: Option<f64>) -> f64 {
    given.unwrap_or_else(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    })
}
