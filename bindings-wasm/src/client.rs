//! One client of JavaScript's: `NativeClient` of `bindings-node/js/native.ts`.

use gatewright_boundary::{Body, HostClient};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

/// One client of JavaScript's.
#[wasm_bindgen]
#[derive(Debug)]
pub struct NativeClient(HostClient);

impl NativeClient {
    pub(crate) const fn new(client: HostClient) -> Self {
        Self(client)
    }
}

#[wasm_bindgen]
impl NativeClient {
    /// Begins a call. What comes of it comes as a frame.
    pub fn start(
        &self,
        call: u32,
        method: &str,
        path: &str,
        mode: u32,
        options: Option<String>,
        body: &JsValue,
    ) {
        self.0
            .start(call, method, path, mode, options.as_deref(), body_of(body));
    }

    /// Begins a list. Its pages come by `nextPage`.
    pub fn pages(&self, list: u32, path: &str, options: Option<String>, style: &str) {
        self.0.pages(list, path, options.as_deref(), style);
    }

    /// Begins a stream of server-sent events. They come by `nextEvents`.
    pub fn events(
        &self,
        list: u32,
        method: &str,
        path: &str,
        options: Option<String>,
        body: &JsValue,
        style: &str,
    ) {
        self.0
            .events(list, method, path, options.as_deref(), body_of(body), style);
    }

    /// Begins a stream of JSON lines. Their values come by `nextEvents`.
    #[wasm_bindgen(js_name = jsonLines)]
    pub fn json_lines(
        &self,
        list: u32,
        method: &str,
        path: &str,
        options: Option<String>,
        body: &JsValue,
        style: &str,
    ) {
        self.0
            .json_lines(list, method, path, options.as_deref(), body_of(body), style);
    }

    /// Uploads, so that a break costs no more than a piece.
    pub fn upload(
        &self,
        call: u32,
        method: &str,
        path: &str,
        options: Option<String>,
        body: &JsValue,
        style: &str,
    ) {
        self.0
            .upload(call, method, path, options.as_deref(), body_of(body), style);
    }

    /// Begins a login: what the user is to be shown comes as a frame.
    #[wasm_bindgen(js_name = beginLogin)]
    pub fn begin_login(&self, call: u32, login: u32, options: &str) {
        self.0.begin_login(call, login, options);
    }

    /// Ends a login: what is told of the tokens comes as a frame.
    #[wasm_bindgen(js_name = endLogin)]
    pub fn end_login(&self, call: u32, login: u32, redirect: Option<String>) {
        self.0.end_login(call, login, redirect.as_deref());
    }

    /// Forgets a login.
    #[wasm_bindgen(js_name = dropLogin)]
    pub fn drop_login(&self, login: u32) {
        self.0.drop_login(login);
    }

    /// Revokes and forgets the tokens of a credential.
    #[wasm_bindgen(js_name = logOut)]
    pub fn log_out(&self, call: u32, credential: Option<String>) {
        self.0.log_out(call, credential.as_deref());
    }

    /// The base URL, redacted.
    #[wasm_bindgen(js_name = baseUrl)]
    #[must_use]
    pub fn base_url(&self) -> String {
        self.0.base_url()
    }

    /// Budget and limits of the base URL's host, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        self.0.state()
    }

    /// Forgets every answer that the cache has stored.
    #[wasm_bindgen(js_name = clearCache)]
    pub fn clear_cache(&self) {
        self.0.clear_cache();
    }

    /// What would be done with what is supposed, or the error, as JSON.
    #[must_use]
    pub fn explain(&self, supposed: &str) -> String {
        let explained = self.0.explain(supposed);
        explained.unwrap_or_else(|error| error)
    }

    /// Refuses further calls. Those under way go on.
    pub fn close(&self) {
        self.0.close();
    }
}

/// A request's body: none, text or bytes, which are copied.
fn body_of(body: &JsValue) -> Option<Body> {
    if body.is_undefined() {
        return None;
    }
    Some(match body.as_string() {
        Some(text) => text.into(),
        None => Uint8Array::new(body).to_vec().into(),
    })
}
