//! Every dialect of limit headers says the truth in its own words; policies, partitions and windows.

use std::time::Duration;

use gatewright_server_mock::{
    Dialect, LimitedCall, Limiter, OptionsChange, Partition, Policy, Tier, Unit, Window,
};
use serde_json::json;

use crate::caller::{Caller, Seen};

/// Caller on the tier `free` (burst 10 in 10 s, 1 000 a day) at a frozen instant, and these options.
async fn with(options: serde_json::Value) -> Caller {
    let caller = Caller::with_key("sk_test_free_acme").await;
    caller.session.freeze();
    // To the millisecond: what a clock shows between two cannot be said by `now_ms`.
    caller.session.advance_to(now_ms(&caller) + 1).await;
    let change: OptionsChange = serde_json::from_value(options).unwrap();
    caller.session.set(change).unwrap();
    caller
}

fn shown(seen: &Seen, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| seen.header(name).unwrap_or_else(|| "-".into()))
        .collect()
}

fn now_ms(caller: &Caller) -> u64 {
    caller.session.clock().now_ms
}

#[tokio::test]
async fn the_drafts_before_eight_have_their_own_forms() {
    let names = [
        "ratelimit",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "ratelimit-policy",
    ];
    for (dialect, expected) in [
        ("draft05", ["-", "10, 10;w=10, 1000;w=86400", "9", "1", "-"]),
        ("draft06", ["-", "10", "9", "1", "10;w=10, 1000;w=86400"]),
        (
            "draft07",
            [
                "limit=10, remaining=9, reset=1",
                "-",
                "-",
                "-",
                "10;w=10, 1000;w=86400",
            ],
        ),
        ("triple", ["-", "10", "9", "1", "-"]),
    ] {
        let caller = with(json!({ "dialect": dialect })).await;
        let seen = caller.get("/v1/whoami").await;
        assert_eq!(shown(&seen, &names), expected, "{dialect}");
    }
}

#[tokio::test]
async fn vendors_say_the_reset_in_their_own_way() {
    let names = [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];
    for dialect in ["github", "tyk", "apisix", "x-ratelimit"] {
        let caller = with(json!({ "dialect": dialect })).await;
        caller.get("/v1/whoami").await;
        caller.session.advance(Duration::from_millis(300)).await;
        let seen = caller.get("/v1/whoami").await;
        // Two calls of one second each, 300 ms of which have passed.
        let reset = match dialect {
            "github" | "tyk" => (now_ms(&caller) + 1_700).div_ceil(1_000).to_string(),
            "apisix" => "1.700".into(),
            _ => "2".into(),
        };
        assert_eq!(
            shown(&seen, &names),
            ["10", "8", reset.as_str()],
            "{dialect}"
        );
        let own = shown(&seen, &["x-ratelimit-used", "x-ratelimit-resource"]);
        let expected = if dialect == "github" {
            ["2", "core"]
        } else {
            ["-", "-"]
        };
        assert_eq!(own, expected, "{dialect}");
    }
}

#[tokio::test]
async fn openai_counts_requests_and_where_a_policy_does_tokens() {
    let caller = with(json!({
        "dialect": "openai",
        "policies": [{"name": "tpm", "count": 600, "period_ms": 360_000, "unit": "tokens"}],
    }))
    .await;
    let seen = caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-tokens", "600")
        .send()
        .await;
    let of = |unit: &str| {
        ["limit", "remaining", "reset"].map(|what| {
            seen.header(&format!("x-ratelimit-{what}-{unit}"))
                .unwrap_or_default()
        })
    };
    assert_eq!(of("requests"), ["10", "9", "1s"]);
    assert_eq!(of("tokens"), ["600", "0", "6m0s"]);
    let refused = caller.get("/v1/whoami").await;
    assert_eq!(refused.json()["violated-policies"], json!(["tpm"]));
    // One token comes back every 600 ms; the refused call used no request up.
    assert_eq!(
        refused.header("x-ratelimit-remaining-requests").as_deref(),
        Some("9")
    );
    caller.session.advance(Duration::from_millis(599)).await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 429);
    caller.session.advance(Duration::from_millis(1)).await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn kong_names_its_windows_and_adds_the_tightest() {
    let caller = with(json!({ "dialect": "kong", "window": "fixed" })).await;
    // To the start of a minute.
    let into = now_ms(&caller) % 60_000;
    caller
        .session
        .advance(Duration::from_millis(60_000 - into))
        .await;
    let seen = caller.get("/v1/whoami").await;
    let names = [
        "x-ratelimit-limit-minute",
        "x-ratelimit-remaining-minute",
        "x-ratelimit-limit-day",
        "x-ratelimit-remaining-day",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ];
    assert_eq!(
        shown(&seen, &names),
        ["60", "59", "1000", "999", "60", "59", "60"]
    );
    for _ in 0..59 {
        assert_eq!(caller.get("/v1/whoami").await.status(), 200);
    }
    caller.session.advance(Duration::from_millis(59_999)).await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 429);
    caller.session.advance(Duration::from_millis(1)).await;
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn policies_of_operations_count_beside_the_tier_and_show_their_partitions() {
    let caller = with(json!({
        "partition_keys": true,
        "announce_concurrency": true,
        "policies": [
            {"name": "lists", "count": 2, "period_ms": 1000, "op": "echo", "partition": "path"},
            {"name": "bytes", "count": 100, "period_ms": 1000, "op": "contacts.create", "unit": "content-bytes"},
        ],
    }))
    .await;
    // Base64 of `acme` and of `/v1/echo/a`.
    let acme = "pk=:YWNtZQ==:";
    let path = "pk=:L3YxL2VjaG8vYQ==:";
    let seen = caller.get("/v1/echo/a").await;
    assert_eq!(
        seen.header("ratelimit-policy").unwrap(),
        format!(
            r#""burst";q=10;w=10;{acme}, "day";q=1000;w=86400;{acme}, "lists";q=2;w=1;{path}, "concurrency";q=2;qu="concurrent-requests""#
        )
    );
    assert!(
        seen.header("ratelimit")
            .unwrap()
            .ends_with(&format!(r#""lists";r=1;t=1;{path}"#))
    );
    caller.get("/v1/echo/a").await;
    let refused = caller.get("/v1/echo/a").await;
    assert_eq!(
        (refused.status(), &refused.json()["violated-policies"]),
        (429, &json!(["lists"]))
    );
    // Another path is another partition, another operation is not concerned.
    assert_eq!(caller.get("/v1/echo/b").await.status(), 200);
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
    let created = caller.post("/v1/contacts", json!({ "name": "Ann" })).await;
    let policies = created.header("ratelimit-policy").unwrap();
    assert!(
        policies.contains(&format!(r#""bytes";q=100;w=1;qu="content-bytes";{acme}"#)),
        "{policies}"
    );
    assert!(
        created
            .header("ratelimit")
            .unwrap()
            .contains(r#""bytes";r=86;t=1"#)
    );
}

#[tokio::test]
async fn credentials_are_partitions_too() {
    let caller = with(json!({
        "policies": [{"name": "per-key", "count": 1, "period_ms": 60_000, "partition": "credential"}],
    }))
    .await;
    let asking = caller.anonymous("GET", "/v1/whoami");
    for key in ["sk_test_free_acme", "sk_test_free_acme_readonly"] {
        let asking = asking.clone().header("x-api-key", key);
        assert_eq!(asking.send().await.status(), 200, "{key}");
        assert_eq!(asking.send().await.status(), 429, "{key}");
    }
}

#[tokio::test]
async fn github_names_the_resource_that_is_tightest() {
    let caller = with(json!({
        "dialect": "github",
        "policies": [{"name": "search", "count": 3, "period_ms": 60_000, "op": "contacts.list"}],
    }))
    .await;
    let names = [
        "x-ratelimit-resource",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
    ];
    let list = caller.get("/v1/contacts").await;
    assert_eq!(shown(&list, &names), ["search", "3", "2"]);
    let other = caller.get("/v1/whoami").await;
    assert_eq!(shown(&other, &names), ["core", "10", "8"]);
}

#[tokio::test]
async fn policies_that_cannot_be_enforced_are_refused() {
    let caller = Caller::new().await;
    for (policy, reason) in [
        (
            json!({"name": "burst", "count": 1, "period_ms": 1}),
            "tier's own",
        ),
        (
            json!({"name": "a b", "count": 1, "period_ms": 1}),
            "letters",
        ),
        (
            json!({"name": "a", "count": 0, "period_ms": 1}),
            "at least 1",
        ),
        (
            json!({"name": "a", "count": 1, "period_ms": 0}),
            "period_ms",
        ),
    ] {
        let change = serde_json::from_value(json!({ "policies": [policy] })).unwrap();
        let refused = caller.session.set(change).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn in_process_a_lone_caller_that_waits_is_let_in_whatever_the_window_and_dialect() {
    for dialect in Dialect::ALL {
        for window in [Window::Rolling, Window::Fixed] {
            let mut limiter = Limiter::new(Tier::Starter.limits().unwrap())
                .dialect(dialect)
                .window(window)
                .policies(vec![
                    Policy::new("odd", 7, 1_300).on("whoami"),
                    Policy::new("tokens", 900, 60_000)
                        .burst(50)
                        .unit(Unit::Tokens)
                        .partition(Partition::Credential),
                ]);
            let mut now = 1_735_689_600_000_000_000;
            let mut refusals = 0;
            for n in 0..2_000_u64 {
                let call = LimitedCall {
                    op: "whoami",
                    tokens: Some(n % 9),
                    ..LimitedCall::default()
                };
                let decision = limiter.decide(now, &call);
                if decision.status == 429 {
                    refusals += 1;
                    assert!(decision.headers.contains_key("retry-after"));
                    assert_eq!(
                        limiter.decide(now + decision.wait_ns - 1, &call).status,
                        429
                    );
                    now += decision.wait_ns;
                    assert_eq!(
                        limiter.decide(now, &call).status,
                        200,
                        "{dialect:?} {window:?}"
                    );
                }
            }
            assert!(refusals > 50, "{refusals}");
        }
    }
}
