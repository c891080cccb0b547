//! A client, as JavaScript calls it.

use std::rc::Rc;

use gatewright_boundary::{Body, HostClient};
use napi::Result;
use napi_derive::napi;

use crate::js_thread::JsThread;
use crate::js_value::{Content, Text};

/// A client.
#[napi]
pub struct NativeClient {
    pub(crate) thread: Rc<JsThread>,
    pub(crate) client: HostClient,
}

#[napi]
impl NativeClient {
    /// Begins a call. Its answer or error comes as a frame.
    #[napi(catch_unwind)]
    pub fn start(
        &self,
        call: u32,
        method: Text,
        path: Text,
        mode: u32,
        options: Option<Text>,
        body: Option<Content>,
    ) -> Result<()> {
        self.client.start(
            call,
            &method.0,
            &path.0,
            mode,
            options.as_ref().map(|text| text.0.as_str()),
            body.map(|content| Body::Bytes(content.0)),
        );
        self.thread.after_call()
    }

    /// Begins a list.
    #[napi(catch_unwind)]
    pub fn pages(&self, list: u32, path: Text, options: Option<Text>, style: Text) -> Result<()> {
        let options = options.as_ref().map(|text| text.0.as_str());
        self.client.pages(list, &path.0, options, &style.0);
        self.thread.after_call()
    }

    /// Begins a stream of server-sent events.
    #[napi(catch_unwind)]
    pub fn events(
        &self,
        list: u32,
        method: Text,
        path: Text,
        options: Option<Text>,
        body: Option<Content>,
        style: Text,
    ) -> Result<()> {
        self.client.events(
            list,
            &method.0,
            &path.0,
            options.as_ref().map(|text| text.0.as_str()),
            body.map(|content| Body::Bytes(content.0)),
            &style.0,
        );
        self.thread.after_call()
    }

    /// Begins a stream of JSON lines. Their values come as events do.
    #[napi(catch_unwind)]
    pub fn json_lines(
        &self,
        list: u32,
        method: Text,
        path: Text,
        options: Option<Text>,
        body: Option<Content>,
        style: Text,
    ) -> Result<()> {
        self.client.json_lines(
            list,
            &method.0,
            &path.0,
            options.as_ref().map(|text| text.0.as_str()),
            body.map(|content| Body::Bytes(content.0)),
            &style.0,
        );
        self.thread.after_call()
    }

    /// Downloads into a file.
    #[napi(catch_unwind)]
    pub fn download_to(
        &self,
        call: u32,
        path: Text,
        file: Text,
        options: Option<Text>,
    ) -> Result<()> {
        let options = options.as_ref().map(|text| text.0.as_str());
        self.client.download_to(call, &path.0, file.0, options);
        self.thread.after_call()
    }

    /// Uploads, so that a break costs no more than a piece.
    #[napi(catch_unwind)]
    pub fn upload(
        &self,
        call: u32,
        method: Text,
        path: Text,
        options: Option<Text>,
        body: Option<Content>,
        style: Text,
    ) -> Result<()> {
        self.client.upload(
            call,
            &method.0,
            &path.0,
            options.as_ref().map(|text| text.0.as_str()),
            body.map(|content| Body::Bytes(content.0)),
            &style.0,
        );
        self.thread.after_call()
    }

    /// Begins a login: what the user is to be shown comes as a frame.
    #[napi(catch_unwind)]
    pub fn begin_login(&self, call: u32, login: u32, options: Text) -> Result<()> {
        self.client.begin_login(call, login, &options.0);
        self.thread.after_call()
    }

    /// Ends a login: what is told of the tokens comes as a frame.
    #[napi(catch_unwind)]
    pub fn end_login(&self, call: u32, login: u32, redirect: Option<Text>) -> Result<()> {
        let redirect = redirect.as_ref().map(|text| text.0.as_str());
        self.client.end_login(call, login, redirect);
        self.thread.after_call()
    }

    /// Forgets a login.
    #[napi(catch_unwind)]
    pub fn drop_login(&self, login: u32) -> Result<()> {
        self.client.drop_login(login);
        self.thread.after_call()
    }

    /// Revokes and forgets the tokens of a credential.
    #[napi(catch_unwind)]
    pub fn log_out(&self, call: u32, credential: Option<Text>) -> Result<()> {
        let credential = credential.as_ref().map(|text| text.0.as_str());
        self.client.log_out(call, credential);
        self.thread.after_call()
    }

    /// The base URL, redacted.
    #[napi(catch_unwind)]
    pub fn base_url(&self) -> String {
        self.client.base_url()
    }

    /// Budget and limits, as JSON.
    #[napi(catch_unwind)]
    pub fn state(&self) -> String {
        self.client.state()
    }

    /// Forgets every answer that the cache has stored.
    #[napi(catch_unwind)]
    pub fn clear_cache(&self) {
        self.client.clear_cache();
    }

    /// What would be done with what is supposed, or the error, as JSON.
    #[napi(catch_unwind)]
    pub fn explain(&self, supposed: Text) -> String {
        let explained = self.client.explain(&supposed.0);
        explained.unwrap_or_else(|error| error)
    }

    /// Refuses further calls.
    #[napi(catch_unwind)]
    pub fn close(&self) -> Result<()> {
        self.client.close();
        self.thread.after_call()
    }
}
