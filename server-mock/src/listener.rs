//! The accept loops: hyper on every connection of the data port, axum on the admin port.
//!
//! A data port speaks HTTP/1.1 and HTTP/2: over TLS as ALPN says, in clear as the first bytes say (RFC 9113, section 3.3).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::exchange;
use crate::https::TlsServer;
use crate::via::Via;
use crate::wire::{Connection, Socket, Wire};
use crate::world::Worlds;

/// A client that has not sent its next request's headers by then has left; it bounds idle connections too.
const MAX_HEADER_WAIT: Duration = Duration::from_secs(75);
/// Connections served at the same time, on each port; more wait to be accepted.
const MAX_CONNECTIONS: usize = 10_000;

/// Becomes true when the gateway stops.
pub(crate) type Stop = watch::Receiver<bool>;

/// What the connections of a data port lead to.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) worlds: Arc<Worlds>,
    /// Counts connections of the gateway.
    pub(crate) numbers: Arc<AtomicU64>,
    /// The region the port is of, if it is of one.
    pub(crate) region: Option<Arc<str>>,
    /// What the port serves TLS with, if it does.
    pub(crate) tls: Option<Arc<TlsServer>>,
    /// Where a plain port sends its callers, if it does not serve them itself.
    pub(crate) https_port: Option<u16>,
}

/// Serves a data port until told to stop.
pub(crate) async fn serve_data(listener: TcpListener, door: Door, stop: Stop) {
    accept(listener, stop, |socket| {
        let number = door.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        data_connection(socket, number, door.clone())
    })
    .await;
}

async fn data_connection(socket: TcpStream, number: u64, door: Door) {
    let Ok(local) = socket.local_addr() else {
        return;
    };
    let (socket, is_http2) = match &door.tls {
        None => {
            let is_http2 = begins_with_http2(&socket).await;
            (Socket::Plain(socket), is_http2)
        }
        Some(server) => {
            let Some(stream) = server.accept(socket).await else {
                return;
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            (Socket::Tls(Box::new(stream)), is_http2)
        }
    };
    let via = Via::new(local, door.tls, door.https_port, is_http2);
    let connection = Arc::new(Connection::new(number, door.region, via));
    let wire = TokioIo::new(Wire::new(socket, Arc::clone(&connection)));
    let worlds = door.worlds;
    // Whatever went wrong is the client's, or planned; the journal has it.
    if is_http2 {
        let of_requests = Arc::clone(&connection);
        let service = service_fn(move |request| {
            let (worlds, connection) = (Arc::clone(&worlds), Arc::clone(&of_requests));
            async move { exchange::serve(&worlds, &connection, request).await }
        });
        tokio::select! {
            _ = http2().serve_connection(wire, service) => {}
            () = connection.given_up() => {}
        }
    } else {
        let service = service_fn(|request| {
            let (worlds, connection) = (&worlds, &connection);
            async move { exchange::serve(worlds, connection, request).await }
        });
        let _ = http().serve_connection(wire, service).await;
    }
    connection.finish().await;
}

/// Whether the client begins with HTTP/2's preface. Three bytes tell it from any method of HTTP/1.1 that is served here.
async fn begins_with_http2(socket: &TcpStream) -> bool {
    const PREFACE: &[u8; 3] = b"PRI";
    let mut seen = [0; 3];
    let mut pause = Duration::from_millis(1);
    let begin = async {
        loop {
            match socket.peek(&mut seen).await {
                Ok(0) | Err(_) => return false,
                Ok(bytes) if seen.get(..bytes) != PREFACE.get(..bytes) => return false,
                Ok(3..) => return true,
                // Peeking again at once would spin, and so would many connections that stop after one byte.
                Ok(_) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PEEK_PAUSE);
                }
            }
        }
    };
    // Whoever says nothing is left to HTTP/1.1, which ends such a connection.
    let begun = tokio::time::timeout(MAX_HEADER_WAIT, begin).await;
    begun.unwrap_or(false)
}

/// Serves the admin port until told to stop.
pub(crate) async fn serve_admin(listener: TcpListener, router: axum::Router, stop: Stop) {
    accept(listener, stop, |socket| {
        let service = TowerToHyperService::new(router.clone());
        async move {
            let _ = http().serve_connection(TokioIo::new(socket), service).await;
        }
    })
    .await;
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(MAX_HEADER_WAIT)
        .auto_date_header(false);
    http
}

/// Between two looks at a connection that has sent one or two bytes.
const MAX_PEEK_PAUSE: Duration = Duration::from_millis(250);
/// Streams of one HTTP/2 connection at the same time.
const MAX_STREAMS: u32 = 250;
/// A client of HTTP/2 that does not answer a ping for so long has left.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

fn http2() -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .auto_date_header(false);
    http
}

async fn accept<F>(listener: TcpListener, mut stop: Stop, mut serve: impl FnMut(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((socket, _)) => {
                let _ = socket.set_nodelay(true);
                let connection = serve(socket);
                let mut stop = stop.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = connection => {}
                        _ = stop.wait_for(|stop| *stop) => {}
                    }
                    drop(slot);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
}

/// Out of descriptors, accepting again at once would spin; anything else is about one connection only.
async fn pause_after(error: &io::Error) {
    let of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    );
    if !of_one_connection {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
