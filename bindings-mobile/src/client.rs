//! A client, as the SDKs call it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewright_boundary::{Body, HostClient};

use crate::blob::Blob;
use crate::error::NativeError;
use crate::port::{Port, without_runtime};

/// A client. It is open until it is closed or dropped.
#[derive(uniffi::Object)]
pub struct NativeClient {
    port: Arc<Port>,
    pub(crate) client: HostClient,
    open: AtomicBool,
}

impl std::fmt::Debug for NativeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.client.fmt(f)
    }
}

impl NativeClient {
    pub(crate) fn new(port: Arc<Port>, client: HostClient) -> Result<Self, NativeError> {
        port.opened()
            .map_err(|error| port.boundary.without_runtime(&without_runtime(&error)))?;
        Ok(Self {
            port,
            client,
            open: AtomicBool::new(true),
        })
    }

    /// As [`NativeClient::start`], with what the host lends.
    pub(crate) fn begin(
        &self,
        call: u32,
        method: &str,
        path: &str,
        mode: u32,
        options: Option<&str>,
        body: Option<Body>,
    ) {
        self.client.start(call, method, path, mode, options, body);
    }
}

#[uniffi::export]
impl NativeClient {
    /// Begins a call. What comes of it comes as a frame: ANSWER or ERROR with mode 0, where the answer is read whole; HEAD or ERROR with any
    /// other, where its body is pulled: with mode 2 as a download that goes on where it breaks.
    pub fn start(
        &self,
        call: u32,
        method: &str,
        path: &str,
        mode: u32,
        options: Option<String>,
        body: Option<Blob>,
    ) {
        let body = body.map(|blob| Body::Bytes(blob.0.into()));
        self.begin(call, method, path, mode, options.as_deref(), body);
    }

    /// Begins a list, with a `style` of `{items, cursor, cursorParam}`. Its pages come by [`Port::next_page`], and so does what is wrong
    /// with it.
    pub fn pages(&self, list: u32, path: &str, options: Option<String>, style: &str) {
        self.client.pages(list, path, options.as_deref(), style);
    }

    /// Begins a stream of server-sent events, with a `style` of `{lastEventId, idleTimeoutMs}`. They come by [`Port::next_events`], and so
    /// does what is wrong with it.
    pub fn events(
        &self,
        list: u32,
        method: &str,
        path: &str,
        options: Option<String>,
        body: Option<Blob>,
        style: &str,
    ) {
        let body = body.map(|blob| Body::Bytes(blob.0.into()));
        self.client
            .events(list, method, path, options.as_deref(), body, style);
    }

    /// Begins a stream of JSON lines, with a `style` of `{idleTimeoutMs, maxLineBytes, asText}`. Their values come by [`Port::next_events`] too, as
    /// the members of a JSON list, and so does what is wrong with it.
    pub fn json_lines(
        &self,
        list: u32,
        method: &str,
        path: &str,
        options: Option<String>,
        body: Option<Blob>,
        style: &str,
    ) {
        let body = body.map(|blob| Body::Bytes(blob.0.into()));
        self.client
            .json_lines(list, method, path, options.as_deref(), body, style);
    }

    /// Downloads into a file: CHUNK comes with JSON, `{length, resumedFrom, elapsedMs, headers, attempts}`, or ERROR.
    pub fn download_to(&self, call: u32, path: &str, file: String, options: Option<String>) {
        self.client
            .download_to(call, path, file, options.as_deref());
    }

    /// Uploads so that a break costs no more than a piece: ANSWER or ERROR comes. The source is `body`, or what the `style` names, of
    /// `{chunkSize, resume, assumeResumable, progress, file, stream: {replayable, length}}`.
    pub fn upload(
        &self,
        call: u32,
        method: &str,
        path: &str,
        options: Option<String>,
        body: Option<Blob>,
        style: &str,
    ) {
        let body = body.map(|blob| Body::Bytes(blob.0.into()));
        self.client
            .upload(call, method, path, options.as_deref(), body, style);
    }

    /// The base URL, redacted.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.client.base_url()
    }

    /// Budget and limits of the base URL's host, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        self.client.state()
    }

    /// Forgets every answer that the cache has stored.
    pub fn clear_cache(&self) {
        self.client.clear_cache();
    }

    /// What would be done with the outcome of an attempt that did not happen: a supposition as JSON, and what comes of it as JSON.
    ///
    /// # Errors
    /// The error as JSON, where that cannot be supposed.
    pub fn explain(&self, supposed: &str) -> Result<String, NativeError> {
        Ok(self.client.explain(supposed)?)
    }

    /// Refuses further calls. Those under way go on.
    pub fn close(&self) {
        if self.open.swap(false, Ordering::AcqRel) {
            self.client.close();
            self.port.closed();
        }
    }
}

impl Drop for NativeClient {
    fn drop(&mut self) {
        self.close();
    }
}
