//! Frames as bytes.

use bytes::Bytes;

use crate::frame::Frame;

/// Frames for one crossing to JavaScript.
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
        drop(frame);
    }

    /// Whether there is nothing to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it is time for another batch.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= 64 * 1024
    }

    /// The frames so far; the batch is empty afterwards.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}
