//! Webhooks, as JavaScript calls them. Nothing is started for them.

use gatewright_boundary::{HostReplayGuard, HostVerifier, HostWebhook};
use napi::bindgen_prelude::{Either, JsValue as _};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use crate::js_value::{Text, Told, with_content};

/// Verifies and signs. What each answers is what `HostWebhook` answers; times are seconds since 1970.
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
        now_seconds: f64,
    ) -> Result<Told> {
        looked_at(env, body, |body| {
            self.webhook.verify(body, &headers.0, now_seconds)
        })
    }

    /// Says in words why a request does not verify.
    #[napi(catch_unwind)]
    pub fn explain(
        &self,
        env: Env,
        body: Unknown<'_>,
        headers: Text,
        now_seconds: f64,
    ) -> Result<Told> {
        looked_at(env, body, |body| {
            self.webhook.explain(body, &headers.0, now_seconds)
        })
    }

    /// Signs a request: headers, and body and URL where others are to be sent, as JSON, or an error as JSON. `request` has the id and the
    /// URL in a line each, either empty for none.
    #[napi(catch_unwind)]
    pub fn sign(
        &self,
        env: Env,
        body: Unknown<'_>,
        request: Text,
        timestamp_seconds: f64,
    ) -> Result<Told> {
        let (id, url) = request.0.split_once('\n').unwrap_or((&request.0, ""));
        looked_at(env, body, |body| {
            self.webhook.sign_request(body, id, url, timestamp_seconds)
        })
    }

    /// The answer to a question to the endpoint as JSON; empty where the verified body is none.
    #[napi(catch_unwind)]
    pub fn challenge(&self, env: Env, body: Unknown<'_>, verdict: Text) -> Result<Told> {
        looked_at(env, body, |body| self.webhook.challenge(&verdict.0, body))
    }

    /// Keeps a certificate: empty, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn add_certificate(
        &self,
        env: Env,
        pem: Unknown<'_>,
        url: Text,
        now_seconds: f64,
    ) -> Result<Told> {
        looked_at(env, pem, |pem| {
            self.webhook.add_certificate(&url.0, pem, now_seconds)
        })
    }

    /// Begins to verify a request whose body comes in pieces, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn verifier(&self, headers: Text, now_seconds: f64) -> Either<NativeVerifier, String> {
        match self.webhook.verifier(&headers.0, now_seconds) {
            Ok(verifier) => Either::A(NativeVerifier { verifier }),
            Err(error) => Either::B(error),
        }
    }
}

/// Verifies a body in pieces.
#[napi]
pub struct NativeVerifier {
    verifier: HostVerifier,
}

#[napi]
impl NativeVerifier {
    /// Takes a piece: empty, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn update(&self, env: Env, piece: Unknown<'_>) -> Result<Told> {
        looked_at(env, piece, |piece| self.verifier.update(piece))
    }

    /// The verdict, as of `verify`.
    #[napi(catch_unwind)]
    pub fn finish(&self) -> String {
        self.verifier.finish()
    }
}

/// Remembers messages in memory.
#[napi]
pub struct NativeReplayGuard {
    pub(crate) guard: HostReplayGuard,
}

#[napi]
impl NativeReplayGuard {
    /// `new` and a token, `in_progress` and its end, `already_done` or `full`; or an error as JSON.
    #[napi(catch_unwind)]
    pub fn reserve(&self, key: Text, now_seconds: f64) -> String {
        self.guard.reserve(&key.0, now_seconds)
    }

    /// `settled` or `lost`, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn commit(&self, key: Text, token: Text, now_seconds: f64) -> String {
        self.guard.commit(&key.0, &token.0, now_seconds)
    }

    /// As `commit`.
    #[napi(catch_unwind)]
    pub fn release(&self, key: Text, token: Text, now_seconds: f64) -> String {
        self.guard.release(&key.0, &token.0, now_seconds)
    }
}

/// What is told of a body, which is not copied for it.
fn looked_at(env: Env, body: Unknown<'_>, tell: impl FnOnce(&[u8]) -> String) -> Result<Told> {
    // SAFETY: a value of this environment, on its thread, and `tell` runs no JavaScript.
    unsafe { with_content(env.raw(), body.raw(), tell) }.map(Told)
}
