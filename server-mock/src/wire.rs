//! The socket under hyper: counts what is written, so that a fault can cut a response after any byte.
//!
//! A request's handler arms the connection; the socket plays the part. Faults that replace the whole response are
//! written by the connection's task once hyper has let go of the socket.
//!
//! Under TLS the count is of what the client will read, so that `reset@300` means the same bytes; the cut itself is of the
//! TCP connection, below TLS and without its close. What is no HTTP goes through TLS, so that the client reads it.
//! A cut of HTTP/2 ends the connection, and with it the other requests on it, as a cut of the network does.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::fault::Cut;
use crate::lock::lock;
use crate::via::Via;

/// How a connection ends when it does not end by itself.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Cut(Cut),
    /// These bytes, as they are, and then FIN.
    Raw(Bytes),
}

/// What the handlers of a connection and its socket tell each other.
pub(crate) struct Connection {
    /// Counts connections of the gateway.
    pub(crate) number: u64,
    /// The region whose port it came to, if it is one's.
    pub(crate) region: Option<Arc<str>>,
    pub(crate) via: Via,
    /// Told when a handler gives up without a response.
    ended: Notify,
    armed: AtomicBool,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    /// Bytes until the cut.
    cut: Option<(u64, Cut)>,
    end: Option<End>,
    /// The socket, when hyper is done with it.
    socket: Option<Socket>,
}

/// What a connection is made of.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// The TCP connection alone, without the end that TLS would say.
    fn into_tcp(self) -> TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.into_inner().0,
        }
    }
}

impl Connection {
    pub(crate) fn new(number: u64, region: Option<Arc<str>>, via: Via) -> Self {
        Self {
            number,
            region,
            via,
            ended: Notify::new(),
            armed: AtomicBool::new(false),
            plan: Mutex::default(),
        }
    }

    /// Starts a request: a cut its predecessor's response was too short for is off. Not so with HTTP/2, where the
    /// predecessor may still be under way: there the cut comes with whatever is written next.
    pub(crate) fn begin(&self) {
        if !self.via.http2() && self.armed.swap(false, Ordering::AcqRel) {
            lock(&self.plan).cut = None;
        }
    }

    /// Cuts the connection once `bytes` more have been written.
    pub(crate) fn cut_after(&self, bytes: u64, how: Cut) {
        lock(&self.plan).cut = Some((bytes, how));
        self.armed.store(true, Ordering::Release);
    }

    /// Ends the connection this way when the handler gives up without a response.
    pub(crate) fn end_with(&self, end: End) {
        lock(&self.plan).end = Some(end);
        self.ended.notify_one();
    }

    /// Completes when a handler has given up without a response.
    pub(crate) async fn given_up(&self) {
        self.ended.notified().await;
    }

    /// Plays the end that was asked for. Call it when hyper has dropped the socket.
    pub(crate) async fn finish(&self) {
        let (socket, end) = {
            let mut plan = lock(&self.plan);
            (plan.socket.take(), plan.end.take())
        };
        let (Some(mut socket), Some(end)) = (socket, end) else {
            return;
        };
        match end {
            // With a linger of zero, close sends RST and drops what is unsent.
            End::Cut(Cut::Reset) => drop(socket.into_tcp().set_zero_linger()),
            End::Cut(Cut::Fin) => close(socket.into_tcp()).await,
            End::Raw(bytes) => {
                if let Ok(Ok(())) = timeout(LINGER, socket.write_all(&bytes)).await {
                    close(socket).await;
                }
            }
        }
    }

    /// How many of `wanted` bytes may be written; an error when the cut is due.
    fn allowed(&self, wanted: usize) -> io::Result<usize> {
        let mut plan = lock(&self.plan);
        match plan.cut {
            None => Ok(wanted),
            Some((0, how)) => {
                plan.end = Some(End::Cut(how));
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Some((left, _)) => Ok(usize::try_from(left).unwrap_or(usize::MAX).min(wanted)),
        }
    }

    fn written(&self, bytes: usize) {
        if let Some((left, _)) = &mut lock(&self.plan).cut {
            *left = left.saturating_sub(bytes as u64);
        }
    }
}

/// How long a closed connection waits for the client to notice.
const LINGER: Duration = Duration::from_secs(1);

/// Sends FIN and reads what is left, because closing with unread data would send RST instead.
async fn close(mut socket: impl AsyncRead + AsyncWrite + Unpin) {
    if socket.shutdown().await.is_err() {
        return;
    }
    let mut rest = [0; 4096];
    let drained = async { while matches!(socket.read(&mut rest).await, Ok(1..)) {} };
    // A client that keeps sending is cut off; nothing is left to do about it.
    let _ = timeout(LINGER, drained).await;
}

/// The socket of a connection.
pub(crate) struct Wire {
    socket: Option<Socket>,
    connection: std::sync::Arc<Connection>,
}

impl Wire {
    pub(crate) fn new(socket: Socket, connection: std::sync::Arc<Connection>) -> Self {
        Self {
            socket: Some(socket),
            connection,
        }
    }

    fn parts(self: Pin<&mut Self>) -> io::Result<(Pin<&mut Socket>, &Connection)> {
        let this = self.get_mut();
        match &mut this.socket {
            Some(socket) => Ok((Pin::new(socket), &this.connection)),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        lock(&self.connection.plan).socket = self.socket.take();
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (socket, _) = self.parts()?;
        socket.poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (socket, connection) = self.parts()?;
        if !connection.armed.load(Ordering::Acquire) {
            return socket.poll_write(cx, buf);
        }
        let allowed = connection.allowed(buf.len())?;
        let polled = socket.poll_write(cx, buf.get(..allowed).unwrap_or(buf));
        if let Poll::Ready(Ok(bytes)) = polled {
            connection.written(bytes);
        }
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.connection.armed.load(Ordering::Acquire) {
            let first = bufs
                .iter()
                .find(|buf| !buf.is_empty())
                .map_or(&[][..], |buf| buf);
            return self.poll_write(cx, first);
        }
        let (socket, _) = self.parts()?;
        socket.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (socket, connection) = self.parts()?;
        if connection.armed.load(Ordering::Acquire) {
            // Exactly all bytes of the response were allowed: the cut comes right behind them.
            connection.allowed(0)?;
        }
        socket.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (socket, _) = self.parts()?;
        socket.poll_shutdown(cx)
    }
}
