//! Reads a request body within bounds: whole up to the session's limit, hashed only for `/v1/sink`, drained beyond.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::call::{Upload, UploadEnd};
use crate::op::Op;
use crate::world::World;

/// A client that sends nothing for so long has left.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Read and thrown away of a body that is too large, so that the client gets the 413 instead of a reset connection.
const MAX_DRAINED_BYTES: u64 = 64 * 1024 * 1024;
/// What the journal can show of a body that is only hashed.
const SINK_FRONT_BYTES: usize = 64 * 1024;

/// Reads the body of a request for `op`. A client that waits for `100 Continue` and announces too much is not asked
/// for it (RFC 9110, section 10.1.1).
pub(crate) async fn receive(
    mut incoming: Incoming,
    headers: &HeaderMap,
    op: Op,
    world: &World,
) -> Upload {
    if incoming.is_end_stream() {
        return Upload::default();
    }
    let limit = if op == Op::Sink {
        u64::MAX
    } else {
        world.state().options.max_body_bytes
    };
    let mut body = Receiving::new(if op == Op::Sink {
        SINK_FRONT_BYTES
    } else {
        usize::MAX
    });
    let announced = incoming.size_hint().lower();
    let mut end = if announced > limit {
        UploadEnd::TooLarge
    } else {
        UploadEnd::Complete
    };
    if end == UploadEnd::TooLarge && headers.contains_key(EXPECT) {
        return body.upload(end);
    }
    loop {
        match timeout(MAX_PAUSE, incoming.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                body.take(&data, end == UploadEnd::TooLarge);
                if body.length > limit {
                    end = UploadEnd::TooLarge;
                }
                if end == UploadEnd::TooLarge
                    && body.length > limit.saturating_add(MAX_DRAINED_BYTES)
                {
                    break;
                }
            }
            Ok(Some(Err(_))) | Err(_) => {
                end = UploadEnd::Broken;
                break;
            }
        }
    }
    body.upload(end)
}

struct Receiving {
    kept: BytesMut,
    keep: usize,
    length: u64,
    /// Used once not all bytes are kept.
    hasher: Option<Sha256>,
}

impl Receiving {
    fn new(keep: usize) -> Self {
        Self {
            kept: BytesMut::new(),
            keep,
            length: 0,
            hasher: None,
        }
    }

    fn take(&mut self, data: &Bytes, hash_only: bool) {
        self.length += data.len() as u64;
        if self.hasher.is_none() && !hash_only && self.kept.len() + data.len() <= self.keep {
            self.kept.extend_from_slice(data);
            return;
        }
        let kept = &self.kept;
        self.hasher
            .get_or_insert_with(|| Sha256::new_with_prefix(kept))
            .update(data);
    }

    fn upload(self, end: UploadEnd) -> Upload {
        Upload {
            bytes: self.kept.freeze(),
            length: self.length,
            sha256: self.hasher.map(|hasher| hasher.finalize().into()),
            end,
        }
    }
}
