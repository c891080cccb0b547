//! Everything that one JavaScript thread has under way.

use std::fmt;
use std::sync::Arc;

use gatewright::ClientBuilder;

use crate::client::JsClient;
use crate::host::Host;

/// Everything that one JavaScript thread has under way: calls, streams, lists, questions.
pub struct Port {
    _host: Arc<dyn Host>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").finish_non_exhaustive()
    }
}

impl Port {
    /// A port of this host.
    pub fn new(host: Arc<dyn Host>) -> Arc<Self> {
        Arc::new(Self { _host: host })
    }

    /// A client with the settings of this JSON.
    ///
    /// # Errors
    /// The error as JSON.
    pub fn open_client(
        self: &Arc<Self>,
        base_url: &str,
        settings: &str,
    ) -> Result<JsClient, String> {
        self.open_client_with(base_url, settings, |builder| builder)
    }

    /// As [`Port::open_client`]; `adjust` may give transport and runtime, where the core has none of its own for this target.
    ///
    /// # Errors
    /// The error as JSON.
    pub fn open_client_with(
        self: &Arc<Self>,
        base_url: &str,
        settings: &str,
        adjust: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<JsClient, String> {
        let _ = (base_url, settings, adjust);
        Err("{}".to_owned())
    }

    /// Gives up a call.
    pub fn cancel(&self, call: u32) {
        let _ = call;
    }

    /// Asks for the next piece of a streamed answer.
    pub fn pull(&self, call: u32) {
        let _ = call;
    }

    /// Asks for the next page of a list.
    pub fn next_page(&self, call: u32, list: u32) {
        let _ = (call, list);
    }

    /// Forgets a list.
    pub fn drop_pages(&self, list: u32) {
        let _ = list;
    }

    /// Answers a question.
    pub fn answer(&self, question: u32, text: Option<&str>, bytes: Option<&[u8]>) {
        let _ = (question, text, bytes);
    }

    /// What was asked failed.
    pub fn fail(&self, question: u32, cause: u32, text: &str) {
        let _ = (question, cause, text);
    }

    /// How many calls, pieces and pages JavaScript waits for now: while there are any, the process is to stay alive.
    #[must_use]
    pub fn waiting(&self) -> usize {
        0
    }

    /// The JavaScript thread goes away: everything is dropped, and nothing is delivered any more.
    pub fn close(&self) {}
}
