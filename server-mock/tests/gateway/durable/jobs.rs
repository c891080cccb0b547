//! Jobs outlive the process: what was begun ends once, at its own instant, whatever dies meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::child::{Folder, Running};
use crate::caller::Asking;

const JOB: &str = "/v1/jobs/jb_000001";

fn begin(running: &Running, takes_ms: u64) -> Asking {
    running
        .ask("POST", "/v1/jobs")
        .header("idempotency-key", "k")
        .json(&json!({ "kind": "a", "takes_ms": takes_ms, "result": { "rows": 3 } }))
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_job_runs_on_while_the_process_is_away() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    running
        .admin("POST", "/admin/clock", json!({ "freeze": true }))
        .await;
    assert_eq!(begin(&running, 10_000).send().await.status(), 202);
    running
        .admin("POST", "/admin/clock", json!({ "advance_ms": 2_500 }))
        .await;
    let before = running.get(JOB).await;
    assert_eq!(before["progress"], 25);
    running.kill();

    let running = Running::start(&folder.file());
    assert_eq!(running.get(JOB).await, before);
    let again = begin(&running, 10_000).send().await;
    assert_eq!(
        (
            again.status(),
            again.header("idempotency-replayed").as_deref()
        ),
        (202, Some("true"))
    );
    let advance = json!({ "advance_ms": 100_000 });
    running.admin("POST", "/admin/clock", advance).await;
    running.kill();

    let running = Running::start(&folder.file());
    let job = running.get(JOB).await;
    assert_eq!(
        (&job["status"], &job["result"]),
        (&json!("completed"), &json!({ "rows": 3 }))
    );
    let events = running.events().await;
    assert_eq!(types(&events), ["job.created", "job.completed"]);
    assert_eq!(events[1]["data"], job);
    // The number of the next one is not one that was given out.
    let next = running
        .ask("POST", "/v1/jobs")
        .json(&json!({ "kind": "b" }));
    assert_eq!(next.send().await.json()["id"], "jb_000002");
}

#[tokio::test]
async fn a_job_whose_end_was_missed_ends_when_the_process_is_back() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let begun = begin(&running, 40).send().await.json();
    running.kill();
    let running = Running::start(&folder.file());
    let started = Instant::now();
    // Nobody asks for the job: events show that it has ended by itself.
    while running.events().await.len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let events = running.events().await;
    assert_eq!(types(&events), ["job.created", "job.completed"]);
    assert_eq!(events[0]["data"], begun);
    let job = running.get(JOB).await;
    assert_eq!(events[1]["timestamp"], job["finished_at"]);
}

#[tokio::test]
async fn a_job_ends_once_whatever_dies_at_its_end() {
    // The fourth transaction is its end: before it are the clock, its key, and its beginning.
    for (point, ended) in [
        ("before-transaction@4", false),
        ("before-commit@4", false),
        ("after-commit@4", true),
    ] {
        let folder = Folder::new();
        let running = Running::start_to_abort(&folder.file(), point);
        let frozen = running.admin("POST", "/admin/clock", json!({ "freeze": true }));
        assert_eq!(frozen.await.status(), 200);
        assert_eq!(begin(&running, 30).send().await.status(), 202, "{point}");
        let advance = || json!({ "advance_ms": 30 });
        let unanswered = running.admin("POST", "/admin/clock", advance()).await;
        assert_eq!(unanswered.raw, b"", "{point}");
        running.aborted();

        let running = Running::start(&folder.file());
        let expected = if ended { 2 } else { 1 };
        assert_eq!(running.events().await.len(), expected, "{point}");
        running.admin("POST", "/admin/clock", advance()).await;
        assert_eq!(running.get(JOB).await["status"], "completed", "{point}");
        let events = running.events().await;
        assert_eq!(types(&events), ["job.created", "job.completed"], "{point}");
    }
}
