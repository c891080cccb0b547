//! Endpoints that listen: deliveries on a connection of the receiver's own, with numbers, results and resumption.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_server_mock::{Delivery, DeliveryState};
use gatewright_webhook::Webhook;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::caller::Caller;

const PATIENCE: Duration = Duration::from_secs(20);

/// One connection of a listener, read as it comes.
struct Listening {
    socket: TcpStream,
    text: String,
}

impl Listening {
    async fn open(caller: &Caller, endpoint: &str, seen: Option<u64>) -> Self {
        let path = format!("/admin/webhooks/listen?session=test&id={endpoint}");
        let mut asking = caller.admin("GET", &path);
        if let Some(seen) = seen {
            asking = asking.header("last-event-id", &seen.to_string());
        }
        let mut socket = asking.connect().await;
        socket.write_all(&asking.bytes()).await.unwrap();
        let mut listening = Self {
            socket,
            text: String::new(),
        };
        // The head and the first lines: from here on it is heard.
        listening.read_past("retry: 500").await.unwrap();
        assert!(listening.text.is_empty() || !listening.text.contains("HTTP/1.1 4"));
        listening
    }

    /// What came before `mark`; `None`: the connection ended.
    async fn read_past(&mut self, mark: &str) -> Option<String> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some((before, after)) = self.text.split_once(mark) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.text = after;
                return Some(before);
            }
            match timeout(PATIENCE, self.socket.read(&mut buffer))
                .await
                .unwrap()
            {
                Ok(0) | Err(_) => return None,
                Ok(read) => self
                    .text
                    .push_str(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
    }

    /// The next delivery; its number is the event's id too.
    async fn next(&mut self) -> Option<Value> {
        let head = self.read_past("data: ").await?;
        let data: Value = serde_json::from_str(&self.read_past("\n\n").await?).unwrap();
        assert!(
            head.contains(&format!("id: {}\nevent: delivery", data["seq"])),
            "{head}"
        );
        Some(data)
    }
}

async fn listener(caller: &Caller, settings: Value) -> Value {
    let mut settings = settings;
    settings["listen"] = json!(true);
    let made = caller
        .admin("POST", "/admin/webhooks/endpoints?session=test")
        .json(&settings)
        .send()
        .await;
    assert_eq!(made.status(), 201, "{}", made.head());
    made.json()
}

async fn result(caller: &Caller, body: Value) -> Value {
    caller
        .admin("POST", "/admin/webhooks/results?session=test")
        .json(&body)
        .send()
        .await
        .json()
}

async fn trigger(caller: &Caller, kind: &str) -> Value {
    caller
        .admin("POST", "/admin/webhooks/trigger?session=test")
        .json(&json!({"type": kind}))
        .send()
        .await
        .json()
}

fn states(caller: &Caller) -> Vec<DeliveryState> {
    let deliveries = caller.session.deliveries();
    deliveries.iter().map(|delivery| delivery.state).collect()
}

fn statuses(delivery: &Delivery) -> Vec<Option<u16>> {
    let attempts = delivery.attempts.iter();
    attempts.map(|attempt| attempt.status).collect()
}

#[tokio::test]
async fn results_are_the_attempts() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let endpoint = listener(&caller, json!({})).await;
    let id = endpoint["id"].as_str().unwrap();
    assert_eq!(endpoint["url"], "listen:");
    let mut listening = Listening::open(&caller, id, None).await;
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;

    let first = listening.next().await.unwrap();
    let body = STANDARD.decode(first["body"].as_str().unwrap()).unwrap();
    let headers: Vec<(String, String)> = serde_json::from_value(first["headers"].clone()).unwrap();
    let webhook = Webhook::new([endpoint["secret"].as_str().unwrap()]).unwrap();
    let now = (caller.session.clock().now_ms / 1_000) as i64;
    let verified = webhook.verify(&body, &headers, now).unwrap();
    assert_eq!(verified.message_id.as_deref(), first["event"].as_str());
    assert_eq!(
        (&first["seq"], &first["attempt"], &first["type"]),
        (&json!(1), &json!(1), &json!("contact.created"))
    );
    let failed = json!({"endpoint": id, "seq": 1, "status": 503});
    assert_eq!(
        result(&caller, failed.clone()).await,
        json!({"counted": true})
    );
    caller.session.settle().await;
    assert_eq!(result(&caller, failed).await, json!({"counted": false}));

    // The next attempt is a message of its own, of the same event.
    let advancing = caller.session.clone();
    let advancing = tokio::spawn(async move { advancing.advance(Duration::from_secs(10)).await });
    let second = listening.next().await.unwrap();
    assert_eq!(
        (&second["seq"], &second["attempt"], &second["event"]),
        (&json!(2), &json!(2), &first["event"])
    );
    result(&caller, json!({"endpoint": id, "seq": 2, "status": 204})).await;
    advancing.await.unwrap();
    assert_eq!(
        statuses(&caller.session.deliveries()[0]),
        [Some(503), Some(204)]
    );
    assert_eq!(states(&caller), [DeliveryState::Delivered]);
}

#[tokio::test]
async fn what_happens_while_nobody_listens_waits() {
    let caller = Caller::new().await;
    let endpoint = listener(&caller, json!({"types": ["contact.*"]})).await;
    let id = endpoint["id"].as_str().unwrap();
    let triggered = trigger(&caller, "contact.updated").await;
    assert_eq!(triggered["deliveries"], 1);
    assert_eq!(trigger(&caller, "user.created").await["deliveries"], 0);
    // Even days later, and without an attempt used up.
    caller.session.freeze();
    caller.session.advance(Duration::from_secs(400_000)).await;
    caller.session.run_until_idle().await;
    assert_eq!(states(&caller), [DeliveryState::Pending]);
    assert!(caller.session.deliveries()[0].attempts.is_empty());

    let mut listening = Listening::open(&caller, id, None).await;
    let delivery = listening.next().await.unwrap();
    assert_eq!(delivery["event"], triggered["event"]);
    result(
        &caller,
        json!({"endpoint": id, "seq": delivery["seq"], "status": 200}),
    )
    .await;
    caller.session.settle().await;
    assert_eq!(states(&caller), [DeliveryState::Delivered]);
}

#[tokio::test]
async fn a_listener_that_comes_back_gets_what_it_missed() {
    let caller = Caller::new().await;
    let endpoint = listener(&caller, json!({})).await;
    let id = endpoint["id"].as_str().unwrap();
    let mut listening = Listening::open(&caller, id, None).await;
    for _ in 0..3 {
        trigger(&caller, "contact.updated").await;
    }
    let first = listening.next().await.unwrap();
    assert_eq!(first["seq"], 1);
    drop(listening);

    // It has seen the first, and nobody knows of the others: they come again under their numbers.
    let mut again = Listening::open(&caller, id, Some(1)).await;
    let seqs = [again.next().await.unwrap(), again.next().await.unwrap()];
    assert_eq!([&seqs[0]["seq"], &seqs[1]["seq"]], [&json!(2), &json!(3)]);
    for seq in 1..=3 {
        result(&caller, json!({"endpoint": id, "seq": seq, "status": 200})).await;
    }
    caller.session.settle().await;
    assert_eq!(states(&caller), [DeliveryState::Delivered; 3]);
}

#[tokio::test]
async fn without_a_result_the_attempt_has_failed() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let endpoint = listener(&caller, json!({"result_timeout_ms": 20})).await;
    let id = endpoint["id"].as_str().unwrap();
    let mut listening = Listening::open(&caller, id, None).await;
    trigger(&caller, "contact.updated").await;
    listening.next().await.unwrap();
    caller.session.settle().await;
    let delivery = &caller.session.deliveries()[0];
    assert_eq!(delivery.state, DeliveryState::Pending);
    assert_eq!(
        delivery.attempts[0].error.as_deref(),
        Some("no result within 20 ms")
    );
    let late = json!({"endpoint": id, "seq": 1, "status": 200});
    assert_eq!(result(&caller, late).await, json!({"counted": false}));
}

#[tokio::test]
async fn the_newest_connection_is_the_one_that_counts() {
    let caller = Caller::new().await;
    let endpoint = listener(&caller, json!({})).await;
    let id = endpoint["id"].as_str().unwrap();
    let mut old = Listening::open(&caller, id, None).await;
    let mut new = Listening::open(&caller, id, None).await;
    assert!(old.read_past("event: replaced").await.is_some());
    trigger(&caller, "contact.updated").await;
    assert_eq!(new.next().await.unwrap()["seq"], 1);

    // Without the endpoint there is nothing to listen to.
    caller
        .admin(
            "DELETE",
            &format!("/admin/webhooks/endpoints?session=test&id={id}"),
        )
        .send()
        .await;
    assert!(new.read_past("event: removed").await.is_some());
    caller.session.settle().await;
    assert_eq!(states(&caller), [DeliveryState::Failed]);
}

#[tokio::test]
async fn what_is_no_listener_is_refused() {
    let caller = Caller::new().await;
    let plain = caller
        .session
        .subscribe("http://127.0.0.1:9/", &[])
        .unwrap();
    let path = format!("/admin/webhooks/listen?session=test&id={}", plain.id);
    let refused = caller.admin("GET", &path).send().await;
    assert_eq!(refused.status(), 422);
    assert_eq!(
        refused.json()["detail"],
        format!("{} has an address; it does not listen", plain.id)
    );
    for (settings, why) in [
        (
            json!({"listen": true, "url": "http://127.0.0.1:9/"}),
            "url: an endpoint that listens has none",
        ),
        (
            json!({"listen": true, "result_timeout_ms": 0}),
            "result_timeout_ms: got 0 when expecting 1 to 600000",
        ),
        (
            json!({"url": "http://127.0.0.1:9/", "result_timeout_ms": 5}),
            "result_timeout_ms: only an endpoint that listens has it",
        ),
    ] {
        let refused = caller
            .admin("POST", "/admin/webhooks/endpoints?session=test")
            .json(&settings)
            .send()
            .await;
        assert_eq!(
            (refused.status(), &refused.json()["detail"]),
            (422, &json!(why))
        );
    }
    let endpoint = listener(&caller, json!({})).await;
    for wrong in [
        json!({"endpoint": endpoint["id"], "seq": 1}),
        json!({"endpoint": endpoint["id"], "seq": 1, "status": 99}),
        json!({"endpoint": endpoint["id"], "seq": 1, "status": 200, "error": "both"}),
    ] {
        assert_eq!(
            result(&caller, wrong).await["detail"],
            "say either a status from 100 to 599 or an error"
        );
    }
}
