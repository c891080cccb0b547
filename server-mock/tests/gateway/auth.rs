//! Who is let in, and what the others are told.

use std::time::Duration;

use gatewright_server_mock::{OptionsChange, Tier};

use crate::caller::Caller;

#[tokio::test]
async fn every_way_to_send_a_key_is_understood() {
    let caller = Caller::new().await;
    let key = "sk_test_pro_acme";
    let basic = |password: &str| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{key}:{password}"));
        format!("Basic {pair}")
    };
    let asking = caller.anonymous("GET", "/v1/whoami");
    for seen in [
        asking
            .clone()
            .header("authorization", &format!("Bearer {key}"))
            .send()
            .await,
        asking.clone().header("x-api-key", key).send().await,
        asking
            .clone()
            .header("cookie", &format!("theme=dark; api_key={key}"))
            .send()
            .await,
        asking
            .clone()
            .header("authorization", &basic(""))
            .send()
            .await,
        asking
            .clone()
            .header("authorization", &basic("anything"))
            .send()
            .await,
        caller
            .anonymous("GET", &format!("/v1/whoami?api_key={key}"))
            .send()
            .await,
    ] {
        assert_eq!(seen.status(), 200);
        assert_eq!(
            seen.json(),
            serde_json::json!({
                "tenant": "acme", "tier": "pro",
                "scopes": [
                    "contacts:read", "contacts:write", "events:read", "jobs:read", "jobs:write", "projects:read", "projects:write",
                    "users:read", "users:write", "webhooks:read", "webhooks:write"
                ]
            })
        );
    }
}

#[tokio::test]
async fn wrong_keys_get_401_with_the_reason_in_code_and_challenge() {
    let caller = Caller::new().await;
    for (key, code, error) in [
        ("sk_live_123", "invalid_api_key", "the key is not known"),
        (
            "sk_test_pro_acme_revoked",
            "key_revoked",
            "the key has been revoked",
        ),
        (
            "sk_test_pro_acme_expired",
            "key_expired",
            "the key has expired",
        ),
    ] {
        let seen = caller
            .anonymous("GET", "/v1/contacts")
            .header("x-api-key", key)
            .send()
            .await;
        assert_eq!(
            (seen.status(), seen.json()["code"].as_str()),
            (401, Some(code)),
            "{key}"
        );
        let challenge = format!(
            r#"Bearer realm="gatewright", error="invalid_token", error_description="{error}""#
        );
        assert_eq!(seen.header("www-authenticate"), Some(challenge));
        assert!(seen.header("ratelimit").is_none());
    }
}

#[tokio::test]
async fn without_credentials_the_challenge_names_no_error() {
    let caller = Caller::new().await;
    let seen = caller.anonymous("GET", "/v1/contacts").send().await;
    assert_eq!(
        (seen.status(), seen.json()["code"].as_str()),
        (401, Some("missing_credentials"))
    );
    assert_eq!(
        seen.header("www-authenticate").as_deref(),
        Some(r#"Bearer realm="gatewright""#)
    );
}

#[tokio::test]
async fn readonly_keys_read_but_their_writes_get_403_with_the_scope() {
    let caller = Caller::with_key("sk_test_pro_acme_readonly").await;
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
    for (method, path) in [
        ("POST", "/v1/contacts"),
        ("PUT", "/v1/contacts/ct_000001"),
        ("PATCH", "/v1/contacts/ct_000001"),
        ("DELETE", "/v1/contacts/ct_000001"),
    ] {
        let seen = caller.ask(method, path).body("{}").send().await;
        assert_eq!(
            (seen.status(), seen.json()["code"].as_str()),
            (403, Some("insufficient_scope"))
        );
        assert_eq!(seen.json()["required_scope"], "contacts:write");
        assert_eq!(
            seen.header("www-authenticate").as_deref(),
            Some(
                r#"Bearer realm="gatewright", error="insufficient_scope", scope="contacts:write""#
            )
        );
    }
    assert_eq!(caller.get("/v1/contacts/ct_000001").await.status(), 200);
}

#[tokio::test]
async fn minted_tokens_work_until_the_clock_says_they_ended() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let token = caller
        .session
        .mint_token(Tier::Pro, "globex", Duration::from_millis(5_000))
        .unwrap();
    let asking = caller
        .anonymous("GET", "/v1/whoami")
        .header("authorization", &format!("Bearer {}", token.token));
    assert_eq!(asking.send().await.json()["tenant"], "globex");
    caller.session.advance(Duration::from_millis(4_999)).await;
    assert_eq!(asking.send().await.status(), 200);
    caller.session.advance(Duration::from_millis(1)).await;
    let seen = asking.send().await;
    assert_eq!(
        (seen.status(), seen.json()["code"].as_str()),
        (401, Some("token_expired"))
    );
}

#[tokio::test]
async fn a_token_of_one_session_is_unknown_in_another() {
    let caller = Caller::new().await;
    let token = caller
        .session
        .mint_token(Tier::Pro, "acme", Duration::from_secs(60))
        .unwrap();
    let seen = caller
        .anonymous("GET", "/v1/whoami")
        .header("x-mock-session", "other")
        .header("authorization", &format!("Bearer {}", token.token))
        .send()
        .await;
    assert_eq!(seen.json()["code"], "invalid_api_key");
}

#[tokio::test]
async fn auth_can_be_switched_off_for_a_session() {
    let caller = Caller::new().await;
    let off: OptionsChange = serde_json::from_str(r#"{"auth":"off"}"#).unwrap();
    caller.session.set(off).unwrap();
    assert_eq!(
        caller.anonymous("GET", "/v1/whoami").send().await.json()["tenant"],
        "anonymous"
    );
    let wrong = caller
        .anonymous("GET", "/v1/whoami")
        .header("x-api-key", "nonsense");
    assert_eq!(wrong.send().await.status(), 401);
}

#[tokio::test]
async fn health_needs_no_key() {
    let caller = Caller::new().await;
    let seen = caller.anonymous("GET", "/healthz").send().await;
    assert_eq!(
        (seen.status(), seen.json()),
        (200, serde_json::json!({"status": "ok"}))
    );
}
