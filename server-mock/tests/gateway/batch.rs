//! Keys of a batch's operations: each has its effect once, however batches are put together.

use gatewright_server_mock::OptionsChange;
use serde_json::{Value, json};

use crate::caller::Caller;

fn create(key: &str, name: &str) -> Value {
    json!({
        "method": "POST", "path": "/v1/contacts", "headers": { "Idempotency-Key": key },
        "body": { "name": name, "external_id": key }
    })
}

async fn send(caller: &Caller, atomic: bool, operations: &[Value]) -> Vec<Value> {
    let body = json!({ "operations": operations, "atomic": atomic });
    let seen = caller.post("/v1/batch", body).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.json());
    seen.json()["results"].as_array().unwrap().clone()
}

/// Status, and whether it is an answer of before.
fn told(results: &[Value]) -> Vec<(u64, bool)> {
    results
        .iter()
        .map(|result| {
            let replayed = &result["headers"]["idempotency-replayed"];
            (result["status"].as_u64().unwrap(), replayed == "true")
        })
        .collect()
}

#[tokio::test]
async fn a_batch_that_is_put_together_anew_repeats_nothing() {
    let caller = Caller::new().await;
    let first = send(&caller, false, &[create("a", "A"), create("b", "B")]).await;
    assert_eq!(told(&first), [(201, false), (201, false)]);
    let second = send(
        &caller,
        false,
        &[create("b", "B"), create("c", "C"), create("a", "A")],
    )
    .await;
    assert_eq!(told(&second), [(201, true), (201, false), (201, true)]);
    assert_eq!(second[0]["body"], first[1]["body"]);
    assert_eq!(
        second[0]["headers"]["location"],
        first[1]["headers"]["location"]
    );
    assert_eq!(second[0]["headers"]["etag"], first[1]["headers"]["etag"]);
    let effects = caller.session.effects("contacts.create");
    assert_eq!(
        (
            effects.count,
            effects.by_key.distinct,
            effects.by_key.duplicates,
            effects.doubled
        ),
        (3, 3, 0, vec![])
    );
}

#[tokio::test]
async fn an_operation_and_a_request_of_its_own_have_the_same_key() {
    let caller = Caller::new().await;
    let alone = |key: &str, name: &str| {
        caller
            .ask("POST", "/v1/contacts")
            .header("idempotency-key", key)
            .json(&json!({ "name": name, "external_id": key }))
    };
    let batched = send(&caller, false, &[create("a", "A")]).await;
    let again = alone("a", "A").send().await;
    assert_eq!(
        (
            again.status(),
            again.header("idempotency-replayed").as_deref()
        ),
        (201, Some("true"))
    );
    assert_eq!(again.json(), batched[0]["body"]);
    assert_eq!(alone("b", "B").send().await.status(), 201);
    assert_eq!(
        told(&send(&caller, false, &[create("b", "B")]).await),
        [(201, true)]
    );
    // Another body under the key is another request.
    let reused = send(&caller, false, &[create("b", "Other"), create("c", "C")]).await;
    assert_eq!(told(&reused), [(422, false), (201, false)]);
    assert_eq!(reused[0]["body"]["code"], "idempotency_key_reused");
    assert_eq!(caller.session.effects("contacts.create").count, 3);
}

#[tokio::test]
async fn a_key_that_is_twice_in_a_batch_has_one_effect() {
    let caller = Caller::new().await;
    let operations = [create("a", "A"), create("a", "A"), create("a", "Other")];
    for atomic in [false, true] {
        let results = send(&caller, atomic, &operations[..2]).await;
        assert_eq!(told(&results), [(201, atomic), (201, true)]);
        assert_eq!(results[0]["body"], results[1]["body"]);
    }
    let results = send(&caller, false, &operations).await;
    assert_eq!(told(&results), [(201, true), (201, true), (422, false)]);
    assert_eq!(caller.session.effects("contacts.create").count, 1);
}

#[tokio::test]
async fn a_refused_operation_is_refused_again_and_one_that_is_none_has_no_key() {
    let caller = Caller::new().await;
    let wrong = create("a", "");
    for replayed in [false, true] {
        let results = send(&caller, false, std::slice::from_ref(&wrong)).await;
        assert_eq!(told(&results), [(422, replayed)]);
    }
    let elsewhere =
        json!({ "method": "POST", "path": "/v1/sink", "headers": { "Idempotency-Key": "a" } });
    let empty = json!({ "method": "POST", "path": "/v1/contacts", "headers": { "Idempotency-Key": "" }, "body": {} });
    // A key on what cannot be repeated wrongly means nothing.
    let read = json!({ "method": "GET", "path": "/v1/contacts/ct_000001", "headers": { "Idempotency-Key": "a" } });
    let results = send(&caller, false, &[elsewhere, empty, read.clone(), read]).await;
    assert_eq!(
        told(&results),
        [(404, false), (400, false), (200, false), (200, false)]
    );
    assert_eq!(results[1]["body"]["code"], "invalid_idempotency_key");
}

#[tokio::test]
async fn a_patch_with_a_key_is_applied_once() {
    let caller = Caller::new().await;
    let patch = json!({
        "method": "PATCH", "path": "/v1/contacts/ct_000001", "headers": { "idempotency-key": "p" },
        "body": { "name": "Changed" }
    });
    let first = send(&caller, false, std::slice::from_ref(&patch)).await;
    let again = send(&caller, false, std::slice::from_ref(&patch)).await;
    assert_eq!(again[0]["body"], first[0]["body"]);
    assert_eq!(told(&again), [(200, true)]);
    let seen = caller.get("/v1/contacts/ct_000001").await.json();
    assert_eq!(seen["version"], 2);
}

#[tokio::test]
async fn of_a_refused_atomic_batch_no_key_is_used_up() {
    let caller = Caller::new().await;
    let gone = json!({ "method": "DELETE", "path": "/v1/contacts/ct_999999" });
    let refused = send(&caller, true, &[create("a", "A"), gone]).await;
    assert_eq!(told(&refused), [(424, false), (404, false)]);
    let done = send(&caller, true, &[create("a", "A"), create("b", "B")]).await;
    assert_eq!(told(&done), [(201, false), (201, false)]);
    // What happened before counts as done, and is not done again.
    let more = send(&caller, true, &[create("b", "B"), create("c", "C")]).await;
    assert_eq!(told(&more), [(201, true), (201, false)]);
    let reused = send(&caller, true, &[create("d", "D"), create("c", "Other")]).await;
    assert_eq!(told(&reused), [(424, false), (422, false)]);
    assert_eq!(caller.session.effects("contacts.create").count, 3);
}

#[tokio::test]
async fn where_keys_are_asked_for_those_of_all_operations_are_enough() {
    let caller = Caller::new().await;
    let mut options = OptionsChange::default();
    options.require_idempotency_key = Some(true);
    caller.session.set(options).unwrap();
    let read = json!({ "method": "GET", "path": "/v1/contacts/ct_000001" });
    let results = send(&caller, false, &[create("a", "A"), read.clone()]).await;
    assert_eq!(told(&results), [(201, false), (200, false)]);
    let without = json!({ "method": "POST", "path": "/v1/contacts", "body": { "name": "B" } });
    for operations in [json!([create("b", "B"), without]), json!([read])] {
        let body = json!({ "operations": operations });
        let refused = caller.post("/v1/batch", body).await;
        assert_eq!(
            (refused.status(), &refused.json()["code"]),
            (400, &json!("idempotency_key_required"))
        );
    }
    assert_eq!(caller.session.effects("contacts.create").count, 1);
}

#[tokio::test]
async fn of_racing_batches_with_the_same_keys_each_key_has_one_effect() {
    let caller = Caller::new().await;
    let operations: Vec<Value> = (0..10).map(|n| create(&format!("k-{n}"), "N")).collect();
    let asking = caller.ask("POST", "/v1/batch");
    let tasks: Vec<_> = (0..16)
        .map(|turn| {
            let mut operations = operations.clone();
            operations.rotate_left(turn % 10);
            let asking = asking.clone().json(&json!({ "operations": operations }));
            tokio::spawn(async move { asking.send().await.json() })
        })
        .collect();
    for task in tasks {
        let results = task.await.unwrap();
        for result in results["results"].as_array().unwrap() {
            assert!(
                [201, 409].contains(&result["status"].as_u64().unwrap()),
                "{result}"
            );
        }
    }
    let effects = caller.session.effects("contacts.create");
    assert_eq!((effects.count, effects.by_key.duplicates), (10, 0));
}
