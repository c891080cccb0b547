//! The gateway's HTTP client: all that it asks others over TLS goes by it. Upstreams, integrations, webhooks to `https:`, the back channel
//! of logins, spans and metrics for a collector, and `verify-ratelimit`.
//!
//! Trusted are the system's roots (`SSL_CERT_FILE` and `SSL_CERT_DIR` first); where it has none that can be read, as in a slim container,
//! Mozilla's as they were when this was built; and the CA of `--trust-ca` beside them. They are read when they are first needed: most
//! gateways ask nobody. No redirect is followed, nothing is repeated, no proxy is asked.

mod trouble;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

pub use trouble::TlsTrouble;
pub(crate) use trouble::{deepest, tls_trouble};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections to one host that are kept for the next request.
const MAX_IDLE: usize = 32;

/// The client; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Client(Arc<Inner>);

#[derive(Default)]
struct Inner {
    extra: Vec<CertificateDer<'static>>,
    roots: OnceLock<RootCertStore>,
    /// With the TLS sessions that are resumed.
    tls: OnceLock<Result<ClientConfig, String>>,
    pooled: OnceLock<Result<reqwest::Client, String>>,
}

impl Client {
    /// One that trusts these certificates, in PEM, beside the system's. Fails where there is none in it.
    pub(crate) fn trusting(pem: &str) -> Result<Self, String> {
        let inner = Inner {
            extra: certificates(pem)?,
            ..Inner::default()
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The client that keeps its connections.
    pub(crate) fn pooled(&self) -> Result<&reqwest::Client, String> {
        let made = self.0.pooled.get_or_init(|| {
            let client = self.builder()?.connect_timeout(CONNECT_TIMEOUT);
            let client = client.pool_max_idle_per_host(MAX_IDLE).build();
            client.map_err(|error| error.to_string())
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// For a client of one's own that trusts the same.
    pub(crate) fn builder(&self) -> Result<reqwest::ClientBuilder, String> {
        let tls = self.0.tls.get_or_init(|| config(self.roots().clone()));
        tls.clone().map(builder)
    }

    /// For a client that trusts these certificates, in PEM, as well.
    pub(crate) fn builder_with(&self, pem: &str) -> Result<reqwest::ClientBuilder, String> {
        let mut roots = self.roots().clone();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        config(roots).map(builder)
    }

    fn roots(&self) -> &RootCertStore {
        self.0.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            roots.add_parsable_certificates(self.0.extra.iter().cloned());
            roots
        })
    }
}

/// The client of the option `trust_ca`.
pub(crate) fn of_option(pem: Option<&str>) -> io::Result<Client> {
    let made = pem.map_or_else(|| Ok(Client::default()), Client::trusting);
    made.map_err(|why| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the CA to trust cannot be used: {why}"),
        )
    })
}

/// For a client with this TLS.
pub(crate) fn builder(tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
}

/// Where a client connects to, whatever name it is asked for: what was looked up and checked before.
pub(crate) struct Pinned(pub(crate) Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// TLS that trusts these roots; with none, it is for clients that speak only `http:`.
pub(crate) fn config(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The certificates of a PEM text; those that nobody could trust are refused too.
fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found = Vec::new();
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        store
            .add(certificate.clone())
            .map_err(|error| error.to_string())?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err("there is no certificate in PEM in it".into());
    }
    Ok(found)
}

/// The client of the program's own commands, which trusts the system's roots: a connection for each request.
///
/// # Errors
/// TLS cannot be set up, in words.
#[doc(hidden)]
pub fn http_client() -> Result<reqwest::Client, String> {
    let client = Client::default().builder()?.pool_max_idle_per_host(0);
    client.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said() {
        let why = |pem: &str| Client::trusting(pem).err().unwrap();
        assert_eq!(why(""), "there is no certificate in PEM in it");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(!why(broken).is_empty());
    }
}
