//! The events resource: every change is in the list once, and a stream goes on where it broke.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::caller::{Caller, Seen};

async fn listed(caller: &Caller, query: &str) -> Value {
    let seen = caller.get(&format!("/v1/events{query}")).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.json());
    seen.json()
}

fn members(page: &Value, name: &str) -> Vec<Value> {
    let events = page["data"].as_array().unwrap();
    events.iter().map(|event| event[name].clone()).collect()
}

#[tokio::test]
async fn every_change_is_an_event_and_nothing_else_is() {
    let caller = Caller::new().await;
    let made = caller
        .post("/v1/contacts", json!({"name": "Ada"}))
        .await
        .json();
    let path = format!("/v1/contacts/{}", made["id"].as_str().unwrap());
    let patch = caller.ask("PATCH", &path).json(&json!({"name": "Grace"}));
    assert_eq!(patch.send().await.status(), 200);
    caller.post("/v1/contacts", json!({"nobody": 1})).await;
    caller.get(&path).await;
    assert_eq!(caller.ask("DELETE", &path).send().await.status(), 204);
    let page = listed(&caller, "").await;
    let types = ["contact.created", "contact.updated", "contact.deleted"];
    assert_eq!(members(&page, "type"), types);
    assert_eq!(members(&page, "sequence"), [1, 2, 3]);
    assert_eq!(page["data"][0]["data"], made);
    assert_eq!(page["data"][1]["data"]["name"], "Grace");
    assert_eq!(
        (&page["next_cursor"], &page["has_more"]),
        (&Value::Null, &json!(false))
    );
    let id = page["data"][1]["id"].as_str().unwrap();
    let one = caller.get(&format!("/v1/events/{id}")).await;
    assert_eq!((one.status(), &one.json()), (200, &page["data"][1]));
    let none = caller.get("/v1/events/evt_0000000000000000").await;
    assert_eq!(
        (none.status(), &none.json()["code"]),
        (404, &json!("not_found"))
    );
}

#[tokio::test]
async fn pages_and_types_leave_nothing_out_and_double_nothing() {
    let caller = Caller::new().await;
    for number in 0..25 {
        let body = json!({"name": "N", "email": "n@example.com"});
        let kind = if number % 5 == 0 { "users" } else { "contacts" };
        caller.post(&format!("/v1/{kind}"), body).await;
    }
    for (query, expected) in [
        ("?limit=7", (1..=25).collect::<Vec<u64>>()),
        ("?limit=2&type=user.*", vec![1, 6, 11, 16, 21]),
        (
            "?limit=100&type=user.created,contact.deleted",
            vec![1, 6, 11, 16, 21],
        ),
        ("?type=invoice.paid", vec![]),
    ] {
        let mut seen = Vec::new();
        let mut next = query.to_owned();
        loop {
            let page = listed(&caller, &next).await;
            seen.extend(members(&page, "sequence"));
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{query}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{query}");
    }
    for (query, code) in [
        ("?limit=0", "invalid_parameter"),
        ("?type=,", "invalid_parameter"),
        ("?cursor=nonsense", "invalid_cursor"),
    ] {
        let seen = caller.get(&format!("/v1/events{query}")).await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!(code)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_tenant_sees_its_own_events_only() {
    let caller = Caller::new().await;
    caller.post("/v1/contacts", json!({"name": "Mine"})).await;
    let page = listed(&caller, "").await;
    let id = page["data"][0]["id"].as_str().unwrap();
    for path in ["/v1/events".to_owned(), format!("/v1/events/{id}")] {
        let other = caller
            .ask("GET", &path)
            .header("authorization", "Bearer sk_test_unlimited_globex")
            .send()
            .await;
        let empty = other.status() == 404 || other.json()["data"] == json!([]);
        assert!(empty, "{path}: {:?}", other.json());
    }
}

/// A connection to the stream that is read event by event.
struct Following {
    socket: TcpStream,
    text: String,
}

/// One event of the stream.
#[derive(Debug, PartialEq)]
struct Told {
    id: u64,
    kind: String,
    data: Value,
}

impl Following {
    async fn open(caller: &Caller, query: &str, last: Option<&str>) -> Self {
        let mut asking = caller.ask("GET", &format!("/v1/events/stream{query}"));
        if let Some(last) = last {
            asking = asking.header("last-event-id", last);
        }
        let mut socket = asking.connect().await;
        socket.write_all(&asking.bytes()).await.unwrap();
        let mut following = Self {
            socket,
            text: String::new(),
        };
        let head = following.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        following.until("retry: 1000\n\n").await;
        following
    }

    /// What comes before `end`, and `end`.
    async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.text.find(end) {
                return self.text.drain(..at + end.len()).collect();
            }
            assert!(self.more().await, "the stream ended in {:?}", self.text);
        }
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4_096];
        let read = timeout(Duration::from_secs(20), self.socket.read(&mut buffer));
        let read = read.await.expect("nothing came").unwrap();
        self.text
            .push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        read > 0
    }

    async fn next(&mut self) -> Told {
        self.until("id: ").await;
        let id = self.until("\nevent: ").await;
        let kind = self.until("\ndata: ").await;
        let data = self.until("\n\n").await;
        Told {
            id: id.trim_end_matches("\nevent: ").parse().unwrap(),
            kind: kind.trim_end_matches("\ndata: ").into(),
            data: serde_json::from_str(&data).unwrap(),
        }
    }

    async fn ends(mut self) {
        while self.more().await {}
    }
}

async fn create(caller: &Caller, name: &str) -> Seen {
    caller.post("/v1/contacts", json!({ "name": name })).await
}

#[tokio::test]
async fn the_stream_tells_what_happens_from_now_on() {
    let caller = Caller::new().await;
    create(&caller, "Before").await;
    let mut following = Following::open(&caller, "?type=contact.*", None).await;
    let body = json!({"name": "N", "email": "n@example.com"});
    caller.post("/v1/users", body).await;
    create(&caller, "After").await;
    let told = following.next().await;
    assert_eq!((told.id, told.kind.as_str()), (3, "contact.created"));
    assert_eq!(told.data["data"]["name"], "After");
    assert_eq!(
        told.data,
        listed(&caller, "?type=contact.*").await["data"][1]
    );
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_after_the_last_event() {
    let caller = Caller::new().await;
    let mut following = Following::open(&caller, "?after=0", None).await;
    let mut seen = Vec::new();
    for round in 0..5 {
        for number in 0..4 {
            create(&caller, &format!("{round}-{number}")).await;
        }
        for _ in 0..3 {
            seen.push(following.next().await.id);
        }
        let last = seen.last().unwrap().to_string();
        drop(following);
        following = Following::open(&caller, "?after=0", Some(&last)).await;
    }
    while seen.len() < 20 {
        seen.push(following.next().await.id);
    }
    assert_eq!(seen, (1..=20).collect::<Vec<u64>>());
}

#[tokio::test]
async fn in_silence_a_comment_shows_that_the_stream_lives() {
    let caller = Caller::new().await;
    let mut following = Following::open(&caller, "?heartbeat_ms=10", None).await;
    for _ in 0..3 {
        following.until(":\n\n").await;
    }
    create(&caller, "Loud").await;
    assert_eq!(following.next().await.id, 1);
}

#[tokio::test]
async fn what_is_no_longer_there_is_said_to_be_gone() {
    let caller = Caller::new().await;
    let ask = |last: &str| {
        caller
            .ask("GET", "/v1/events/stream")
            .header("last-event-id", last)
    };
    // Of a log that never came so far.
    let seen = ask("7").send().await;
    assert_eq!(
        (seen.status(), &seen.json()["code"]),
        (410, &json!("events_gone"))
    );
    let wrong = ask("seven").send().await;
    let code = json!("invalid_last_event_id");
    assert_eq!((wrong.status(), &wrong.json()["code"]), (400, &code));
    // More events than a session remembers: the oldest are gone, and nobody is told that all is well.
    let name = "x".repeat(500);
    let body = json!({"name": name, "company": name}).to_string();
    let mut socket = ask("0").connect().await;
    let asking = caller
        .ask("POST", "/v1/contacts")
        .header("connection", "keep-alive")
        .header("content-type", "application/json")
        .body(body);
    let request = asking.bytes();
    let last = asking.header("connection", "close").bytes();
    let sending = async {
        let (mut reading, mut writing) = socket.split();
        let write = async {
            for _ in 0..10_000 {
                writing.write_all(&request).await.unwrap();
            }
            writing.write_all(&last).await.unwrap();
        };
        let read = async {
            let mut buffer = vec![0; 64 * 1024];
            while reading.read(&mut buffer).await.unwrap() > 0 {}
        };
        tokio::join!(write, read)
    };
    sending.await;
    assert_eq!(caller.session.effects("contacts.create").count, 10_001);
    let gone = ask("0").send().await;
    assert_eq!(gone.status(), 410);
    assert_eq!(
        (&gone.json()["oldest"], &gone.json()["last"]),
        (&json!(2), &json!(10_001))
    );
    let mut following = Following::open(&caller, "", Some("1")).await;
    assert_eq!(following.next().await.id, 2);
    let page = listed(&caller, "?limit=1").await;
    assert_eq!(members(&page, "sequence"), [2]);
}

#[tokio::test]
async fn a_stream_ends_with_the_log_it_is_of() {
    let caller = Caller::new().await;
    create(&caller, "One").await;
    let following = Following::open(&caller, "", None).await;
    caller.session.reset();
    following.ends().await;
    let following = Following::open(&caller, "", None).await;
    let forgotten = caller.admin("DELETE", "/admin/sessions?session=test");
    assert_eq!(forgotten.send().await.status(), 200);
    following.ends().await;
}

#[tokio::test]
async fn webhooks_carry_the_event_that_is_in_the_list() {
    let caller = Caller::new().await;
    let triggered = caller
        .admin("POST", "/admin/webhooks/trigger?session=test")
        .json(&json!({"type": "invoice.paid", "data": {"amount": 5}}))
        .send()
        .await;
    assert_eq!(triggered.status(), 202);
    let page = listed(&caller, "").await;
    assert_eq!(page["data"][0]["id"], triggered.json()["event"]);
    assert_eq!(page["data"][0]["type"], "invoice.paid");
    assert_eq!(page["data"][0]["data"], json!({"amount": 5}));
}
