//! Frames as bytes. Little endian, each `[u32 length of the rest][u32 call][u8 kind][payload]`:
//!
//! | Kind | Payload |
//! |---|---|
//! | 1 ANSWER | `[u16 status][u32 metaLength][u32 bodyLength][u32 large, NONE for a body inline][meta][body]` |
//! | 2 HEAD | `[u16 status][meta]`, of a streamed answer |
//! | 3 CHUNK | `[u32 large or NONE][bytes]`, of its body |
//! | 4 END | nothing: the end of a body or of a list. Of a download JSON, `{elapsedMs, attempts}` over all its connections |
//! | 5 ERROR | the error as JSON |
//! | 6 ASK | a question as JSON; the call is 0 |

use bytes::Bytes;
use gatewright::Response;

use crate::frame::Frame;
use crate::meta;

/// Bodies up to this are copied into the batch.
const INLINE: usize = 16 * 1024;
/// A batch of this size is delivered: answers that are kept keep their batch.
const FULL: usize = 64 * 1024;
/// In place of an index: the body is inline.
const NONE: u32 = u32::MAX;

/// Frames for one crossing to the host language.
#[derive(Debug, Default)]
pub struct Batch {
    /// The frames, one after the other.
    pub bytes: Vec<u8>,
    /// Bodies that are too large to be copied; frames name them by index.
    pub large: Vec<Bytes>,
}

impl Batch {
    /// Writes a frame.
    pub fn push(&mut self, frame: Frame) {
        let call = frame.call();
        match frame {
            Frame::Answer { response, .. } => {
                self.answer(call, &response, |out| meta::of_answer(out, &response));
            }
            Frame::Uploaded { uploaded, .. } => {
                self.answer(call, &uploaded.response, |out| {
                    meta::of_upload(out, &uploaded);
                });
            }
            Frame::Head { status, meta, .. } => {
                let start = self.begin(call, 2);
                self.bytes.extend_from_slice(&status.to_le_bytes());
                self.bytes.extend_from_slice(&meta);
                self.finish(start);
            }
            Frame::Chunk { bytes, .. } => {
                let start = self.begin(call, 3);
                if self.place(&bytes) {
                    self.bytes.extend_from_slice(&bytes);
                }
                self.finish(start);
            }
            Frame::End { .. } => {
                let start = self.begin(call, 4);
                self.finish(start);
            }
            Frame::Done { told, .. } => self.text(call, 4, &told),
            Frame::Error { error: json, .. } => self.text(call, 5, &json),
            Frame::Ask { question: json } => self.text(call, 6, &json),
        }
    }

    fn answer(&mut self, call: u32, response: &Response, write_meta: impl FnOnce(&mut Vec<u8>)) {
        let body = response.bytes().clone();
        // A guess that is enough for most: growing in the middle would copy.
        self.bytes
            .reserve(1024 + 48 * response.headers().len() + body.len().min(INLINE));
        let start = self.begin(call, 1);
        self.bytes
            .extend_from_slice(&response.status().as_u16().to_le_bytes());
        let lengths = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 8]);
        let inline = self.place(&body);
        let meta = self.bytes.len();
        write_meta(&mut self.bytes);
        let meta_length = self.bytes.len() - meta;
        self.set(lengths, meta_length);
        self.set(lengths + 4, body.len());
        if inline {
            self.bytes.extend_from_slice(&body);
        }
        self.finish(start);
    }

    fn text(&mut self, call: u32, kind: u8, json: &[u8]) {
        let start = self.begin(call, kind);
        self.bytes.extend_from_slice(json);
        self.finish(start);
    }

    fn begin(&mut self, call: u32, kind: u8) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&call.to_le_bytes());
        self.bytes.push(kind);
        start
    }

    fn finish(&mut self, start: usize) {
        self.set(start, self.bytes.len() - start - 4);
    }

    fn set(&mut self, at: usize, length: usize) {
        let number = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&number);
        }
    }

    /// Writes where the body is; whether that is inline.
    fn place(&mut self, body: &Bytes) -> bool {
        if body.len() <= INLINE {
            self.bytes.extend_from_slice(&NONE.to_le_bytes());
            return true;
        }
        let index = u32::try_from(self.large.len()).unwrap_or(NONE);
        self.bytes.extend_from_slice(&index.to_le_bytes());
        self.large.push(body.clone());
        false
    }

    /// Whether there is nothing to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it is time for another batch.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// The frames so far; the batch is empty afterwards.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}
