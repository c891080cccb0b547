//! Downloads that go on where they break: as a streamed answer, a piece for each pull, and into a file.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | connecting | the head came | HEAD is delivered; reading |
//! | reading | a piece, and it was pulled | CHUNK is delivered; reading |
//! | reading | the end, and it was pulled | END is delivered, with `{elapsedMs, attempts}` over all connections; over |
//! | any | it failed for good | ERROR is delivered; over |
//!
//! Nothing is read before it is pulled, but for what the transport has: where a connection breaks, only the host's pace decides when the next
//! one is made.

use std::sync::Arc;

use gatewright::{Download, RequestBuilder};

use crate::call::Control;
use crate::frame::Frame;
use crate::port::Port;
use crate::{error, json, meta, stream};

/// Connects and hands over the head, then the bytes as they are pulled.
pub(crate) async fn relay(
    port: Arc<Port>,
    call: u32,
    control: Arc<Control>,
    request: RequestBuilder,
) {
    let mut download = request.download();
    let first = match download.connect().await {
        Ok(()) => head(call, &download),
        Err(why) => return fail(&port, call, &control, &why),
    };
    if !port.settle(call, &control, false, first) {
        return;
    }
    loop {
        stream::pulled(&control).await;
        match download.chunk().await {
            Ok(Some(bytes)) => {
                if !port.settle(call, &control, false, Frame::Chunk { call, bytes }) {
                    return;
                }
            }
            Ok(None) => {
                let told = end(&download);
                port.settle(call, &control, true, Frame::Done { call, told });
                return;
            }
            Err(why) => return fail(&port, call, &control, &why),
        }
    }
}

fn fail(port: &Port, call: u32, control: &Arc<Control>, why: &gatewright::Error) {
    let error = error::to_json(why, port.language());
    port.settle(call, control, true, Frame::Error { call, error });
}

fn head(call: u32, download: &Download) -> Frame {
    let mut meta = Vec::with_capacity(1024);
    meta::of_download(&mut meta, download);
    let status = download.status().map_or(200, |status| status.as_u16());
    Frame::Head { call, status, meta }
}

fn end(download: &Download) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"{\"elapsedMs\":");
    json::milliseconds(&mut out, download.elapsed());
    json::member(&mut out, "attempts");
    meta::attempts(&mut out, download.attempts());
    out.push(b'}');
    out
}

/// Downloads into a file, and tells of it as JSON: `{length, resumedFrom, elapsedMs, headers, attempts}`.
#[cfg(feature = "native")]
pub(crate) async fn to_file(
    port: Arc<Port>,
    call: u32,
    control: Arc<Control>,
    request: RequestBuilder,
    file: String,
) {
    let done = match request.download_to(file).await {
        Ok(done) => done,
        Err(why) => return fail(&port, call, &control, &why),
    };
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"length\":");
    json::number(&mut out, done.length);
    json::member(&mut out, "resumedFrom");
    json::number(&mut out, done.resumed_from);
    json::member(&mut out, "elapsedMs");
    json::milliseconds(&mut out, done.elapsed);
    json::member(&mut out, "headers");
    meta::headers(&mut out, &done.headers);
    json::member(&mut out, "attempts");
    meta::attempts(&mut out, &done.attempts);
    out.push(b'}');
    let bytes = out.into();
    port.settle(call, &control, true, Frame::Chunk { call, bytes });
}
