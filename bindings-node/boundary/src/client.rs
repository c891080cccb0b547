//! One client of JavaScript's.

use gatewright::Body;

/// One client of JavaScript's.
#[derive(Debug)]
pub struct JsClient {
    _port: std::sync::Arc<crate::Port>,
}

impl JsClient {
    /// Begins a call. What comes of it comes as a frame. `mode` is 0 for an answer read whole, 1 for a streamed one.
    pub fn start(
        &self,
        call: u32,
        method: &str,
        path: &str,
        mode: u32,
        options: Option<&str>,
        body: Option<Body>,
    ) {
        let _ = (call, method, path, mode, options, body);
    }

    /// Begins a list. Its pages come by [`Port::next_page`](crate::Port::next_page).
    pub fn pages(&self, list: u32, path: &str, options: Option<&str>, style: &str) {
        let _ = (list, path, options, style);
    }

    /// The base URL, redacted.
    #[must_use]
    pub fn base_url(&self) -> String {
        String::new()
    }

    /// Budget and limits of the base URL's host, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        "{}".to_owned()
    }

    /// Refuses further calls. Those under way go on.
    pub fn close(&self) {}
}
