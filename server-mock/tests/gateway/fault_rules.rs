//! Rules: in order, by operation, scripted or by chance, and never changed by concurrency.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_server_mock::FaultRule;
use serde_json::json;

use crate::caller::{Caller, End};

#[tokio::test]
async fn a_script_plays_for_its_operation_only() {
    let caller = Caller::new().await;
    let rule = FaultRule::on("contacts.create")
        .script("503;ra=2,reset,ok")
        .unwrap();
    caller.session.set_faults(vec![rule]).unwrap();
    let post = async || caller.post("/v1/contacts", json!({"name": "N"})).await;
    assert_eq!(caller.get("/v1/contacts").await.status(), 200);
    assert_eq!(post().await.status(), 503);
    assert_eq!(post().await.end, End::Reset);
    assert_eq!(post().await.status(), 201);
    assert_eq!(post().await.status(), 201);
    let faults: Vec<_> = caller
        .session
        .journal_of("contacts.create")
        .into_iter()
        .map(|entry| entry.fault)
        .collect();
    assert_eq!(
        faults,
        [Some("503;ra=2".into()), Some("reset".into()), None, None]
    );
}

#[tokio::test]
async fn rules_are_set_added_shown_and_cleared_over_the_admin_port() {
    let caller = Caller::new().await;
    let rules = json!({"rules": [
        {"match": {"op": "contacts.create", "method": "POST", "path": "/v1/contacts*"}, "script": ["503", "ok"]},
        {"random": {"p": 1.0, "seed": 7, "kinds": ["429"], "max_per_call": 1}},
    ]});
    let put = caller
        .admin("PUT", "/admin/faults?session=test")
        .json(&rules)
        .send()
        .await;
    assert_eq!(put.status(), 200);
    assert_eq!(
        caller
            .post("/v1/contacts", json!({"name": "N"}))
            .await
            .status(),
        503
    );
    let shown = caller
        .admin("GET", "/admin/faults?session=test")
        .send()
        .await
        .json();
    assert_eq!(
        (&shown["rules"][0]["played"], &shown["rules"][0]["script"]),
        (&json!(1), &json!(["503", "ok"]))
    );
    assert_eq!(caller.get("/v1/whoami").await.status(), 429);
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
    assert_eq!(
        caller.anonymous("GET", "/healthz").send().await.status(),
        200
    );

    let more = json!({"rules": [{"match": {"op": "whoami"}, "script": ["502"]}]});
    let post = caller
        .admin("POST", "/admin/faults?session=test")
        .json(&more)
        .send()
        .await;
    assert_eq!(post.json()["rules"].as_array().unwrap().len(), 3);
    assert_eq!(caller.get("/v1/whoami").await.status(), 502);
    let cleared = caller
        .admin("DELETE", "/admin/faults?session=test")
        .send()
        .await;
    assert_eq!(cleared.json(), json!({"rules": []}));

    for wrong in [
        json!({"rules": [{"script": ["nonsense"]}]}),
        json!({"rules": [{"random": {"p": 2.0}}]}),
        json!({"rules": [{"matching": {}}]}),
        json!({"rules": [{"always": "503", "random": {"p": 0.5}}]}),
        json!({"rules": [{"always": "503", "name": ""}]}),
    ] {
        let refused = caller
            .admin("PUT", "/admin/faults?session=test")
            .json(&wrong)
            .send()
            .await;
        assert!([400, 422].contains(&refused.status()), "{wrong}");
    }
}

#[tokio::test]
async fn a_dead_server_recovers_when_its_span_is_over() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let rule = FaultRule::on("contacts.*").always("503;ra=1").unwrap();
    let rule = rule.lasting(Duration::from_secs(30));
    caller.session.set_faults(vec![rule]).unwrap();
    let get = async || caller.get("/v1/contacts").await.status();
    for _ in 0..5 {
        assert_eq!(get().await, 503);
    }
    caller.session.advance(Duration::from_millis(29_999)).await;
    assert_eq!(get().await, 503);
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
    caller.session.advance(Duration::from_millis(1)).await;
    assert_eq!(get().await, 200);
}

#[tokio::test]
async fn a_rule_is_taken_away_by_its_name() {
    let caller = Caller::new().await;
    let rules = json!({"rules": [
        {"name": "outage", "always": "503"},
        {"name": "slow start", "match": {"op": "whoami"}, "always": "502"},
    ]});
    let path = "/admin/faults?session=test";
    let put = caller.admin("PUT", path).json(&rules).send().await;
    assert_eq!(put.json()["rules"][0]["always"], "503");
    assert_eq!(caller.get("/v1/whoami").await.status(), 503);
    let outage = "/admin/faults?session=test&name=outage";
    let left = caller.admin("DELETE", outage).send().await.json();
    assert_eq!(left["rules"][0]["name"], "slow start");
    assert_eq!(left["rules"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get("/v1/whoami").await.status(), 502);
    assert_eq!(caller.get("/v1/contacts").await.status(), 200);
    let slow = "/admin/faults?session=test&name=slow%20start";
    assert_eq!(
        caller.admin("DELETE", slow).send().await.json(),
        json!({"rules": []})
    );
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn inline_faults_count_attempts_of_their_logical_call() {
    let caller = Caller::new().await;
    let asking = |call: &str| {
        caller
            .ask("GET", "/v1/whoami")
            .header("x-mock-fault", "503;ra=1,reset,ok")
            .header("x-mock-call", call)
    };
    assert_eq!(asking("a").send().await.status(), 503);
    assert_eq!(asking("b").send().await.status(), 503);
    assert_eq!(asking("a").send().await.end, End::Reset);
    assert_eq!(asking("a").send().await.status(), 200);
    assert_eq!(asking("a").send().await.status(), 200);
    let once = asking("c").header("x-mock-fault", "once:500");
    assert_eq!(once.send().await.status(), 500);
    assert_eq!(once.send().await.status(), 200);
    let always = asking("d").header("x-mock-fault", "500");
    assert_eq!(always.send().await.status(), 500);
    assert_eq!(always.send().await.status(), 500);
}

/// Three attempts of each of 60 calls, `at_once` calls at the same time: what each attempt met.
async fn storm(at_once: usize) -> BTreeMap<(String, u32), Option<String>> {
    let caller = Caller::new().await;
    let rule = FaultRule::on("*")
        .random(0.4, 42, "503,429,reset,lost")
        .unwrap();
    caller.session.set_faults(vec![rule]).unwrap();
    let calls: Vec<String> = (0..60).map(|number| format!("call-{number}")).collect();
    for chunk in calls.chunks(at_once) {
        let tasks: Vec<_> = chunk
            .iter()
            .map(|call| {
                let asking = caller.ask("GET", "/v1/whoami").header("x-mock-call", call);
                tokio::spawn(async move {
                    for _ in 0..3 {
                        asking.send().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
    caller
        .session
        .journal(0)
        .into_iter()
        .map(|entry| ((entry.logical, entry.attempt), entry.fault))
        .collect()
}

#[tokio::test]
async fn faults_by_chance_are_the_same_however_many_calls_run_at_once() {
    let one = storm(1).await;
    assert_eq!(one.len(), 180);
    let faulted = one.values().flatten().count();
    assert!((45..100).contains(&faulted), "{faulted} of 180 at p = 0.4");
    assert_eq!(storm(60).await, one);
}
