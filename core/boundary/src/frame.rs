//! What crosses to the host language: an answer, a piece of one, an error, a question.

use bytes::Bytes;
use gatewright::{Response, Uploaded};

/// One message to the host language.
#[derive(Debug)]
pub enum Frame {
    /// A whole answer.
    Answer {
        /// The call.
        call: u32,
        /// What came.
        response: Response,
    },
    /// The head of a streamed answer.
    Head {
        /// The call.
        call: u32,
        /// The status.
        status: u16,
        /// The meta JSON.
        meta: Vec<u8>,
    },
    /// A piece of a streamed answer.
    Chunk {
        /// The call.
        call: u32,
        /// The piece.
        bytes: Bytes,
    },
    /// No more pieces, or no more pages.
    End {
        /// The call.
        call: u32,
    },
    /// The end of a download, with what is to be told of it.
    Done {
        /// The call.
        call: u32,
        /// `{elapsedMs, attempts}`.
        told: Vec<u8>,
    },
    /// The answer to an upload.
    Uploaded {
        /// The call.
        call: u32,
        /// What came of it.
        uploaded: Uploaded,
    },
    /// A failed call.
    Error {
        /// The call.
        call: u32,
        /// The error JSON.
        error: Vec<u8>,
    },
    /// A question, or word that one is over.
    Ask {
        /// The question JSON.
        question: Vec<u8>,
    },
}

impl Frame {
    /// The call that the frame is about, 0 for questions.
    #[must_use]
    pub const fn call(&self) -> u32 {
        match self {
            Self::Answer { call, .. }
            | Self::Head { call, .. }
            | Self::Chunk { call, .. }
            | Self::End { call }
            | Self::Done { call, .. }
            | Self::Uploaded { call, .. }
            | Self::Error { call, .. } => *call,
            Self::Ask { .. } => 0,
        }
    }

    /// Whether what the host language waited for (a call, a piece, a page) has come with this frame. Only questions are not that.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Ask { .. })
    }
}
