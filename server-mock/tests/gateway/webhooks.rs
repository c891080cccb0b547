//! Webhooks: published by changes, signed, retried on the virtual clock, sent nowhere they must not go.

use std::time::Duration;

use gatewright_server_mock::{Delivery, DeliveryState, Disabled};
use gatewright_webhook::Webhook;
use serde_json::{Value, json};

use crate::caller::{Caller, nobody};
use crate::receiver::{Received, Receiver};

async fn frozen() -> Caller {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller
}

fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

fn now_s(caller: &Caller) -> i64 {
    (caller.session.clock().now_ms / 1_000) as i64
}

/// The instants of a delivery's attempts, in seconds after the first.
fn instants(delivery: &Delivery) -> Vec<f64> {
    let first = delivery.attempts[0].at_ms;
    delivery
        .attempts
        .iter()
        .map(|attempt| (attempt.at_ms - first) as f64 / 1_000.0)
        .collect()
}

#[tokio::test]
async fn every_change_of_a_record_is_sent_signed() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let endpoint = caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller
        .ask("PATCH", "/v1/contacts/ct_000046")
        .json(&json!({"name": "Grace H."}))
        .send()
        .await;
    caller.ask("DELETE", "/v1/contacts/ct_000046").send().await;
    caller
        .post(
            "/v1/users",
            json!({"name": "Alan", "email": "a@example.com"}),
        )
        .await;
    caller.session.settle().await;

    let mut received = receiver.received();
    // Deliveries of different events may overtake each other.
    received.sort_by_key(|one| body(one)["type"].as_str().unwrap().to_owned());
    let kinds: Vec<_> = received
        .iter()
        .map(|one| body(one)["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "contact.created",
            "contact.deleted",
            "contact.updated",
            "user.created"
        ]
    );
    let webhook = Webhook::new([&endpoint.secret]).unwrap();
    for one in &received {
        let verified = webhook
            .verify(&one.body, &one.headers(), now_s(&caller))
            .unwrap();
        assert_eq!(verified.message_id.as_deref(), body(one)["id"].as_str());
        assert!(one.head.starts_with("POST /hook?for=test HTTP/1.1"));
        assert_eq!(one.header("content-type"), "application/json");
    }
    assert_eq!(body(&received[2])["data"]["name"], "Grace H.");
    let mut tampered = received[0].body.clone();
    tampered[10] ^= 1;
    assert!(
        webhook
            .verify(&tampered, &received[0].headers(), now_s(&caller))
            .is_err()
    );
    assert!(
        caller
            .session
            .deliveries()
            .iter()
            .all(|delivery| delivery.state == DeliveryState::Delivered)
    );
}

#[tokio::test]
async fn endpoints_get_the_types_they_asked_for() {
    let caller = frozen().await;
    let (created, all_contacts, users) = tokio::join!(
        Receiver::answering(&[]),
        Receiver::answering(&[]),
        Receiver::answering(&[])
    );
    caller
        .session
        .subscribe(&created.url, &["contact.created"])
        .unwrap();
    caller
        .session
        .subscribe(&all_contacts.url, &["contact.*"])
        .unwrap();
    caller
        .session
        .subscribe(&users.url, &["user.created", "user.deleted"])
        .unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.ask("DELETE", "/v1/contacts/ct_000046").send().await;
    caller.session.settle().await;
    let counts = [
        created.received().len(),
        all_contacts.received().len(),
        users.received().len(),
    ];
    assert_eq!(counts, [1, 2, 0]);
}

#[tokio::test]
async fn a_change_that_did_not_happen_is_not_told() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"nobody": 1})).await;
    caller.ask("DELETE", "/v1/contacts/ct_999999").send().await;
    let twice = caller
        .ask("POST", "/v1/contacts")
        .header("idempotency-key", "k")
        .json(&json!({"name": "Once"}));
    twice.send().await;
    twice.send().await;
    caller.session.settle().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn failed_deliveries_are_retried_on_the_clock_and_signed_anew() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500, 503, 302]).await;
    let endpoint = caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    assert_eq!(receiver.received().len(), 1);
    // 5 s, then 5 min, then 30 min, each within a fifth.
    for (early_s, late_s, attempts) in [(3, 6, 2), (239, 360, 3), (1_439, 2_160, 4)] {
        caller.session.advance(Duration::from_secs(early_s)).await;
        assert_eq!(receiver.received().len(), attempts - 1, "too early");
        caller
            .session
            .advance(Duration::from_secs(late_s - early_s))
            .await;
        assert_eq!(receiver.received().len(), attempts, "too late");
    }
    let delivery = &caller.session.deliveries()[0];
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let statuses: Vec<_> = delivery
        .attempts
        .iter()
        .map(|attempt| attempt.status)
        .collect();
    assert_eq!(statuses, [Some(500), Some(503), Some(302), Some(204)]);

    let received = receiver.received();
    let webhook = Webhook::new([&endpoint.secret]).unwrap();
    for (one, attempt) in received.iter().zip(&delivery.attempts) {
        assert_eq!(one.header("webhook-id"), delivery.event);
        assert_eq!(
            one.header("webhook-timestamp"),
            (attempt.at_ms / 1_000).to_string()
        );
        assert_eq!(one.body, received[0].body);
        assert!(
            webhook
                .verify(&one.body, &one.headers(), (attempt.at_ms / 1_000) as i64)
                .is_ok()
        );
    }
}

#[tokio::test]
async fn after_eight_attempts_over_a_day_a_delivery_fails_and_its_endpoint_is_disabled() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500; 20]).await;
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.run_until_idle().await;
    let delivery = &caller.session.deliveries()[0];
    assert_eq!(
        (delivery.state, delivery.attempts.len()),
        (DeliveryState::Failed, 8)
    );
    let expected = [
        0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0,
    ];
    let at = instants(delivery);
    for (n, wait) in expected.iter().enumerate().skip(1) {
        let waited = at[n] - at[n - 1];
        assert!(
            (wait * 0.8..=wait * 1.2 + 1.0).contains(&waited),
            "attempt {n} after {waited} s"
        );
    }
    assert_eq!(
        caller.session.endpoints()[0].disabled,
        Some(Disabled::Failing)
    );
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.run_until_idle().await;
    assert_eq!(receiver.received().len(), 8);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_at_once_and_can_be_enabled() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[410]).await;
    let endpoint = caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.run_until_idle().await;
    let delivery = &caller.session.deliveries()[0];
    assert_eq!(
        (delivery.state, delivery.attempts.len()),
        (DeliveryState::Failed, 1)
    );
    assert_eq!(caller.session.endpoints()[0].disabled, Some(Disabled::Gone));
    let enable = caller
        .admin("POST", "/admin/webhooks/enable?session=test")
        .json(&json!({"endpoint": endpoint.id}));
    assert_eq!(enable.send().await.json()["disabled"], json!(null));
    caller.session.redeliver(&delivery.id).unwrap();
    caller.session.settle().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let caller = frozen().await;
    let elsewhere = Receiver::answering(&[]).await;
    let redirect = format!(
        "HTTP/1.1 307 Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        elsewhere.url
    );
    let receiver = Receiver::start([redirect].into()).await;
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    assert_eq!(
        (receiver.received().len(), elsewhere.received().len()),
        (1, 0)
    );
    assert_eq!(caller.session.deliveries()[0].attempts[0].status, Some(307));
}

#[tokio::test]
async fn on_a_running_clock_a_retry_comes_by_itself() {
    let caller = Caller::new().await;
    let receiver = Receiver::answering(&[500]).await;
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let next = caller.session.deliveries()[0].next_attempt_ms.unwrap();
    // To two seconds before the retry; real time does the rest.
    let now = caller.session.clock().now_ms;
    let ahead = Duration::from_millis(next.saturating_sub(now + 2_000));
    caller.session.advance(ahead).await;
    assert_eq!(receiver.received().len(), 1);
    crate::limits::until(|| receiver.received().len() == 2).await;
}

#[tokio::test]
async fn both_signatures_are_sent_when_there_is_a_key_pair() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let made = caller
        .admin("POST", "/admin/webhooks/endpoints?session=test")
        .json(&json!({"url": receiver.url, "types": ["contact.created"], "key_pair": true}))
        .send()
        .await;
    assert_eq!(made.status(), 201);
    let endpoint = made.json();
    let sent = caller
        .admin("POST", "/admin/webhooks/send?session=test")
        .json(&json!({"endpoint": endpoint["id"], "type": "invoice.paid", "data": {"amount": 5}}))
        .send()
        .await;
    assert_eq!(
        (sent.status(), &sent.json()["type"]),
        (202, &json!("invoice.paid"))
    );
    caller.session.settle().await;
    let received = &receiver.received()[0];
    assert_eq!(body(received)["data"], json!({"amount": 5}));
    for key in [&endpoint["secret"], &endpoint["public_key"]] {
        let webhook = Webhook::new([key.as_str().unwrap()]).unwrap();
        assert!(
            webhook
                .verify(&received.body, &received.headers(), now_s(&caller))
                .is_ok(),
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_given_secret_signs_and_a_wrong_one_is_refused() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let new = |secret: &str| {
        caller
            .admin("POST", "/admin/webhooks/endpoints?session=test")
            .json(&json!({"url": receiver.url, "secret": secret}))
    };
    assert_eq!(new(secret).send().await.json()["secret"], secret);
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let received = &receiver.received()[0];
    let webhook = Webhook::new([secret]).unwrap();
    assert!(
        webhook
            .verify(&received.body, &received.headers(), now_s(&caller))
            .is_ok()
    );
    let refused = new("whsec_short").send().await;
    assert_eq!(refused.status(), 422);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("secret: ")
    );
}

#[tokio::test]
async fn webhooks_go_to_no_private_network_and_not_to_the_gateway() {
    let caller = frozen().await;
    let own = format!("{}/admin/reset", caller.gateway.admin_url());
    for url in [
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "ftp://x/",
        "nonsense",
        &own,
    ] {
        assert!(caller.session.subscribe(url, &[]).is_err(), "{url}");
    }
    let port = own.rsplit(':').next().unwrap();
    // A name is checked when it is looked up, and the address that was checked is the one connected to.
    let by_name = caller
        .session
        .subscribe(&format!("http://localhost:{port}"), &[])
        .unwrap();
    caller
        .session
        .send_webhook(&by_name.id, "test", json!(null))
        .unwrap();
    caller.session.settle().await;
    let attempt = &caller.session.deliveries()[0].attempts[0];
    assert_eq!(attempt.status, None);
    assert!(
        attempt
            .error
            .as_deref()
            .unwrap()
            .ends_with("is the gateway itself"),
        "{attempt:?}"
    );
}

#[tokio::test]
async fn a_refused_connection_is_retried_like_a_bad_answer() {
    let caller = frozen().await;
    let (_held, gone) = nobody();
    let url = format!("http://{gone}/");
    caller.session.subscribe(&url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let delivery = &caller.session.deliveries()[0];
    assert_eq!(delivery.state, DeliveryState::Pending);
    assert!(
        delivery.attempts[0]
            .error
            .as_deref()
            .unwrap()
            .starts_with("cannot connect to 127.0.0.1:")
    );
}

#[tokio::test]
async fn many_deliveries_all_arrive_once() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    caller
        .session
        .subscribe(&receiver.url, &["contact.created"])
        .unwrap();
    for number in 0..200 {
        caller
            .post("/v1/contacts", json!({"name": format!("n{number}")}))
            .await;
    }
    caller.session.settle().await;
    let mut ids: Vec<String> = receiver
        .received()
        .iter()
        .map(|one| one.header("webhook-id").into())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((receiver.received().len(), ids.len()), (200, 200));
}

#[tokio::test]
async fn removing_an_endpoint_ends_its_deliveries() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500]).await;
    let endpoint = caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    let path = format!("/admin/webhooks/endpoints?session=test&id={}", endpoint.id);
    assert_eq!(caller.admin("DELETE", &path).send().await.status(), 200);
    caller.session.run_until_idle().await;
    assert_eq!(caller.session.deliveries()[0].state, DeliveryState::Failed);
    assert_eq!(receiver.received().len(), 1);
    let list = caller
        .admin("GET", "/admin/webhooks/endpoints?session=test")
        .send()
        .await
        .json();
    assert_eq!(list, json!({"endpoints": []}));
}

#[tokio::test]
async fn a_reset_forgets_endpoints_and_deliveries() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[500]).await;
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    caller.session.reset();
    assert!(caller.session.endpoints().is_empty() && caller.session.deliveries().is_empty());
    caller.session.freeze();
    caller.session.subscribe(&receiver.url, &[]).unwrap();
    caller.post("/v1/contacts", json!({"name": "Grace"})).await;
    caller.session.settle().await;
    assert_eq!(receiver.received().len(), 2);
}
