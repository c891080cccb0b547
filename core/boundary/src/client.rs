//! One client of the host language's, and how its calls begin.

use std::fmt;
use std::sync::Arc;

use gatewright::{Body, Client, Error, ErrorKind, RequestBuilder};
use http::Method;

use crate::call::Control;
use crate::events::EventStream;
use crate::frame::Frame;
use crate::list::List;
use crate::login::{self, Logins};
use crate::port::Port;
use crate::{download, error, explain, json, options, state, stream, upload_resumable};

/// The mode of [`HostClient::start`] for downloads.
const DOWNLOAD: u32 = 2;

/// One client of the host language's.
pub struct HostClient {
    pub(crate) port: Arc<Port>,
    pub(crate) client: Client,
    /// The host language's number of it.
    number: u32,
    pub(crate) logins: Arc<Logins>,
}

impl fmt::Debug for HostClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostClient").field(&self.client).finish()
    }
}

impl HostClient {
    pub(crate) fn new(
        port: &Arc<Port>,
        client: Client,
        number: u32,
        logins: login::Settings,
    ) -> Self {
        Self {
            port: Arc::clone(port),
            client,
            number,
            logins: Arc::new(Logins::new(logins)),
        }
    }

    /// Begins a call. What comes of it comes as a frame: ANSWER or ERROR with mode 0, where the answer is read whole; HEAD or ERROR with
    /// any other, where its body is pulled: with mode 2 as a download that goes on where it breaks.
    pub fn start(
        &self,
        call: u32,
        method: &str,
        path: &str,
        mode: u32,
        options: Option<&str>,
        body: Option<Body>,
    ) {
        match self.request(Some(call), method, path, options, body) {
            Err(wrong) => self.port.refuse(call, &wrong),
            Ok(request) if mode == 0 => self
                .port
                .begin(call, |port, control| whole(port, call, control, request)),
            Ok(request) if mode == DOWNLOAD => self.port.begin(call, |port, control| {
                download::relay(port, call, control, request)
            }),
            Ok(request) => self.port.begin(call, |port, control| {
                stream::relay(port, call, control, request)
            }),
        }
    }

    /// Downloads into a file. CHUNK comes with JSON, `{length, resumedFrom, elapsedMs, headers, attempts}`, or ERROR.
    #[cfg(feature = "native")]
    pub fn download_to(&self, call: u32, path: &str, file: String, options: Option<&str>) {
        match self.request(Some(call), "GET", path, options, None) {
            Err(wrong) => self.port.refuse(call, &wrong),
            Ok(request) => self.port.begin(call, |port, control| {
                download::to_file(port, call, control, request, file)
            }),
        }
    }

    /// Uploads so that a break costs no more than a piece: ANSWER or ERROR comes. The source is `body`, or what the style names, of
    /// `{chunkSize, resume, assumeResumable, progress, file, stream: {replayable, length}}`; see `upload_resumable.rs`.
    pub fn upload(
        &self,
        call: u32,
        method: &str,
        path: &str,
        options: Option<&str>,
        body: Option<Body>,
        style: &str,
    ) {
        let place = options::Place {
            port: &self.port,
            client: self.number,
            call,
            may_stream: false,
        };
        let begun = self
            .request(None, method, path, options, None)
            .and_then(|request| upload_resumable::begin(request, body, style, &place));
        match begun {
            Err(wrong) => self.port.refuse(call, &wrong),
            Ok(begun) => self.port.begin(call, |port, control| {
                upload_resumable::send(port, call, control, begun)
            }),
        }
    }

    /// A request. Only that of a call with a number may have a body that is streamed.
    fn request(
        &self,
        call: Option<u32>,
        method: &str,
        path: &str,
        options: Option<&str>,
        body: Option<Body>,
    ) -> Result<RequestBuilder, Error> {
        let mut request = self.client.request(self::method(method)?, path);
        let has_body = body.is_some();
        if let Some(body) = body {
            request = request.body(body);
        }
        match options {
            Some(text) => {
                let place = options::Place {
                    port: &self.port,
                    client: self.number,
                    call: call.unwrap_or(0),
                    may_stream: call.is_some() && !has_body,
                };
                options::apply(request, text, &place)
            }
            None => Ok(request),
        }
    }

    /// Begins a list, with a `style` of `{items, cursor, cursorParam}`. Its pages come by [`Port::next_page`], and so does what is wrong
    /// with it.
    pub fn pages(&self, list: u32, path: &str, options: Option<&str>, style: &str) {
        let pages = options::style(style).and_then(|style| {
            let mut request = self.client.get(path);
            if let Some(text) = options {
                let place = options::Place {
                    port: &self.port,
                    client: self.number,
                    call: 0,
                    may_stream: false,
                };
                request = options::apply(request, text, &place)?;
            }
            Ok(request.pages_with(style))
        });
        self.port.keep_list(list, List::new(pages));
    }

    /// Begins a stream of server-sent events with a `style` of `{lastEventId, idleTimeoutMs}`. They come by [`Port::next_events`], and so
    /// does what is wrong with it; [`Port::drop_pages`] closes it.
    pub fn events(
        &self,
        list: u32,
        method: &str,
        path: &str,
        options: Option<&str>,
        body: Option<Body>,
        style: &str,
    ) {
        let request = self.request(None, method, path, options, body);
        self.port
            .keep_events(list, EventStream::new(request, style));
    }

    /// Begins a stream of JSON lines with a `style` of `{idleTimeoutMs, maxLineBytes, asText}`. Their values come by [`Port::next_events`] too, as
    /// the members of a JSON list, and [`Port::drop_pages`] closes it.
    pub fn json_lines(
        &self,
        list: u32,
        method: &str,
        path: &str,
        options: Option<&str>,
        body: Option<Body>,
        style: &str,
    ) {
        let request = self.request(None, method, path, options, body);
        self.port
            .keep_events(list, EventStream::of_lines(request, style));
    }

    /// The base URL, redacted.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.client.base_url()
    }

    /// Budget and limits of the base URL's host, as they are now, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        json::text(state::to_json(&self.client.state()))
    }

    /// Forgets every answer that the cache has stored.
    pub fn clear_cache(&self) {
        self.client.clear_cache();
    }

    /// What would be done with the outcome of an attempt that did not happen, as JSON; see `explain.rs` for both forms.
    ///
    /// # Errors
    /// The error as JSON, where that cannot be supposed.
    pub fn explain(&self, supposed: &str) -> Result<String, String> {
        explain::supposed(supposed)
            .and_then(|supposed| self.client.explain(supposed))
            .map(|explained| json::text(explain::to_json(&explained)))
            .map_err(|wrong| json::text(error::to_json(&wrong, self.port.language())))
    }

    /// Refuses further calls. Those under way go on.
    pub fn close(&self) {
        self.client.close();
        self.logins.close();
    }
}

async fn whole(port: Arc<Port>, call: u32, control: Arc<Control>, request: RequestBuilder) {
    let frame = match request.send().await {
        Ok(response) => Frame::Answer { call, response },
        Err(error) => Frame::Error {
            call,
            error: error::to_json(&error, port.language()),
        },
    };
    port.settle(call, &control, true, frame);
}

/// A method by its name.
fn method(name: &str) -> Result<Method, Error> {
    let known = match name {
        "GET" => Method::GET,
        "POST" => Method::POST,
        _ => return other_method(name),
    };
    Ok(known)
}

fn other_method(name: &str) -> Result<Method, Error> {
    Method::from_bytes(name.to_ascii_uppercase().as_bytes()).map_err(|_| {
        let shown = crate::members::shown_name(name);
        let what = format!("\"{shown}\" is no HTTP method");
        Error::new(ErrorKind::InvalidRequest, what)
    })
}
