//! How a connection reached the gateway: where, over TLS or not, in which version of HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::https::TlsServer;

/// The way a request came.
#[derive(Clone)]
pub(crate) struct Via {
    local: SocketAddr,
    tls: Option<Arc<TlsServer>>,
    https_port: Option<u16>,
    http2: bool,
}

impl Via {
    /// `https_port` is where a plain port sends its callers, if it does not serve them itself.
    pub(crate) fn new(
        local: SocketAddr,
        tls: Option<Arc<TlsServer>>,
        https_port: Option<u16>,
        http2: bool,
    ) -> Self {
        Self {
            local,
            tls,
            https_port,
            http2,
        }
    }

    /// The gateway's own address that the caller connected to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn https(&self) -> bool {
        self.tls.is_some()
    }

    /// What the port serves TLS with.
    pub(crate) fn tls(&self) -> Option<&Arc<TlsServer>> {
        self.tls.as_ref()
    }

    /// The HTTPS port callers of this plain one must use; none where the port serves them itself.
    pub(crate) fn must_use(&self) -> Option<u16> {
        self.https_port.filter(|_| !self.https())
    }

    pub(crate) fn http2(&self) -> bool {
        self.http2
    }
}
