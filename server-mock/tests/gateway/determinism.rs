//! One scenario, a hundred times, with 1 to 8 threads on both sides: the journal says the same.

use std::sync::Arc;

use gatewright_server_mock::{FaultRule, Gateway, NormalisedEntry};
use serde_json::json;

use crate::caller::{Asking, asking};

/// Sequences of calls, each of a tenant of its own, that run side by side.
const LANES: usize = 8;
const RUNS: usize = 100;
/// 2030-01-01T12:00:00Z.
const NOON_2030_MS: u64 = 1_893_499_200_000;

/// What one lane asks for, in order.
fn lane(url: &str, lane: usize) -> Vec<Asking> {
    let ask = |method: &str, path: &str, tier: &str| {
        asking(url, method, path)
            .header("x-mock-session", "determinism")
            .header("authorization", &format!("Bearer sk_test_{tier}_t{lane}"))
    };
    let shared = |name: &str| {
        let body = json!({ "name": name, "external_id": name });
        asking(url, "POST", "/v1/contacts")
            .header("x-mock-session", "determinism")
            .header("authorization", "Bearer sk_test_unlimited_shared")
            .header("idempotency-key", name)
            .json(&body)
    };
    vec![
        shared(&format!("one-{lane}")),
        shared(&format!("two-{lane}")),
        // The fourth in two seconds of a frozen clock is refused.
        ask("GET", "/v1/contacts/ct_000001", "tiny"),
        ask("GET", "/v1/contacts/ct_000002", "tiny"),
        ask("GET", "/v1/contacts/ct_000003", "tiny"),
        ask("GET", "/v1/contacts/ct_000004", "tiny"),
        ask("PATCH", "/v1/contacts/ct_000005", "pro")
            .header("x-mock-call", &format!("patch-{lane}"))
            .header("x-mock-fault", "503;ra=1,reset,commit_reset")
            .json(&json!({ "company": format!("{lane}") })),
        ask("GET", "/v1/contacts/nobody", "free"),
    ]
}

/// Asks as a client does that tries again, six times at most.
async fn until_answered(asking: &Asking) {
    for _ in 0..6 {
        let seen = asking.send().await;
        if !seen.raw.is_empty() && seen.status() < 500 {
            return;
        }
    }
}

async fn run(threads: usize, clients: usize) -> Vec<NormalisedEntry> {
    let gateway = Gateway::builder().workers(threads).start().await.unwrap();
    let session = gateway.session("determinism").unwrap();
    session.freeze();
    // The day's limit says how long it is until midnight: so it has to be the same time of the same day.
    session.advance_to(NOON_2030_MS).await;
    let kinds = "reset,commit_reset,503;ra=2,500,lost,fin";
    let rule = FaultRule::on("contacts.create").random(0.5, 42, kinds);
    session.set_faults(vec![rule.unwrap()]).unwrap();
    let url: Arc<str> = gateway.url().into();
    let playing: Vec<_> = (0..clients)
        .map(|client| {
            let url = Arc::clone(&url);
            tokio::spawn(async move {
                for number in (client..LANES).step_by(clients) {
                    for asking in lane(&url, number) {
                        until_answered(&asking).await;
                    }
                }
            })
        })
        .collect();
    for client in playing {
        client.await.unwrap();
    }
    let journal = session.normalised_journal();
    gateway.shutdown().await;
    journal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_runs_with_one_to_eight_threads_have_one_journal() {
    let first = run(1, 1).await;
    assert!(first.len() > LANES * 9, "{} requests", first.len());
    assert!(first.iter().any(|entry| entry.outcome == Some(429)));
    assert!(first.iter().filter(|entry| entry.fault.is_some()).count() > LANES * 2);
    for number in 1..RUNS {
        let (threads, clients) = (1 + number % 8, 1 + number / 8 % 8);
        let again = run(threads, clients).await;
        for (expected, got) in first.iter().zip(&again) {
            assert_eq!(
                expected, got,
                "run {number}: {threads} threads, {clients} clients"
            );
        }
        assert_eq!(first.len(), again.len(), "run {number}");
    }
}
