//! Breaker, slots, regions, hedging and explanations as host programs set and see them.

use gatewright::FailureClass;
use gatewright::testing::{answer, answer_with, failure};
use serde_json::{Value, json};

use super::stage::{Stage, get};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_breaker_is_set_and_seen() {
    let stage = Stage::new((0..2).map(|_| answer(500)));
    let client = stage.client(
        r#"{"breaker": {"failureRate": 0.9, "minimumCalls": 2, "windowMs": 1000, "openMs": 5000}, "maxAttempts": 1, "maxConcurrency": 3}"#,
    );
    let state = json_of(&client.state());
    assert_eq!(
        state["breaker"],
        json!({"state": "closed", "failures": 0, "calls": 0, "retryAfterMs": null, "lastFailure": null})
    );
    assert_eq!(
        state["concurrency"],
        json!({"limit": 3, "inFlight": 0, "queued": 0})
    );
    for _ in 0..2 {
        get(&client, 1, None);
        assert_eq!(stage.error(1)["code"], "server");
    }
    get(&client, 2, None);
    let error = stage.error(2);
    assert_eq!(error["code"], "circuit_open");
    assert_eq!(error["attempts"], json!([]));
    let state = json_of(&client.state());
    assert_eq!(state["breaker"]["state"], "open");
    assert_eq!(state["breaker"]["lastFailure"], "500");
    assert_eq!(state["breaker"]["retryAfterMs"], error["retryAfterMs"]);
}

#[test]
fn what_is_off_is_null() {
    let stage = Stage::new([]);
    let state = json_of(&stage.client(r#"{"breaker": false}"#).state());
    assert_eq!(state["breaker"], Value::Null);
    assert_eq!(state["concurrency"], Value::Null);
    assert!(state.get("regions").is_none());
}

#[test]
fn regions_are_in_the_record_and_the_state() {
    let stage = Stage::new([failure(FailureClass::Connect), answer(200)]);
    let client = stage.client(r#"{"regions": ["https://us.example/v2"]}"#);
    get(&client, 1, None);
    let (_, meta, _) = stage.frame().answer();
    assert_eq!(meta["attempts"][1]["region"], "us.example");
    assert!(meta["attempts"][1].get("hedge").is_none());
    let state = json_of(&client.state());
    assert_eq!(state["regions"][0]["healthy"], false);
    assert_eq!(state["regions"][1]["name"], "us.example");
    assert_eq!(state["regions"][1]["budgetLeft"], 500);
    assert_eq!(state["regions"][1]["breaker"]["state"], "closed");
    let picture = crate::timeline(&meta["attempts"].to_string());
    assert!(picture.contains(" in us.example: 200"), "{picture}");
}

#[test]
fn an_explanation_comes_as_values_and_as_text() {
    let stage = Stage::new([]);
    let client = stage.client("{}");
    let supposed = r#"{"status": 503, "headers": [["retry-after", "2"], ["ratelimit", "\"a\";r=1;t=3"], ["ratelimit-policy", "\"a\";q=9;w=60"]], "method": "post", "attempt": 2, "elapsedMs": 10000}"#;
    let told = json_of(&client.explain(supposed).unwrap());
    for (name, value) in [
        ("decision", json!("retry")),
        ("reason", json!("the server was unavailable")),
        ("leastWaitMs", json!(2000)),
        ("mostWaitMs", json!(2199.999)),
        ("code", json!("server")),
        ("repeatable", json!(true)),
        ("retryAfterMs", json!(2000)),
        ("pausedForMs", json!(2000)),
        ("cost", json!(5)),
        ("budgetLeft", json!(500)),
        ("counted", json!("failure")),
        ("breaker", json!("closed")),
        ("region", Value::Null),
        ("to", Value::Null),
        (
            "quotas",
            json!([{"policy": "a", "limit": 9, "remaining": 1, "windowMs": 60000, "resetsInMs": 3000}]),
        ),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    assert!(told["text"].as_str().unwrap().starts_with("retry in 2 s"));
    assert!(told["reasons"].as_array().unwrap().len() > 4);
    let lost = r#"{"failure": "connection_lost", "method": "POST", "idempotencyKey": false}"#;
    let told = json_of(&client.explain(lost).unwrap());
    assert_eq!(told["code"], "outcome_unknown");
    assert_eq!(told["decision"], "give_up");
}

#[test]
fn what_cannot_be_supposed_is_named() {
    let stage = Stage::new([]);
    let client = stage.client("{}");
    for (supposed, says) in [
        ("{}", "either `status` or `failure`"),
        (
            r#"{"status": 200, "failure": "tls"}"#,
            "either `status` or `failure`",
        ),
        (r#"{"status": 12}"#, "`status` is 12"),
        (r#"{"status": 4000}"#, "4000 is no status"),
        (
            r#"{"failure": "flood"}"#,
            "`failure` must be one of body_source",
        ),
        (r#"{"status": 200, "color": 1}"#, "\"color\" is no part"),
        (r#"{"status": 200, "timeoutMs": -1}"#, "`timeout` is -1"),
        ("[]", "the supposition"),
    ] {
        let error = json_of(&client.explain(supposed).unwrap_err());
        assert!(error["what"].as_str().unwrap().contains(says), "{error}");
    }
}

#[test]
fn a_hedge_is_read_and_what_is_none_is_named() {
    let stage = Stage::new([answer_with(200, &[], "1")]);
    for (options, says) in [
        (r#"{"hedge": {"afterMs": 0}}"#, "`hedge` is after zero"),
        (r#"{"hedge": true}"#, "`hedge` must be false"),
        (r#"{"hedge": "p99"}"#, "`hedge` must be false"),
        (r#"{"hedge": {"before": 1}}"#, "\"before\""),
    ] {
        get(&stage.client("{}"), 1, Some(options));
        let error = stage.error(1);
        assert!(error["what"].as_str().unwrap().contains(says), "{error}");
    }
    for hedge in ["false", "null", "\"p95\"", r#"{"afterMs": 100}"#] {
        let client = stage.client(&format!(r#"{{"hedge": {hedge}}}"#));
        drop(client);
    }
}

#[test]
fn settings_that_cannot_be_are_named_as_the_host_has_them() {
    let stage = Stage::new([]);
    for (settings, says) in [
        (r#"{"breaker": {"failureRate": 2}}"#, "failureRate` is 2"),
        (
            r#"{"breaker": {"minimumCalls": 0}}"#,
            "`breaker.minimumCalls` is 0",
        ),
        (r#"{"breaker": {"color": 0}}"#, "\"color\""),
        (
            r#"{"breaker": 5}"#,
            "`breaker` is 5; it must be true, false or an object",
        ),
        (r#"{"maxConcurrency": 0}"#, "`maxConcurrency` is 0"),
        (
            r#"{"regions": "https://a.example"}"#,
            "`regions` must be a list",
        ),
        (r#"{"regions": ["a.example"]}"#, "`regions`"),
    ] {
        let error = stage
            .open("https://api.example.com", settings)
            .err()
            .unwrap();
        let what = error["what"].as_str().unwrap();
        assert!(what.contains(says), "{settings}: {what}");
    }
}
