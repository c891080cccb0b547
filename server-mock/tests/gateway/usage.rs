//! Usage: what was used, by whom, when on the session's clock; each tenant sees its own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::caller::Caller;

async fn used(caller: &Caller, query: &str) -> Value {
    let seen = caller.get(&format!("/v1/usage{query}")).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.json());
    seen.json()
}

#[tokio::test]
async fn requests_are_counted_in_the_minute_of_the_clock_in_which_they_arrived() {
    let caller = Caller::new().await;
    caller.session.freeze();
    for _ in 0..3 {
        caller.get("/v1/whoami").await;
    }
    caller.session.advance(Duration::from_secs(60)).await;
    caller.get("/v1/contacts/none").await;
    let usage = used(&caller, "").await;
    assert_eq!(usage["tenant"], "acme");
    assert_eq!(usage["totals"]["requests"], 4);
    assert_eq!(usage["totals"]["by_status"], json!({ "2xx": 3, "4xx": 1 }));
    let points: Vec<u64> = usage["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["requests"].as_u64().unwrap())
        .collect();
    assert_eq!(points, [3, 1]);
    let starts: Vec<&str> = usage["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["start"].as_str().unwrap())
        .collect();
    assert!(starts[0] < starts[1] && starts.iter().all(|start| start.ends_with(":00.000Z")));
    let latency = &usage["totals"]["latency_ms"];
    assert!(
        latency["p50"].as_f64() <= latency["p99"].as_f64(),
        "{latency}"
    );
    assert!(
        latency["p99"].as_f64() <= latency["max"].as_f64(),
        "{latency}"
    );
}

#[tokio::test]
async fn groups_and_buckets_add_up_to_the_same() {
    let caller = Caller::new().await;
    caller.session.freeze();
    for hour in 0..3 {
        for _ in 0..=hour {
            caller.get("/v1/whoami").await;
            caller.get("/v1/contacts?limit=0").await;
        }
        caller.session.advance(Duration::from_secs(3_600)).await;
    }
    for query in [
        "?bucket=hour&group_by=op",
        "?bucket=hour&group_by=status",
        "?bucket=day&group_by=tier",
        "?bucket=day",
    ] {
        let usage = used(&caller, query).await;
        let series = usage["series"].as_array().unwrap();
        let sum: u64 = series
            .iter()
            .map(|point| point["requests"].as_u64().unwrap())
            .sum();
        assert_eq!(Some(sum), usage["totals"]["requests"].as_u64(), "{query}");
        assert!(sum >= 12, "{query}: {sum}");
    }
    let by_op = used(&caller, "?bucket=hour&group_by=op").await;
    let whoami: Vec<u64> = by_op["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|point| point["group"] == "whoami")
        .map(|point| point["requests"].as_u64().unwrap())
        .collect();
    assert_eq!(whoami, [1, 2, 3]);
}

#[tokio::test]
async fn a_key_sees_its_own_tenant_and_the_admin_port_all() {
    let caller = Caller::with_key("sk_test_tiny_globex").await;
    caller.session.freeze();
    for _ in 0..5 {
        caller.get("/v1/whoami").await;
    }
    let other = caller
        .anonymous("GET", "/v1/whoami")
        .header("authorization", "Bearer sk_test_pro_acme");
    other.send().await;
    let usage = caller
        .anonymous("GET", "/v1/usage")
        .header("authorization", "Bearer sk_test_pro_globex")
        .send()
        .await
        .json();
    assert_eq!(
        (
            &usage["tenant"],
            &usage["totals"]["requests"],
            &usage["totals"]["refused"]
        ),
        (&json!("globex"), &json!(5), &json!(2))
    );
    let foreign = caller
        .anonymous("GET", "/v1/usage?group_by=tenant")
        .header("authorization", "Bearer sk_test_pro_globex");
    assert_eq!(foreign.send().await.status(), 400);
    let all = caller.admin("GET", "/admin/usage?session=test&group_by=tenant");
    let all = all.send().await.json();
    let groups: Vec<&str> = all["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["group"].as_str().unwrap())
        .collect();
    assert_eq!(groups, ["acme", "globex"]);
    let unknown = caller.anonymous("GET", "/v1/usage").send().await;
    assert_eq!(unknown.status(), 401);
}

#[tokio::test]
async fn times_are_read_and_mistakes_are_named() {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller.get("/v1/whoami").await;
    let now_ms = caller.session.clock().now_ms;
    let none = used(
        &caller,
        &format!("?from={}&to={}", now_ms - 7_200_000, now_ms - 3_600_000),
    )
    .await;
    assert_eq!(none["totals"]["requests"], 0);
    assert_eq!(none["totals"]["latency_ms"], Value::Null);
    let day = caller.session.clock().now[..10].to_owned();
    let some = used(&caller, &format!("?from={day}T00:00:00Z&bucket=day")).await;
    assert_eq!(some["totals"]["requests"], 2);
    for (query, parameter) in [
        ("?bucket=week", "bucket"),
        ("?group_by=key", "group_by"),
        ("?from=yesterday", "from"),
        ("?to=99999999999999999999", "to"),
        ("?from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z", "from"),
        (
            "?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&bucket=minute",
            "bucket",
        ),
    ] {
        let seen = caller.get(&format!("/v1/usage{query}")).await;
        assert_eq!(
            (seen.status(), seen.json()["parameter"].as_str()),
            (400, Some(parameter)),
            "{query}"
        );
    }
    caller.session.reset();
    assert_eq!(used(&caller, "").await["totals"]["requests"], 0);
}
