//! Webhook endpoints on the data port: a resource of each tenant, with filters, rotation, tests, and what switches them off.

use std::time::Duration;

use gatewright_server_mock::DeliveryState;
use gatewright_webhook::Webhook;
use serde_json::{Value, json};

use crate::caller::{Asking, Caller, Seen};
use crate::receiver::{Received, Receiver};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

async fn frozen() -> Caller {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller
}

/// Creates an endpoint and answers with what came back.
async fn endpoint(caller: &Caller, receiver: &Receiver, mut settings: Value) -> Value {
    settings["url"] = json!(receiver.url);
    let made = caller.post(ENDPOINTS, settings).await;
    assert_eq!(made.status(), 201, "{}", made.json());
    made.json()
}

fn of(endpoint: &Value) -> String {
    format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap())
}

fn other(caller: &Caller, method: &str, path: &str) -> Asking {
    let asking = caller.anonymous(method, path);
    asking.header("authorization", "Bearer sk_test_unlimited_other")
}

fn now_s(caller: &Caller) -> i64 {
    (caller.session.clock().now_ms / 1_000) as i64
}

fn verifies(received: &Received, secret: &Value, now_s: i64) -> bool {
    let webhook = Webhook::new([secret.as_str().unwrap()]).unwrap();
    webhook
        .verify(&received.body, &received.headers(), now_s)
        .is_ok()
}

fn signatures(received: &Received) -> usize {
    received.header("webhook-signature").split(' ').count()
}

#[tokio::test]
async fn an_endpoint_is_a_resource_with_entity_tags_and_its_secret_is_shown_once() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let new = json!({"url": receiver.url, "types": ["contact.*"], "description": "mine"});
    let made = caller.post(ENDPOINTS, new).await;
    let path = of(&made.json());
    assert_eq!(
        (made.status(), made.header("location")),
        (201, Some(path.clone()))
    );
    assert!(
        made.json()["secret"]
            .as_str()
            .unwrap()
            .starts_with("whsec_")
    );
    let read = caller.get(&path).await;
    assert_eq!(read.header("etag"), made.header("etag"));
    let mut shown = made.json();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(read.json(), shown);
    assert_eq!(
        (
            &shown["enabled"],
            &shown["ordered"],
            &shown["max_in_flight"]
        ),
        (&json!(true), &json!(false), &json!(8))
    );
    let etag = read.header("etag").unwrap();
    let again = caller.ask("GET", &path).header("if-none-match", &etag);
    assert_eq!(again.send().await.status(), 304);

    let patch = |etag: &str| {
        let asking = caller.ask("PATCH", &path).header("if-match", etag);
        asking.json(&json!({"types": ["user.*"], "description": null}))
    };
    let patched = patch(&etag).send().await;
    assert_eq!(patched.status(), 200);
    assert_eq!(patched.json()["types"], json!(["user.*"]));
    assert_eq!(patched.json()["description"], json!(null));
    assert_eq!(patched.json()["version"], 2);
    assert!(patched.json().get("secret").is_none());
    assert_eq!(patch(&etag).send().await.status(), 412);
    let put = caller.ask("PUT", &path).json(&json!({"url": receiver.url}));
    assert_eq!(put.send().await.json()["types"], json!([]));
    let list = caller.get(ENDPOINTS).await.json();
    assert_eq!(
        (list["data"][0]["id"].clone(), &list["has_more"]),
        (shown["id"].clone(), &json!(false))
    );
    let stale = caller.ask("DELETE", &path).header("if-match", &etag);
    assert_eq!(stale.send().await.status(), 412);
    assert_eq!(caller.ask("DELETE", &path).send().await.status(), 204);
    assert_eq!(caller.get(&path).await.status(), 404);
}

#[tokio::test]
async fn lists_have_pages_and_a_repeated_key_makes_one_endpoint() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    for _ in 0..5 {
        endpoint(&caller, &receiver, json!({})).await;
    }
    let mut path = format!("{ENDPOINTS}?limit=2");
    let mut ids = Vec::new();
    loop {
        let page = caller.get(&path).await.json();
        let data = page["data"].as_array().unwrap().clone();
        ids.extend(
            data.iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{ENDPOINTS}?limit=2&cursor={cursor}");
    }
    assert_eq!(
        ids,
        [
            "ep_000001",
            "ep_000002",
            "ep_000003",
            "ep_000004",
            "ep_000005"
        ]
    );
    let once = caller
        .ask("POST", ENDPOINTS)
        .header("idempotency-key", "k")
        .json(&json!({"url": receiver.url}));
    let (first, second) = (once.send().await, once.send().await);
    assert_eq!(first.json(), second.json());
    assert_eq!(
        second.header("idempotency-replayed").as_deref(),
        Some("true")
    );
    assert_eq!(caller.session.endpoints().len(), 6);
    assert_eq!(caller.session.effects("webhook_endpoints.create").count, 6);
}

#[tokio::test]
async fn a_tenant_sees_its_own_and_gets_its_own_events() {
    let caller = frozen().await;
    let (mine, theirs) = tokio::join!(Receiver::answering(&[]), Receiver::answering(&[]));
    let own = endpoint(&caller, &mine, json!({})).await;
    let made = other(&caller, "POST", ENDPOINTS).json(&json!({"url": theirs.url}));
    assert_eq!(made.send().await.status(), 201);
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    assert_eq!((mine.received().len(), theirs.received().len()), (1, 0));
    for (method, path) in [
        ("GET", of(&own)),
        ("PATCH", of(&own)),
        ("DELETE", of(&own)),
        ("POST", format!("{}/rotate", of(&own))),
        ("POST", format!("{}/test", of(&own))),
        ("GET", "/v1/webhook_deliveries/dlv_000001".into()),
        ("POST", "/v1/webhook_deliveries/dlv_000001/redeliver".into()),
        ("DELETE", "/v1/webhook_dead_letters/dlv_000001".into()),
    ] {
        let seen = other(&caller, method, &path).json(&json!({})).send().await;
        assert_eq!(seen.status(), 404, "{method} {path}");
    }
    let none = other(&caller, "GET", "/v1/webhook_deliveries").send().await;
    assert_eq!(none.json()["data"], json!([]));
}

#[tokio::test]
async fn scopes_are_asked_for() {
    let caller = frozen().await;
    let readonly = |method: &str, path: &str| {
        let asking = caller.anonymous(method, path);
        asking.header("authorization", "Bearer sk_test_unlimited_acme_readonly")
    };
    assert_eq!(readonly("GET", ENDPOINTS).send().await.status(), 200);
    let refused = readonly("POST", ENDPOINTS).json(&json!({})).send().await;
    assert_eq!(
        (refused.status(), &refused.json()["required_scope"]),
        (403, &json!("webhooks:write"))
    );
}

#[tokio::test]
async fn what_is_wrong_with_settings_is_said_field_by_field() {
    let caller = frozen().await;
    let wrong = |settings: Value| async {
        let refused = caller.post(ENDPOINTS, settings).await;
        assert_eq!(refused.status(), 422);
        let errors = refused.json()["errors"].as_array().unwrap().clone();
        let named = errors.iter().map(|error| {
            format!(
                "{} {}",
                error["pointer"].as_str().unwrap(),
                error["code"].as_str().unwrap()
            )
        });
        named.collect::<Vec<_>>()
    };
    assert_eq!(wrong(json!({})).await, ["/url required"]);
    let settings = json!({
        "url": "http://10.0.0.1/",
        "types": ["contact.created", "two words"],
        "filter": "$.data.amount => 100",
        "headers": {"Webhook-Id": "1", "x-good": "1"},
        "max_in_flight": 33,
        "timeout_ms": 99
    });
    assert_eq!(
        wrong(settings).await,
        [
            "/url invalid_url",
            "/types/1 invalid_type",
            "/filter invalid_filter",
            "/headers/Webhook-Id reserved_header",
            "/max_in_flight out_of_range",
            "/timeout_ms out_of_range"
        ]
    );
    let url = "http://127.0.0.1:9/";
    let both = json!({"url": url, "ordered": true, "max_in_flight": 2});
    assert_eq!(wrong(both).await, ["/max_in_flight conflict"]);
    let kinds = json!({"url": 1, "types": "x", "ordered": 1, "headers": []});
    assert_eq!(wrong(kinds).await.len(), 4);
    let filter = json!({"url": url, "filter": "$.data.amount => 100"});
    let refused = caller.post(ENDPOINTS, filter).await.json();
    assert_eq!(
        refused["filter_error"],
        json!({"at": 15, "expected": "==, !=, <, <=, >, >=, in or matches", "found": "`=`"})
    );
    assert!(caller.session.endpoints().is_empty());
}

#[tokio::test]
async fn filters_choose_among_events_by_what_they_contain() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let settings = json!({
        "types": ["*.created", "invoice.paid"],
        "filter": "$.data.email matches '*@example.com' || $.data.amount >= 100 && $.data.tags[*] == \"vip\""
    });
    let made = endpoint(&caller, &receiver, settings).await;
    for email in ["ada@example.com", "bob@example.org"] {
        caller
            .post("/v1/contacts", json!({"name": "A", "email": email}))
            .await;
    }
    for (amount, tags) in [
        (250, json!(["new", "vip"])),
        (250, json!([])),
        (99, json!(["vip"])),
    ] {
        let event = json!({"type": "invoice.paid", "data": {"amount": amount, "tags": tags}});
        let trigger = caller.admin("POST", "/admin/webhooks/trigger?session=test");
        assert_eq!(trigger.json(&event).send().await.status(), 202);
    }
    caller.session.settle().await;
    let data = |one: &Received| {
        let body: Value = serde_json::from_slice(&one.body).unwrap();
        body["data"].clone()
    };
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert!(
        received
            .iter()
            .any(|one| data(one)["email"] == "ada@example.com")
    );
    assert!(
        received
            .iter()
            .any(|one| data(one)["tags"] == json!(["new", "vip"]))
    );
    // Taken away, everything of these types comes.
    let patch = caller
        .ask("PATCH", &of(&made))
        .json(&json!({"filter": null}));
    assert_eq!(patch.send().await.json()["filter"], json!(null));
    caller.post("/v1/contacts", json!({"name": "B"})).await;
    caller.session.settle().await;
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn while_a_rotation_overlaps_old_and_new_secrets_verify_and_then_only_the_new() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let made = endpoint(&caller, &receiver, json!({"key_pair": true})).await;
    let send = || async {
        caller.post("/v1/contacts", json!({"name": "Grace"})).await;
        caller.session.settle().await;
        receiver.received().last().unwrap().clone()
    };
    let before = send().await;
    assert_eq!(signatures(&before), 2);
    let rotate = caller.ask("POST", &format!("{}/rotate", of(&made)));
    let rotated = rotate.json(&json!({"overlap_s": 60})).send().await;
    assert_eq!(rotated.status(), 200);
    let rotated = rotated.json();
    let keys = |one: &Value| [one["secret"].clone(), one["public_key"].clone()];
    let (old, new) = (keys(&made), keys(&rotated));
    assert!(old[0] != new[0] && old[1] != new[1]);
    assert!(rotated["old_secrets_until"].is_string());

    let during = send().await;
    assert_eq!(signatures(&during), 4);
    for key in old.iter().chain(&new) {
        assert!(verifies(&during, key, now_s(&caller)), "{key}");
    }
    for key in &new {
        assert!(!verifies(&before, key, now_s(&caller)));
    }
    caller.session.advance(Duration::from_secs(60)).await;
    let after = send().await;
    assert_eq!(signatures(&after), 2);
    for (old, new) in old.iter().zip(&new) {
        assert!(verifies(&after, new, now_s(&caller)) && !verifies(&after, old, now_s(&caller)));
    }
    assert_eq!(
        caller.get(&of(&made)).await.json()["old_secrets_until"],
        json!(null)
    );
    // Without an overlap at once.
    let rotate = caller.ask("POST", &format!("{}/rotate", of(&made)));
    let last = rotate.json(&json!({"overlap_s": 0})).send().await.json();
    let at_once = send().await;
    assert!(verifies(&at_once, &last["secret"], now_s(&caller)));
    assert!(!verifies(&at_once, &new[0], now_s(&caller)));
}

#[tokio::test]
async fn a_retry_is_signed_with_the_secrets_of_its_own_time() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500]).await;
    let made = endpoint(&caller, &receiver, json!({})).await;
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let rotate = caller.ask("POST", &format!("{}/rotate", of(&made)));
    let rotated = rotate.json(&json!({"overlap_s": 0})).send().await.json();
    caller.session.advance(Duration::from_secs(10)).await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    assert_ne!(
        received[0].header("webhook-timestamp"),
        received[1].header("webhook-timestamp")
    );
    assert!(verifies(&received[0], &made["secret"], now_s(&caller)));
    assert!(verifies(&received[1], &rotated["secret"], now_s(&caller)));
    assert!(!verifies(&received[1], &made["secret"], now_s(&caller)));
}

#[tokio::test]
async fn a_test_is_sent_whatever_is_subscribed_to_but_not_to_a_disabled_endpoint() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let made = endpoint(&caller, &receiver, json!({"types": ["nothing"]})).await;
    let test = caller.ask("POST", &format!("{}/test", of(&made)));
    assert_eq!(test.send().await.status(), 202);
    let other = test
        .clone()
        .json(&json!({"type": "invoice.paid", "data": {"amount": 5}}));
    assert_eq!(other.send().await.json()["type"], "invoice.paid");
    caller.session.settle().await;
    let mut kinds: Vec<String> = receiver
        .received()
        .iter()
        .map(|one| serde_json::from_slice::<Value>(&one.body).unwrap()["type"].to_string())
        .collect();
    kinds.sort();
    assert_eq!(kinds, [r#""invoice.paid""#, r#""webhook_endpoint.test""#]);
    caller
        .ask("PATCH", &of(&made))
        .json(&json!({"enabled": false}))
        .send()
        .await;
    let refused = test.send().await;
    assert_eq!(
        (refused.status(), &refused.json()["code"]),
        (409, &json!("endpoint_disabled"))
    );
}

#[tokio::test]
async fn an_endpoints_own_headers_are_sent_and_credentials_shown_in_part() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let headers = json!({"X-Tenant": "acme", "Authorization": "Bearer 0123456789abcdef"});
    let made = endpoint(&caller, &receiver, json!({"headers": headers})).await;
    let shown = json!({"x-tenant": "acme", "authorization": "Bearer ***cdef"});
    assert_eq!(made["headers"], shown);
    // Sent back as they were shown they stay; null takes one away.
    let patch =
        json!({"headers": {"authorization": "Bearer ***cdef", "x-tenant": null, "x-new": "1"}});
    let patched = caller.ask("PATCH", &of(&made)).json(&patch).send().await;
    assert_eq!(
        patched.json()["headers"],
        json!({"authorization": "Bearer ***cdef", "x-new": "1"})
    );
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let received = &receiver.received()[0];
    assert_eq!(received.header("authorization"), "Bearer 0123456789abcdef");
    assert_eq!(received.header("x-new"), "1");
    assert!(!received.head.contains("x-tenant"));
    assert!(verifies(received, &made["secret"], now_s(&caller)));
}

/// The events of a type that arrived.
fn of_type(receiver: &Receiver, kind: &str) -> Vec<Value> {
    let bodies = receiver.received();
    let bodies = bodies
        .iter()
        .map(|one| serde_json::from_slice::<Value>(&one.body).unwrap());
    bodies.filter(|body| body["type"] == kind).collect()
}

#[tokio::test]
async fn endpoints_that_are_gone_or_keep_failing_are_disabled_and_an_event_says_so() {
    for (answers, reason, attempts) in [(&[410][..], "gone", 1), (&[500; 8][..], "failing", 8)] {
        let caller = frozen().await;
        let (bad, watcher) = tokio::join!(Receiver::answering(answers), Receiver::answering(&[]));
        let made = endpoint(&caller, &bad, json!({"types": ["contact.created"]})).await;
        endpoint(&caller, &watcher, json!({"types": ["webhook_endpoint.*"]})).await;
        caller.post("/v1/contacts", json!({"name": "Grace"})).await;
        caller.session.run_until_idle().await;
        assert_eq!(bad.received().len(), attempts);
        let told = of_type(&watcher, "webhook_endpoint.disabled");
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["data"]["id"], &told[0]["data"]["reason"]),
            (&made["id"], &json!(reason))
        );
        assert_eq!(told[0]["data"]["last_status"], answers[0]);
        let shown = caller.get(&of(&made)).await.json();
        assert_eq!(
            (&shown["enabled"], &shown["disabled"]["reason"]),
            (&json!(false), &json!(reason))
        );
        assert!(shown["failing_since"].is_string());
        // Nothing more is sent, or queued.
        caller.post("/v1/contacts", json!({"name": "Grace"})).await;
        caller.session.run_until_idle().await;
        assert_eq!(bad.received().len(), attempts);
        let enabled = caller
            .ask("PATCH", &of(&made))
            .json(&json!({"enabled": true}));
        let enabled = enabled.send().await.json();
        assert_eq!(
            (&enabled["disabled"], &enabled["failing_since"]),
            (&json!(null), &json!(null))
        );
        caller.post("/v1/contacts", json!({"name": "Grace"})).await;
        caller.session.settle().await;
        assert_eq!(bad.received().len(), attempts + 1);
    }
}

#[tokio::test]
async fn who_succeeds_in_between_is_not_disabled() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500, 204, 500, 500, 500, 500, 500, 500, 500]).await;
    let made = endpoint(&caller, &receiver, json!({})).await;
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.run_until_idle().await;
    let states: Vec<_> = caller
        .session
        .deliveries()
        .iter()
        .map(|one| one.state)
        .collect();
    assert_eq!(states, [DeliveryState::Failed, DeliveryState::Delivered]);
    assert_eq!(caller.get(&of(&made)).await.json()["enabled"], true);
}

#[tokio::test]
async fn switching_off_makes_dead_letters_of_what_waits() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500]).await;
    let made = endpoint(&caller, &receiver, json!({})).await;
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let off = caller
        .ask("PATCH", &of(&made))
        .json(&json!({"enabled": false}));
    let off: Seen = off.send().await;
    assert_eq!(off.json()["disabled"]["reason"], "owner");
    let dead = caller.get("/v1/webhook_dead_letters").await.json();
    assert_eq!(dead["data"][0]["reason"], "endpoint_disabled");
    assert_eq!(dead["data"][0]["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_journal_keeps_no_credential_of_an_endpoint() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let headers = json!({"authorization": "Bearer 0123456789abcdef", "x-tenant": "acme"});
    let made = endpoint(&caller, &receiver, json!({"headers": headers})).await;
    let patch = json!({"headers": {"x-api-token": "0123456789abcdef"}});
    caller.ask("PATCH", &of(&made)).json(&patch).send().await;
    let entries = caller.session.journal(0);
    let sent = [json!({"url": receiver.url, "headers": headers}), patch];
    assert_eq!(entries.len(), sent.len());
    for (entry, sent) in entries.iter().zip(sent) {
        let kept = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            &entry.body_base64,
        );
        let kept = String::from_utf8(kept.unwrap()).unwrap();
        assert!(
            !kept.contains("0123456789ab") && kept.contains("***cdef"),
            "{kept}"
        );
        // Its length and hash are those of what arrived.
        assert_eq!(entry.body_length, sent.to_string().len() as u64);
        assert!(!kept.contains(&entry.body_sha256));
    }
    let kept = serde_json::to_string(&entries).unwrap();
    assert!(!kept.contains("0123456789ab"), "{kept}");
}
