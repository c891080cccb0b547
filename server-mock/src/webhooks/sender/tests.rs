use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::https::Https;

/// Takes one connection and writes `answer` to it.
async fn receiver(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(&answer).await;
            // Until the other side has gone.
            while !matches!(socket.read(&mut buffer).await, Ok(0) | Err(_)) {}
        }
    });
    address
}

fn to(url: String) -> Post {
    Post {
        url,
        headers: vec![("webhook-id".into(), "msg_1".into())],
        payload: Bytes::from_static(b"{}"),
        timeout_ms: 5_000,
        connect_timeout_ms: 3_000,
    }
}

/// The same over TLS, with a certificate for `name`, and a client that trusts it.
async fn receiver_over_tls(name: &str, answer: &[u8]) -> (SocketAddr, Client) {
    let server = Https::default().name(name).server().unwrap();
    let client = Client::trusting(server.ca_pem.as_deref().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, answer) = (listener.local_addr().unwrap(), answer.to_vec());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Some(mut socket) = server.accept(socket).await else {
                continue;
            };
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(&answer).await;
            while !matches!(socket.read(&mut buffer).await, Ok(0) | Err(_)) {}
        }
    });
    (address, client)
}

async fn send(to: &Post) -> Result<Answer, Unanswered> {
    post(to, &[], &Client::default()).await
}

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// Where a name leads, and how often that was asked.
async fn by_name(
    scheme: &str,
    client: &Client,
    first: &str,
    port: u16,
    later: &str,
) -> (Result<Answer, Unanswered>, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let answers: Vec<Vec<SocketAddr>> = [first, later]
        .iter()
        .map(|list| {
            let addresses = list.split(' ').map(|ip| ip.parse().unwrap());
            addresses.map(|ip| SocketAddr::new(ip, port)).collect()
        })
        .collect();
    let counted = Arc::clone(&asked);
    let sent = post_by(
        &to(format!("{scheme}://hooks.example:{port}/x")),
        &[1, 2],
        client,
        move |host, _| async move {
            assert_eq!(host, "hooks.example");
            let asked = counted.fetch_add(1, Ordering::SeqCst);
            Ok(answers[asked.min(1)].clone())
        },
    )
    .await;
    (sent, asked.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to() {
    let address = receiver(NO_CONTENT.into()).await;
    // A second look-up would lead to a private network.
    let none = Client::default();
    let (sent, asked) = by_name("http", &none, "127.0.0.1", address.port(), "10.0.0.1").await;
    assert_eq!((sent.unwrap().status, asked), (204, 1));
    let (address, client) = receiver_over_tls("hooks.example", NO_CONTENT).await;
    let (sent, asked) = by_name("https", &client, "127.0.0.1", address.port(), "10.0.0.1").await;
    assert_eq!((sent.unwrap().status, asked), (204, 1));
}

#[tokio::test]
async fn a_name_that_leads_to_a_denied_address_is_refused_even_beside_a_good_one() {
    let address = receiver(NO_CONTENT.into()).await;
    let none = Client::default();
    for denied in [
        "10.1.2.3",
        "192.168.0.1",
        "172.31.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
        "::",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ] {
        for list in [denied.to_owned(), format!("127.0.0.1 {denied}")] {
            for scheme in ["http", "https"] {
                let port = address.port();
                let (sent, _) = by_name(scheme, &none, &list, port, "127.0.0.1").await;
                let Unanswered { why, tls } = sent.unwrap_err();
                assert!(why.ends_with("is neither public nor this machine"), "{why}");
                assert_eq!(tls, None);
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_to_the_gateway_itself_is_refused() {
    let address = receiver(NO_CONTENT.into()).await;
    for scheme in ["http", "https"] {
        let refused = post_by(
            &to(format!("{scheme}://hooks.example:{}/", address.port())),
            &[address.port()],
            &Client::default(),
            move |_, _| async move { Ok(vec![address]) },
        )
        .await
        .unwrap_err()
        .why;
        assert!(refused.ends_with("is the gateway itself"), "{refused}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_in_part_and_counts() {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nretry-after: 5\r\ncontent-length: 10000000\r\n\r\n".to_vec();
    answer.extend(vec![b'x'; 300_000]);
    let address = receiver(answer.clone()).await;
    let sent = send(&to(format!("http://{address}/"))).await.unwrap();
    assert_eq!((sent.status, sent.retry_after()), (200, Some("5")));
    assert!(sent.goes_on && sent.body.len() == KEPT_BODY_BYTES);
    let (address, client) = receiver_over_tls("localhost", &answer).await;
    let to = to(format!("https://{address}/"));
    let sent = post(&to, &[], &client).await.unwrap();
    assert_eq!((sent.status, sent.retry_after()), (200, Some("5")));
    assert!(sent.goes_on && sent.body.len() == KEPT_BODY_BYTES);
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_given_up() {
    let address = receiver(Vec::new()).await;
    let mut silent = to(format!("http://{address}/"));
    silent.timeout_ms = 50;
    let error = send(&silent).await.unwrap_err();
    assert_eq!(error.why, "no answer within 50 ms");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_no_answer() {
    for wrong in [&b"nonsense\r\n\r\n"[..], b"HTTP/1.1 20"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(wrong).await;
        });
        assert!(send(&to(format!("http://{address}/"))).await.is_err());
    }
}

#[tokio::test]
async fn over_tls_a_redirect_is_an_answer_and_nothing_else() {
    let moved =
        b"HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (address, client) = receiver_over_tls("localhost", moved).await;
    let to = to(format!("https://{address}/"));
    let sent = post(&to, &[], &client).await.unwrap();
    assert_eq!(sent.status, 302);
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_told_apart() {
    let (address, client) = receiver_over_tls("localhost", NO_CONTENT).await;
    let unknown = send(&to(format!("https://{address}/secret"))).await;
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.tls, Some(TlsTrouble::UnknownIssuer));
    let begins = format!("TLS with {address}: ");
    assert!(unknown.why.starts_with(&begins), "{}", unknown.why);
    assert!(!unknown.why.contains("secret"), "{}", unknown.why);
    // The certificate is for other names.
    let (sent, _) = by_name("https", &client, "127.0.0.1", address.port(), "127.0.0.1").await;
    assert_eq!(sent.unwrap_err().tls, Some(TlsTrouble::WrongName));
    // It speaks no TLS, or hangs up.
    for answer in [NO_CONTENT, b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plain = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(answer).await;
        });
        let sent = send(&to(format!("https://{plain}/"))).await;
        assert_eq!(sent.unwrap_err().tls, Some(TlsTrouble::Handshake));
    }
    // Nobody listens there.
    let held = TcpSocket::new_v4().unwrap();
    held.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let nobody = held.local_addr().unwrap();
    let sent = send(&to(format!("https://{nobody}/"))).await.unwrap_err();
    assert_eq!(sent.tls, None);
    assert!(
        sent.why
            .starts_with(&format!("cannot connect to {nobody}: ")),
        "{}",
        sent.why
    );
}

#[tokio::test]
async fn a_certificate_of_another_time_is_not_good() {
    let year = |year| rcgen::date_time_ymd(year, 1, 1);
    for (from, until, trouble) in [
        (2000, 2001, TlsTrouble::Expired),
        (4000, 4001, TlsTrouble::NotYetValid),
    ] {
        let folder =
            std::env::temp_dir().join(format!("gatewright-{trouble:?}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
        (leaf.not_before, leaf.not_after) = (year(from), year(until));
        let leaf = leaf.self_signed(&key).unwrap();
        let (chain, secret) = (folder.join("chain.pem"), folder.join("key.pem"));
        std::fs::write(&chain, leaf.pem()).unwrap();
        std::fs::write(&secret, key.serialize_pem()).unwrap();
        let server = Https::default()
            .certificate(&chain, &secret)
            .server()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            server.accept(socket).await
        });
        let client = Client::trusting(&leaf.pem()).unwrap();
        let sent = post(&to(format!("https://{address}/")), &[], &client).await;
        assert_eq!(sent.unwrap_err().tls, Some(trouble));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
