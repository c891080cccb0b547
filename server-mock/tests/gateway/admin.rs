//! The admin port: sessions, options, tokens, effects, and who may not call it.

use gatewright_server_mock::Gateway;
use serde_json::json;

use crate::caller::Caller;

#[tokio::test]
async fn health_says_version_and_sessions() {
    let caller = Caller::new().await;
    let health = caller.admin("GET", "/admin/health").send().await.json();
    assert_eq!(
        (&health["status"], &health["sessions"]),
        (&json!("ok"), &json!(1))
    );
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn sessions_are_made_listed_and_forgotten() {
    let caller = Caller::new().await;
    let made = caller
        .admin("POST", "/admin/sessions")
        .json(&json!({"id": "fresh", "options": {"dialect": "triple"}}))
        .send()
        .await;
    assert_eq!(
        (made.status(), &made.json()["options"]["dialect"]),
        (201, &json!("triple"))
    );
    let list = caller.admin("GET", "/admin/sessions").send().await.json();
    let names: Vec<_> = list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["id"].clone())
        .collect();
    assert_eq!(names, [json!("fresh"), json!("test")]);
    let forgotten = caller
        .admin("DELETE", "/admin/sessions?session=fresh")
        .send()
        .await;
    assert_eq!(forgotten.json(), json!({"forgotten": 1}));
    let options = caller
        .admin("GET", "/admin/session?session=fresh")
        .send()
        .await
        .json();
    assert_eq!(options["dialect"], "draft10");
    assert_eq!(
        caller
            .admin("DELETE", "/admin/sessions")
            .send()
            .await
            .json(),
        json!({"forgotten": 2})
    );
}

#[tokio::test]
async fn reset_makes_a_session_new() {
    let caller = Caller::new().await;
    caller.session.freeze();
    caller.ask("DELETE", "/v1/contacts/ct_000001").send().await;
    caller
        .admin("POST", "/admin/session?session=test")
        .json(&json!({"dialect": "none"}))
        .send()
        .await;
    let reset = caller
        .admin("POST", "/admin/reset?session=test")
        .send()
        .await;
    assert_eq!(reset.json(), json!({"id": "test", "reset": true}));
    assert!(caller.session.journal(0).is_empty() && !caller.session.clock().frozen);
    assert_eq!(caller.session.effects("contacts.delete").count, 0);
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
    let options = caller
        .admin("GET", "/admin/session?session=test")
        .send()
        .await
        .json();
    assert_eq!(options["dialect"], "draft10");
}

#[tokio::test]
async fn options_change_whole_or_not_at_all() {
    let caller = Caller::new().await;
    let wrong = json!({"dialect": "triple", "max_body_bytes": 999_999_999_999u64});
    let refused = caller
        .admin("POST", "/admin/session?session=test")
        .json(&wrong)
        .send()
        .await;
    assert_eq!(
        (refused.status(), &refused.json()["code"]),
        (422, &json!("refused"))
    );
    assert_eq!(
        refused.json()["detail"],
        "max_body_bytes must be at most 268435456, got 999999999999"
    );
    let options = caller
        .admin("GET", "/admin/session?session=test")
        .send()
        .await
        .json();
    assert_eq!(
        (&options["dialect"], &options["max_body_bytes"]),
        (&json!("draft10"), &json!(16_777_216))
    );
    let unknown = caller
        .admin("POST", "/admin/session?session=test")
        .json(&json!({"dialct": "none"}))
        .send()
        .await;
    assert_eq!(unknown.status(), 400);
}

#[tokio::test]
async fn tokens_are_minted_over_the_admin_port() {
    let caller = Caller::new().await;
    let minted = caller
        .admin("POST", "/admin/tokens?session=test")
        .json(&json!({"tier": "pro", "tenant": "acme", "ttl_ms": 5000}))
        .send()
        .await;
    assert_eq!(minted.status(), 201);
    let token = minted.json()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("tok_"));
    let asking = caller
        .anonymous("GET", "/v1/whoami")
        .header("authorization", &format!("Bearer {token}"));
    assert_eq!(asking.send().await.json()["tier"], "pro");
    let wrong = caller
        .admin("POST", "/admin/tokens?session=test")
        .json(&json!({"tier": "pro", "tenant": "no/slash", "ttl_ms": 1}))
        .send()
        .await;
    assert_eq!(
        wrong.json()["detail"],
        "tenant must be 1 to 64 letters, digits, - or _"
    );
}

#[tokio::test]
async fn effects_are_counted_by_operation_key_and_external_id() {
    let caller = Caller::new().await;
    for id in ["a", "b", "b"] {
        caller
            .post("/v1/contacts", json!({"name": "N", "external_id": id}))
            .await;
    }
    caller.ask("DELETE", "/v1/contacts/ct_000046").send().await;
    let shown = caller
        .admin("GET", "/admin/effects?session=test&op=contacts.create")
        .send()
        .await
        .json();
    assert_eq!(
        shown,
        json!({
            "op": "contacts.create", "count": 3,
            "by_key": {"distinct": 0, "duplicates": 0, "without_key": 3},
            "distinct_external_ids": 2, "doubled": ["b"]
        })
    );
    let all = caller
        .admin("GET", "/admin/effects?session=test")
        .send()
        .await
        .json();
    let operations: Vec<_> = all["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["op"].clone())
        .collect();
    assert_eq!(
        operations,
        [json!("contacts.create"), json!("contacts.delete")]
    );
}

#[tokio::test]
async fn web_pages_of_other_sites_are_kept_out() {
    let caller = Caller::new().await;
    let asking = caller.admin("GET", "/admin/health");
    let own_host = caller.gateway.admin_url().replace("http://", "");
    for (name, value, status) in [
        ("host", "evil.example", 403),
        ("host", "localhost", 200),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("origin", &format!("http://{own_host}"), 200),
    ] {
        let seen = asking.clone().header(name, value).send().await;
        assert_eq!(seen.status(), status, "{name}: {value}");
        assert_eq!(seen.header("access-control-allow-origin"), None);
    }
    let rebound = asking
        .header("host", "evil.example")
        .header("origin", "http://evil.example");
    assert_eq!(rebound.send().await.json()["code"], "foreign_caller");
}

#[tokio::test]
async fn unknown_admin_paths_are_problems() {
    let caller = Caller::new().await;
    for path in ["/admin/nothing", "/nothing", "/v1/contacts"] {
        let seen = caller.admin("GET", path).send().await;
        assert_eq!(
            (seen.status(), &seen.json()["code"]),
            (404, &json!("not_found")),
            "{path}"
        );
        assert_eq!(
            seen.header("content-type").as_deref(),
            Some("application/problem+json")
        );
    }
}

#[tokio::test]
async fn the_default_session_is_used_when_none_is_named() {
    let caller = Caller::new().await;
    caller.get("/v1/whoami").await;
    let unnamed = caller
        .ask("GET", "/v1/whoami")
        .header("x-mock-session", "default");
    unnamed.send().await;
    let shown = caller.admin("GET", "/admin/journal").send().await.json();
    assert_eq!(shown["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_admin_port_for_a_container_still_refuses_other_names() {
    let gateway = Gateway::builder().admin_host(std::net::Ipv4Addr::UNSPECIFIED.into());
    let gateway = gateway.start().await.unwrap();
    let port = gateway.admin_url().rsplit_once(':').unwrap().1.to_owned();
    let url = format!("http://127.0.0.1:{port}");
    for (host, status) in [("localhost", 200), ("gateway.example", 403)] {
        let ask = crate::caller::asking(&url, "GET", "/admin/health").header("host", host);
        assert_eq!(ask.send().await.status(), status, "{host}");
    }
}
