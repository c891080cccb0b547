//! `gatewright webhook listen | trigger | resend`, as programs, with a gateway and a receiver.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright_server_mock::{DeliveryState, Gateway, Session};
use gatewright_webhook::Webhook;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

type Fields = Vec<(String, String)>;

/// What came, head and body.
type Came = Arc<Mutex<Vec<(Fields, Vec<u8>)>>>;

/// A receiver that answers with these statuses in turn, then 204.
async fn receiver(statuses: &'static [u16]) -> (String, Came) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let came = Came::default();
    let seen = Arc::clone(&came);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut read = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    let some = socket.read(&mut buffer).await.unwrap_or(0);
                    if some == 0 {
                        return;
                    }
                    read.extend_from_slice(&buffer[..some]);
                    let Some((headers, body, length)) = taken_apart(&read) else {
                        continue;
                    };
                    let number = {
                        let mut seen = seen.lock().unwrap();
                        seen.push((headers, body));
                        seen.len()
                    };
                    read.drain(..length);
                    let status = statuses.get(number - 1).copied().unwrap_or(204);
                    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (url, came)
}

/// A whole request with a content-length: its headers, its body, and how long it is.
fn taken_apart(bytes: &[u8]) -> Option<(Fields, Vec<u8>, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers: Fields = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let all = end + 4 + length;
    (bytes.len() >= all).then(|| (headers, bytes[end + 4..all].to_vec(), all))
}

/// The program, listening; killed when dropped.
struct Listening {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Listening {
    fn start(gateway: &Gateway, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
            .args([
                "webhook",
                "listen",
                "--json",
                "--gateway",
                &gateway.admin_url(),
            ])
            .args(["--session", "test"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line. Off the runtime's thread, which has a gateway to serve.
    async fn line(mut self) -> (Self, Value) {
        tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
            (self, value)
        })
        .await
        .unwrap()
    }

    async fn end(mut self) -> i32 {
        tokio::task::spawn_blocking(move || self.child.wait().unwrap().code().unwrap())
            .await
            .unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn program(gateway: &Gateway, arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright"));
    command.args(["webhook"]).args(arguments).args([
        "--json",
        "--gateway",
        &gateway.admin_url(),
        "--session",
        "test",
    ]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let last = said.lines().last().unwrap_or("null");
    (
        output.status.code().unwrap(),
        serde_json::from_str(last).unwrap(),
    )
}

async fn gateway() -> (Gateway, Session) {
    let gateway = Gateway::builder().start().await.unwrap();
    let session = gateway.session("test").unwrap();
    (gateway, session)
}

fn verified(secret: &str, came: &(Fields, Vec<u8>), session: &Session) -> String {
    let now = (session.clock().now_ms / 1_000) as i64;
    let webhook = Webhook::new([secret]).unwrap();
    webhook
        .verify(&came.1, &came.0, now)
        .unwrap()
        .message_id
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_arrive_as_the_gateway_would_have_sent_them() {
    let (gateway, session) = gateway().await;
    session.freeze();
    let (url, came) = receiver(&[]).await;
    let listening = Listening::start(
        &gateway,
        &["--forward-to", &url, "--types", "contact.*", "--count", "2"],
    );
    let (listening, first) = listening.line().await;
    let secret = first["secret"].as_str().unwrap().to_owned();
    assert_eq!(first["forward_to"], json!(url));

    let (_, triggered) = program(&gateway, &["trigger", "contact.created"]).await;
    assert_eq!(triggered["deliveries"], 1);
    assert_eq!(
        program(&gateway, &["trigger", "user.created"]).await.1["deliveries"],
        0
    );
    let (listening, told) = listening.line().await;
    assert_eq!(
        (&told["event"], &told["type"], &told["status"]),
        (&triggered["event"], &json!("contact.created"), &json!(204))
    );
    assert_eq!(
        verified(&secret, &came.lock().unwrap()[0], &session),
        triggered["event"].as_str().unwrap()
    );

    let (code, again) = program(&gateway, &["resend", triggered["event"].as_str().unwrap()]).await;
    assert_eq!((code, &again["event"]), (0, &triggered["event"]));
    let (listening, _) = listening.line().await;
    assert_eq!(listening.end().await, 0);
    assert_eq!(came.lock().unwrap().len(), 2);
    session.settle().await;
    let states: Vec<_> = session.deliveries().iter().map(|one| one.state).collect();
    assert_eq!(states, [DeliveryState::Delivered; 2]);
    // Its endpoint went with it.
    assert!(session.endpoints().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_receiver_refuses_comes_again_by_the_schedule() {
    let (gateway, session) = gateway().await;
    session.freeze();
    let (url, came) = receiver(&[500, 503]).await;
    let listening = Listening::start(&gateway, &["--forward-to", &url, "--count", "3"]);
    let (mut listening, _) = listening.line().await;
    program(
        &gateway,
        &["trigger", "contact.updated", "--data", r#"{"id":"ct_9"}"#],
    )
    .await;
    for (attempt, status) in [(1, 500), (2, 503), (3, 204)] {
        let told;
        (listening, told) = listening.line().await;
        assert_eq!(
            (&told["attempt"], &told["status"]),
            (&json!(attempt), &json!(status))
        );
        session.settle().await;
        session.advance(Duration::from_secs(400)).await;
    }
    assert_eq!(listening.end().await, 0);
    let ids: Vec<String> = came
        .lock()
        .unwrap()
        .iter()
        .map(|(headers, _)| {
            let id = headers.iter().find(|(name, _)| name == "webhook-id");
            id.unwrap().1.clone()
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    let body: Value = serde_json::from_slice(&came.lock().unwrap()[0].1).unwrap();
    assert_eq!(body["data"], json!({"id": "ct_9"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_stays_keeps_what_came_while_nobody_listened() {
    let (gateway, session) = gateway().await;
    let (url, came) = receiver(&[]).await;
    let client = gatewright::Client::new(&gateway.admin_url()).unwrap();
    let made: Value = client
        .post("/admin/webhooks/endpoints")
        .query([("session", "test")])
        .json(&json!({"listen": true}))
        .send()
        .await
        .unwrap()
        .json()
        .unwrap();
    let endpoint = made["id"].as_str().unwrap();
    program(&gateway, &["trigger", "contact.created"]).await;
    for _ in 0..2 {
        // Killed in between, as a developer's machine that goes to sleep.
        let arguments = ["--forward-to", &url, "--endpoint", endpoint];
        let listening = Listening::start(&gateway, &arguments);
        let (listening, told) = listening.line().await;
        assert_eq!(told["status"], 204);
        drop(listening);
        program(&gateway, &["trigger", "contact.updated"]).await;
    }
    let last = Listening::start(
        &gateway,
        &["--forward-to", &url, "--endpoint", endpoint, "--count", "1"],
    );
    let (last, _) = last.line().await;
    assert_eq!(last.end().await, 0);
    session.settle().await;
    assert!(
        session
            .deliveries()
            .iter()
            .all(|one| one.state == DeliveryState::Delivered)
    );
    let secret = made["secret"].as_str().unwrap();
    let events: std::collections::BTreeSet<String> = came
        .lock()
        .unwrap()
        .iter()
        .map(|one| verified(secret, one, &session))
        .collect();
    assert_eq!(events.len(), 3);
    assert_eq!(session.endpoints().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_away_is_an_attempt_that_failed() {
    let (gateway, session) = gateway().await;
    session.freeze();
    let listening = Listening::start(
        &gateway,
        &["--forward-to", "http://127.0.0.1:9/", "--count", "1"],
    );
    let (listening, _) = listening.line().await;
    program(&gateway, &["trigger", "contact.created"]).await;
    let (listening, told) = listening.line().await;
    assert!(
        told["error"].as_str().unwrap().contains("127.0.0.1:9"),
        "{told}"
    );
    assert_eq!(listening.end().await, 0);
    session.settle().await;
    let attempts = &session.deliveries()[0].attempts;
    assert!(
        attempts[0]
            .error
            .as_deref()
            .unwrap()
            .contains("127.0.0.1:9")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_gateway_it_says_how_to_start_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args([
            "webhook",
            "trigger",
            "contact.created",
            "--gateway",
            "http://127.0.0.1:9",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("gatewright-gateway serve"), "{said}");
}
