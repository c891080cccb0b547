//! Upstreams: what crosses to a real server and back, and when nothing does. The real server is another gateway, so that its journal says
//! what arrived.

use std::time::Duration;

use gatewright_server_mock::{FaultRule, Gateway, Session, Upstream};
use serde_json::{Value, json};

use crate::caller::{Caller, End, nobody};

struct Behind {
    _gateway: Gateway,
    session: Session,
    url: String,
}

impl Behind {
    async fn new() -> Self {
        let gateway = Gateway::builder().start().await.unwrap();
        let (session, url) = (gateway.session("behind").unwrap(), gateway.url());
        Self {
            _gateway: gateway,
            session,
            url,
        }
    }

    /// The settings of an upstream `orders` at `path`, with more members.
    fn settings(&self, path: &str, more: Value) -> Value {
        let mut settings = json!({
            "name": "orders",
            "url": format!("{}{path}", self.url),
            "headers": {"authorization": "Bearer sk_test_unlimited_behind", "x-mock-session": "behind"},
        });
        let members = settings.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        settings
    }

    fn faults(&self, rules: Value) {
        let rules: Vec<FaultRule> = serde_json::from_value(rules).unwrap();
        self.session.set_faults(rules).unwrap();
    }

    fn arrived(&self) -> usize {
        self.session.journal(0).len()
    }
}

async fn set(caller: &Caller, upstream: Value) -> (u16, Value) {
    let path = format!("/admin/session?session={}", caller.session.name());
    let set = caller.admin("POST", &path);
    let answer = set.json(&json!({ "upstreams": [upstream] })).send().await;
    (answer.status(), answer.json())
}

async fn state(caller: &Caller) -> Value {
    let path = format!("/admin/upstreams?session={}", caller.session.name());
    caller.admin("GET", &path).send().await.json()["upstreams"][0].clone()
}

#[tokio::test]
async fn a_call_crosses_whole_and_its_answer_comes_back() {
    let (caller, behind) = (Caller::new().await, Behind::new().await);
    set(&caller, behind.settings("/v1", json!({}))).await;
    let call = caller.ask("POST", "/upstream/orders/echo/deep?a=1&b=%20");
    let call = call
        .header("x-of-caller", "yes")
        .header("x-api-key", "of the gateway");
    let answer = call.json(&json!({"name": "Ada"})).send().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.header("via").as_deref(),
        Some("1.1 gatewright-gateway")
    );
    let entry = behind.session.journal(0).remove(0);
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str()),
        ("POST", "/v1/echo/deep")
    );
    let echoed = answer.json();
    assert_eq!(echoed["query"], "a=1&b=%20");
    let header = |name: &str| {
        let headers = echoed["headers"].as_array().unwrap();
        let found = headers.iter().find(|pair| pair[0] == name);
        found.map(|pair| pair[1].as_str().unwrap().to_owned())
    };
    assert_eq!(header("x-of-caller").as_deref(), Some("yes"));
    assert_eq!(
        header("authorization").as_deref(),
        Some("Bearer sk_test_unlimited_behind")
    );
    assert_eq!(header("x-api-key"), None);
    assert_eq!(header("x-forwarded-proto").as_deref(), Some("http"));
    assert!(
        header("x-forwarded-host")
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert_eq!(entry.body_length, 14);
}

#[tokio::test]
async fn a_large_body_streams_and_one_that_breaks_off_breaks_off() {
    let (caller, behind) = (Caller::new().await, Behind::new().await);
    set(&caller, behind.settings("/v1", json!({}))).await;
    let whole = caller.get("/upstream/orders/bytes/5000000").await;
    assert_eq!((whole.status(), whole.body().len()), (200, 5_000_000));
    behind.faults(json!([{"match": {"op": "bytes"}, "script": ["reset@1000"]}]));
    let cut = caller.get("/upstream/orders/bytes/5000000").await;
    assert_eq!(cut.status(), 200);
    assert!(cut.body().len() < 5_000_000);
    assert_ne!(cut.end, End::Open);
}

#[tokio::test]
async fn the_breaker_opens_and_lets_one_try_when_its_time_has_come() {
    let (caller, behind) = (Caller::new().await, Behind::new().await);
    caller.session.freeze();
    let breaker = json!({"breaker": {"minimum_calls": 4, "open_ms": 10_000}});
    set(&caller, behind.settings("/v1", breaker)).await;
    behind.faults(
        json!([{"match": {"op": "whoami"}, "script": ["503", "503", "503", "503", "500", "ok"]}]),
    );
    for _ in 0..4 {
        assert_eq!(caller.get("/upstream/orders/whoami").await.status(), 503);
    }
    assert_eq!(behind.arrived(), 4);
    let refused = caller.get("/upstream/orders/whoami").await;
    assert_eq!(
        (refused.status(), refused.json()["code"].clone()),
        (503, json!("upstream_open"))
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((9..=11).contains(&wait), "{wait}");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("4 of 4 attempts failed"), "{detail}");
    assert_eq!(behind.arrived(), 4);
    // The one that tries fails: open again. The next one succeeds: closed.
    for (status, breaker) in [(500, "open"), (200, "closed")] {
        caller.session.advance(Duration::from_secs(11)).await;
        assert_eq!(caller.get("/upstream/orders/whoami").await.status(), status);
        assert_eq!(state(&caller).await["breaker"], breaker);
    }
    assert_eq!(behind.arrived(), 6);
    let state = state(&caller).await;
    assert_eq!(
        (&state["requests"], &state["failures"], &state["refused"]),
        (&json!(6), &json!(5), &json!(1))
    );
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_does_not_answer_is_told_apart() {
    let (caller, behind) = (Caller::new().await, Behind::new().await);
    let (_held, nowhere) = nobody();
    let nowhere = format!("http://{nowhere}/");
    set(&caller, json!({"name": "orders", "url": nowhere})).await;
    let gone = caller.get("/upstream/orders/whoami").await;
    assert_eq!(
        (gone.status(), gone.json()["code"].clone()),
        (502, json!("upstream_unreachable"))
    );
    let detail = gone.json()["detail"].as_str().unwrap().to_owned();
    assert!(!detail.contains("127.0.0.1"), "{detail}");
    set(&caller, behind.settings("/v1", json!({"timeout_ms": 60}))).await;
    behind.faults(json!([{"match": {"op": "whoami"}, "script": ["latency=30000"]}]));
    let late = caller.get("/upstream/orders/whoami").await;
    assert_eq!(
        (late.status(), late.json()["code"].clone()),
        (504, json!("upstream_timeout"))
    );
}

#[tokio::test]
async fn an_upstream_that_fails_its_checks_is_left_alone_until_one_succeeds() {
    let (caller, behind) = (Caller::new().await, Behind::new().await);
    caller.session.freeze();
    let health = json!({"health": {"path": "/healthz", "every_ms": 1_000}, "breaker": null});
    set(&caller, behind.settings("", health)).await;
    behind.faults(json!([{"match": {"op": "healthz"}, "script": ["ok", "500", "500", "ok"]}]));
    assert_eq!(caller.get("/upstream/orders/v1/whoami").await.status(), 200);
    // What came of the check of this instant is known.
    let checked = async || {
        let now_ms = caller.session.clock().now_ms;
        for _ in 0..6_000 {
            if state(&caller).await["checked_at_ms"] == now_ms {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the check has not come: {}", state(&caller).await);
    };
    checked().await;
    assert_eq!(state(&caller).await["healthy"], true);
    for _ in 0..2 {
        caller.session.advance(Duration::from_secs(1)).await;
        checked().await;
    }
    let refused = caller.get("/upstream/orders/v1/whoami").await;
    assert_eq!(
        (refused.status(), refused.json()["code"].clone()),
        (503, json!("upstream_unhealthy"))
    );
    assert!(refused.json()["detail"].as_str().unwrap().contains("500"));
    caller.session.advance(Duration::from_secs(1)).await;
    checked().await;
    assert_eq!(caller.get("/upstream/orders/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn what_is_no_upstream_is_said() {
    let (caller, behind) = (Caller::new().await, Behind::new().await);
    let (status, fault) = set(&caller, json!({"name": "a b", "url": "http://x/"})).await;
    assert_eq!(status, 422, "{fault}");
    assert!(
        fault["detail"].as_str().unwrap().contains("upstreams:"),
        "{fault}"
    );
    assert_eq!(caller.get("/upstream/nothing/x").await.status(), 404);
    let own = json!({"name": "orders", "url": caller.gateway.url()});
    set(&caller, own).await;
    let looped = caller.get("/upstream/orders/v1/whoami").await;
    assert_eq!(
        (looped.status(), looped.json()["code"].clone()),
        (502, json!("upstream_loop"))
    );
    set(&caller, behind.settings("/v1", json!({}))).await;
    let out = caller.get("/upstream/orders/..%2f%2e%2e/admin").await;
    assert_ne!(out.status(), 200);
    let up = caller.get("/upstream/orders/%2e%2e/healthz").await;
    assert_eq!(
        (up.status(), up.json()["code"].clone()),
        (400, json!("upstream_path"))
    );
    // The gateway's own keys and limits hold.
    let anonymous = caller
        .anonymous("GET", "/upstream/orders/whoami")
        .send()
        .await;
    assert_eq!(anonymous.status(), 401);
}

#[tokio::test]
async fn each_session_of_a_gateway_has_the_upstreams_it_was_started_with() {
    let behind = Behind::new().await;
    let upstream = Upstream::new("orders", format!("{}/v1", behind.url));
    let gateway = Gateway::builder().upstream(upstream).start().await.unwrap();
    let call = crate::caller::asking(&gateway.url(), "GET", "/upstream/orders/whoami");
    let call = call.header("authorization", "Bearer sk_test_unlimited_acme");
    // The upstream knows no such caller: the gateway's own key does not cross.
    assert_eq!(call.send().await.json()["code"], "missing_credentials");
    let wrong = Gateway::builder()
        .upstream(Upstream::new("a", "ftp://x"))
        .start()
        .await;
    assert!(wrong.unwrap_err().to_string().contains("http or https"));
}
