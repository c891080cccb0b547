//! What was pending goes on by itself: after a kill, and in sessions that have no place in memory. No request is made.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright_server_mock::Gateway;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::child::{Folder, Running};
use crate::caller::asking;

/// A receiver that is away for as long as the test says: it answers 503 and forgets what came.
struct Receiver {
    url: String,
    away: Arc<AtomicBool>,
    /// Bodies that were taken.
    taken: Arc<Mutex<BTreeSet<String>>>,
}

impl Receiver {
    async fn away() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            away: Arc::new(AtomicBool::new(true)),
            taken: Arc::default(),
        };
        let (away, taken) = (Arc::clone(&receiver.away), Arc::clone(&receiver.taken));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(receive(socket, Arc::clone(&away), Arc::clone(&taken)));
            }
        });
        receiver
    }

    fn is_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    /// Waits until so many different events were taken.
    async fn took(&self, count: usize) {
        for _ in 0..4_000 {
            if self.taken.lock().unwrap().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("of {count} came {:?}", self.taken.lock().unwrap());
    }
}

async fn receive(
    mut socket: TcpStream,
    away: Arc<AtomicBool>,
    taken: Arc<Mutex<BTreeSet<String>>>,
) -> Option<()> {
    let mut text = String::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = socket.read(&mut buffer).await.ok()?;
        text.push_str(std::str::from_utf8(&buffer[..read]).ok()?);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.parse::<usize>())
        });
        if body.len() < length?.ok()? {
            continue;
        }
        let status = if away.load(Ordering::SeqCst) {
            "503 Away"
        } else {
            taken.lock().unwrap().insert(body.to_owned());
            "204 Taken"
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        socket.write_all(answer.as_bytes()).await.ok()?;
        return Some(());
    }
}

/// One that tries again soon, and for long.
fn patient() -> Value {
    let delays_ms = [[300; 15].as_slice(), &[5_000; 5]].concat();
    json!({ "webhooks": { "delays_ms": delays_ms, "disable_failing": false } })
}

#[tokio::test]
async fn deliveries_and_notices_go_on_after_a_kill_without_a_request() {
    let folder = Folder::new();
    let (hook, slack) = (Receiver::away().await, Receiver::away().await);
    let running = Running::start(&folder.file());
    for session in ["default", "other"] {
        let path = |path: &str| format!("{path}?session={session}");
        let mut options = patient();
        options["integrations"] = json!([{
            "name": "ops", "template": "{{ id }} in ".to_owned() + session, "slack": {"url": slack.url}
        }]);
        let set = running
            .admin("POST", &path("/admin/session"), options)
            .await;
        assert_eq!(set.status(), 200, "{:?}", set.json());
        let endpoint = json!({ "url": hook.url, "types": ["*"] });
        let made = running
            .admin("POST", &path("/admin/webhooks/endpoints"), endpoint)
            .await;
        assert_eq!(made.status(), 201, "{:?}", made.json());
        let event = json!({ "type": "load.happened", "data": { "session": session } });
        let sent = running
            .admin("POST", &path("/admin/webhooks/trigger"), event)
            .await;
        assert_eq!(sent.status(), 202);
    }
    running.kill();
    hook.is_back();
    slack.is_back();
    let running = Running::start(&folder.file());
    hook.took(2).await;
    slack.took(2).await;
    let deliveries = running.admin_get("/admin/webhooks/deliveries").await;
    assert_eq!(deliveries["deliveries"].as_array().unwrap().len(), 1);
}

/// A session that has a delivery to make.
async fn with_delivery(gateway: &Gateway, session: &str, hook: &Receiver) {
    let admin = async |path: &str, body: Value| {
        let path = format!("{path}?session={session}");
        let seen = asking(&gateway.admin_url(), "POST", &path)
            .json(&body)
            .send()
            .await;
        assert!(seen.status() < 300, "{:?}", seen.json());
    };
    admin("/admin/session", patient()).await;
    let endpoint = json!({ "url": hook.url, "types": ["*"] });
    admin("/admin/webhooks/endpoints", endpoint).await;
    let event = json!({ "type": "load.happened", "data": { "session": session } });
    admin("/admin/webhooks/trigger", event).await;
}

/// Waits until a session knows that its delivery was taken, and has no work any more.
async fn is_delivered(gateway: &Gateway, session: &str) {
    let path = format!("/admin/webhooks/deliveries?session={session}");
    for _ in 0..4_000 {
        let seen = asking(&gateway.admin_url(), "GET", &path).send().await;
        if seen.json()["deliveries"][0]["state"] == "delivered" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the delivery of {session} did not end");
}

#[tokio::test]
async fn more_sessions_with_work_than_places_all_go_on_by_themselves() {
    let folder = Folder::new();
    let hook = Receiver::away().await;
    let builder = || Gateway::builder().data(folder.file()).max_sessions(2);
    let gateway = builder().start().await.unwrap();
    for session in ["a", "b", "c", "d", "e"] {
        with_delivery(&gateway, session, &hook).await;
    }
    gateway.shutdown().await;
    let gateway = builder().start().await.unwrap();
    hook.is_back();
    hook.took(5).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_session_that_gives_its_place_goes_on_when_there_is_one() {
    let folder = Folder::new();
    let hook = Receiver::away().await;
    let builder = Gateway::builder().data(folder.file()).max_sessions(2);
    let gateway = builder.start().await.unwrap();
    for session in ["a", "b", "c", "d"] {
        with_delivery(&gateway, session, &hook).await;
    }
    hook.is_back();
    hook.took(4).await;
    for session in ["a", "b", "c", "d"] {
        is_delivered(&gateway, session).await;
    }
    // One without work gives its place before those that have some.
    hook.away.store(true, Ordering::SeqCst);
    with_delivery(&gateway, "busy", &hook).await;
    for idle in 0..5 {
        gateway.session(&format!("idle-{idle}")).unwrap();
        let health = asking(&gateway.admin_url(), "GET", "/admin/sessions")
            .send()
            .await;
        let sessions = health.json()["sessions"].to_string();
        assert!(sessions.contains("busy"), "{sessions}");
    }
    gateway.shutdown().await;
}
