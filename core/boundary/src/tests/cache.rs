//! The cache as host programs set it, ask for it and see it.

use std::time::Duration;

use gatewright::testing::answer_with;
use serde_json::{Value, json};

use super::stage::{Stage, get};
use crate::Language;

fn fresh(
    body: &'static str,
) -> Result<gatewright::transport::TransportResponse, gatewright::transport::TransportError> {
    answer_with(
        200,
        &[("cache-control", "max-age=60"), ("etag", "\"1\"")],
        body,
    )
}

#[test]
fn answers_say_how_they_came_and_the_state_counts() {
    let stage = Stage::new([
        fresh("1"),
        answer_with(304, &[("etag", "\"1\"")], ""),
        fresh("2"),
        fresh("3"),
    ]);
    let client = stage.client(r#"{"cache": {"maxBytes": 1000000, "maxEntryBytes": 5000, "staleIfErrorMs": 1, "heuristicFreshnessMs": 0}}"#);
    let asked = |mode: &str| {
        get(&client, 1, Some(&format!(r#"{{"cache": "{mode}"}}"#)));
        let (_, meta, body) = stage.frame().answer();
        (meta["cache"].clone(), String::from_utf8(body).unwrap())
    };
    for (mode, status, body) in [
        ("default", json!("miss"), "1"),
        ("default", json!("hit"), "1"),
        ("only-if-cached", json!("hit"), "1"),
        ("no-cache", json!("revalidated"), "1"),
        ("reload", json!("miss"), "2"),
        ("no-store", json!(null), "3"),
        ("force-cache", json!("hit"), "2"),
    ] {
        assert_eq!(asked(mode), (status, body.to_owned()), "{mode}");
    }
    stage.pass(Duration::from_secs(100));
    assert_eq!(asked("force-cache").0, json!("stale"));
    let state: Value = serde_json::from_str(&client.state()).unwrap();
    let bytes = state["cache"]["bytes"].as_u64().unwrap();
    assert_eq!(
        state["cache"],
        json!({"entries": 1, "bytes": bytes, "maxBytes": 1_000_000, "hits": 3, "revalidated": 1, "stale": 1, "misses": 2, "evicted": 0})
    );
    client.clear_cache();
    get(&client, 2, Some(r#"{"cache": "only-if-cached"}"#));
    assert_eq!(stage.error(2)["code"], "not_cached");
}

#[test]
fn without_a_cache_there_is_no_word_of_one() {
    for settings in ["{}", r#"{"cache": false}"#] {
        let stage = Stage::new([fresh("1")]);
        let client = stage.client(settings);
        get(&client, 1, None);
        let (_, meta, _) = stage.frame().answer();
        assert!(meta.get("cache").is_none());
        assert!(!client.state().contains("\"cache\""));
    }
    let stage = Stage::new([fresh("1")]);
    let client = stage.client(r#"{"cache": true}"#);
    let state: Value = serde_json::from_str(&client.state()).unwrap();
    assert_eq!(state["cache"]["maxBytes"], 64 * 1024 * 1024);
}

#[test]
fn what_is_wrong_is_said_by_name() {
    for (settings, what) in [
        (
            r#"{"cache": 5}"#,
            "`cache` is 5; it must be true, false or an object",
        ),
        (
            r#"{"cache": {"maxBytes": -1}}"#,
            "`cache.maxBytes` is -1; it must be a whole number of bytes, zero or more",
        ),
        (
            r#"{"cache": {"size": 1}}"#,
            "`cache` has a member \"size\", which it does not know",
        ),
        (
            r#"{"cache": {"maxBytes": 0}}"#,
            "`cache` has room for 0 bytes; give it some, or leave it off",
        ),
        (
            r#"{"cache": {"staleIfErrorMs": "x"}}"#,
            "`cache.staleIfError` must be a number of milliseconds, zero or more",
        ),
    ] {
        let error = Stage::new([])
            .open("https://api.example.com", settings)
            .err()
            .unwrap();
        assert_eq!(
            (&error["code"], &error["what"]),
            (&json!("invalid_config"), &json!(what))
        );
    }
    let stage = Stage::of(Language::Kotlin, []);
    let client = stage.client("{}");
    for option in [r#"{"cache": "sometimes"}"#, r#"{"cache": true}"#] {
        get(&client, 1, Some(option));
        let error = stage.error(1);
        assert_eq!(error["code"], "invalid_request");
        let what = "`cache` must be one of default, no-store, reload, no-cache, force-cache, only-if-cached";
        assert_eq!(error["what"], what);
    }
}
