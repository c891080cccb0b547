//! The native transport against plain sockets: proxies, certificates, encodings, connections that are kept.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;

use gatewright::transport::native::Proxy;
use gatewright::{Auth, Client, ErrorKind};
use gatewright_server_mock::{Gateway, Https};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Reads a request's head, and gives it back as text.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(read).unwrap())
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
}

#[tokio::test]
async fn a_proxy_is_asked_for_everything_but_loopback() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://me:canary@{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let asked = head(&mut stream).await.unwrap();
        answer(&mut stream, "", b"{}").await;
        asked
    });
    let client = Client::builder("http://api.example")
        .allow_http(true)
        .proxy(Proxy::Url(proxy))
        .build()
        .unwrap();
    assert!(!format!("{client:?}").contains("canary"));
    client.get("/v1/x").send().await.unwrap();
    let asked = server.await.unwrap();
    assert!(
        asked.starts_with("GET http://api.example/v1/x HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains("proxy-authorization: Basic bWU6Y2FuYXJ5"),
        "{asked}"
    );
}

#[tokio::test]
async fn what_is_no_proxy_is_refused_without_being_shown() {
    let made = Client::builder("https://api.example")
        .proxy(Proxy::Url("canary proxy".to_owned()))
        .build();
    let error = made.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[tokio::test]
async fn encoded_bodies_are_decoded() {
    // {"ok":true}
    let gzip = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 207, 86, 178, 42, 41, 42, 77, 173, 5, 0,
        144, 95, 212, 167, 11, 0, 0, 0,
    ];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let asked = head(&mut stream).await.unwrap();
        answer(&mut stream, "content-encoding: gzip\r\n", &gzip).await;
        asked
    });
    let response = Client::new(&url).unwrap().get("/").send().await.unwrap();
    assert_eq!(response.text(), r#"{"ok":true}"#);
    assert!(server.await.unwrap().contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn one_connection_serves_call_after_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            head(&mut stream).await.unwrap();
            answer(&mut stream, "", b"{}").await;
        }
    });
    let client = Client::new(&url).unwrap();
    for _ in 0..3 {
        client.get("/").send().await.unwrap();
    }
    server.await.unwrap();
}

/// A TLS server with a certificate of its own; answers its URL and the certificate as PEM.
async fn private_server() -> (String, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key =
        rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            if head(&mut stream).await.is_some() {
                answer(&mut stream, "", b"{}").await;
            }
        }
    });
    (url, signed.cert.pem())
}

#[tokio::test]
async fn a_private_ca_is_trusted_where_it_is_given() {
    let (url, pem) = private_server().await;
    let client = Client::builder(url)
        .proxy(Proxy::Direct)
        .ca_certificates(pem)
        .build()
        .unwrap();
    assert_eq!(client.get("/").send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn the_gateway_is_called_over_https_through_faults_and_not_in_clear() {
    let gateway = Gateway::builder()
        .https(Https::default().only(true))
        .start()
        .await
        .unwrap();
    let client = |url: String| {
        Client::builder(url)
            .proxy(Proxy::Direct)
            .ca_certificates(gateway.ca_pem().unwrap())
            .auth(Auth::bearer("sk_test_pro_acme"))
    };
    let https = client(gateway.https_url().unwrap()).build().unwrap();
    for fault in ["once:reset", "once:reset@100", "once:fin", "once:lost"] {
        let call = https.get("/v1/whoami").header("x-mock-fault", fault);
        let answer = call
            .header("x-mock-call", fault)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert_eq!(
            (answer.status().as_u16(), answer.attempts().len()),
            (200, 2),
            "{fault}"
        );
    }
    let plain = client(gateway.url()).build().unwrap();
    let error = plain.get("/v1/whoami").send().await.unwrap_err();
    assert_eq!(
        (
            error.status().map(|status| status.as_u16()),
            error.attempts().len()
        ),
        (Some(403), 1),
        "{error}"
    );
    assert!(error.to_string().contains("over HTTPS only"), "{error}");
}

#[tokio::test]
async fn an_unknown_certificate_is_a_tls_error_and_not_retried() {
    let (url, _) = private_server().await;
    let client = Client::builder(url).proxy(Proxy::Direct).build().unwrap();
    let error = client.get("/").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts().len()),
        (ErrorKind::Tls, 1),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("a private CA is given with `ca_certificates`"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_certificate_is_refused() {
    let made = Client::builder("https://api.example")
        .ca_certificates("no pem")
        .build();
    assert_eq!(made.unwrap_err().kind(), ErrorKind::InvalidConfig);
}

#[test]
fn a_lookup_that_hangs_ends_with_the_connect_timeout_and_holds_nobody_up_for_longer() {
    // As on phones: one thread for all lookups.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                head(&mut stream).await;
                answer(&mut stream, "", b"{}").await;
            }
        });
        let client = Client::builder(format!("http://localhost:{port}"))
            .proxy(Proxy::Direct)
            .connect_timeout(std::time::Duration::from_millis(50))
            .build()
            .unwrap();
        // In place of a lookup whose DNS server does not answer.
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let hanging = tokio::task::spawn_blocking(move || held.recv());
        let once = || client.get("/").max_attempts(1).send();
        let (first, second) = tokio::join!(once(), once());
        for error in [first.unwrap_err(), second.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            assert!(
                error.to_string().contains("raise `connect_timeout`"),
                "{error}"
            );
            assert!(
                error.elapsed() < std::time::Duration::from_secs(15),
                "{error}"
            );
        }
        drop(let_go);
        hanging.await.unwrap().unwrap_err();
        // With retries, since a busy machine may not connect within so little either.
        client.get("/").send().await.unwrap();
    });
}
