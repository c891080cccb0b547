//! Snapshots: a session as one document, put back here, elsewhere, and into a file.

use serde_json::{Value, json};

use super::child::{Folder, Running, create};
use crate::caller::Caller;

#[tokio::test]
async fn a_session_is_put_back_as_it_was() {
    let caller = Caller::new().await;
    let url = caller.gateway.url();
    let mine = |key: &str| create(&url, key).header("x-mock-session", "test");
    let first = mine("k").send().await;
    let snapshot = caller.session.snapshot().unwrap();
    mine("later").send().await;
    caller.ask("DELETE", "/v1/contacts/ct_000001").send().await;
    caller.session.freeze();

    caller.session.restore(&snapshot).unwrap();
    assert_eq!(caller.session.effects("contacts.create").count, 1);
    assert!(!caller.session.clock().frozen);
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
    assert_eq!(caller.get("/v1/contacts/ct_000047").await.status(), 404);
    let again = mine("k").send().await;
    assert_eq!((again.status(), again.body()), (201, first.body()));
    assert_eq!(mine("later").send().await.json()["id"], "ct_000047");
    let events = caller.get("/v1/events").await.json();
    assert_eq!(events["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_snapshot_of_memory_starts_a_session_in_a_file() {
    let caller = Caller::new().await;
    let url = caller.gateway.url();
    create(&url, "k")
        .header("x-mock-session", "test")
        .send()
        .await;
    let taken = caller
        .admin("GET", "/admin/snapshot?session=test")
        .send()
        .await;
    assert_eq!(taken.status(), 200);
    let snapshot: Value = taken.json();
    assert_eq!(snapshot["session"], "test");

    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let restored = running.admin("POST", "/admin/snapshot", snapshot).await;
    assert_eq!(restored.status(), 200, "{:?}", restored.json());
    running.kill();
    let running = Running::start(&folder.file());
    let again = running.create("k").send().await;
    assert_eq!(
        again.header("idempotency-replayed").as_deref(),
        Some("true")
    );
    assert_eq!(running.created().await["count"], 1);
    assert_eq!(running.events().await.len(), 1);
}

#[tokio::test]
async fn what_is_no_snapshot_changes_nothing() {
    let caller = Caller::new().await;
    caller.post("/v1/contacts", json!({"name": "Stays"})).await;
    let whole = caller.session.snapshot().unwrap();
    for (wrong, expected) in [
        ("{}".to_owned(), "this is no snapshot"),
        (
            whole.replace(r#""gatewright_snapshot":1"#, r#""gatewright_snapshot":2"#),
            "has layout 2",
        ),
        (whole.replace("ct_000046", "\u{1}"), "this is no snapshot"),
        (
            whole.replace(r#""kind":"record""#, r#""kind":"teapot""#),
            "teapot",
        ),
        (
            whole.replace(r#""version":1"#, r#""version":"one""#),
            "record",
        ),
    ] {
        let refused = caller.session.restore(&wrong).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        let asking = caller
            .admin("POST", "/admin/snapshot?session=test")
            .body(wrong);
        assert_eq!(asking.send().await.status(), 422);
    }
    let seen = caller.get("/v1/contacts/ct_000046").await;
    assert_eq!(
        (seen.status(), &seen.json()["name"]),
        (200, &json!("Stays"))
    );
    assert_eq!(caller.session.effects("contacts.create").count, 1);
}
