//! What a cache meets: headers a session sets or takes away, dates of records, and an answer that varies.

use std::time::Duration;

use gatewright_server_mock::OptionsChange;
use serde_json::json;

use crate::caller::Caller;

async fn with(options: serde_json::Value) -> Caller {
    let caller = Caller::new().await;
    caller.session.freeze();
    let change: OptionsChange = serde_json::from_value(options).unwrap();
    caller.session.set(change).unwrap();
    caller
}

#[tokio::test]
async fn headers_are_set_and_taken_away_by_operation_and_status() {
    let caller = with(json!({"response_headers": [
        {"op": "contacts.*", "set": {"Cache-Control": "max-age=60, stale-if-error=30", "Age": "5", "etag": null}},
        {"op": "contacts.get", "status": 404, "set": {"cache-control": "no-store", "vary": ["Accept", "Origin"]}},
        {"path": "/v1/users/*", "method": "get", "set": {"expires": "{date:+60}", "x-at": "{epoch:-1}"}},
    ]}))
    .await;
    let found = caller.get("/v1/contacts/ct_000001").await;
    assert_eq!(
        found.header("cache-control").as_deref(),
        Some("max-age=60, stale-if-error=30")
    );
    assert_eq!(
        (found.header("age").as_deref(), found.header("etag")),
        (Some("5"), None)
    );
    let missing = caller.get("/v1/contacts/ct_999999").await;
    assert_eq!(missing.header("cache-control").as_deref(), Some("no-store"));
    let head = missing.head();
    assert!(head.contains("vary: Accept\r\nvary: Origin"), "{head}");
    let user = caller.get("/v1/users/us_000001").await;
    let seconds = caller.session.clock().now_ms / 1_000;
    let date = |name: &str| httpdate::parse_http_date(&user.header(name).unwrap()).unwrap();
    assert_eq!(
        date("expires").duration_since(date("date")).unwrap(),
        Duration::from_secs(60)
    );
    assert_eq!(user.header("x-at"), Some((seconds - 1).to_string()));
    assert!(
        caller
            .get("/v1/whoami")
            .await
            .header("cache-control")
            .is_none()
    );
}

#[tokio::test]
async fn headers_of_the_framing_and_broken_ones_are_refused() {
    let caller = Caller::new().await;
    for (set, reason) in [
        (json!({"content-length": "5"}), "about the connection"),
        (json!({"a b": "5"}), "no header name"),
        (json!({"x": "{date:soon}"}), "cannot be"),
        (json!({"x": "a\nb"}), "cannot be"),
    ] {
        let change = json!({ "response_headers": [{ "set": set }] });
        let change = serde_json::from_value(change).unwrap();
        let refused = caller.session.set(change).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn records_have_a_date_to_ask_by_where_the_session_wants_it() {
    let caller = with(json!({"last_modified": true})).await;
    let path = "/v1/contacts/ct_000001";
    let first = caller.get(path).await;
    let date = first.header("last-modified").unwrap();
    assert_eq!(date, "Wed, 01 Jan 2025 00:00:00 GMT");
    let asking = |name: &str, value: &str| caller.ask("GET", path).header(name, value);
    let unchanged = asking("if-modified-since", &date).send().await;
    assert_eq!((unchanged.status(), unchanged.body().len()), (304, 0));
    assert_eq!(
        unchanged.header("last-modified").as_deref(),
        Some(date.as_str())
    );
    // An entity tag counts before a date.
    let both = asking("if-modified-since", &date).header("if-none-match", "\"other\"");
    assert_eq!(both.send().await.status(), 200);
    let changed = caller
        .ask("PATCH", path)
        .header("if-unmodified-since", &date)
        .json(&json!({"name": "New"}))
        .send()
        .await;
    assert_eq!(changed.status(), 200);
    assert_eq!(
        asking("if-modified-since", &date).send().await.status(),
        200
    );
    let late = caller
        .ask("PATCH", path)
        .header("if-unmodified-since", &date)
        .json(&json!({"name": "Newer"}))
        .send()
        .await;
    assert_eq!(late.status(), 412);
    let without = Caller::new().await;
    assert!(without.get(path).await.header("last-modified").is_none());
}

#[tokio::test]
async fn the_greeting_varies_by_language() {
    let caller = Caller::new().await;
    for (wanted, language) in [
        ("de", "de"),
        ("ja;q=0.2, fr-CA;q=0.8", "fr"),
        ("tlh, *", "en"),
        ("de;q=0, ja;q=0.001", "ja"),
    ] {
        let asking = caller
            .ask("GET", "/v1/greeting")
            .header("accept-language", wanted);
        let seen = asking.send().await;
        assert_eq!(seen.json()["language"], language, "{wanted}");
        assert_eq!(seen.header("vary").as_deref(), Some("Accept-Language"));
        assert_eq!(seen.header("content-language").as_deref(), Some(language));
        let etag = seen.header("etag").unwrap();
        assert_eq!(
            asking.header("if-none-match", &etag).send().await.status(),
            304
        );
    }
    let seen = caller.get("/v1/greeting").await;
    assert_eq!(seen.json()["text"], "Good day");
}
