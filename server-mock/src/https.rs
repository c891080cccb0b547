//! HTTPS on a port of its own, beside the plain one: with a certificate made for this run, or with one's own.
//!
//! TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. With `only` the plain ports refuse: see [`refusal`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

mod certificate;
mod refusal;

pub(crate) use refusal::refusal;

/// A client that has not finished its handshake by then has left.
const MAX_HANDSHAKE: Duration = Duration::from_secs(10);
/// Life of `Strict-Transport-Security`: short, because a browser would keep it for every other program on `localhost`.
const HSTS_MAX_AGE_S: u64 = 300;

/// How to serve HTTPS. `Https::default()` makes a certificate of its own for `localhost`, `127.0.0.1` and `::1`, below a
/// CA whose key is forgotten at once: [`Gateway::ca_pem`](crate::Gateway::ca_pem) is what clients trust.
#[derive(Clone, Debug)]
#[must_use]
pub struct Https {
    pub(crate) port: u16,
    pub(crate) only: bool,
    hsts_max_age_s: u64,
    names: Vec<String>,
    own: Option<(PathBuf, PathBuf)>,
}

impl Default for Https {
    fn default() -> Self {
        Self {
            port: 0,
            only: false,
            hsts_max_age_s: HSTS_MAX_AGE_S,
            names: Vec::new(),
            own: None,
        }
    }
}

impl Https {
    /// The port. Default: 0, any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Whether the plain ports refuse API calls (403, `https_required`) and send browsers on. Default: false.
    pub fn only(mut self, only: bool) -> Self {
        self.only = only;
        self
    }

    /// What `Strict-Transport-Security` says in answers over HTTPS, in seconds; 0 tells browsers to forget. Default: 300.
    pub fn hsts_max_age_s(mut self, seconds: u64) -> Self {
        self.hsts_max_age_s = seconds;
        self
    }

    /// One more name or address the certificate is good for.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// A certificate of one's own in place of one that is made: the chain, leaf first, and its private key, both in PEM.
    pub fn certificate(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.own = Some((chain.into(), key.into()));
        self
    }

    /// Makes or reads the certificate.
    pub(crate) fn server(&self) -> io::Result<TlsServer> {
        let certificate::Made { chain, key, ca_pem } = match &self.own {
            None => certificate::make(&self.names)?,
            Some((chain, key)) => certificate::read(chain, key)?,
        };
        let certificate = chain.first().cloned().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "there is no certificate")
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let invalid = |error: rustls::Error| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the certificate cannot be used: {error}"),
            )
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(invalid)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsServer {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
            ca_pem,
            hsts: format!("max-age={}", self.hsts_max_age_s),
        })
    }
}

/// What serves TLS.
pub(crate) struct TlsServer {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
    pub(crate) ca_pem: Option<String>,
    hsts: String,
}

impl TlsServer {
    /// The handshake; none where it failed or took too long.
    pub(crate) async fn accept(&self, socket: TcpStream) -> Option<TlsStream<TcpStream>> {
        let handshake = self.acceptor.accept(socket);
        let done = tokio::time::timeout(MAX_HANDSHAKE, handshake).await;
        done.ok()?.ok()
    }

    /// The leaf.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// What `Strict-Transport-Security` says (RFC 6797, section 6.1).
    pub(crate) fn hsts(&self) -> &str {
        &self.hsts
    }
}
