//! No request lost, none doubled: 2 000 POSTs through a gateway that breaks three of ten attempts, before and after the
//! side effect.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use gatewright::engine::backoff::Backoff;
use gatewright::{Auth, Client, RetryPolicy};
use gatewright_server_mock::{FaultRule, Gateway};

const CALLS: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_posts_through_faults_take_effect_once_each() {
    let gateway = Gateway::builder().start().await.unwrap();
    let session = gateway.session("exactly-once").unwrap();
    let faults = FaultRule::on("contacts.create")
        .random(
            0.3,
            42,
            "reset,commit_reset,503,429;ra-ms=5,lost,fin,commit_fin",
        )
        .unwrap();
    session.set_faults(vec![faults]).unwrap();
    let mut retry = RetryPolicy::default();
    retry.max_attempts = 20;
    retry.backoff = Backoff {
        base: Duration::from_millis(2),
        cap: Duration::from_millis(20),
    };
    // Three of ten attempts fail for ever here, which no budget should bear in earnest.
    retry.budget = 1_000_000;
    // So many failures would open the breaker, and this is about the attempts that are made.
    let client = Client::builder(gateway.url())
        .breaker(None)
        .auth(Auth::bearer("sk_test_unlimited_once"))
        .header("x-mock-session", "exactly-once")
        .retry(retry)
        .build()
        .unwrap();
    let attempts: u64 = stream::iter(0..CALLS)
        .map(|number| {
            let client = client.clone();
            async move {
                let body = serde_json::json!({"name": format!("Contact {number}"), "external_id": format!("x{number}")});
                let response = client.post("/v1/contacts").json(&body).send().await.unwrap();
                assert_eq!(response.status().as_u16(), 201);
                response.attempts().len() as u64
            }
        })
        .buffer_unordered(64)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .sum();
    let effects = session.effects("contacts.create");
    assert_eq!(
        (effects.count, effects.distinct_external_ids),
        (CALLS, CALLS)
    );
    assert!(effects.doubled.is_empty(), "{:?}", effects.doubled);
    let arrived = session.journal_of("contacts.create").len() as u64;
    assert_eq!(arrived, attempts, "the record of attempts is what happened");
    assert!(
        arrived > CALLS * 13 / 10,
        "{arrived} attempts are too few for faults in three of ten"
    );
    gateway.shutdown().await;
}
