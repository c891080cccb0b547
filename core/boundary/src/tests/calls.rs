//! Calls: how they begin, how they are given up, and that nothing is left of them.

use std::time::Duration;

use gatewright::Body;
use gatewright::runtime::BoxFuture;
use gatewright::testing::{answer, answer_with};
use gatewright::transport::{Transport, TransportError, TransportRequest, TransportResponse};
use serde_json::json;

use super::stage::{Held, Stage, get, number, post};
use crate::call;

#[test]
fn options_reach_the_wire() {
    let stage = Stage::new([answer(200)]);
    let client = stage.client(r#"{"headers": [["x-a", "client"], ["x-b", "client"]]}"#);
    let options = r#"{"query": [["q", "a b"], ["q", "&"]], "headers": [["x-a", "é"], ["x-c", "1"], ["x-c", "2"]],
        "idempotencyKey": "k-1", "contentType": "application/json"}"#;
    client.start(
        1,
        "patch",
        "things/1",
        0,
        Some(options),
        Some(Body::from("{}")),
    );
    assert_eq!(stage.frame().answer().0, 200);
    let requests = stage.wire.requests();
    let request = &requests[0];
    assert_eq!(request.method, "PATCH");
    assert_eq!(
        request.url.as_str(),
        "https://api.example.com/v1/things/1?q=a+b&q=%26"
    );
    assert_eq!(request.headers["x-a"].as_bytes(), b"\xe9");
    assert_eq!(request.headers["x-b"], "client");
    assert_eq!(request.headers.get_all("x-c").iter().count(), 2);
    assert_eq!(request.headers["idempotency-key"], "k-1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(&*request.body, b"{}");
}

#[test]
fn a_content_type_of_the_callers_own_stays() {
    let stage = Stage::new([answer(200)]);
    let options = r#"{"contentType": "text/plain", "headers": [["Content-Type", "text/csv"]]}"#;
    post(&stage.client("{}"), 1, Some(options), "a,b");
    stage.run();
    let types: Vec<_> = stage.wire.requests()[0]
        .headers
        .get_all("content-type")
        .iter()
        .cloned()
        .collect();
    assert_eq!(types, ["text/csv"]);
}

#[test]
fn what_cannot_be_sent_says_so_by_the_name_that_programs_know() {
    let stage = Stage::new([]);
    let client = stage.client("{}");
    for (options, what) in [
        (
            r#"{"timeoutMs": "NaN"}"#,
            "`timeout` is NaN; it must be a number of milliseconds above zero, or null for no limit",
        ),
        (
            r#"{"timeoutMs": "canary"}"#,
            "`timeout` must be a number of milliseconds above zero, or null for no limit",
        ),
        (
            r#"{"attemptTimeoutMs": 0}"#,
            "`attemptTimeout` is 0; it must be a number of milliseconds above zero, or null for no limit",
        ),
        (
            r#"{"attemptTimeoutMs": "Infinity"}"#,
            "`attemptTimeout` is Infinity; it must be a number of milliseconds above zero, or null for no limit",
        ),
        (
            r#"{"maxAttempts": 0}"#,
            "`maxAttempts` is 0; it must be a whole number from 1 to 4294967295",
        ),
        (
            r#"{"headers": [["x", 1]]}"#,
            "`headers` must be a list of pairs of strings",
        ),
        (
            r#"{"headers": [["x-a", "canary\n"]]}"#,
            "the value of the header x-a has a character that no header can carry (a newline?)",
        ),
        (
            r#"{"headers": [["x-a", "canary€"]]}"#,
            "the value of the header x-a has a character that no header can carry (above U+00FF)",
        ),
        (
            r#"{"headers": {"x": "canary"}}"#,
            "`headers` must be a list of pairs of strings",
        ),
        (
            r#"{"query": 3}"#,
            "`query` is 3; it must be a list of pairs of strings",
        ),
        (
            r#"{"idempotencyKey": 7}"#,
            "`idempotencyKey` is 7; it must be a string",
        ),
        (
            r#"{"throwOnError": "canary"}"#,
            "`throwOnError` must be true or false",
        ),
        (
            r#"{"max_attempts": 1}"#,
            "\"max_attempts\" is no option of this request",
        ),
        (
            r#"{"stream": {"replayable": true}}"#,
            "\"stream\" is no option of this request",
        ),
        ("[]", "the options must be an object"),
        ("{", "the options must be an object"),
    ] {
        post(&client, 9, Some(options), "body");
        let error = stage.error(9);
        assert_eq!(error["what"], what, "{options}");
        assert!(error["code"] == "invalid_request" || error["code"] == "invalid_config");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    client.start(9, "GE T", "/x", 0, None, None);
    assert_eq!(stage.error(9)["what"], "\"GE T\" is no HTTP method");
    client.start(9, "GET", "/a\nb", 0, None, None);
    assert_eq!(stage.error(9)["code"], "invalid_request");
    assert_eq!(stage.wire.requests().len(), 0);
    stage.assert_empty();
}

#[test]
fn a_call_of_a_closed_client_is_refused() {
    let stage = Stage::new([answer(200)]);
    let client = stage.client("{}");
    client.close();
    get(&client, 1, None);
    assert_eq!(stage.error(1)["code"], "closed");
    assert_eq!(client.base_url(), "https://api.example.com/v1");
}

#[test]
fn no_limit_is_null() {
    let stage = Stage::new([]);
    let client = stage.client_over(Held::default(), r#"{"attemptTimeoutMs": null}"#);
    get(&client, 1, Some(r#"{"timeoutMs": null}"#));
    stage.run();
    stage.pass(Duration::from_secs(1_000_000));
    assert_eq!(stage.frames(), []);
    get(&client, 2, Some(r#"{"timeoutMs": 1500, "maxAttempts": 1}"#));
    stage.run();
    stage.pass(Duration::from_millis(1499));
    assert_eq!(stage.frames(), []);
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.error(2)["code"], "timeout");
}

#[test]
fn a_call_that_was_never_polled_is_given_up() {
    let stage = Stage::new([answer(200)]);
    get(&stage.client("{}"), 1, None);
    assert_eq!(stage.port.waiting(), 1);
    stage.port.cancel(1);
    assert_eq!(stage.port.waiting(), 0);
    assert_eq!(stage.frames(), []);
    assert_eq!(stage.wire.requests().len(), 0);
    stage.assert_empty();
}

#[test]
fn a_call_is_given_up_while_it_awaits_the_answer() {
    let stage = Stage::new([]);
    let held = Held::default();
    let client = stage.client_over(held.clone(), "{}");
    get(&client, 1, None);
    stage.run();
    assert_eq!(held.sends(), 1);
    stage.port.cancel(1);
    assert_eq!(stage.frames(), []);
    assert_eq!(held.sends(), 0);
    stage.assert_empty();
    let state: serde_json::Value = serde_json::from_str(&client.state()).unwrap();
    assert_eq!(state["limits"][0]["inFlight"], 0, "{state}");
}

#[test]
fn a_call_is_given_up_while_it_waits_to_retry() {
    let stage = Stage::new([answer_with(503, &[("retry-after", "9")], ""), answer(200)]);
    get(&stage.client("{}"), 1, None);
    assert_eq!(stage.frames(), []);
    stage.port.cancel(1);
    stage.pass(Duration::from_secs(60));
    assert_eq!(stage.frames(), []);
    assert_eq!(stage.wire.requests().len(), 1);
    stage.assert_empty();
}

#[test]
fn a_call_is_given_up_while_pacing_holds_it() {
    let stage = Stage::new((0..3).map(|_| answer(200)));
    let client = stage.client(r#"{"quota": "1/min"}"#);
    get(&client, 1, None);
    get(&client, 2, None);
    assert_eq!(stage.frame().call, 1);
    let state: serde_json::Value = serde_json::from_str(&client.state()).unwrap();
    assert_eq!(state["limits"][0]["queued"], 1, "{state}");
    stage.port.cancel(2);
    stage.run();
    let state: serde_json::Value = serde_json::from_str(&client.state()).unwrap();
    assert_eq!(state["limits"][0]["queued"], 0, "{state}");
    stage.pass(Duration::from_secs(120));
    assert_eq!(stage.frames(), []);
    assert_eq!(stage.wire.requests().len(), 1);
    stage.assert_empty();
}

#[test]
fn a_call_that_is_over_cannot_be_given_up() {
    let stage = Stage::new([answer(200)]);
    get(&stage.client("{}"), 1, None);
    stage.run();
    stage.port.cancel(1);
    stage.port.cancel(77);
    assert_eq!(stage.frame().call, 1);
    stage.assert_empty();
}

#[test]
fn ten_thousand_calls_that_were_given_up_leave_nothing() {
    let stage = Stage::new([]);
    let held = Held::default();
    let client = stage.client_over(
        held.clone(),
        r#"{"hooks": {"before": true}, "pacing": false}"#,
    );
    for call in 0..10_000 {
        get(&client, call, None);
    }
    let questions = stage.frames();
    assert_eq!(questions.len(), 10_000);
    for question in questions.iter().take(5_000) {
        stage
            .port
            .answer(number(&question.json()["question"]), None, None);
    }
    stage.run();
    assert_eq!(held.sends(), 5_000);
    for call in 0..10_000 {
        stage.port.cancel(call);
    }
    let frames = stage.frames();
    assert_eq!(frames.len(), 5_000);
    assert!(frames.iter().all(|frame| frame.json()["what"] == "abandon"));
    assert_eq!(held.sends(), 0);
    stage.assert_empty();
}

#[test]
fn a_port_that_is_closed_drops_all_and_says_nothing() {
    let stage = Stage::new([answer(200)]);
    let held = Held::default();
    let client = stage.client_over(held.clone(), "{}");
    let asks = stage.client(r#"{"auth": {"kind": "callback"}, "client": 3}"#);
    get(&client, 1, None);
    get(&asks, 2, None);
    asks.pages(1, "/list", None, "{}");
    assert_eq!(stage.question()["what"], "token");
    stage.port.close();
    assert_eq!(stage.frames(), []);
    assert_eq!(held.sends(), 0);
    get(&client, 3, None);
    stage.port.pull(3);
    stage.port.next_page(4, 1);
    assert_eq!(stage.frames(), []);
    stage.assert_empty();
}

#[test]
fn a_host_that_drops_a_task_leaves_nothing_behind() {
    let stage = Stage::new([]);
    get(&stage.client_over(Held::default(), "{}"), 1, None);
    stage.run();
    stage.host.drop_tasks();
    assert_eq!(stage.frames(), []);
    stage.assert_empty();
}

#[test]
fn a_call_that_panics_ends_with_an_error() {
    #[derive(Debug)]
    struct Broken;
    impl Transport for Broken {
        fn send(
            &self,
            _request: TransportRequest,
        ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
            Box::pin(async { panic!("canary") })
        }
    }
    let stage = Stage::new([]);
    let client = stage.client_over(Broken, "{}");
    for mode in [0, 1] {
        client.start(1, "GET", "/x", mode, None, None);
        let error = stage.error(1);
        assert_eq!(error["code"], "outcome_unknown");
        assert!(!error.to_string().contains("canary"), "{error}");
        stage.assert_empty();
    }
}

#[test]
fn everything_fails_where_there_is_no_runtime() {
    let stage = Stage::new([]);
    let client = stage.client_over(Held::default(), "{}");
    get(&client, 1, None);
    get(&client, 2, None);
    stage.run();
    assert_eq!(stage.port.under_way(), 2);
    stage.port.fail_all("no file descriptors");
    let mut ended: Vec<u32> = stage
        .frames()
        .iter()
        .map(|frame| {
            assert_eq!(frame.json()["what"], "no file descriptors");
            frame.call
        })
        .collect();
    ended.sort_unstable();
    assert_eq!(ended, [1, 2]);
    stage.assert_empty();
}

#[test]
fn a_number_that_is_used_again_means_the_later_call() {
    let stage = Stage::new([answer(200)]);
    let held = Held::default();
    get(&stage.client_over(held.clone(), "{}"), 1, None);
    stage.run();
    get(&stage.client("{}"), 1, None);
    assert_eq!(stage.frame().answer().0, 200);
    assert_eq!(call::current(), 0);
    stage.assert_empty();
}

#[test]
fn error_statuses_are_answers_where_they_are_not_thrown() {
    let stage = Stage::new([answer(404), answer(404), answer(404)]);
    let client = stage.client(r#"{"throwOnError": false}"#);
    get(&client, 1, None);
    assert_eq!(stage.frame().answer().0, 404);
    get(&client, 2, Some(r#"{"throwOnError": true}"#));
    assert_eq!(stage.error(2)["code"], "not_found");
    get(&stage.client("{}"), 3, Some(r#"{"throwOnError": false}"#));
    assert_eq!(stage.frame().answer().0, 404);
}

#[test]
fn the_state_is_told_as_the_types_say() {
    let stage = Stage::new([answer_with(
        200,
        &[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "4"),
            ("x-ratelimit-reset", "30"),
        ],
        "{}",
    )]);
    let client = stage.client(r#"{"budget": 50, "quota": "100/min"}"#);
    let state = |client: &crate::HostClient| -> serde_json::Value {
        serde_json::from_str(&client.state()).unwrap()
    };
    assert_eq!(state(&client)["budgetCapacity"], 50);
    get(&client, 1, None);
    stage.run();
    let state = state(&client);
    assert_eq!(state["budgetLeft"], 50);
    let limits = &state["limits"][0];
    assert_eq!(limits["inFlight"], 0);
    assert_eq!(limits["pausedForMs"], json!(null));
    let quotas = limits["quotas"].as_array().unwrap();
    assert_eq!(quotas.len(), 2, "{state}");
    for quota in quotas {
        for name in [
            "policy",
            "limit",
            "remaining",
            "windowMs",
            "nextInMs",
            "resetsInMs",
            "shared",
        ] {
            assert!(quota.get(name).is_some(), "{name} in {quota}");
        }
    }
    let server = quotas
        .iter()
        .find(|quota| quota["policy"] != "local")
        .unwrap();
    assert_eq!(
        (&server["limit"], &server["remaining"]),
        (&json!(10), &json!(4))
    );
}
