//! Requests to the gateway: one connection each, JSON in and out.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The status and the body of an answer.
pub(crate) async fn ask(url: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let asked = timeout(Duration::from_secs(60), exchange(url, method, path, body));
    asked.await.expect("an answer within a minute")
}

/// The body of an answer that is well.
pub(crate) async fn get(url: &str, path: &str) -> Value {
    let (status, body) = ask(url, "GET", path, None).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// The body of an answer that is well.
pub(crate) async fn post(url: &str, path: &str, body: Value) -> Value {
    let (status, answer) = ask(url, "POST", path, Some(body)).await;
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

/// The body of an answer that is no JSON.
pub(crate) async fn text(url: &str, path: &str) -> String {
    let asked = timeout(Duration::from_secs(60), raw(url, "GET", path, None));
    let (status, body) = asked.await.expect("an answer within a minute");
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn exchange(url: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let (status, body) = raw(url, method, path, body).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

async fn raw(url: &str, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
    let host = url.trim_start_matches("http://");
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut socket = TcpStream::connect(host).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
