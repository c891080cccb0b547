//! Idempotency keys: one side effect for each, whatever is sent again.

use std::time::Duration;

use gatewright_server_mock::OptionsChange;
use serde_json::json;

use crate::caller::{Asking, Caller};
use crate::limits::until;

fn create(caller: &Caller, key: &str) -> Asking {
    caller
        .ask("POST", "/v1/contacts")
        .header("idempotency-key", key)
        .json(&json!({"name": "Once"}))
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_and_has_no_effect() {
    let caller = Caller::new().await;
    let first = create(&caller, "k-1").send().await;
    assert_eq!(
        (first.status(), first.header("idempotency-replayed")),
        (201, None)
    );
    for _ in 0..3 {
        let again = create(&caller, "k-1").send().await;
        assert_eq!((again.status(), again.body()), (201, first.body()));
        assert_eq!(
            again.header("idempotency-replayed").as_deref(),
            Some("true")
        );
        for name in ["location", "etag", "content-type"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_ne!(again.header("request-id"), first.header("request-id"));
    }
    let effects = caller.session.effects("contacts.create");
    assert_eq!(
        (
            effects.count,
            effects.by_key.distinct,
            effects.by_key.duplicates
        ),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn quoted_and_bare_keys_are_the_same_key() {
    let caller = Caller::new().await;
    create(&caller, "\"k-1\"").send().await;
    let again = create(&caller, "k-1").send().await;
    assert_eq!(
        again.header("idempotency-replayed").as_deref(),
        Some("true")
    );
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant_method_and_path() {
    let caller = Caller::new().await;
    create(&caller, "k").send().await;
    let other_tenant =
        create(&caller, "k").header("authorization", "Bearer sk_test_unlimited_globex");
    assert_eq!(
        other_tenant.send().await.header("idempotency-replayed"),
        None
    );
    for (method, path) in [
        ("POST", "/v1/users"),
        ("PATCH", "/v1/contacts/ct_000001"),
        ("PATCH", "/v1/contacts/ct_000002"),
    ] {
        let body = json!({"name": "Once", "email": "once@example.com"});
        let seen = caller
            .ask(method, path)
            .header("idempotency-key", "k")
            .json(&body)
            .send()
            .await;
        assert!(seen.status() < 300, "{}", seen.status());
        assert_eq!(seen.header("idempotency-replayed"), None, "{method} {path}");
    }
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let caller = Caller::new().await;
    create(&caller, "k").send().await;
    let other = create(&caller, "k")
        .json(&json!({"name": "Twice"}))
        .send()
        .await;
    assert_eq!(
        (other.status(), &other.json()["code"]),
        (422, &json!("idempotency_key_reused"))
    );
    assert_eq!(
        other.json()["type"],
        "https://gatewright.dev/problems/idempotency-key-reused"
    );
    assert_eq!(other.json()["retryable"], false);
    assert_eq!(caller.session.effects("contacts.create").count, 1);
}

#[tokio::test]
async fn while_the_first_is_in_flight_the_second_gets_409() {
    let caller = Caller::new().await;
    // Both are slow: whichever of them has the key, the other one comes while it is in flight.
    let slow = create(&caller, "k").header("x-mock-fault", "latency=3000");
    let other = slow.clone();
    let first = tokio::spawn(async move { other.send().await });
    until(|| !caller.session.journal(0).is_empty()).await;
    let (first, second) = (slow.send().await, first.await.unwrap());
    let (first, second) = match first.status() {
        409 => (second, first),
        _ => (first, second),
    };
    assert_eq!(
        (second.status(), &second.json()["code"]),
        (409, &json!("idempotency_in_flight"))
    );
    assert_eq!(
        second.json()["type"],
        "https://gatewright.dev/problems/idempotency-in-flight"
    );
    assert_eq!(second.header("retry-after").as_deref(), Some("1"));
    assert_eq!(second.json()["retryable"], true);
    assert_eq!(first.status(), 201);
    let third = create(&caller, "k").send().await;
    assert_eq!(
        (
            third.status(),
            third.header("idempotency-replayed").as_deref()
        ),
        (201, Some("true"))
    );
}

#[tokio::test]
async fn of_many_at_once_one_has_the_effect() {
    let caller = Caller::new().await;
    let sent: Vec<_> = (0..40)
        .map(|_| {
            let asking = create(&caller, "k").header("x-mock-fault", "latency=20");
            tokio::spawn(async move { asking.send().await })
        })
        .collect();
    let mut created = 0;
    for task in sent {
        let seen = task.await.unwrap();
        match seen.status() {
            201 if seen.header("idempotency-replayed").is_none() => created += 1,
            201 | 409 => {}
            other => panic!("got {other}"),
        }
    }
    assert_eq!(
        (created, caller.session.effects("contacts.create").count),
        (1, 1)
    );
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_the_effect() {
    let caller = Caller::new().await;
    let slow = create(&caller, "k").header("x-mock-fault", "latency=2000");
    let mut socket = slow.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut socket, &slow.bytes())
        .await
        .unwrap();
    until(|| !caller.session.journal(0).is_empty()).await;
    drop(socket);
    // The journal has its end a moment after the effect.
    until(|| caller.session.journal(0)[0].outcome.is_some()).await;
    assert_eq!(caller.session.effects("contacts.create").count, 1);
    let entry = &caller.session.journal(0)[0];
    assert_eq!(
        (entry.committed, entry.status, entry.outcome),
        (true, None, Some(201))
    );
    let again = create(&caller, "k").send().await;
    assert_eq!(
        (
            again.status(),
            again.header("idempotency-replayed").as_deref()
        ),
        (201, Some("true"))
    );
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day_of_the_clock() {
    let caller = Caller::new().await;
    caller.session.freeze();
    create(&caller, "k").send().await;
    caller
        .session
        .advance(Duration::from_millis(24 * 3_600_000 - 1))
        .await;
    assert!(
        create(&caller, "k")
            .send()
            .await
            .header("idempotency-replayed")
            .is_some()
    );
    caller.session.advance(Duration::from_millis(1)).await;
    assert!(
        create(&caller, "k")
            .send()
            .await
            .header("idempotency-replayed")
            .is_none()
    );
    assert_eq!(
        caller.session.effects("contacts.create").by_key.duplicates,
        1
    );
}

#[tokio::test]
async fn client_errors_are_replayed_server_errors_are_not() {
    let caller = Caller::new().await;
    let wrong = caller
        .ask("POST", "/v1/contacts")
        .header("idempotency-key", "w")
        .json(&json!({}));
    let first = wrong.send().await;
    let again = wrong.send().await;
    assert_eq!(
        (first.status(), again.status(), again.body()),
        (422, 422, first.body())
    );
    assert_eq!(
        again.header("idempotency-replayed").as_deref(),
        Some("true")
    );

    let faulty = create(&caller, "f").header("x-mock-fault", "500,ok");
    assert_eq!(faulty.send().await.status(), 500);
    let second = faulty.send().await;
    assert_eq!(
        (second.status(), second.header("idempotency-replayed")),
        (201, None)
    );
}

#[tokio::test]
async fn where_a_key_is_required_its_absence_is_400() {
    let caller = Caller::new().await;
    let by_query = caller
        .post("/v1/contacts?require_key=1", json!({"name": "N"}))
        .await;
    assert_eq!(
        (by_query.status(), &by_query.json()["code"]),
        (400, &json!("idempotency_key_required"))
    );
    let strict: OptionsChange =
        serde_json::from_str(r#"{"require_idempotency_key":true}"#).unwrap();
    caller.session.set(strict).unwrap();
    assert_eq!(
        caller
            .post("/v1/contacts", json!({"name": "N"}))
            .await
            .status(),
        400
    );
    assert_eq!(create(&caller, "k").send().await.status(), 201);
    assert_eq!(caller.get("/v1/contacts").await.status(), 200);
}

#[tokio::test]
async fn keys_that_cannot_be_kept_are_refused() {
    let caller = Caller::new().await;
    for key in ["", &"k".repeat(256)] {
        let seen = create(&caller, key).send().await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!("invalid_idempotency_key"))
        );
    }
}
