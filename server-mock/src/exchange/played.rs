//! Executes a request, or not, and does to its answer what its fault says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderValue, Response};

use super::answer::{answer, complete, ending};
use super::execute::execute;
use super::kept::{carry_out, kept};
use super::{NoResponse, is_upload};
use crate::call::{Call, UploadEnd};
use crate::fault::{Cut, Fault, Kind};
use crate::journal::Ending;
use crate::play;
use crate::reply::Body;
use crate::wire::{Connection, End};

const MAX_HANG: Duration = Duration::from_secs(60);

/// Executes a request, or not, and does to its answer what the fault says.
pub(super) async fn play_out(
    call: Call,
    seq: u64,
    fault: Fault,
    connection: &Connection,
) -> Result<Response<Body>, NoResponse> {
    match &fault.kind {
        Kind::Status(status) => {
            tokio::time::sleep(fault.latency).await;
            let reply = play::status(&call, status);
            return Ok(answer(&call, seq, reply));
        }
        Kind::Cut {
            how,
            committed: false,
        } => {
            tokio::time::sleep(fault.latency).await;
            call.ended(seq, Ending::default());
            connection.end_with(End::Cut(*how));
            return Err(NoResponse);
        }
        Kind::CutUpload { bytes } => {
            tokio::time::sleep(fault.latency).await;
            let kept = usize::try_from(*bytes).unwrap_or(usize::MAX);
            let mut call = call;
            if is_upload(call.op) {
                call.upload.bytes.truncate(kept);
                call.upload.end = UploadEnd::Broken;
                execute(&call, Duration::ZERO).await;
            }
            call.ended(seq, Ending::default());
            connection.end_with(End::Cut(Cut::Reset));
            return Err(NoResponse);
        }
        Kind::Garbage => {
            tokio::time::sleep(fault.latency).await;
            call.ended(seq, Ending::default());
            connection.end_with(End::Raw(Bytes::from_static(play::GARBAGE)));
            return Err(NoResponse);
        }
        Kind::Hang => {
            tokio::time::sleep(fault.latency + MAX_HANG).await;
            call.ended(seq, Ending::default());
            connection.end_with(End::Cut(Cut::Fin));
            return Err(NoResponse);
        }
        _ => {}
    }
    let call = Arc::new(call);
    let mut reply = if fault.latency.is_zero() {
        carry_out(&call, Duration::ZERO).await?
    } else {
        // A gateway goes on with a request whose client has left: its side effect still happens.
        let task = tokio::spawn({
            let call = Arc::clone(&call);
            async move {
                let reply = kept(&call, fault.latency).await;
                call.ended(seq, ending(&reply, false));
                reply
            }
        });
        task.await.map_err(|_| NoResponse)?
    };
    let raw = match fault.kind {
        Kind::Cut { how, .. } => {
            call.ended(seq, ending(&reply, false));
            connection.end_with(End::Cut(how));
            return Err(NoResponse);
        }
        Kind::CutAfter { how, bytes } => {
            let response = answer(&call, seq, reply);
            connection.cut_after(bytes, how);
            return Ok(response);
        }
        Kind::BadChunk => play::bad_chunk,
        Kind::Short => play::short,
        kind => {
            reply = match kind {
                Kind::Stall { bytes } => play::stall(reply, bytes),
                Kind::BigHeaders => play::big_headers(reply),
                Kind::Drip { pause, size } => play::drip(reply, pause, size),
                Kind::BadGzip => reply.with(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
                Kind::TruncatedGzip => play::truncated_gzip(reply),
                _ => reply,
            };
            return Ok(answer(&call, seq, reply));
        }
    };
    complete(&call, &mut reply);
    call.ended(seq, ending(&reply, true));
    connection.end_with(End::Raw(raw(reply)));
    Err(NoResponse)
}
