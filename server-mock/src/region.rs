//! A region: one more data port of the same gateway, with a name, that can be closed and opened again.
//!
//! All ports share sessions, and with them records, limits, idempotency and the journal: what one region has stored,
//! another one knows.
//!
//! | State | Its port | Leaves by |
//! |---|---|---|
//! | up | accepts | `set(false)`; its connections end with it |
//! | down | refuses connections | `set(true)`, as soon as the same port is free again |

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::listener::{Door, Stop, serve_data};

/// A port that was taken meanwhile is tried again after so long.
const BIND_PAUSE: Duration = Duration::from_millis(20);
/// Opening a port that something else has taken is given up after so long.
const MAX_OPENING: Duration = Duration::from_secs(5);

/// A named data port.
pub(crate) struct Region {
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    wanted: watch::Sender<bool>,
    up: watch::Sender<bool>,
}

impl Region {
    pub(crate) fn new(name: &str, address: SocketAddr) -> Self {
        Self {
            name: name.into(),
            address,
            wanted: watch::channel(true).0,
            up: watch::channel(true).0,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Opens or closes its port and returns once that is done; says whether it is.
    pub(crate) async fn set(&self, up: bool) -> bool {
        self.wanted.send_replace(up);
        let mut is = self.up.subscribe();
        let done = is.wait_for(|is| *is == up);
        matches!(tokio::time::timeout(MAX_OPENING, done).await, Ok(Ok(_)))
    }

    /// Serves it until the gateway stops.
    pub(crate) async fn serve(&self, listener: TcpListener, door: Door, mut stop: Stop) {
        let mut wanted = self.wanted.subscribe();
        let mut listener = Some(listener);
        loop {
            let open = match listener.take() {
                Some(open) => open,
                None => tokio::select! {
                    open = self.opened() => open,
                    _ = stop.wait_for(|stop| *stop) => return,
                },
            };
            self.up.send_replace(true);
            let (close, closed) = watch::channel(false);
            let over = tokio::select! {
                () = serve_data(open, door.clone(), closed) => true,
                _ = wanted.wait_for(|wanted| !*wanted) => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            // The port is closed; its connections end now.
            close.send_replace(true);
            self.up.send_replace(false);
            if over {
                return;
            }
        }
    }

    /// The port, once it is wanted and free.
    async fn opened(&self) -> TcpListener {
        let mut wanted = self.wanted.subscribe();
        loop {
            if wanted.wait_for(|wanted| *wanted).await.is_err() {
                return std::future::pending().await;
            }
            match TcpListener::bind(self.address).await {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(BIND_PAUSE).await,
            }
        }
    }
}
