//! Bodies of requests that the host language streams: opened for an attempt, asked for piece by piece, closed when no more is needed.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | new | the transport wants a piece | asked to open (`bodyOpen`) |
//! | open | a piece is wanted | asked for it (`bodyNext`) |
//! | open | the end came, or a failure | over |
//! | open, or asked to open | dropped | over, and the host language is told (`bodyClose`) |

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use gatewright::{Body, BoxError};

use crate::json;
use crate::port::Port;
use crate::question::{Asked, ask, tell_body_closed};

/// Where the pieces of a call's body come from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) port: Arc<Port>,
    pub(crate) client: u32,
    pub(crate) call: u32,
}

impl Source {
    /// The body of a request. One that is replayable is opened anew for each attempt.
    pub(crate) fn body(self, replayable: bool, length: Option<u64>) -> Body {
        if replayable {
            Body::replayable(move || Box::pin(self.clone().pieces()), length)
        } else {
            Body::once(self.pieces(), length)
        }
    }

    fn pieces(self) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
        let upload = Upload {
            source: self,
            stream: 0,
            open: false,
        };
        stream::unfold(Some(upload), |upload| async move {
            let mut upload = upload?;
            match upload.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(upload))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

/// The body of one attempt.
struct Upload {
    source: Source,
    /// Its number; 0 until it is opened.
    stream: u32,
    open: bool,
}

impl Upload {
    fn ask(&self, what: &str) -> Asked {
        let Source { port, client, call } = &self.source;
        ask(port, *client, *call, what, |out| {
            json::member(out, "stream");
            json::number(out, self.stream.into());
        })
    }

    /// The next piece, `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        let piece = self.ask_for_piece().await;
        if !matches!(piece, Ok(Some(_))) {
            self.open = false;
        }
        piece
    }

    async fn ask_for_piece(&mut self) -> Result<Option<Bytes>, BoxError> {
        if self.stream == 0 {
            self.stream = self.source.port.number_of_stream();
            self.open = true;
            self.ask("bodyOpen").await?;
        }
        loop {
            let reply = self.ask("bodyNext").await?;
            let piece = reply.bytes.or_else(|| reply.text.map(Bytes::from));
            // An empty piece is no end.
            if piece.as_ref().is_none_or(|bytes| !bytes.is_empty()) {
                return Ok(piece);
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.open {
            let Source { port, client, call } = &self.source;
            tell_body_closed(port, *client, *call, self.stream);
        }
    }
}
