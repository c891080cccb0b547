//! Where an upload's bytes come from, and how they are had again from an offset on.
//!
//! Bytes in memory and files are read from anywhere. A stream is read once from its start on, with one piece held back, so that a piece
//! that broke can be sent again in part; one that can be made anew is, where the server is further back.

use std::fmt;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::StreamExt as _;
use gatewright_engine::ErrorKind;

use crate::Error;
use crate::body::{Body, BoxError, ByteStream};

/// Where an upload's bytes come from.
pub struct UploadSource(Kind);

enum Kind {
    Bytes(Bytes),
    #[cfg(feature = "native")]
    File(std::path::PathBuf),
    Once(Option<ByteStream>, Option<u64>),
    Replayable(Arc<dyn Fn() -> ByteStream + Send + Sync>, Option<u64>),
}

impl fmt::Debug for UploadSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            #[cfg(feature = "native")]
            Kind::File(path) => write!(f, "File({})", path.display()),
            Kind::Once(_, length) => write!(f, "Once({length:?})"),
            Kind::Replayable(_, length) => write!(f, "Replayable({length:?})"),
        }
    }
}

impl UploadSource {
    /// A file, read as it is sent. It must not change meanwhile: one whose length does is an error.
    #[cfg(feature = "native")]
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }
}

impl<T: Into<Body>> From<T> for UploadSource {
    /// A stream that can be sent once does for an upload too, as long as the server does not ask for what was before the last piece.
    fn from(body: T) -> Self {
        Self(match body.into() {
            Body::Empty => Kind::Bytes(Bytes::new()),
            Body::Bytes(bytes) => Kind::Bytes(bytes),
            Body::Once { stream, length } => Kind::Once(Some(stream), length),
            Body::Replayable { make, length } => Kind::Replayable(make, length),
        })
    }
}

/// Reads pieces of a source.
pub(super) struct Reader {
    source: UploadSource,
    length: Option<u64>,
    stream: Option<ByteStream>,
    /// What was read of the stream and is not acknowledged yet.
    held: BytesMut,
    /// Where in the whole that begins.
    held_at: u64,
    ended: bool,
    #[cfg(feature = "native")]
    file: Option<Arc<std::fs::File>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("source", &self.source)
            .field("held_at", &self.held_at)
            .finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn new(source: UploadSource) -> Self {
        let length = match &source.0 {
            Kind::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            #[cfg(feature = "native")]
            Kind::File(_) => None,
            Kind::Once(_, length) | Kind::Replayable(_, length) => *length,
        };
        Self {
            source,
            length,
            stream: None,
            held: BytesMut::new(),
            held_at: 0,
            ended: false,
            #[cfg(feature = "native")]
            file: None,
        }
    }

    pub(super) const fn length(&self) -> Option<u64> {
        self.length
    }

    /// Makes the source ready; its length, where that is known now.
    #[cfg_attr(
        not(feature = "native"),
        expect(clippy::unused_async, reason = "files are opened aside")
    )]
    pub(super) async fn open(&mut self) -> Result<Option<u64>, Error> {
        #[cfg(feature = "native")]
        if let Kind::File(path) = &self.source.0
            && self.file.is_none()
        {
            let path = path.clone();
            let opened = crate::blocking::run(move || {
                let file = std::fs::File::open(path)?;
                let length = file.metadata()?.len();
                Ok((file, length))
            });
            let (file, length) = opened.await.map_err(unreadable)?;
            self.file = Some(Arc::new(file));
            self.length = Some(length);
        }
        Ok(self.length)
    }

    /// Up to `at_most` bytes from `offset` on, and whether they are the last.
    pub(super) async fn piece(
        &mut self,
        offset: u64,
        at_most: u64,
    ) -> Result<(Bytes, bool), Error> {
        #[cfg(feature = "native")]
        if let Some(file) = &self.file {
            let total = self.length.unwrap_or(0);
            let size = total.saturating_sub(offset).min(at_most);
            let file = Arc::clone(file);
            let read = crate::blocking::run(move || read_at(&file, offset, size)).await;
            return Ok((
                read.map_err(unreadable)?,
                offset.saturating_add(size) >= total,
            ));
        }
        if let Kind::Bytes(bytes) = &self.source.0 {
            let from = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let size = usize::try_from(at_most).unwrap_or(usize::MAX);
            let to = from.saturating_add(size).min(bytes.len());
            return Ok((bytes.slice(from..to), to == bytes.len()));
        }
        self.stream_piece(offset, at_most).await
    }

    async fn stream_piece(&mut self, offset: u64, at_most: u64) -> Result<(Bytes, bool), Error> {
        if self.stream.is_none() || offset < self.held_at {
            self.begin_stream()?;
        }
        // What is acknowledged is let go.
        while self.held_at < offset {
            let ahead = usize::try_from(offset - self.held_at).unwrap_or(usize::MAX);
            if self.held.is_empty() && !self.read_on().await? {
                return Err(Error::new(
                    ErrorKind::InvalidRequest,
                    format!(
                        "the upload's source ended after {} bytes, but the server has {offset}",
                        self.held_at
                    ),
                ));
            }
            let step = ahead.min(self.held.len());
            self.held.advance(step);
            self.held_at = self
                .held_at
                .saturating_add(u64::try_from(step).unwrap_or(u64::MAX));
        }
        // One byte more says whether the piece is the last.
        let size = usize::try_from(at_most).unwrap_or(usize::MAX);
        while self.held.len() <= size && self.read_on().await? {}
        let piece = Bytes::copy_from_slice(
            self.held
                .get(..size.min(self.held.len()))
                .unwrap_or_default(),
        );
        let last = self.ended && self.held.len() <= size;
        if last && let Some(length) = self.length {
            let came = offset.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if came != length {
                return Err(Error::new(
                    ErrorKind::InvalidRequest,
                    format!("the upload's source has {came} bytes, where {length} were announced"),
                ));
            }
        }
        Ok((piece, last))
    }

    fn begin_stream(&mut self) -> Result<(), Error> {
        let stream = match &mut self.source.0 {
            Kind::Once(stream, _) => stream.take().ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidRequest,
                    "the upload's source is a stream that can be read once, and the server asks for bytes that are gone",
                )
            })?,
            Kind::Replayable(make, _) => make(),
            _ => Box::pin(futures_util::stream::empty()),
        };
        self.stream = Some(stream);
        self.held.clear();
        self.held_at = 0;
        self.ended = false;
        Ok(())
    }

    /// Reads another piece of the stream; `false` at its end.
    async fn read_on(&mut self) -> Result<bool, Error> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else {
            return Ok(false);
        };
        match stream.next().await {
            Some(Ok(bytes)) => {
                self.held.extend_from_slice(&bytes);
                Ok(true)
            }
            Some(Err(why)) => Err(source_failed(why)),
            None => {
                self.ended = true;
                Ok(false)
            }
        }
    }

    /// All of it as the body of one request.
    pub(super) fn whole(&mut self) -> Result<Body, Error> {
        #[cfg(feature = "native")]
        if let Some(file) = &self.file {
            let (file, length) = (Arc::clone(file), self.length.unwrap_or(0));
            let make = move || file_stream(Arc::clone(&file), length);
            return Ok(Body::replayable(make, Some(length)));
        }
        Ok(match &mut self.source.0 {
            Kind::Bytes(bytes) => Body::Bytes(bytes.clone()),
            Kind::Replayable(make, length) => Body::Replayable {
                make: Arc::clone(make),
                length: *length,
            },
            Kind::Once(stream, length) => Body::Once {
                stream: stream.take().ok_or_else(|| {
                    Error::new(
                        ErrorKind::InvalidRequest,
                        "the upload's source is a stream that can be read once, and it was",
                    )
                })?,
                length: *length,
            },
            #[cfg(feature = "native")]
            Kind::File(_) => Body::Empty,
        })
    }
}

fn source_failed(why: BoxError) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("the upload's source failed: {why}"),
    )
    .caused_by(why)
}

#[cfg(feature = "native")]
fn unreadable(why: std::io::Error) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("the file to upload cannot be read: {why}"),
    )
    .caused_by(why)
}

/// So many bytes from there; fewer are an error.
#[cfg(feature = "native")]
fn read_at(mut file: &std::fs::File, offset: u64, size: u64) -> std::io::Result<Bytes> {
    use std::io::{Read as _, Seek as _};
    file.seek(std::io::SeekFrom::Start(offset))?;
    let mut piece = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(size).read_to_end(&mut piece)?;
    if u64::try_from(piece.len()).unwrap_or(0) < size {
        return Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            "it became shorter while it was being sent",
        ));
    }
    Ok(piece.into())
}

#[cfg(feature = "native")]
fn file_stream(file: Arc<std::fs::File>, length: u64) -> ByteStream {
    /// Bytes read at once.
    const PIECE: u64 = 256 * 1024;
    Box::pin(futures_util::stream::unfold(0, move |offset| {
        let file = Arc::clone(&file);
        async move {
            let size = length.saturating_sub(offset).min(PIECE);
            if size == 0 {
                return None;
            }
            let read = crate::blocking::run(move || read_at(&file, offset, size)).await;
            let read = read.map_err(BoxError::from);
            // After an error nothing follows.
            let next = if read.is_ok() { offset + size } else { length };
            Some((read, next))
        }
    }))
}
