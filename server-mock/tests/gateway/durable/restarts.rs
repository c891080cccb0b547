//! What a session is after the process was killed and started again: what it was.

use gatewright_server_mock::Gateway;
use serde_json::{Value, json};

use super::child::{Folder, Running};
use crate::caller::asking;

async fn snapshot(running: &Running, session: &str) -> Vec<String> {
    let path = format!("/admin/snapshot?session={session}");
    let snapshot = running.admin_get(&path).await;
    let rows = snapshot["rows"].as_array().unwrap();
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_what_is_beside_it_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let create = running.ask("POST", "/v1/contacts");
    let seen = create.json(&json!({"name": "N"})).send().await;
    assert_eq!(seen.status(), 201);
    let beside = std::fs::read_dir(folder.file().parent().unwrap()).unwrap();
    let modes: Vec<(String, u32)> = beside
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().to_string_lossy().into_owned(), mode)
        })
        .collect();
    assert!(modes.len() > 1, "{modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

#[tokio::test]
async fn all_that_is_kept_comes_back_for_every_session() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let mut before = Vec::new();
    for session in ["default", "mine"] {
        let ask =
            |method: &str, path: &str| running.ask(method, path).header("x-mock-session", session);
        let path = |path: &str| format!("{path}?session={session}");
        let clock = json!({"freeze": true, "advance_ms": 86_400_000});
        running.admin("POST", &path("/admin/clock"), clock).await;
        let options = json!({
            "dialect": "github", "last_modified": true, "limits": {"count": 7, "period_ms": 1_000, "burst": 7},
            "oauth": {"clients": [{"client_id": "a", "client_secret": "s3cret"}]},
        });
        let set = running
            .admin("POST", &path("/admin/session"), options)
            .await;
        assert_eq!(set.status(), 200, "{:?}", set.json());
        for number in 0..3 {
            let key = format!("{session}-{number}");
            let create = ask("POST", "/v1/contacts").header("idempotency-key", &key);
            let body = json!({"name": "N", "external_id": key});
            assert_eq!(create.json(&body).send().await.status(), 201);
        }
        ask("DELETE", "/v1/contacts/ct_000001").send().await;
        ask("DELETE", "/v1/contacts/ct_000048").send().await;
        let patch = ask("PATCH", "/v1/users/us_000002").json(&json!({"role": "viewer"}));
        assert_eq!(patch.send().await.status(), 200);
        // Of a client error the answer is kept too.
        let wrong = ask("POST", "/v1/contacts").header("idempotency-key", "wrong");
        assert_eq!(wrong.json(&json!({"name": 1})).send().await.status(), 422);
        before.push(snapshot(&running, session).await);
        assert!(before.last().unwrap().len() > 20);
    }
    running.kill();

    let running = Running::start(&folder.file());
    for (session, before) in ["default", "mine"].into_iter().zip(before) {
        assert_eq!(snapshot(&running, session).await, before, "{session}");
        // The number of a record that is gone is not given out again.
        let create = running
            .ask("POST", "/v1/contacts")
            .header("x-mock-session", session);
        let made = create.json(&json!({"name": "Next"})).send().await;
        assert_eq!(made.json()["id"], "ct_000049");
        let clock = running
            .admin_get(&format!("/admin/clock?session={session}"))
            .await;
        assert_eq!(clock["frozen"], true);
    }
}

#[tokio::test]
async fn a_running_clock_runs_on_while_the_process_is_away() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    let advance = json!({"advance_ms": 3_600_000});
    let moved = running.admin("POST", "/admin/clock", advance).await.json();
    running.kill();
    let running = Running::start(&folder.file());
    let clock = running.admin_get("/admin/clock").await;
    assert_eq!(clock["frozen"], false);
    let (before, after) = (
        moved["now_ms"].as_u64().unwrap(),
        clock["now_ms"].as_u64().unwrap(),
    );
    assert!(
        before <= after && after < before + 600_000,
        "{before} {after}"
    );
}

#[tokio::test]
async fn keys_end_after_a_day_of_the_clock_across_restarts() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    running
        .admin("POST", "/admin/clock", json!({"freeze": true}))
        .await;
    assert_eq!(running.create("k").send().await.status(), 201);
    running.kill();
    for (advance_ms, replayed) in [(86_399_999, Some("true")), (1, None)] {
        let running = Running::start(&folder.file());
        let advance = json!({ "advance_ms": advance_ms });
        running.admin("POST", "/admin/clock", advance).await;
        let seen = running.create("k").send().await;
        assert_eq!(seen.header("idempotency-replayed").as_deref(), replayed);
        running.kill();
    }
}

#[tokio::test]
async fn resetting_and_forgetting_are_kept_too() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    running.create("k").send().await;
    let other = running.create("k").header("x-mock-session", "other");
    assert_eq!(other.send().await.status(), 201);
    running.admin("POST", "/admin/reset", json!({})).await;
    running
        .admin("DELETE", "/admin/sessions?session=other", json!({}))
        .await;
    running.kill();
    let running = Running::start(&folder.file());
    assert_eq!(running.created().await["count"], 0);
    assert_eq!(running.events().await, Vec::<Value>::new());
    for asking in [running.create("k"), other] {
        let seen = running.create("k").send().await;
        assert!(seen.status() == 201, "{:?}", asking.bytes());
    }
    let effects = running
        .admin_get("/admin/effects?op=contacts.create&session=other")
        .await;
    assert_eq!(effects["count"], 0);
}

#[tokio::test]
async fn a_gateway_in_process_keeps_its_file_and_lets_go_of_it() {
    let folder = Folder::new();
    for number in 0..3 {
        let gateway = Gateway::builder()
            .data(folder.file())
            .start()
            .await
            .unwrap();
        let session = gateway.session("default").unwrap();
        assert_eq!(session.effects("contacts.create").count, number);
        let seen = super::child::create(&gateway.url(), &format!("k-{number}"))
            .send()
            .await;
        assert_eq!(seen.status(), 201);
        // While it runs, nobody else has the file.
        let error = Gateway::builder()
            .data(folder.file())
            .start()
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("is in use by another process"),
            "{error}"
        );
        gateway.shutdown().await;
    }
}

#[tokio::test]
async fn request_ids_never_come_twice() {
    let folder = Folder::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let running = Running::start(&folder.file());
        for _ in 0..3 {
            let answer = running
                .ask("POST", "/v1/contacts")
                .json(&json!({"name": "N"}))
                .send()
                .await;
            assert!(seen.insert(answer.header("request-id").unwrap()));
        }
        running.kill();
    }
}

#[tokio::test]
async fn more_sessions_than_are_kept_in_memory_are_all_in_the_file() {
    let folder = Folder::new();
    let builder = || Gateway::builder().data(folder.file()).max_sessions(2);
    let gateway = builder().start().await.unwrap();
    let create =
        |url: &str, session: &str| super::child::create(url, "k").header("x-mock-session", session);
    for round in 0..2 {
        for session in ["a", "b", "c", "d"] {
            let seen = create(&gateway.url(), session).send().await;
            let replayed = seen.header("idempotency-replayed");
            assert_eq!(
                (seen.status(), replayed.is_some()),
                (201, round == 1),
                "{session}"
            );
        }
    }
    gateway.shutdown().await;
    let gateway = builder().start().await.unwrap();
    for session in ["a", "b", "c", "d"] {
        let seen = asking(&gateway.url(), "GET", "/v1/events")
            .header("authorization", super::child::KEY)
            .header("x-mock-session", session)
            .send()
            .await;
        assert_eq!(
            seen.json()["data"].as_array().unwrap().len(),
            1,
            "{session}"
        );
    }
}
