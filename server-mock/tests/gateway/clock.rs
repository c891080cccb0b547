//! One clock moves everything, for one session only.

use std::time::Duration;

use serde_json::{Value, json};

use crate::caller::Caller;

async fn change(caller: &Caller, change: Value) -> Value {
    caller
        .admin("POST", "/admin/clock?session=test")
        .json(&change)
        .send()
        .await
        .json()
}

#[tokio::test]
async fn it_freezes_advances_and_resumes_over_the_admin_port() {
    let caller = Caller::new().await;
    let frozen = change(&caller, json!({"freeze": true})).await;
    let start = frozen["now_ms"].as_u64().unwrap();
    assert_eq!(frozen["frozen"], true);
    let moved = change(&caller, json!({"advance_ms": 86_400_000})).await;
    assert_eq!(moved["now_ms"], start + 86_400_000);
    let shown = caller
        .admin("GET", "/admin/clock?session=test")
        .send()
        .await
        .json();
    assert_eq!(shown, moved);
    let idle = change(&caller, json!({"run_until_idle": true})).await;
    assert_eq!(idle, moved);
    let resumed = change(&caller, json!({"resume": true})).await;
    assert_eq!(resumed["frozen"], false);
    let now = resumed["now_ms"].as_u64().unwrap();
    assert!(now >= start + 86_400_000 && now < start + 86_400_000 + 60_000);
}

#[tokio::test]
async fn it_runs_with_real_time_by_default() {
    let caller = Caller::new().await;
    let real_ms = || {
        let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        real.unwrap().as_millis() as u64
    };
    let before = real_ms();
    let shown = caller.session.clock();
    assert!(!shown.frozen && (before..=real_ms()).contains(&shown.now_ms));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(caller.session.clock().now_ms >= shown.now_ms + 10);
}

#[tokio::test]
async fn sessions_have_their_own() {
    let caller = Caller::new().await;
    caller.session.advance(Duration::from_secs(1_000_000)).await;
    let other = caller.gateway.session("other").unwrap();
    assert!(caller.session.clock().now_ms > other.clock().now_ms + 999_000_000);
}

#[tokio::test]
async fn what_is_no_change_is_refused() {
    let caller = Caller::new().await;
    for wrong in [json!({"advance": 5}), json!({"advance_ms": -5}), json!([])] {
        let seen = caller
            .admin("POST", "/admin/clock?session=test")
            .json(&wrong)
            .send()
            .await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (400, &json!("malformed_json"))
        );
    }
}
