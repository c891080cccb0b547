//! Webhooks for JavaScript: the shapes of `bindings-node/js/webhook_native.ts`.

use gatewright_boundary::HostWebhook;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since 1970.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn wall_clock() -> f64;
}

/// Verifies and signs webhooks. Times are seconds since 1970; without one it is now.
#[wasm_bindgen]
#[derive(Debug)]
pub struct NativeWebhook(HostWebhook);

#[wasm_bindgen]
impl NativeWebhook {
    /// What was proven as lines, or the error as JSON. `headers` are lines: a name and a value in turns.
    #[must_use]
    pub fn verify(&self, body: &JsValue, headers: &str, now: Option<f64>) -> String {
        self.0.verify(&bytes_of(body), headers, seconds(now))
    }

    /// Says why a request does not verify, in words for the developer.
    #[must_use]
    pub fn explain(&self, body: &JsValue, headers: &str, now: Option<f64>) -> String {
        self.0.explain(&bytes_of(body), headers, seconds(now))
    }

    /// The headers as a JSON object, or the error as `{"code", "message"}`.
    #[must_use]
    pub fn sign(&self, body: &JsValue, message_id: &str, timestamp: Option<f64>) -> String {
        self.0.sign(&bytes_of(body), message_id, seconds(timestamp))
    }
}

/// A webhook with these secrets, or the error as JSON.
#[wasm_bindgen(js_name = openWebhook)]
#[must_use]
pub fn open_webhook(secrets: Vec<String>, tolerance_seconds: f64, max_body: f64) -> JsValue {
    match HostWebhook::open(&secrets, tolerance_seconds, max_body) {
        Ok(webhook) => NativeWebhook(webhook).into(),
        Err(error) => error.into(),
    }
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

fn seconds(given: Option<f64>) -> f64 {
    given.unwrap_or_else(|| wall_clock() / 1e3)
}
