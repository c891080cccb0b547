//! Certificate pinning against real TLS servers with a CA of the test's own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use gatewright::testing::Scripted;
use gatewright::transport::native::Proxy;
use gatewright::{Client, ClientBuilder, Error, ErrorKind, Retryability};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A CA, or one below it.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str, above: Option<&Self>) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let certificate = match above {
            None => params.self_signed(&key).unwrap(),
            Some(above) => params.signed_by(&key, &above.issuer).unwrap(),
        };
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    fn pin(&self) -> String {
        pin(&self.issuer.key().subject_public_key_info())
    }
}

fn pin(spki: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, spki);
    format!(
        "sha256/{}",
        base64::engine::general_purpose::STANDARD.encode(hash)
    )
}

/// A server below `root`, over `between`. It counts the requests that reach it.
struct Server {
    root: Authority,
    between: Authority,
    leaf: String,
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        Self::with(&["localhost", "127.0.0.1"], None).await
    }

    /// Of these names, and with a certificate that it sends along without need.
    async fn with(names: &[&str], stray: Option<&Authority>) -> Self {
        let root = Authority::new("root", None);
        let between = Authority::new("between", Some(&root));
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let leaf = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &between.issuer)
            .unwrap();
        let mut chain: Vec<CertificateDer<'static>> =
            vec![leaf.der().clone(), between.certificate.der().clone()];
        chain.extend(stray.map(|stray| stray.certificate.der().clone()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                if !head.is_empty() {
                    count.fetch_add(1, Ordering::SeqCst);
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                    stream.write_all(answer).await.unwrap();
                    stream.shutdown().await.unwrap();
                }
            }
        });
        Self {
            root,
            between,
            leaf: pin(&key.subject_public_key_info()),
            port,
            requests,
        }
    }

    fn client(&self) -> ClientBuilder {
        Client::builder(format!("https://localhost:{}", self.port))
            .proxy(Proxy::Direct)
            .ca_certificates(self.root.certificate.pem())
    }

    async fn get(&self, client: ClientBuilder) -> Result<(), Error> {
        client.build().unwrap().get("/").send().await.map(drop)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A pin of no key.
const OTHER: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[tokio::test]
async fn any_key_of_the_verified_chain_may_be_pinned() {
    let server = Server::start().await;
    let leaf = server.leaf.clone();
    let as_curl_has_it = leaf.replace("sha256/", "sha256//");
    let without_padding = leaf.trim_end_matches('=').to_owned();
    let by_name = format!("LOCALHOST.={leaf}");
    for pin in [
        leaf,
        server.between.pin(),
        server.root.pin(),
        as_curl_has_it,
        without_padding,
        by_name,
    ] {
        // Beside one of a key to come.
        let client = server.client().pins([OTHER, &pin]);
        server
            .get(client)
            .await
            .unwrap_or_else(|error| panic!("{pin}: {error}"));
    }
    assert_eq!(server.requests(), 6);
}

#[tokio::test]
async fn another_key_is_refused_before_anything_is_sent_and_the_error_says_which_was_seen() {
    let server = Server::start().await;
    let error = server.get(server.client().pins([OTHER])).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retryability(), error.attempts().len()),
        (ErrorKind::Tls, Retryability::Permanent, 1),
        "{error}"
    );
    assert_eq!(server.requests(), 0);
    let seen = format!(
        "{}, {}, {}",
        server.leaf,
        server.between.pin(),
        server.root.pin()
    );
    assert_eq!(
        error.what(),
        format!(
            "failed: TLS failed (no key of localhost is among `pins`; the keys seen, its own first: {seen})"
        )
    );
    assert!(
        error
            .to_string()
            .ends_with("; if the server's key was changed on purpose, ship its pin in `pins` beside the old one; \
                        if not, someone between here and the server may be reading along"),
        "{error}"
    );
    // What the error shows can be pinned as it stands.
    let shown = error
        .what()
        .split(' ')
        .find(|word| word.starts_with("sha256/"));
    let shown = shown.unwrap().trim_end_matches(',');
    server
        .get(server.client().pins([OTHER, shown]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_pinned_certificate_that_is_sent_along_without_need_does_not_help() {
    let pinned = Authority::new("pinned", None);
    let server = Server::with(&["localhost"], Some(&pinned)).await;
    let client = server
        .client()
        .ca_certificates(pinned.certificate.pem())
        .pins([pinned.pin()]);
    let error = server.get(client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(error.what().contains(&server.leaf), "{error}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_usual_check_stays_on_beside_pins() {
    let server = Server::with(&["other.example"], None).await;
    let other_name = server.client().pins([&server.leaf]);
    let error = server.get(other_name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(!error.to_string().contains("`pins`"), "{error}");

    let server = Server::start().await;
    let unknown_issuer = Client::builder(format!("https://localhost:{}", server.port))
        .proxy(Proxy::Direct)
        .pins([&server.leaf]);
    let error = server.get(unknown_issuer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("`ca_certificates`"), "{error}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn each_host_has_pins_of_its_own() {
    let server = Server::start().await;
    let elsewhere = format!("https://127.0.0.1:{}", server.port);
    let client = server
        .client()
        .allow_origin(&elsewhere)
        .pins([&server.leaf, &format!("127.0.0.1={OTHER}")])
        .build()
        .unwrap();
    client.get("/").send().await.unwrap();
    let error = client.get(&elsewhere).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.what().contains("no key of 127.0.0.1 is"), "{error}");

    // The host of the base URL is pinned by a bare pin; another is not.
    let client = server
        .client()
        .allow_origin(&elsewhere)
        .pins([OTHER])
        .build()
        .unwrap();
    client.get(&elsewhere).send().await.unwrap();
    assert_eq!(
        client.get("/").send().await.unwrap_err().kind(),
        ErrorKind::Tls
    );
}

#[test]
fn pins_that_would_not_be_checked_are_refused() {
    let refused = |builder: ClientBuilder, says: &str| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    let api = || Client::builder("https://api.example");
    for pin in [
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha256/",
        "sha256/AAAA",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!=",
        "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "api.example sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "a host=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ] {
        refused(
            api().pins([pin]),
            "a pin is \"sha256/\" and the base64 of a SHA-256 (44 characters)",
        );
    }
    refused(
        Client::builder("http://localhost:1").pins([OTHER]),
        "`pins`: localhost is spoken to over plain http, which shows no certificate; use https",
    );
    refused(
        api().pins([format!("api.exmaple={OTHER}")]),
        "`pins`: api.exmaple is neither the host of `base_url` nor of `allowed_origins`",
    );
    refused(
        api().pins([OTHER]).transport(Scripted::new([])),
        "`pins` are checked by the native transport, but another one is given",
    );
    assert!(api().pins([OTHER]).build().is_ok());
}
