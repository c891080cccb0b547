//! The transport for JavaScript hosts: their `fetch`, called by hand (`web.js`), with nothing of a client library between.
//!
//! What a browser does differently from a server's host (headers it forbids, redirects it hides, bodies it does not stream) is in `web.js`
//! and in [`collect`]. Everything runs on the thread it was made on; a dropped attempt aborts its request on the wire.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt as _;
use gatewright_engine::retry::FailureClass;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;

use super::{ResponseBody, Transport, TransportError, TransportRequest, TransportResponse};
use crate::body::{Body, BoxError, ByteStream};
use crate::runtime::BoxFuture;
use crate::runtime::web::{Slot, waking};

/// A browser sends streams from memory; longer ones are refused.
const MOST_COLLECTED: usize = 100 * 1024 * 1024;

#[wasm_bindgen(module = "/src/transport/web.js")]
extern "C" {
    type Exchange;
    #[wasm_bindgen(constructor)]
    fn new(wake: &JsValue, slot: u32) -> Exchange;
    #[wasm_bindgen(method)]
    fn send(
        this: &Exchange,
        method: &str,
        url: &str,
        headers: &str,
        body: &[u8],
        streamed: bool,
        fresh: bool,
    );
    #[wasm_bindgen(method)]
    fn event(this: &Exchange) -> u32;
    #[wasm_bindgen(method)]
    fn status(this: &Exchange) -> u16;
    #[wasm_bindgen(method)]
    fn headers(this: &Exchange) -> String;
    #[wasm_bindgen(method)]
    fn piece(this: &Exchange) -> Vec<u8>;
    #[wasm_bindgen(method)]
    fn failure(this: &Exchange) -> String;
    #[wasm_bindgen(method)]
    fn push(this: &Exchange, bytes: &[u8]);
    #[wasm_bindgen(method)]
    fn finish(this: &Exchange);
    #[wasm_bindgen(method)]
    fn abort(this: &Exchange);

    /// Whether requests come from a page or from a worker of one, where the browser's rules hold.
    #[wasm_bindgen(js_name = inBrowser)]
    pub fn in_browser() -> bool;
}

// What `Exchange.event` answers; the same numbers are in `web.js`.
const HEAD: u32 = 1;
const PIECE: u32 = 2;
const END: u32 = 3;
const FAILED: u32 = 4;
const BODY_WANTED: u32 = 5;

/// Carries attempts with the host's `fetch`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebTransport;

impl Transport for WebTransport {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        Box::pin(send(request))
    }
}

async fn send(request: TransportRequest) -> Result<TransportResponse, TransportError> {
    let TransportRequest {
        method,
        url,
        mut headers,
        body,
        fresh,
    } = request;
    let (body, upload) = match body {
        Body::Empty => (Bytes::new(), None),
        Body::Bytes(bytes) => (bytes, None),
        Body::Once { stream, length } => for_host(stream, length, &mut headers).await?,
        Body::Replayable { make, length } => for_host(make(), length, &mut headers).await?,
    };
    let mut attempt = Attempt::new(upload);
    attempt.exchange.send(
        method.as_str(),
        url.as_str(),
        &to_lines(&headers),
        &body,
        attempt.upload.is_some(),
        fresh,
    );
    drop((body, headers));
    std::future::poll_fn(|cx| attempt.poll_head(cx)).await?;
    let status = attempt.exchange.status();
    if status == 0 {
        return Err(TransportError::new(
            FailureClass::HiddenRedirect,
            "a browser does not tell where another origin's redirects lead",
        ));
    }
    let status = StatusCode::from_u16(status)
        .map_err(|_| TransportError::new(FailureClass::Protocol, format!("status {status}")))?;
    Ok(TransportResponse {
        status,
        headers: from_lines(&attempt.exchange.headers()),
        body: ResponseBody::new(attempt),
    })
}

/// Browsers get a stream's bytes whole, other hosts as they come.
async fn for_host(
    stream: ByteStream,
    length: Option<u64>,
    headers: &mut HeaderMap,
) -> Result<(Bytes, Option<ByteStream>), TransportError> {
    if in_browser() {
        return Ok((collect(stream).await?, None));
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    Ok((Bytes::new(), Some(stream)))
}

async fn collect(mut stream: ByteStream) -> Result<Bytes, TransportError> {
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(of_source)?;
        if whole.len() + piece.len() > MOST_COLLECTED {
            let text = format!(
                "a browser sends streams from memory, and this one is longer than {MOST_COLLECTED} bytes"
            );
            return Err(TransportError::new(FailureClass::BodySource, text));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

fn of_source(error: BoxError) -> TransportError {
    TransportError {
        class: FailureClass::BodySource,
        text: error.to_string(),
        source: Some(error),
    }
}

/// One attempt, from sending to the end of the answer's body. Dropped before that, it is aborted.
struct Attempt {
    exchange: SendWrapper<Exchange>,
    slot: Slot,
    /// What is still to be sent of a streamed body.
    upload: Option<ByteStream>,
    over: bool,
}

impl Attempt {
    fn new(upload: Option<ByteStream>) -> Self {
        let slot = Slot::new();
        let exchange = waking(|wake| Exchange::new(wake, slot.number()));
        Self {
            exchange: SendWrapper::new(exchange),
            slot,
            upload,
            over: false,
        }
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        match self.poll_event(cx)? {
            Poll::Ready(HEAD) => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }

    /// What is new in the answer. The request's body is sent on meanwhile: an answer may begin before its end.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<u32, TransportError>> {
        self.slot.wait(cx.waker());
        loop {
            match self.exchange.event() {
                BODY_WANTED => match std::task::ready!(self.poll_upload(cx)) {
                    Ok(Some(piece)) => self.exchange.push(&piece),
                    Ok(None) => {
                        self.upload = None;
                        self.exchange.finish();
                    }
                    Err(error) => {
                        self.end();
                        return Poll::Ready(Err(of_source(error)));
                    }
                },
                0 => return Poll::Pending,
                FAILED => {
                    self.over = true;
                    return Poll::Ready(Err(read_failure(&self.exchange.failure())));
                }
                event => return Poll::Ready(Ok(event)),
            }
        }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BoxError>> {
        match &mut self.upload {
            Some(stream) => stream.poll_next_unpin(cx).map(Option::transpose),
            None => Poll::Ready(Ok(None)),
        }
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            self.exchange.abort();
        }
    }
}

impl Stream for Attempt {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        match std::task::ready!(self.poll_event(cx)) {
            Ok(PIECE) => Poll::Ready(Some(Ok(self.exchange.piece().into()))),
            Ok(END) => {
                self.end();
                Poll::Ready(None)
            }
            Ok(_) => Poll::Pending,
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end();
    }
}

/// Headers as lines, a name and a value in turns. Bytes of a value are characters, as `fetch` has it.
fn to_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        lines.push_str(name.as_str());
        lines.push('\n');
        lines.extend(value.as_bytes().iter().map(|byte| char::from(*byte)));
        lines.push('\n');
    }
    lines
}

fn from_lines(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut lines = lines.split('\n');
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        let value: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
        if let (Ok(name), Some(Ok(value))) =
            (HeaderName::try_from(name), value.map(HeaderValue::try_from))
        {
            headers.append(name, value);
        }
    }
    headers
}

/// A failure as `web.js` words it: its class and the text, in two lines.
fn read_failure(lines: &str) -> TransportError {
    let (class, text) = lines.split_once('\n').unwrap_or(("", lines));
    let class = match class {
        "connect" => FailureClass::Connect,
        "connectTimeout" => FailureClass::ConnectTimeout,
        "tls" => FailureClass::Tls,
        "timeout" => FailureClass::Timeout,
        "readTimeout" => FailureClass::ReadTimeout,
        "protocol" => FailureClass::Protocol,
        "decode" => FailureClass::Decode,
        _ => FailureClass::ConnectionLost,
    };
    TransportError::new(class, text)
}
