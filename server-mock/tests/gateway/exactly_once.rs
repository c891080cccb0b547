//! The claim the gateway exists to check: a client that retries with a key has every effect once.

use std::sync::Arc;

use gatewright_server_mock::FaultRule;
use serde_json::json;

use crate::caller::Caller;

#[tokio::test]
async fn four_hundred_keyed_posts_through_a_storm_are_four_hundred_effects() {
    let caller = Arc::new(Caller::new().await);
    let rule = FaultRule::on("contacts.create")
        .random(0.3, 42, "reset,commit_reset,503,429,lost")
        .unwrap();
    caller.session.set_faults(vec![rule]).unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|worker| {
            let caller = Arc::clone(&caller);
            tokio::spawn(async move {
                for number in 0..25 {
                    let id = format!("{worker}-{number}");
                    let asking = caller
                        .ask("POST", "/v1/contacts")
                        .header("idempotency-key", &id)
                        .json(&json!({"name": "N", "external_id": id}));
                    while !asking.send().await.raw.starts_with(b"HTTP/1.1 201 ") {}
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let effects = caller.session.effects("contacts.create");
    assert_eq!((effects.count, effects.distinct_external_ids), (400, 400));
    assert_eq!((effects.by_key.duplicates, effects.doubled.len()), (0, 0));
    let journal = caller.session.journal(0);
    let faulted = journal.iter().filter(|entry| entry.fault.is_some()).count();
    let committed = journal.iter().filter(|entry| entry.committed).count();
    let lost = journal
        .iter()
        .filter(|entry| entry.committed && entry.status.is_none())
        .count();
    assert!(
        faulted > 100 && lost > 20,
        "{faulted} faults, {lost} lost answers"
    );
    assert_eq!(committed, 400);
}

#[tokio::test]
async fn without_a_key_a_lost_answer_doubles_the_effect_and_the_gateway_says_so() {
    let caller = Caller::new().await;
    let asking = caller
        .ask("POST", "/v1/contacts")
        .header("x-mock-fault", "lost,ok")
        .json(&json!({"name": "N", "external_id": "once"}));
    asking.send().await;
    assert_eq!(asking.send().await.status(), 201);
    let effects = caller.session.effects("contacts.create");
    assert_eq!(
        (effects.count, effects.doubled),
        (2, vec!["once".to_owned()])
    );
}
