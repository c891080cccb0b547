//! Jobs: begun with 202, polled on the session's clock, ended once.

use std::time::Duration;

use gatewright_server_mock::{Gateway, OptionsChange, RetryAfter};
use serde_json::{Value, json};

use crate::caller::{Caller, Seen};
use crate::receiver::Receiver;

const JOB: &str = "/v1/jobs/jb_000001";

async fn begin(caller: &Caller, body: Value) -> Seen {
    let seen = caller.post("/v1/jobs", body).await;
    assert_eq!(seen.status(), 202, "{:?}", seen.json());
    seen
}

/// A caller on a clock that stands still.
async fn frozen() -> Caller {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller
}

async fn advance(caller: &Caller, ms: u64) {
    caller.session.advance(Duration::from_millis(ms)).await;
}

/// Status and progress.
async fn stands(caller: &Caller) -> (String, u64) {
    let job = caller.get(JOB).await.json();
    let status = job["status"].as_str().unwrap().to_owned();
    (status, job["progress"].as_u64().unwrap())
}

async fn event_types(caller: &Caller) -> Vec<String> {
    let page = caller.get("/v1/events?type=job.*&limit=100").await.json();
    let events = page["data"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_job_is_polled_until_it_has_its_result() {
    let caller = frozen().await;
    let asked = json!({ "kind": "report", "takes_ms": 4_000, "result": { "rows": 3 } });
    let begun = begin(&caller, asked).await;
    assert_eq!(begun.header("location").as_deref(), Some(JOB));
    assert_eq!(begun.header("retry-after").as_deref(), Some("4"));
    let job = begun.json();
    assert_eq!(
        (&job["id"], &job["status"], &job["progress"], &job["result"]),
        (
            &json!("jb_000001"),
            &json!("running"),
            &json!(0),
            &Value::Null
        )
    );
    advance(&caller, 1_001).await;
    let running = caller.get(JOB).await;
    assert_eq!(
        (running.status(), running.header("retry-after").as_deref()),
        (200, Some("3"))
    );
    assert_eq!(running.json()["progress"], 25);
    // A lone caller that waits as it was told finds it done.
    advance(&caller, 3_000).await;
    let done = caller.get(JOB).await;
    assert_eq!(done.header("retry-after"), None);
    let job = done.json();
    assert_eq!(
        (
            &job["status"],
            &job["progress"],
            &job["result"],
            &job["error"]
        ),
        (
            &json!("completed"),
            &json!(100),
            &json!({ "rows": 3 }),
            &Value::Null
        )
    );
    // It ended at its own instant, whenever somebody looked.
    let ran = |name: &str| {
        let text = job[name].as_str().unwrap();
        text[text.len() - 7..text.len() - 1].parse::<f64>().unwrap()
    };
    let took = (ran("finished_at") - ran("created_at")).rem_euclid(10.0);
    assert!((took - 4.0).abs() < 1e-6, "{took}");
    assert_eq!(event_types(&caller).await, ["job.created", "job.completed"]);
    let last = caller.get("/v1/events?type=job.completed").await.json();
    assert_eq!(last["data"][0]["data"], job);
    assert_eq!(last["data"][0]["timestamp"], job["finished_at"]);
}

#[tokio::test]
async fn a_job_ends_on_a_running_clock_though_nobody_asks() {
    let caller = Caller::new().await;
    begin(&caller, json!({ "kind": "a", "takes_ms": 30 })).await;
    begin(&caller, json!({ "kind": "b", "takes_ms": 5 })).await;
    let started = std::time::Instant::now();
    // Events do not look for jobs: the gateway itself has ended them.
    while event_types(&caller).await.len() < 4 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let page = caller.get("/v1/events?type=job.completed").await.json();
    // The one that ended first is told first: the second, unless it was begun much later.
    let ended: Vec<(Value, Value)> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            assert_eq!(event["timestamp"], event["data"]["finished_at"]);
            (event["timestamp"].clone(), event["data"]["kind"].clone())
        })
        .collect();
    let at = |kind: &str| ended.iter().find(|(_, of)| of == kind).unwrap().0.as_str();
    let ends = [at("a"), at("b")];
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].0.as_str(), ends.into_iter().min().unwrap());
}

#[tokio::test]
async fn a_job_that_runs_on_a_clock_that_is_let_go_ends_then() {
    let caller = frozen().await;
    begin(&caller, json!({ "kind": "a", "takes_ms": 5 })).await;
    caller.session.resume();
    let started = std::time::Instant::now();
    while event_types(&caller).await.len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_job_that_fails_says_why_as_a_problem() {
    let caller = frozen().await;
    let fails =
        json!({ "status": 507, "code": "disk_full", "detail": "no room", "retryable": true });
    let begun = begin(&caller, json!({ "kind": "import", "fails": fails })).await;
    assert_eq!(begun.json()["error"], Value::Null);
    advance(&caller, 999).await;
    assert_eq!(stands(&caller).await, ("running".into(), 99));
    advance(&caller, 1).await;
    let seen = caller.get(JOB).await;
    let error = &seen.json()["error"];
    assert_eq!(
        (
            seen.status(),
            &error["status"],
            &error["code"],
            &error["detail"],
            &error["retryable"]
        ),
        (
            200,
            &json!(507),
            &json!("disk_full"),
            &json!("no room"),
            &json!(true)
        )
    );
    assert_eq!(error["type"], "https://gatewright.dev/problems/disk-full");
    // The request that asked for it.
    assert_eq!(
        error["request_id"].as_str().map(str::to_owned),
        begun.header("request-id")
    );
    assert_eq!(stands(&caller).await, ("failed".into(), 99));
    assert_eq!(event_types(&caller).await, ["job.created", "job.failed"]);
}

#[tokio::test]
async fn a_cancelled_job_stays_cancelled_and_an_ended_one_cannot_be() {
    let caller = frozen().await;
    begin(&caller, json!({ "kind": "a", "takes_ms": 1_000 })).await;
    advance(&caller, 400).await;
    let cancel = || caller.ask("POST", "/v1/jobs/jb_000001/cancel");
    let stale = cancel().header("if-match", "\"other\"").send().await;
    assert_eq!(stale.status(), 412);
    let cancelled = cancel().send().await;
    assert_eq!(
        (cancelled.status(), &cancelled.json()["status"]),
        (200, &json!("cancelled"))
    );
    advance(&caller, 10_000).await;
    assert_eq!(stands(&caller).await, ("cancelled".into(), 40));
    // Said again it is as it was, without a second effect or event.
    let again = cancel().send().await;
    assert_eq!((again.status(), again.json()), (200, cancelled.json()));
    assert_eq!(caller.session.effects("jobs.cancel").count, 1);
    assert_eq!(event_types(&caller).await, ["job.created", "job.cancelled"]);

    begin(&caller, json!({ "kind": "b", "takes_ms": 0 })).await;
    let late = caller.post("/v1/jobs/jb_000002/cancel", json!({})).await;
    assert_eq!(
        (
            late.status(),
            &late.json()["code"],
            &late.json()["job_status"]
        ),
        (409, &json!("job_over"), &json!("completed"))
    );
    let unknown = caller.post("/v1/jobs/jb_000009/cancel", json!({})).await;
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn a_repeated_key_begins_no_second_job_and_cancels_none_twice() {
    let caller = frozen().await;
    let post = || {
        caller
            .ask("POST", "/v1/jobs")
            .header("idempotency-key", "k-1")
            .json(&json!({ "kind": "a", "takes_ms": 2_500, "external_id": "mine" }))
    };
    let lost = post().header("x-mock-fault", "lost").send().await;
    assert!(lost.raw.is_empty());
    let again = post().send().await;
    assert_eq!(
        (
            again.status(),
            again.header("idempotency-replayed").as_deref()
        ),
        (202, Some("true"))
    );
    assert_eq!(again.header("location").as_deref(), Some(JOB));
    assert_eq!(again.header("retry-after").as_deref(), Some("3"));
    let other = post().json(&json!({ "kind": "other" })).send().await;
    assert_eq!(other.json()["code"], "idempotency_key_reused");
    let effects = caller.session.effects("jobs.create");
    assert_eq!(
        (effects.count, effects.by_key.duplicates, effects.doubled),
        (1, 0, vec![])
    );
    let cancel = || {
        caller
            .ask("POST", "/v1/jobs/jb_000001/cancel")
            .header("idempotency-key", "k-1")
    };
    assert!(
        cancel()
            .header("x-mock-fault", "lost")
            .send()
            .await
            .raw
            .is_empty()
    );
    let cancelled = cancel().send().await;
    assert_eq!(
        cancelled.header("idempotency-replayed").as_deref(),
        Some("true")
    );
    assert_eq!(cancelled.json()["status"], "cancelled");
}

#[tokio::test]
async fn jobs_are_listed_filtered_and_paged_as_records_are() {
    let caller = frozen().await;
    for number in 0..7_u64 {
        let kind = if number % 2 == 0 { "report" } else { "import" };
        let takes_ms = 1_000 * (number + 1);
        let id = format!("x-{number}");
        begin(
            &caller,
            json!({ "kind": kind, "takes_ms": takes_ms, "external_id": id }),
        )
        .await;
    }
    advance(&caller, 3_000).await;
    let ids = |page: &Value| -> Vec<String> {
        let jobs = page["data"].as_array().unwrap();
        jobs.iter()
            .map(|job| job["id"].as_str().unwrap()[8..].to_owned())
            .collect()
    };
    let mut seen = Vec::new();
    let mut next = Some("/v1/jobs?limit=3".to_owned());
    while let Some(path) = next {
        let page = caller.get(&path).await;
        assert_eq!(
            page.header("link").is_some(),
            page.json()["has_more"] == true
        );
        seen.extend(ids(&page.json()));
        let cursor = page.json()["next_cursor"].as_str().map(str::to_owned);
        next = cursor.map(|cursor| format!("/v1/jobs?limit=3&cursor={cursor}"));
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5", "6", "7"]);
    for (query, expected) in [
        ("status=completed", vec!["1", "2", "3"]),
        ("status=running&kind=report", vec!["5", "7"]),
        ("external_id=x-3", vec!["4"]),
        ("kind=import&sort=-takes_ms", vec!["6", "4", "2"]),
        ("q=IMP&limit=1", vec!["2"]),
    ] {
        let page = caller.get(&format!("/v1/jobs?{query}")).await.json();
        assert_eq!(ids(&page), expected, "{query}");
    }
    // What is listed is what is polled.
    let page = caller.get("/v1/jobs?status=running").await.json();
    assert_eq!(
        page["data"][0],
        caller.get("/v1/jobs/jb_000004").await.json()
    );
    assert_eq!(page["data"][0]["progress"], 75);
    for wrong in ["status=lost", "sort=progress", "outcome=x&sort=outcome"] {
        let refused = caller.get(&format!("/v1/jobs?{wrong}")).await;
        assert_eq!(refused.json()["code"], "invalid_parameter", "{wrong}");
    }
    // Of another tenant there is none.
    let other = caller
        .ask("GET", "/v1/jobs")
        .header("authorization", "Bearer sk_test_unlimited_other");
    assert_eq!(other.send().await.json()["data"], json!([]));
}

#[tokio::test]
async fn an_entity_tag_holds_while_nothing_moves() {
    let caller = frozen().await;
    let begun = begin(&caller, json!({ "kind": "a", "takes_ms": 10_000 })).await;
    let tag = begun.header("etag").unwrap();
    let poll = || caller.ask("GET", JOB).header("if-none-match", &tag);
    let same = poll().send().await;
    assert_eq!(
        (same.status(), same.header("retry-after").as_deref()),
        (304, Some("10"))
    );
    advance(&caller, 100).await;
    let moved = poll().send().await;
    assert_eq!(
        (moved.status(), &moved.json()["progress"]),
        (200, &json!(1))
    );
}

#[tokio::test]
async fn nobody_is_asked_to_wait_longer_than_half_a_minute_and_as_the_session_says_it() {
    let caller = frozen().await;
    let begun = begin(&caller, json!({ "kind": "a", "takes_ms": 86_400_000 })).await;
    assert_eq!(begun.header("retry-after").as_deref(), Some("30"));
    let mut options = OptionsChange::default();
    options.retry_after = Some(RetryAfter::Ms);
    caller.session.set(options).unwrap();
    let seen = caller.get(JOB).await;
    assert_eq!(
        (
            seen.header("retry-after"),
            seen.header("retry-after-ms").as_deref()
        ),
        (None, Some("30000"))
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_job_is_said_before_anything_is_done() {
    let caller = frozen().await;
    let code = async |body: Value| {
        let seen = caller.post("/v1/jobs", body).await;
        let json = seen.json();
        let pointer = json["errors"][0]["pointer"].as_str().map(str::to_owned);
        (seen.status(), pointer)
    };
    for (body, pointer) in [
        (json!({}), "/kind"),
        (json!({ "kind": " " }), "/kind"),
        (json!({ "kind": "a", "takes_ms": 86_400_001 }), "/takes_ms"),
        (json!({ "kind": "a", "takes_ms": -1 }), "/takes_ms"),
        (json!({ "kind": "a", "takes_ms": "1" }), "/takes_ms"),
        (json!({ "kind": "a", "fails": 1 }), "/fails"),
        (json!({ "kind": "a", "fails": {}, "result": 1 }), "/fails"),
        (
            json!({ "kind": "a", "fails": { "status": 200 } }),
            "/fails/status",
        ),
        (
            json!({ "kind": "a", "result": "x".repeat(16_384) }),
            "/result",
        ),
        (json!({ "kind": "a", "id": "jb_000009" }), "/id"),
    ] {
        assert_eq!(code(body).await, (422, Some(pointer.into())));
    }
    let text = caller
        .ask("POST", "/v1/jobs")
        .header("content-type", "text/plain")
        .body("{}");
    assert_eq!(text.send().await.status(), 415);
    assert_eq!(caller.get("/v1/jobs").await.json()["data"], json!([]));
    assert_eq!(caller.get(JOB).await.status(), 404);
    for method in ["PUT", "PATCH", "DELETE"] {
        let seen = caller.ask(method, JOB).send().await;
        assert_eq!(seen.status(), 405, "{method}");
    }
}

#[tokio::test]
async fn scopes_say_who_may_begin_and_who_may_look() {
    let caller = frozen().await;
    begin(&caller, json!({ "kind": "a" })).await;
    let reader = |method: &str, path: &str| {
        caller
            .ask(method, path)
            .header("authorization", "Bearer sk_test_unlimited_acme_readonly")
    };
    assert_eq!(reader("GET", JOB).send().await.status(), 200);
    for path in ["/v1/jobs", "/v1/jobs/jb_000001/cancel"] {
        let refused = reader("POST", path).json(&json!({ "kind": "a" }));
        let refused = refused.send().await;
        assert_eq!(
            (refused.status(), &refused.json()["required_scope"]),
            (403, &json!("jobs:write"))
        );
    }
}

#[tokio::test]
async fn an_access_token_may_do_with_jobs_and_projects_what_its_scopes_say() {
    let caller = frozen().await;
    let token = async |scope: &str| {
        let form = format!(
            "grant_type=client_credentials&scope={}",
            scope.replace(' ', "+")
        );
        let basic = "Basic dGVzdC1jbGllbnQ6dGVzdC1zZWNyZXQ=";
        let seen = caller
            .anonymous("POST", "/oauth/generic/token")
            .header("authorization", basic)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await;
        assert_eq!(seen.status(), 200, "{:?}", seen.json());
        format!("Bearer {}", seen.json()["access_token"].as_str().unwrap())
    };
    let reads = token("jobs:read projects:read").await;
    let writes = token("jobs:write projects:write").await;
    let ask = async |token: &str, method: &str, path: &str| {
        let asking = caller
            .anonymous(method, path)
            .header("authorization", token)
            .json(&json!({ "kind": "a", "name": "P" }));
        let seen = asking.send().await;
        (seen.status(), seen.json()["required_scope"].clone())
    };
    for (resource, made) in [("jobs", 202), ("projects", 201)] {
        let path = format!("/v1/{resource}");
        let missing = |action: &str| (403, json!(format!("{resource}:{action}")));
        assert_eq!(ask(&reads, "GET", &path).await, (200, Value::Null));
        assert_eq!(ask(&reads, "POST", &path).await, missing("write"));
        assert_eq!(ask(&writes, "POST", &path).await, (made, Value::Null));
        assert_eq!(ask(&writes, "GET", &path).await, missing("read"));
    }
}

#[tokio::test]
async fn a_webhook_tells_of_the_end_before_the_clock_moves_on() {
    let caller = frozen().await;
    let receiver = Receiver::answering(&[]).await;
    caller
        .session
        .subscribe(&receiver.url, &["job.completed", "job.failed"])
        .unwrap();
    begin(&caller, json!({ "kind": "a", "takes_ms": 60_000 })).await;
    begin(
        &caller,
        json!({ "kind": "b", "takes_ms": 20_000, "fails": {} }),
    )
    .await;
    advance(&caller, 3_600_000).await;
    let types: Vec<String> = receiver
        .received()
        .iter()
        .map(|one| {
            let event: Value = serde_json::from_slice(&one.body).unwrap();
            event["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(types, ["job.failed", "job.completed"]);
    // The one that ended first was sent at its own instant.
    let sent: Vec<u64> = caller
        .session
        .deliveries()
        .iter()
        .map(|delivery| delivery.attempts[0].at_ms)
        .collect();
    assert_eq!(sent[1] - sent[0], 40_000);
}

#[tokio::test]
async fn running_until_idle_runs_until_all_jobs_are_over() {
    let caller = frozen().await;
    let began = caller.session.clock().now_ms;
    begin(&caller, json!({ "kind": "a", "takes_ms": 7_000 })).await;
    caller.session.run_until_idle().await;
    assert_eq!(caller.session.clock().now_ms, began + 7_000);
    assert_eq!(event_types(&caller).await, ["job.created", "job.completed"]);
}

#[tokio::test]
async fn a_reset_forgets_jobs_and_one_that_was_running_never_ends() {
    let caller = Caller::new().await;
    begin(&caller, json!({ "kind": "a", "takes_ms": 20 })).await;
    caller.session.reset();
    begin(&caller, json!({ "kind": "b", "takes_ms": 40 })).await;
    let started = std::time::Instant::now();
    while event_types(&caller).await.len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(event_types(&caller).await, ["job.created", "job.completed"]);
    assert_eq!(caller.get(JOB).await.json()["kind"], "b");
}

#[tokio::test]
async fn a_snapshot_has_the_jobs_and_they_go_on_where_it_is_put_back() {
    let caller = frozen().await;
    begin(
        &caller,
        json!({ "kind": "a", "takes_ms": 1_000, "result": 1 }),
    )
    .await;
    advance(&caller, 500).await;
    let snapshot = caller.session.snapshot().unwrap();
    advance(&caller, 500).await;
    assert_eq!(stands(&caller).await, ("completed".into(), 100));

    let elsewhere = Gateway::builder().start().await.unwrap();
    let other = elsewhere.session("test").unwrap();
    other.restore(&snapshot).unwrap();
    caller.session.restore(&snapshot).unwrap();
    assert_eq!(stands(&caller).await, ("running".into(), 50));
    for session in [&caller.session, &other] {
        session.advance(Duration::from_millis(500)).await;
    }
    assert_eq!(caller.get(JOB).await.json()["result"], 1);
    assert_eq!(event_types(&caller).await, ["job.created", "job.completed"]);
    assert_eq!(
        caller.session.snapshot().unwrap(),
        other.snapshot().unwrap()
    );
}
