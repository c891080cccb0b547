use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

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

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// Where a name leads, and how often that was asked.
async fn by_name(first: &str, port: u16, later: &str) -> (Result<Answer, String>, usize) {
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
        &to(format!("http://hooks.example:{port}/x")),
        &[1, 2],
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
    let (sent, asked) = by_name("127.0.0.1", address.port(), "10.0.0.1").await;
    assert_eq!((sent.unwrap().status, asked), (204, 1));
}

#[tokio::test]
async fn a_name_that_leads_to_a_denied_address_is_refused_even_beside_a_good_one() {
    let address = receiver(NO_CONTENT.into()).await;
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
            let (sent, _) = by_name(&list, address.port(), "127.0.0.1").await;
            let refused = sent.unwrap_err();
            assert!(
                refused.ends_with("is neither public nor this machine"),
                "{refused}"
            );
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_to_the_gateway_itself_is_refused() {
    let address = receiver(NO_CONTENT.into()).await;
    let refused = post_by(
        &to(format!("http://hooks.example:{}/", address.port())),
        &[address.port()],
        move |_, _| async move { Ok(vec![address]) },
    )
    .await
    .unwrap_err();
    assert!(refused.ends_with("is the gateway itself"), "{refused}");
}

#[tokio::test]
async fn an_endless_answer_is_read_in_part_and_counts() {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nretry-after: 5\r\ncontent-length: 10000000\r\n\r\n".to_vec();
    answer.extend(vec![b'x'; 300_000]);
    let address = receiver(answer).await;
    let sent = post(&to(format!("http://{address}/")), &[]).await.unwrap();
    assert_eq!((sent.status, sent.retry_after()), (200, Some("5")));
    assert!(sent.goes_on && sent.body.len() == KEPT_BODY_BYTES);
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_given_up() {
    let address = receiver(Vec::new()).await;
    let mut silent = to(format!("http://{address}/"));
    silent.timeout_ms = 50;
    let error = post(&silent, &[]).await.unwrap_err();
    assert_eq!(error, "no answer within 50 ms");
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
        assert!(post(&to(format!("http://{address}/")), &[]).await.is_err());
    }
}
