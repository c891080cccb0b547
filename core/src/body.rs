//! Request bodies: in memory, streamed once, or made anew for each attempt.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;

/// The error of a body stream.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A stream of body chunks.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A request body.
#[derive(Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// In memory. Can be sent again.
    Bytes(Bytes),
    /// A stream that can be sent once: the request is not retried once sending began.
    Once {
        /// The chunks.
        stream: ByteStream,
        /// The length in bytes, where it is known; else the body is sent chunked.
        length: Option<u64>,
    },
    /// A stream that is made anew for each attempt.
    Replayable {
        /// Makes the stream.
        make: Arc<dyn Fn() -> ByteStream + Send + Sync>,
        /// The length in bytes, where it is known; else the body is sent chunked.
        length: Option<u64>,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Once { length, .. } => write!(f, "Once({length:?})"),
            Self::Replayable { length, .. } => write!(f, "Replayable({length:?})"),
        }
    }
}

impl Body {
    /// A body from a stream that can be sent once.
    pub fn once(
        stream: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self::Once {
            stream: Box::pin(stream),
            length,
        }
    }

    /// A body from a stream that `make` makes for each attempt.
    pub fn replayable(
        make: impl Fn() -> ByteStream + Send + Sync + 'static,
        length: Option<u64>,
    ) -> Self {
        Self::Replayable {
            make: Arc::new(make),
            length,
        }
    }

    /// Whether it can be sent again.
    #[must_use]
    pub const fn is_replayable(&self) -> bool {
        !matches!(self, Self::Once { .. })
    }

    /// The same once more, for another call; none where it can be sent once.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Empty | Self::Once { .. } => Self::Empty,
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Replayable { make, length } => Self::Replayable {
                make: Arc::clone(make),
                length: *length,
            },
        }
    }

    /// The body for one attempt; a stream that can be sent once is gone afterwards.
    pub(crate) fn for_attempt(&mut self) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Once { .. } => std::mem::take(self),
            Self::Replayable { make, length } => Self::Once {
                stream: make(),
                length: *length,
            },
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Bytes::from_static(text.as_bytes()))
    }
}
