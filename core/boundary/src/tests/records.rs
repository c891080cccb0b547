//! Records that came back from the host language.

use std::time::Duration;

use gatewright::engine::timeline;
use gatewright::testing::{Scripted, VirtualClock, answer_with, failure};
use gatewright::{Client, ErrorKind, FailureClass, Response};
use serde_json::Value;

use crate::{Language, answer_error, error, error_codes, meta};

/// An answer after a failure and a 503, held back before.
fn response() -> Response {
    let clock = VirtualClock::new(3);
    let headers = [("retry-after", "1"), ("x-request-id", "r-2")];
    let transport = Scripted::new([
        failure(FailureClass::ConnectionLost),
        answer_with(503, &headers, ""),
        answer_with(200, &[("x-request-id", "r-3")], "<html>"),
    ]);
    let client = Client::builder("https://api.example.com")
        .runtime(clock.clone())
        .transport(transport)
        .quota("1/s, burst 1")
        .build()
        .unwrap();
    let request = client.get("/x").query([("token", "canary"), ("q", "\"")]);
    clock.block_on(request.send()).unwrap()
}

#[test]
fn the_picture_is_the_same_as_in_other_languages() {
    let answer = response();
    let mut json = Vec::new();
    meta::attempts(&mut json, answer.attempts());
    let picture = crate::timeline(std::str::from_utf8(&json).unwrap());
    assert_eq!(picture, timeline::timeline(answer.attempts()));
    assert!(
        picture.contains('█') && picture.contains("connection lost in"),
        "{picture}"
    );
    assert_eq!(picture.lines().count(), 3);
}

#[test]
fn what_is_no_record_has_no_picture() {
    for text in ["", "{}", "[1]", "[]", r#"[{"number": "x"}]"#] {
        assert_eq!(crate::timeline(text), "");
    }
}

#[test]
fn an_error_of_an_answer_is_the_one_that_the_core_makes() {
    let answer = response();
    let mut json = Vec::new();
    meta::of_answer(&mut json, &answer);
    let meta = String::from_utf8(json).unwrap();
    for (kind, what) in [
        (ErrorKind::Decode, "with a body that is no JSON: \"<\""),
        (ErrorKind::Closed, "but is closed"),
    ] {
        let made: Value = serde_json::from_str(&answer_error(
            Language::JavaScript,
            &meta,
            kind.code(),
            what,
        ))
        .unwrap();
        let core = error::to_json(&answer.error(kind, what), Language::JavaScript);
        let core: Value = serde_json::from_slice(&core).unwrap();
        assert_eq!(made, core);
        assert!(!made.to_string().contains("canary"), "{made}");
    }
}

#[test]
fn an_error_of_an_answer_that_cannot_be_read_is_still_one() {
    for meta in ["", "{}", "{\"method\": 7}"] {
        let made: Value =
            serde_json::from_str(&answer_error(Language::JavaScript, meta, "nonsense", "odd"))
                .unwrap();
        assert_eq!(
            (&made["code"], &made["what"]),
            (&"decode".into(), &"the answer came odd".into())
        );
    }
}

#[test]
fn all_codes_are_told() {
    let codes = error_codes();
    assert_eq!(codes.len(), ErrorKind::ALL.len());
    assert!(codes.contains(&"rate_limited"));
}

#[test]
fn durations_that_are_none_do_no_harm() {
    let attempt = r#"[{"number":1,"startedMs":1e300,"queuedMs":-1,"queuedFor":"x","tookMs":1e18,"status":null,"error":null,
        "retryAfterMs":null,"requestId":null,"decision":"none","reason":null,"waitMs":null,"budgetLeft":0}]"#;
    assert!(crate::timeline(attempt).contains("pending"));
    assert!(Duration::from_millis(1) < Duration::from_secs(1));
}
