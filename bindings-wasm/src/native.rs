//! The module's functions: `Native` of `bindings-node/js/native.ts`.

use std::sync::Arc;

use gatewright_boundary::{Language, Port};
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::client::NativeClient;
use crate::executor::{JsThread, deliver_to};

thread_local! {
    static PORT: Arc<Port> = Port::new(Arc::new(JsThread), Language::JavaScript);
}

fn port() -> Arc<Port> {
    PORT.with(Arc::clone)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// Runs once, when the module is made.
#[wasm_bindgen(start)]
pub fn start() {
    // A panic would be a fault of ours. It ends the module, with no more than `unreachable` from the host.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        console_error(&format!(
            "gatewright-web: internal fault at {place}; please report it, and load the page anew"
        ));
    }));
}

/// The version.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The codes of all kinds of errors.
#[wasm_bindgen(js_name = errorCodes)]
#[must_use]
pub fn error_codes() -> Vec<String> {
    gatewright_boundary::error_codes()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Who takes the batches of frames: `(batch: Uint8Array, large: Uint8Array[]) => void`.
#[wasm_bindgen]
pub fn connect(deliver: Function) {
    deliver_to(deliver);
}

/// A client with the settings of this JSON, or the error as JSON.
#[wasm_bindgen(js_name = openClient)]
#[must_use]
pub fn open_client(base_url: &str, settings: &str) -> JsValue {
    match port().open_client(base_url, settings) {
        Ok(client) => NativeClient::new(client).into(),
        Err(error) => error.into(),
    }
}

/// Gives up a call.
#[wasm_bindgen]
pub fn cancel(call: u32) {
    port().cancel(call);
}

/// Asks for the next piece of a streamed answer.
#[wasm_bindgen]
pub fn pull(call: u32) {
    port().pull(call);
}

/// Asks for the next page of a list.
#[wasm_bindgen(js_name = nextPage)]
pub fn next_page(call: u32, list: u32) {
    port().next_page(call, list);
}

/// Asks for the next events of a stream.
#[wasm_bindgen(js_name = nextEvents)]
pub fn next_events(call: u32, list: u32) {
    port().next_events(call, list);
}

/// Forgets a list or a stream of events.
#[wasm_bindgen(js_name = dropPages)]
pub fn drop_pages(list: u32) {
    port().drop_pages(list);
}

/// Answers a question.
#[wasm_bindgen]
pub fn answer(question: u32, text: Option<String>, bytes: Option<Uint8Array>) {
    let bytes = bytes.map(|bytes| bytes.to_vec().into());
    port().answer(question, text, bytes);
}

/// What was asked threw.
#[wasm_bindgen]
pub fn fail(question: u32, cause: u32, text: &str) {
    port().fail(question, cause, text);
}

/// The error, as JSON, of an answer that was delivered and cannot be decoded.
#[wasm_bindgen(js_name = answerError)]
#[must_use]
pub fn answer_error(meta: &str, code: &str, what: &str) -> String {
    gatewright_boundary::answer_error(Language::JavaScript, meta, code, what)
}

/// The attempts (JSON) as a picture in text.
#[wasm_bindgen]
#[must_use]
pub fn timeline(attempts: &str) -> String {
    gatewright_boundary::timeline(attempts)
}
