//! Questions: token callbacks and hooks.

use std::time::Duration;

use gatewright::testing::answer;
use serde_json::{Value, json};

use super::stage::{ANSWER, ASK, Held, Stage, get, number};

const CALLBACK: &str = r#"{"auth": {"kind": "callback"}, "client": 3, "pacing": false}"#;
const BEFORE: &str = r#"{"hooks": {"before": true}, "client": 4, "headers": [["x-a", "é"]]}"#;

fn answer_to(stage: &Stage, question: &Value, text: &str) {
    stage
        .port
        .answer(number(&question["question"]), Some(text.to_owned()), None);
}

#[test]
fn a_token_is_asked_for_once() {
    let stage = Stage::new([answer(200), answer(200)]);
    let client = stage.client(CALLBACK);
    get(&client, 10, None);
    get(&client, 11, None);
    let question = stage.question();
    assert_eq!(
        question,
        json!({"question": 1, "client": 3, "call": 10, "what": "token"})
    );
    answer_to(
        &stage,
        &question,
        r#"{"token": "t-1", "expiresInMs": null}"#,
    );
    let mut calls: Vec<_> = stage.frames().iter().map(|f| (f.call, f.kind)).collect();
    calls.sort_unstable();
    assert_eq!(calls, [(10, ANSWER), (11, ANSWER)]);
    for request in stage.wire.requests() {
        assert_eq!(request.headers["authorization"], "Bearer t-1");
    }
    stage.assert_empty();
}

#[test]
fn what_a_token_callback_threw_is_the_cause_for_all_that_waited() {
    let stage = Stage::new([]);
    let client = stage.client(CALLBACK);
    get(&client, 10, None);
    get(&client, 11, None);
    let question = stage.question();
    stage
        .port
        .fail(number(&question["question"]), 42, "TypeError: no vault");
    let errors: Vec<Value> = stage
        .frames()
        .iter()
        .map(super::stage::Seen::json)
        .collect();
    assert_eq!(errors.len(), 2);
    for error in errors {
        assert_eq!(
            (&error["code"], &error["cause"]),
            (&json!("token"), &json!(42))
        );
        assert_eq!(error["what"], "was not sent: no token: TypeError: no vault");
    }
    stage.assert_empty();
}

#[test]
fn a_token_that_is_none_is_an_error() {
    let stage = Stage::new([]);
    get(&stage.client(CALLBACK), 10, None);
    let question = stage.question();
    answer_to(&stage, &question, r#"{"token": 7}"#);
    let error = stage.error(10);
    assert_eq!(
        (&error["code"], &error["cause"]),
        (&json!("token"), &json!(null))
    );
    stage.assert_empty();
}

#[test]
fn a_question_that_nobody_waits_for_is_abandoned() {
    let stage = Stage::new([answer(200)]);
    let client = stage.client(BEFORE);
    get(&client, 10, None);
    let question = stage.question();
    stage.port.cancel(10);
    assert_eq!(
        stage.question(),
        json!({"question": question["question"], "client": 4, "call": 10, "what": "abandon"})
    );
    // Late answers are nobody's.
    answer_to(&stage, &question, "[]");
    stage.port.fail(number(&question["question"]), 1, "late");
    stage.port.answer(999, None, None);
    assert_eq!(stage.frames(), []);
    stage.assert_empty();
}

#[test]
fn a_question_that_takes_too_long_is_abandoned_too() {
    let stage = Stage::new([]);
    get(&stage.client(BEFORE), 10, Some(r#"{"timeoutMs": 100}"#));
    assert_eq!(stage.question()["what"], "before");
    stage.pass(Duration::from_millis(100));
    let frames = stage.frames();
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert_eq!(
        (frames[0].kind, &frames[0].json()["what"]),
        (ASK, &json!("abandon"))
    );
    assert_eq!(frames[1].json()["code"], "timeout");
    stage.assert_empty();
}

#[test]
fn a_hook_sees_an_attempt_and_may_change_its_headers() {
    let stage = Stage::new([answer(200)]);
    let client = stage.client(
        r#"{"hooks": {"before": true}, "client": 4, "headers": [["x-a", "é"]],
            "auth": {"kind": "apiKey", "key": "canary", "query": "k"}}"#,
    );
    get(&client, 10, Some(r#"{"query": [["token", "canary"]]}"#));
    let question = stage.question();
    let attempt = &question["attempt"];
    assert_eq!(
        (&question["client"], &question["call"], &question["what"]),
        (&json!(4), &json!(10), &json!("before"))
    );
    assert_eq!(
        (&attempt["number"], &attempt["method"]),
        (&json!(1), &json!("GET"))
    );
    assert_eq!(attempt["url"], "https://api.example.com/v1/x?token=***");
    let headers = attempt["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-a", "é"])), "{attempt}");
    assert!(!question.to_string().contains("canary"), "{question}");
    answer_to(&stage, &question, r#"[["x-b", "ü"]]"#);
    assert_eq!(stage.frame().kind, ANSWER);
    let requests = stage.wire.requests();
    assert_eq!(requests[0].headers["x-b"].as_bytes(), b"\xfc");
    assert!(!requests[0].headers.contains_key("x-a"));
}

#[test]
fn headers_that_a_hook_left_alone_stay() {
    let stage = Stage::new([answer(200)]);
    get(&stage.client(BEFORE), 10, None);
    let question = stage.question();
    stage.port.answer(number(&question["question"]), None, None);
    assert_eq!(stage.frame().kind, ANSWER);
    assert_eq!(stage.wire.requests()[0].headers["x-a"].as_bytes(), b"\xe9");
    stage.assert_empty();
}

#[test]
fn headers_that_cannot_be_sent_are_the_hooks_fault() {
    for text in [r#"[["x", "canary\n"]]"#, r#"[["x y", "canary"]]"#, "7", "{"] {
        let stage = Stage::new([answer(200)]);
        get(&stage.client(BEFORE), 10, None);
        let question = stage.question();
        answer_to(&stage, &question, text);
        let error = stage.error(10);
        assert_eq!(
            (&error["code"], &error["cause"]),
            (&json!("hook"), &json!(null))
        );
        assert!(!error.to_string().contains("canary"), "{error}");
        assert_eq!(stage.wire.requests().len(), 0);
    }
}

#[test]
fn what_a_hook_threw_is_the_cause() {
    let stage = Stage::new([]);
    get(&stage.client(BEFORE), 10, None);
    let question = stage.question();
    stage
        .port
        .fail(number(&question["question"]), 5, "Error: not today");
    let error = stage.error(10);
    assert_eq!(
        (&error["code"], &error["cause"]),
        (&json!("hook"), &json!(5))
    );
    assert!(
        error["message"].as_str().unwrap().contains("not today"),
        "{error}"
    );
    stage.assert_empty();
}

#[test]
fn a_hook_sees_how_an_attempt_ended() {
    let stage = Stage::new([answer(200)]);
    let client = stage.client(r#"{"hooks": {"before": false, "after": true}, "client": 4}"#);
    get(&client, 10, None);
    let question = stage.question();
    assert_eq!(
        question["attempt"],
        json!({"number": 1, "method": "GET", "url": "https://api.example.com/v1/x", "headers": [],
               "status": 200, "error": null, "tookMs": 0})
    );
    stage.port.answer(number(&question["question"]), None, None);
    assert_eq!(stage.frame().kind, ANSWER);

    // After the script's end every attempt is a lost connection.
    get(&client, 11, Some(r#"{"maxAttempts": 1}"#));
    let attempt = stage.question()["attempt"].take();
    assert_eq!(
        (&attempt["status"], &attempt["headers"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(attempt["error"], "connection lost: scripted");
}

#[test]
fn a_call_ends_while_a_hook_of_another_goes_on() {
    let stage = Stage::new([]);
    let held = Held::default();
    let client = stage.client_over(held, r#"{"hooks": {"before": true}, "pacing": false}"#);
    get(&client, 1, None);
    get(&client, 2, None);
    let calls: Vec<_> = stage
        .frames()
        .iter()
        .map(|frame| frame.json()["call"].clone())
        .collect();
    assert_eq!(calls, [json!(1), json!(2)]);
    stage.port.cancel(1);
    assert_eq!(stage.question()["call"], 1);
    assert_eq!((stage.tasks(), stage.port.waiting()), (1, 1));
}
