//! HTTPS: versions, HTTP/2, what the plain port refuses, and faults that look through TLS as they do without.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_server_mock::{FaultRule, Gateway, Https, JournalEntry};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::caller::{End, Seen, asking};

async fn gateway(https: Https) -> Gateway {
    Gateway::builder().https(https).start().await.unwrap()
}

fn client(
    ca_pem: &str,
    alpn: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    TlsConnector::from(Arc::new(config))
}

const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

fn address(url: &str) -> &str {
    url.split("://").nth(1).unwrap()
}

async fn connect(gateway: &Gateway, name: &str, with: &TlsConnector) -> TlsStream<TcpStream> {
    let url = gateway.https_url().unwrap();
    let socket = TcpStream::connect(address(&url)).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    with.connect(name, socket).await.unwrap()
}

/// One request over TLS, and everything that came back as the client's HTTP saw it; `None` is an end that TLS did not
/// announce.
async fn ask(
    gateway: &Gateway,
    versions: &[&'static SupportedProtocolVersion],
    request: &str,
) -> (Vec<u8>, Option<End>) {
    let with = client(gateway.ca_pem().unwrap(), "http/1.1", versions);
    let mut stream = connect(gateway, "127.0.0.1", &with).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        match stream.read(&mut buffer).await {
            Ok(0) => break Some(End::Fin),
            Ok(bytes) => raw.extend_from_slice(&buffer[..bytes]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break Some(End::Reset),
            Err(error) => panic!("{error}"),
        }
    };
    (raw, end)
}

fn get(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost:7\r\nconnection: close\r\nx-mock-session: test\r\n\
         authorization: Bearer sk_test_pro_acme\r\n{headers}\r\n"
    )
}

#[tokio::test]
async fn it_serves_tls_1_2_and_1_3_and_says_hsts_only_there() {
    let gateway = gateway(Https::default()).await;
    for versions in [TLS12, TLS13] {
        let (raw, end) = ask(&gateway, versions, &get("/v1/whoami", "")).await;
        assert_eq!(end, Some(End::Fin));
        let seen = Seen { raw, end: End::Fin };
        assert_eq!(
            (seen.status(), &seen.json()["tenant"]),
            (200, &"acme".into())
        );
        assert_eq!(
            seen.header("strict-transport-security").as_deref(),
            Some("max-age=300")
        );
    }
    let plain = asking(&gateway.url(), "GET", "/healthz").send().await;
    assert_eq!(plain.header("strict-transport-security"), None);
    // Both ports lead to the same sessions, and metadata say how they were reached.
    assert_eq!(gateway.session("test").unwrap().journal(0).len(), 2);
    let path = "/oauth/generic/.well-known/openid-configuration";
    let (raw, _) = ask(&gateway, TLS13, &get(path, "")).await;
    let seen = Seen { raw, end: End::Fin };
    assert_eq!(seen.json()["issuer"], "https://localhost:7/oauth/generic");
}

#[tokio::test]
async fn the_certificate_is_for_this_machine_and_the_names_given_and_no_other() {
    let gateway = gateway(Https::default().name("gateway.test")).await;
    let with = client(gateway.ca_pem().unwrap(), "http/1.1", TLS13);
    for name in ["localhost", "127.0.0.1", "::1", "gateway.test"] {
        connect(&gateway, name, &with).await;
    }
    let url = gateway.https_url().unwrap();
    let socket = TcpStream::connect(address(&url)).await.unwrap();
    let other = ServerName::try_from("evil.example").unwrap();
    assert!(with.connect(other, socket).await.is_err());
    // Another run has another CA.
    let later = Gateway::builder()
        .https(Https::default())
        .start()
        .await
        .unwrap();
    assert_ne!(later.ca_pem(), gateway.ca_pem());
    assert!(!gateway.ca_pem().unwrap().contains("PRIVATE"));
}

async fn over_http2<S>(socket: S, path: &str) -> Result<(u16, Bytes), hyper::Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket));
    let (mut sender, connection) = handshake.await?;
    tokio::spawn(connection);
    let request = hyper::Request::get(format!("https://localhost:7{path}"))
        .header("x-mock-session", "test")
        .header("authorization", "Bearer sk_test_pro_acme")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

#[tokio::test]
async fn it_serves_http_2_by_alpn_and_in_clear_by_prior_knowledge() {
    let gateway = gateway(Https::default()).await;
    let with = client(gateway.ca_pem().unwrap(), "h2", TLS13);
    let stream = connect(&gateway, "localhost", &with).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let path = "/oauth/generic/.well-known/openid-configuration";
    let (status, body) = over_http2(stream, path).await.unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(metadata["issuer"], "https://localhost:7/oauth/generic");
    let socket = TcpStream::connect(address(&gateway.url())).await.unwrap();
    let (status, _) = over_http2(socket, "/v1/whoami?a=1").await.unwrap();
    assert_eq!(status, 200);
    let journal: Vec<JournalEntry> = gateway.session("test").unwrap().journal(0);
    let last = journal.last().unwrap();
    assert_eq!(
        (last.path.as_str(), last.query.as_str()),
        ("/v1/whoami", "a=1")
    );
    // Whoever sends the first bytes one by one is understood too.
    let mut socket = TcpStream::connect(address(&gateway.url())).await.unwrap();
    socket.set_nodelay(true).unwrap();
    for byte in get("/healthz", "").replace("GET", "PUT").bytes() {
        socket.write_all(&[byte]).await.unwrap();
    }
    let mut raw = Vec::new();
    socket.read_to_end(&mut raw).await.unwrap();
    assert!(
        raw.starts_with(b"HTTP/1.1 405 "),
        "{}",
        String::from_utf8_lossy(&raw)
    );
}

#[tokio::test]
async fn faults_cut_below_tls_after_the_bytes_that_were_asked_for() {
    let gateway = gateway(Https::default()).await;
    let fault = |fault: &str| get("/v1/whoami", &format!("x-mock-fault: {fault}\r\n"));
    for (kind, bytes, end) in [
        ("reset", 0, Some(End::Reset)),
        ("reset@100", 100, Some(End::Reset)),
        // FIN of TCP without the close of TLS: a client must not take it for the end of the answer.
        ("fin", 0, None),
        ("fin@100", 100, None),
        ("lost", 0, Some(End::Reset)),
    ] {
        for versions in [TLS12, TLS13] {
            let (raw, ended) = ask(&gateway, versions, &fault(kind)).await;
            assert_eq!((raw.len(), ended), (bytes, end), "{kind}");
        }
    }
    // What is no HTTP goes through TLS: the client decrypts it, and TLS is closed in order.
    let (raw, end) = ask(&gateway, TLS13, &fault("garbage")).await;
    assert!(!raw.is_empty() && !raw.starts_with(b"HTTP/"), "{raw:?}");
    assert_eq!(end, Some(End::Fin));
    let (raw, _) = ask(&gateway, TLS13, &fault("bad-chunk")).await;
    assert!(raw.starts_with(b"HTTP/1.1 200 "));
    // The journal tells it as it does without TLS.
    let journal = gateway.session("test").unwrap().journal(0);
    let cut = journal
        .iter()
        .find(|entry| entry.fault.as_deref() == Some("reset"))
        .unwrap();
    assert_eq!((cut.status, cut.outcome), (None, None));
}

#[tokio::test]
async fn a_cut_of_http_2_ends_its_connection() {
    let gateway = gateway(Https::default()).await;
    let session = gateway.session("test").unwrap();
    for kind in ["reset", "fin", "lost", "garbage", "reset@100"] {
        session
            .set_faults(vec![FaultRule::on("whoami").script(kind).unwrap()])
            .unwrap();
        let with = client(gateway.ca_pem().unwrap(), "h2", TLS13);
        let stream = connect(&gateway, "localhost", &with).await;
        let asked = tokio::time::timeout(Duration::from_secs(10), over_http2(stream, "/v1/whoami"));
        assert!(asked.await.unwrap().is_err(), "{kind}");
        let entry = session.journal_of("whoami").pop().unwrap();
        assert_eq!(
            entry
                .fault
                .as_deref()
                .map(|fault| fault.split('@').next().unwrap()),
            kind.split('@').next(),
            "{kind}"
        );
        // The script is over: the next connection is answered.
        let stream = connect(&gateway, "localhost", &with).await;
        assert_eq!(over_http2(stream, "/v1/whoami").await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn where_only_https_is_served_api_calls_in_clear_are_refused_and_pages_sent_on() {
    let gateway = Gateway::builder()
        .https(Https::default().only(true))
        .regions(["eu"])
        .start()
        .await
        .unwrap();
    let https = gateway.https_url().unwrap();
    for url in [gateway.url(), gateway.region_url("eu").unwrap()] {
        let call = asking(&url, "GET", "/v1/whoami")
            .header("authorization", "Bearer sk_test_pro_acme")
            .header("accept", "text/html")
            .send()
            .await;
        let said = call.json();
        assert_eq!(
            (call.status(), &said["code"]),
            (403, &"https_required".into())
        );
        assert_eq!(
            (&said["https_url"], &said["retryable"]),
            (&https.as_str().into(), &false.into())
        );
        assert!(said["detail"].as_str().unwrap().contains("sent in clear"));
        assert_eq!(
            (
                call.header("location"),
                call.header("strict-transport-security")
            ),
            (None, None)
        );
    }
    for (method, path, accept) in [
        ("POST", "/oauth/generic/token", "text/html"),
        ("GET", "/oauth/generic/authorize", "application/json"),
        ("POST", "/logout", "text/html"),
        ("OPTIONS", "/v1/contacts", "text/html"),
        ("GET", "/v1/contacts?api_key=sk_test_pro_acme", "text/html"),
    ] {
        let seen = asking(&gateway.url(), method, path)
            .header("accept", accept)
            .send()
            .await;
        assert_eq!(
            (seen.status(), seen.header("location")),
            (403, None),
            "{method} {path}"
        );
    }
    for path in ["/login/generic?return_to=/x", "/oauth/generic/device", "/"] {
        let seen = asking(&gateway.url(), "GET", path)
            .header("accept", "text/html,*/*")
            .send()
            .await;
        assert_eq!(seen.status(), 307, "{path}");
        assert_eq!(seen.header("location").unwrap(), format!("{https}{path}"));
    }
    assert_eq!(
        asking(&gateway.url(), "GET", "/healthz")
            .send()
            .await
            .status(),
        200
    );
    // Nothing happened for those who were refused, and the journal has them.
    let session = gateway.session("default").unwrap();
    assert_eq!(session.journal_of("whoami").len(), 2);
    let (raw, _) = ask(&gateway, TLS13, &get("/v1/whoami", "")).await;
    assert!(raw.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_login_over_https_has_secure_cookies_and_calls_itself_over_tls() {
    let gateway = gateway(Https::default().only(true)).await;
    let host = address(&gateway.https_url().unwrap()).to_owned();
    let page = async |path: &str, cookies: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncookie: {cookies}\r\n\r\n"
        );
        let (raw, _) = ask(&gateway, TLS13, &request).await;
        Seen { raw, end: End::Fin }
    };
    let way = |seen: &Seen| {
        let to = seen.header("location").unwrap();
        to.strip_prefix(&format!("https://{host}"))
            .unwrap_or(&to)
            .to_owned()
    };
    let begun = page("/login/google", "none=1").await;
    let cookie = begun.header("set-cookie").unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let (cookie, _) = cookie.split_once(';').unwrap();
    let back = page(&way(&begun), "none=1").await;
    let done = page(&way(&back), cookie).await;
    assert_eq!(done.status(), 303, "{}", String::from_utf8_lossy(&done.raw));
    let session = done
        .head()
        .lines()
        .find_map(|line| {
            line.strip_prefix("set-cookie: gatewright_session=")
                .map(str::to_owned)
        })
        .unwrap();
    assert!(session.ends_with("; Secure"));
    let (id, _) = session.split_once(';').unwrap();
    let who = page("/login/session", &format!("gatewright_session={id}")).await;
    assert_eq!(who.json()["provider"], "google");
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_served_and_a_wrong_one_is_refused() {
    let folder = std::env::temp_dir().join(format!("gatewright-https-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&chain, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let gateway = gateway(Https::default().certificate(&chain, &key)).await;
    assert_eq!(gateway.ca_pem(), None);
    let with = client(&signed.cert.pem(), "http/1.1", TLS13);
    connect(&gateway, "localhost", &with).await;
    for (chain, key) in [(&key, &key), (&chain, &chain), (&folder.join("none"), &key)] {
        let wrong = Https::default().certificate(chain, key);
        let error = Gateway::builder().https(wrong).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_client_that_never_says_hello_holds_nobody_up() {
    let gateway = gateway(Https::default()).await;
    let url = gateway.https_url().unwrap();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address(&url)).await.unwrap());
    }
    let mut wrong = TcpStream::connect(address(&url)).await.unwrap();
    wrong
        .write_all(get("/healthz", "").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = wrong.read_to_end(&mut answer).await;
    // An alert of TLS, and no HTTP.
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let (raw, _) = ask(&gateway, TLS13, &get("/healthz", "")).await;
    assert!(raw.starts_with(b"HTTP/1.1 200 "));
}
