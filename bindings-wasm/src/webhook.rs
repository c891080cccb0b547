//! Webhooks for JavaScript: the shapes of `bindings-node/js/webhook_native.ts`.

use gatewright_boundary::{HostReplayGuard, HostVerifier, HostWebhook};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

/// Verifies and signs webhooks. What each answers is what `HostWebhook` answers; times are seconds since 1970.
#[wasm_bindgen]
#[derive(Debug)]
pub struct NativeWebhook(HostWebhook);

#[wasm_bindgen]
impl NativeWebhook {
    /// What was proven as lines, or the error as JSON. `headers` are lines: a name and a value in turns.
    #[must_use]
    pub fn verify(&self, body: &JsValue, headers: &str, now: f64) -> String {
        self.0.verify(&bytes_of(body), headers, now)
    }

    /// Says why a request does not verify, in words for the developer.
    #[must_use]
    pub fn explain(&self, body: &JsValue, headers: &str, now: f64) -> String {
        self.0.explain(&bytes_of(body), headers, now)
    }

    /// Headers, and body and URL where others are to be sent, as JSON, or the error as `{"code", "message"}`. `request` has the id and the
    /// URL in a line each, either empty for none.
    #[must_use]
    pub fn sign(&self, body: &JsValue, request: &str, timestamp: f64) -> String {
        let (id, url) = request.split_once('\n').unwrap_or((request, ""));
        self.0.sign_request(&bytes_of(body), id, url, timestamp)
    }

    /// The answer to a question to the endpoint as JSON; empty where the verified body is none.
    #[must_use]
    pub fn challenge(&self, body: &JsValue, verdict: &str) -> String {
        self.0.challenge(verdict, &bytes_of(body))
    }

    /// Begins to verify a request whose body comes in pieces, or the error as JSON.
    #[must_use]
    pub fn verifier(&self, headers: &str, now: f64) -> JsValue {
        match self.0.verifier(headers, now) {
            Ok(verifier) => NativeVerifier(verifier).into(),
            Err(error) => error.into(),
        }
    }
}

/// Verifies a body in pieces.
#[wasm_bindgen]
#[derive(Debug)]
pub struct NativeVerifier(HostVerifier);

#[wasm_bindgen]
impl NativeVerifier {
    /// Takes a piece: empty, or the error as JSON.
    #[must_use]
    pub fn update(&self, piece: &JsValue) -> String {
        self.0.update(&bytes_of(piece))
    }

    /// The verdict, as of `verify`.
    #[must_use]
    pub fn finish(&self) -> String {
        self.0.finish()
    }
}

/// Remembers messages in memory.
#[wasm_bindgen]
#[derive(Debug)]
pub struct NativeReplayGuard(HostReplayGuard);

#[wasm_bindgen]
impl NativeReplayGuard {
    /// `new` and a token, `in_progress` and its end, `already_done` or `full`; or the error as JSON.
    #[must_use]
    pub fn reserve(&self, key: &str, now: f64) -> String {
        self.0.reserve(key, now)
    }

    /// `settled` or `lost`, or the error as JSON.
    #[must_use]
    pub fn commit(&self, key: &str, token: &str, now: f64) -> String {
        self.0.commit(key, token, now)
    }

    /// As `commit`.
    #[must_use]
    pub fn release(&self, key: &str, token: &str, now: f64) -> String {
        self.0.release(key, token, now)
    }
}

/// A webhook of settings in JSON, or the error as JSON.
#[wasm_bindgen(js_name = openWebhook)]
#[must_use]
pub fn open_webhook(settings: &str) -> JsValue {
    match HostWebhook::open_settings(settings) {
        Ok(webhook) => NativeWebhook(webhook).into(),
        Err(error) => error.into(),
    }
}

/// A replay guard in memory of settings in JSON, or the error as JSON.
#[wasm_bindgen(js_name = openReplayGuard)]
#[must_use]
pub fn open_replay_guard(settings: &str) -> JsValue {
    match HostReplayGuard::open(settings) {
        Ok(guard) => NativeReplayGuard(guard).into(),
        Err(error) => error.into(),
    }
}

/// A verified message's key for replay guards.
#[wasm_bindgen(js_name = replayKey)]
#[must_use]
pub fn replay_key(sender: &str, verdict: &str) -> String {
    HostWebhook::replay_key(sender, verdict)
}

/// A new `whsec_` secret; empty where the host has no randomness.
#[wasm_bindgen(js_name = generateSecret)]
#[must_use]
pub fn generate_secret() -> String {
    let mut random = [0; 32];
    match getrandom::fill(&mut random) {
        Ok(()) => gatewright_boundary::generate_secret(&random),
        Err(_) => String::new(),
    }
}

/// Text or bytes, as JavaScript has bodies.
fn bytes_of(body: &JsValue) -> Vec<u8> {
    match body.as_string() {
        Some(text) => text.into_bytes(),
        None => Uint8Array::new(body).to_vec(),
    }
}
