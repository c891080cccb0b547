//! The process dies at every point of a keyed request; started again, the retry has one side effect and one answer.

use serde_json::{Value, json};

use super::child::{Folder, Running};
use crate::caller::Seen;

/// Where the process ends, and whether the side effect has happened by then.
///
/// A keyed request makes two transactions: its key, then its side effect with its answer and its event.
const POINTS: [(&str, bool); 9] = [
    ("before-key", false),
    ("before-transaction@1", false),
    ("before-commit@1", false),
    ("after-commit@1", false),
    ("after-key", false),
    ("before-transaction@2", false),
    ("before-commit@2", false),
    ("after-commit@2", true),
    ("before-answer", true),
];

/// After a crash: the retry is answered once and for all, and everything else agrees with it.
async fn one_effect_in_all(running: &Running, happened: bool, about: &str) -> Seen {
    let before = u64::from(happened);
    assert_eq!(running.created().await["count"], 1 + before, "{about}");
    assert_eq!(running.events().await.len() as u64, 1 + before, "{about}");
    let first = running.create("k").send().await;
    let replayed = first.header("idempotency-replayed");
    let expected = happened.then(|| "true".to_owned());
    assert_eq!((first.status(), replayed), (201, expected), "{about}");
    let again = running.create("k").send().await;
    let replayed = again.header("idempotency-replayed");
    assert_eq!(replayed.as_deref(), Some("true"), "{about}");
    assert_eq!(
        (again.status(), again.body()),
        (201, first.body()),
        "{about}"
    );
    for name in ["etag", "location"] {
        assert_eq!(again.header(name), first.header(name), "{about}: {name}");
    }
    let other = running.create("k").json(&json!({"name": "Other"}));
    assert_eq!(other.send().await.status(), 422, "{about}");

    let effects = running.created().await;
    assert_eq!(
        (&effects["count"], &effects["doubled"]),
        (&json!(2), &json!([])),
        "{about}"
    );
    assert_eq!(effects["by_key"]["duplicates"], 0, "{about}");
    let events = running.events().await;
    let numbers: Vec<&Value> = events.iter().map(|event| &event["sequence"]).collect();
    assert_eq!(numbers, [1, 2], "{about}");
    assert_eq!(events[1]["data"], first.json(), "{about}");
    let record = running.get(&first.header("location").unwrap()).await;
    assert_eq!(record, first.json(), "{about}");
    let list = running.get("/v1/contacts?limit=100").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 45 + 2, "{about}");
    first
}

#[tokio::test]
async fn a_crash_at_any_point_leaves_one_effect_after_the_retry() {
    for (point, happened) in POINTS {
        let folder = Folder::new();
        let running = Running::start(&folder.file());
        assert_eq!(running.create("earlier").send().await.status(), 201);
        running.kill();

        let running = Running::start_to_abort(&folder.file(), point);
        let unanswered = running.create("k").send().await;
        assert_eq!(unanswered.raw, b"", "{point}");
        running.aborted();

        let running = Running::start(&folder.file());
        let first = one_effect_in_all(&running, happened, point).await;
        running.kill();
        // And it stays so.
        let running = Running::start(&folder.file());
        let again = running.create("k").send().await;
        assert_eq!(
            (again.status(), again.body()),
            (201, first.body()),
            "{point}"
        );
        assert_eq!(running.created().await["count"], 2, "{point}");
    }
}

#[tokio::test]
async fn what_was_answered_outlives_a_kill_at_once() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    assert_eq!(running.create("earlier").send().await.status(), 201);
    let first = running.create("k").send().await;
    running.kill();
    let running = Running::start(&folder.file());
    let again = one_effect_in_all(&running, true, "after the answer").await;
    assert_eq!((first.status(), first.body()), (201, again.body()));
    assert_eq!(first.header("etag"), again.header("etag"));
    assert_ne!(first.header("request-id"), again.header("request-id"));
}

#[tokio::test]
async fn changes_without_a_key_are_whole_or_not_there() {
    for (point, happened) in [("before-commit", false), ("after-commit", true)] {
        for (method, body) in [
            ("PATCH", Some(json!({"name": "Changed"}))),
            ("PUT", Some(json!({"name": "Changed"}))),
            ("DELETE", None),
        ] {
            let about = format!("{method} {point}");
            let folder = Folder::new();
            let running = Running::start_to_abort(&folder.file(), point);
            let mut asking = running.ask(method, "/v1/contacts/ct_000001");
            if let Some(body) = &body {
                asking = asking.json(body);
            }
            assert_eq!(asking.send().await.raw, b"", "{about}");
            running.aborted();

            let running = Running::start(&folder.file());
            assert_eq!(
                running.events().await.len(),
                usize::from(happened),
                "{about}"
            );
            let seen = running.ask("GET", "/v1/contacts/ct_000001").send().await;
            let expected = match (happened, &body) {
                (false, _) => (200, json!("Ada Byron")),
                (true, Some(_)) => (200, json!("Changed")),
                (true, None) => (404, Value::Null),
            };
            assert_eq!(
                (seen.status(), seen.json()["name"].clone()),
                expected,
                "{about}"
            );
        }
    }
}

#[tokio::test]
async fn of_a_hundred_racing_duplicates_one_has_the_effect() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let asking = running.create("k");
            tokio::spawn(async move { asking.send().await })
        })
        .collect();
    let mut bodies = Vec::new();
    for task in tasks {
        let seen = task.await.unwrap();
        match seen.status() {
            201 => bodies.push(seen.body()),
            409 => assert_eq!(seen.json()["code"], "idempotency_in_flight"),
            other => panic!("got {other}"),
        }
    }
    assert!(!bodies.is_empty() && bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(running.created().await["count"], 1);
    assert_eq!(running.events().await.len(), 1);
}

#[tokio::test]
async fn killed_while_it_makes_or_opens_its_file_it_starts_again() {
    for micros in (0..20_000).step_by(2_000) {
        let folder = Folder::new();
        for _ in 0..2 {
            Running::killed_after(&folder.file(), std::time::Duration::from_micros(micros));
        }
        let running = Running::start(&folder.file());
        assert_eq!(running.create("k").send().await.status(), 201, "{micros}");
        running.kill();
        Running::killed_after(&folder.file(), std::time::Duration::from_micros(micros));
        let running = Running::start(&folder.file());
        assert_eq!(running.created().await["count"], 1, "{micros}");
    }
}
