//! The accept loops: hyper on every connection of the data port, axum on the admin port.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::exchange;
use crate::wire::{Connection, Wire};
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
}

/// Serves a data port until told to stop.
pub(crate) async fn serve_data(listener: TcpListener, door: Door, stop: Stop) {
    accept(listener, stop, |socket| {
        let number = door.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let connection = Arc::new(Connection::new(number, door.region.clone()));
        data_connection(socket, connection, Arc::clone(&door.worlds))
    })
    .await;
}

async fn data_connection(socket: TcpStream, connection: Arc<Connection>, worlds: Arc<Worlds>) {
    let wire = TokioIo::new(Wire::new(socket, Arc::clone(&connection)));
    let service = service_fn(|request| {
        let (worlds, connection) = (&worlds, &connection);
        async move { exchange::serve(worlds, connection, request).await }
    });
    // Whatever went wrong is the client's, or planned; the journal has it.
    let _ = http().serve_connection(wire, service).await;
    connection.finish().await;
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
