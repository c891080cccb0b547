//! Limits: the headers are true, a refusal costs nothing, and waiting as told always helps.

use std::time::Duration;

use gatewright_server_mock::OptionsChange;
use serde_json::json;

use crate::caller::{Caller, Seen};

async fn frozen(key: &str) -> Caller {
    let caller = Caller::with_key(key).await;
    caller.session.freeze();
    caller
}

fn set(caller: &Caller, options: serde_json::Value) {
    let change: OptionsChange = serde_json::from_value(options).unwrap();
    caller.session.set(change).unwrap();
}

fn draft10(seen: &Seen) -> (String, String) {
    (
        seen.header("ratelimit-policy").unwrap(),
        seen.header("ratelimit").unwrap(),
    )
}

fn wait_of(seen: &Seen) -> Duration {
    assert_eq!(seen.status(), 429);
    Duration::from_secs(seen.header("retry-after").unwrap().parse().unwrap())
}

#[tokio::test]
async fn tiny_counts_its_burst_down_and_says_when_it_is_whole_again() {
    let caller = frozen("sk_test_tiny_acme").await;
    for expected in [
        r#""burst";r=2;t=1"#,
        r#""burst";r=1;t=2"#,
        r#""burst";r=0;t=2"#,
    ] {
        let seen = caller.get("/v1/whoami").await;
        assert_eq!(seen.status(), 200);
        assert_eq!(
            draft10(&seen),
            (r#""burst";q=3;w=2"#.into(), expected.into())
        );
    }
    let refused = caller.get("/v1/whoami").await;
    assert_eq!(wait_of(&refused), Duration::from_secs(1));
    assert_eq!(draft10(&refused).1, r#""burst";r=0;t=2"#);
    let problem = refused.json();
    assert_eq!(
        problem["type"],
        "https://iana.org/assignments/http-problem-types#quota-exceeded"
    );
    assert_eq!(problem["violated-policies"], json!(["burst"]));
    assert_eq!(
        (&problem["code"], &problem["retryable"]),
        (&json!("rate_limited"), &json!(true))
    );
}

#[tokio::test]
async fn the_remaining_calls_of_the_header_are_let_in_and_not_one_more() {
    let caller = frozen("sk_test_starter_acme").await;
    let first = caller.get("/v1/whoami").await;
    let (_, left) = draft10(&first);
    assert_eq!(left, r#""burst";r=49;t=1"#);
    for _ in 0..49 {
        assert_eq!(caller.get("/v1/whoami").await.status(), 200);
    }
    assert_eq!(caller.get("/v1/whoami").await.status(), 429);
    // t seconds later the whole burst is back.
    caller.session.advance(Duration::from_secs(5)).await;
    assert_eq!(
        draft10(&caller.get("/v1/whoami").await).1,
        r#""burst";r=49;t=1"#
    );
}

#[tokio::test]
async fn a_lone_caller_that_waits_retry_after_is_let_in_every_time() {
    let caller = frozen("sk_test_tiny_acme").await;
    let mut refusals = 0;
    for _ in 0..60 {
        let seen = caller.get("/v1/whoami").await;
        if seen.status() == 429 {
            refusals += 1;
            caller.session.advance(wait_of(&seen)).await;
            assert_eq!(caller.get("/v1/whoami").await.status(), 200);
        }
    }
    assert!(refusals > 10, "{refusals}");
}

#[tokio::test]
async fn refused_calls_do_not_put_off_the_next_one() {
    let caller = frozen("sk_test_tiny_acme").await;
    for _ in 0..30 {
        caller.get("/v1/whoami").await;
    }
    caller
        .session
        .advance(Duration::from_nanos(666_666_667))
        .await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn the_free_tier_has_a_day_beside_its_burst() {
    let caller = frozen("sk_test_free_acme").await;
    let seen = caller.get("/v1/whoami").await;
    let (policy, left) = draft10(&seen);
    assert_eq!(policy, r#""burst";q=10;w=10, "day";q=1000;w=86400"#);
    assert!(
        left.starts_with(r#""burst";r=9;t=1, "day";r=999;t="#),
        "{left}"
    );
    // From the next midnight on, one call a second until the day is used up.
    let to_midnight: u64 = left.rsplit_once("t=").unwrap().1.parse().unwrap();
    caller
        .session
        .advance(Duration::from_secs(to_midnight))
        .await;
    for _ in 0..1_000 {
        assert_eq!(caller.get("/v1/whoami").await.status(), 200);
        caller.session.advance(Duration::from_secs(1)).await;
    }
    let refused = caller.get("/v1/whoami").await;
    assert_eq!(refused.json()["violated-policies"], json!(["day"]));
    let wait = wait_of(&refused);
    assert!((85_398..=85_400).contains(&wait.as_secs()), "{wait:?}");
    caller.session.advance(wait - Duration::from_secs(1)).await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 429);
    caller.session.advance(Duration::from_secs(1)).await;
    assert!(
        draft10(&caller.get("/v1/whoami").await)
            .1
            .contains(r#""day";r=999;"#)
    );
}

#[tokio::test]
async fn tenants_tiers_and_sessions_do_not_share_limits() {
    let caller = frozen("sk_test_tiny_acme").await;
    for _ in 0..3 {
        caller.get("/v1/whoami").await;
    }
    assert_eq!(caller.get("/v1/whoami").await.status(), 429);
    let asking = caller.anonymous("GET", "/v1/whoami");
    let other_tenant = asking.clone().header("x-api-key", "sk_test_tiny_globex");
    let other_tier = asking.clone().header("x-api-key", "sk_test_pro_acme");
    let other_session = caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-session", "other");
    for asking in [other_tenant, other_tier, other_session] {
        assert_eq!(asking.send().await.status(), 200);
    }
}

#[tokio::test]
async fn two_calls_of_the_free_tier_at_once_and_no_third() {
    let caller = Caller::with_key("sk_test_free_acme").await;
    let slow = caller.ask("GET", "/v1/delay/60000");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = slow.connect().await;
        tokio::io::AsyncWriteExt::write_all(&mut socket, &slow.bytes())
            .await
            .unwrap();
        held.push(socket);
    }
    let in_progress = |caller: &Caller| {
        caller
            .session
            .limits()
            .first()
            .map_or(0, |limit| limit.in_progress)
    };
    until(|| in_progress(&caller) == 2).await;
    let refused = caller.get("/v1/whoami").await;
    assert_eq!(wait_of(&refused), Duration::from_secs(1));
    assert_eq!(refused.json()["violated-policies"], json!(["concurrency"]));
    assert!(
        draft10(&refused)
            .0
            .ends_with(r#", "concurrency";q=2;qu="concurrent-requests""#)
    );
    // A client that leaves ends its call.
    held.pop();
    until(|| in_progress(&caller) == 1).await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn a_streamed_answer_is_in_progress_until_its_end() {
    let caller = Caller::with_key("sk_test_free_acme").await;
    let drip = caller.ask("GET", "/v1/drip?bytes=1000&interval_ms=50");
    let mut socket = drip.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut socket, &drip.bytes())
        .await
        .unwrap();
    let in_progress = |caller: &Caller| {
        caller
            .session
            .limits()
            .first()
            .map_or(0, |limit| limit.in_progress)
    };
    until(|| in_progress(&caller) == 1).await;
    drop(socket);
    until(|| in_progress(&caller) == 0).await;
}

#[tokio::test]
async fn a_call_is_over_when_its_answer_is_read() {
    let caller = Caller::with_key("sk_test_free_acme").await;
    set(
        &caller,
        json!({"limits": {"count": 1000, "period_ms": 1, "burst": 1000, "concurrency": 1}}),
    );
    for _ in 0..200 {
        assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
    }
}

#[tokio::test]
async fn unlimited_has_no_limits_and_no_headers() {
    let caller = Caller::new().await;
    for _ in 0..20 {
        let seen = caller.get("/v1/whoami").await;
        assert_eq!(seen.status(), 200);
        assert!(!seen.head().to_ascii_lowercase().contains("\r\nratelimit"));
    }
}

#[tokio::test]
async fn every_dialect_says_the_same() {
    let caller = frozen("sk_test_tiny_acme").await;
    let names = |seen: &Seen| -> Vec<String> {
        let head = seen.head().to_ascii_lowercase();
        let lines = head
            .lines()
            .filter(|line| line.contains("ratelimit") && !line.starts_with("access-"));
        let mut lines: Vec<String> = lines.map(Into::into).collect();
        lines.sort();
        lines
    };
    let ask = async |dialect: &str| {
        set(&caller, json!({ "dialect": dialect }));
        caller.session.advance(Duration::from_secs(2)).await;
        caller.get("/v1/whoami").await
    };
    let whole_at = (caller.session.clock().now_ms + 6_000).div_ceil(1_000);
    assert_eq!(
        names(&ask("triple").await),
        [
            "ratelimit-limit: 3",
            "ratelimit-remaining: 2",
            "ratelimit-reset: 1"
        ]
    );
    assert_eq!(
        names(&ask("x-ratelimit").await),
        [
            "x-ratelimit-limit: 3",
            "x-ratelimit-remaining: 2",
            "x-ratelimit-reset: 1"
        ]
    );
    let github = names(&ask("github").await);
    assert_eq!(
        github[..2],
        ["x-ratelimit-limit: 3", "x-ratelimit-remaining: 2"]
    );
    assert_eq!(
        github[3..],
        ["x-ratelimit-resource: core", "x-ratelimit-used: 1"]
    );
    let reset: u64 = github[2].rsplit_once(' ').unwrap().1.parse().unwrap();
    // The whole quota is restored two thirds of a second from now, on the session's clock.
    assert!(
        reset == whole_at || reset == whole_at + 1,
        "{reset} is not about {whole_at}"
    );
    assert!(names(&ask("none").await).is_empty());
    assert_eq!(
        names(&ask("malformed").await),
        [
            "ratelimit-policy: burst q=many, ;w=-1",
            "ratelimit: \"burst;r=;t=soon"
        ]
    );
}

#[tokio::test]
async fn waits_are_written_as_asked_and_always_long_enough() {
    let caller = frozen("sk_test_tiny_acme").await;
    let refused = async |form: &str| {
        set(&caller, json!({ "retry_after": form }));
        loop {
            let seen = caller.get("/v1/whoami").await;
            if seen.status() == 429 {
                return seen;
            }
        }
    };
    assert_eq!(
        refused("seconds").await.header("retry-after").as_deref(),
        Some("1")
    );
    let ms = refused("ms").await;
    assert_eq!(
        (
            ms.header("retry-after-ms").as_deref(),
            ms.header("retry-after")
        ),
        (Some("667"), None)
    );
    assert_eq!(
        refused("malformed").await.header("retry-after").as_deref(),
        Some("soon")
    );
    let none = refused("none").await;
    assert_eq!(
        (none.header("retry-after"), none.header("retry-after-ms")),
        (None, None)
    );
    let date = refused("http-date").await.header("retry-after").unwrap();
    let at = httpdate::parse_http_date(&date).unwrap();
    let at_ms = at
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let now_ms = caller.session.clock().now_ms;
    assert!(
        at_ms >= now_ms + 666 && at_ms <= now_ms + 2_000,
        "{date} at {now_ms}"
    );
    caller
        .session
        .advance(Duration::from_millis(at_ms - now_ms))
        .await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn a_session_can_have_limits_of_its_own() {
    let caller = frozen("sk_test_enterprise_acme").await;
    set(
        &caller,
        json!({"limits": {"count": 1, "period_ms": 10_000, "burst": 1}}),
    );
    let seen = caller.get("/v1/whoami").await;
    assert_eq!(
        draft10(&seen),
        (r#""burst";q=1;w=10"#.into(), r#""burst";r=0;t=10"#.into())
    );
    assert_eq!(
        wait_of(&caller.get("/v1/whoami").await),
        Duration::from_secs(10)
    );
    set(&caller, json!({"limits": null}));
    assert_eq!(
        draft10(&caller.get("/v1/whoami").await).0,
        r#""burst";q=3000;w=3"#
    );
}

#[tokio::test]
async fn the_admin_port_shows_what_is_left_without_using_it() {
    let caller = frozen("sk_test_tiny_acme").await;
    for _ in 0..4 {
        caller.get("/v1/whoami").await;
    }
    for _ in 0..3 {
        let shown = caller
            .admin("GET", "/admin/limits?session=test")
            .send()
            .await
            .json();
        let tenant = &shown["tenants"][0];
        assert_eq!(
            (&tenant["tenant"], &tenant["tier"]),
            (&json!("acme"), &json!("tiny"))
        );
        assert_eq!(
            (&tenant["remaining"], &tenant["restored_in_s"]),
            (&json!(0), &json!(2))
        );
        assert_eq!(
            (&tenant["allowed"], &tenant["refused"]),
            (&json!(3), &json!(1))
        );
    }
}

/// Waits until a claim holds, for at most 30 seconds of real time.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(30), "it never came true");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
