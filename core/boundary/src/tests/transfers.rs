//! Downloads that go on where they break, resumable uploads, floors, and traces of calls.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use gatewright::FailureClass;
use gatewright::testing::{answer, answer_with};
use gatewright::transport::{ResponseBody, TransportError, TransportResponse};
use serde_json::{Value, json};

use super::stage::{ANSWER, CHUNK, END, ERROR, HEAD, Seen, Stage, get, number};

type Step = Result<TransportResponse, TransportError>;

const V1: (&str, &str) = ("etag", "\"v1\"");
const SPEAKS: (&str, &str) = ("accept-patch", "application/partial-upload");

/// An answer that brings these pieces, and then ends or breaks.
fn pieces(status: u16, headers: &[(&str, &str)], pieces: &[&'static str], breaks: bool) -> Step {
    let mut step = answer_with(status, headers, "")?;
    let broken = breaks.then(|| Err(TransportError::new(FailureClass::ConnectionLost, "cut")));
    let pieces = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let all: Vec<_> = pieces.chain(broken).collect();
    step.body = ResponseBody::new(stream::iter(all));
    Ok(step)
}

fn meta(head: &Seen) -> Value {
    serde_json::from_slice(&head.payload[2..]).unwrap()
}

/// All that is pulled of call 1, and the frame that ends it.
fn pulled(stage: &Stage) -> (String, Seen) {
    let mut text = String::new();
    loop {
        stage.port.pull(1);
        let mut frames = stage.frames();
        // A connection that broke is made again after a wait.
        while frames.is_empty() {
            stage.pass(Duration::from_secs(10));
            frames = stage.frames();
        }
        let frame = frames.remove(0);
        if frame.kind != CHUNK {
            return (text, frame);
        }
        text.push_str(std::str::from_utf8(&frame.piece()).unwrap());
    }
}

#[test]
fn a_download_that_breaks_goes_on_and_tells_of_all_connections() {
    let stage = Stage::new([
        pieces(
            200,
            &[V1, ("content-length", "6"), ("x-request-id", "req_1")],
            &["abc"],
            true,
        ),
        pieces(
            206,
            &[V1, ("content-range", "bytes 3-5/6")],
            &["def"],
            false,
        ),
    ]);
    let client = stage.client("{}");
    client.start(
        1,
        "GET",
        "/files/1",
        2,
        Some(r#"{"query": [["a", "b"]]}"#),
        None,
    );
    let head = stage.frame();
    assert_eq!((head.call, head.kind), (1, HEAD));
    assert_eq!(head.payload[..2], [200, 0]);
    let told = meta(&head);
    assert_eq!(told["url"], "https://api.example.com/v1/files/1?a=b");
    assert_eq!(told["total"], 6);
    assert_eq!(
        (&told["method"], &told["requestId"]),
        (&json!("GET"), &json!("req_1"))
    );
    let (text, end) = pulled(&stage);
    assert_eq!((&*text, end.kind), ("abcdef", END));
    let told = end.json();
    let attempts = told["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(
        (&attempts[0]["decision"], &attempts[1]["status"]),
        (&json!("retry"), &json!(206))
    );
    assert!(told["elapsedMs"].as_f64().unwrap() > 0.0);
    assert_eq!(&stage.wire.requests()[1].headers["range"], "bytes=3-");
    stage.assert_empty();
}

#[test]
fn a_download_that_cannot_go_on_says_why() {
    let stage = Stage::new([pieces(200, &[("content-length", "6")], &["abc"], true)]);
    stage.client("{}").start(1, "GET", "/x", 2, None, None);
    assert_eq!(stage.frame().kind, HEAD);
    let (text, error) = pulled(&stage);
    assert_eq!((&*text, error.kind), ("abc", ERROR));
    let told = error.json();
    assert_eq!(told["code"], "connection_lost");
    let what = told["what"].as_str().unwrap();
    assert!(what.contains("it is not taken up again"), "{what}");
    stage.assert_empty();
}

#[test]
fn a_download_that_is_given_up_is_over() {
    let stage = Stage::new([pieces(200, &[V1], &["abc"], false)]);
    stage.client("{}").start(1, "GET", "/x", 2, None, None);
    assert_eq!(stage.frame().kind, HEAD);
    stage.port.cancel(1);
    stage.run();
    stage.assert_empty();
    stage.port.pull(1);
    assert_eq!(stage.error(1)["code"], "closed");
}

#[test]
fn a_range_of_ones_own_is_refused() {
    let stage = Stage::new([]);
    let options = r#"{"headers": [["range", "bytes=5-"]]}"#;
    stage
        .client("{}")
        .start(1, "GET", "/x", 2, Some(options), None);
    assert_eq!(stage.error(1)["code"], "invalid_request");
    assert!(stage.wire.requests().is_empty());
}

fn upload(stage: &Stage, body: Option<&'static str>, style: &str) {
    let client = stage.client(r#"{"client": 6}"#);
    let options = r#"{"contentType": "text/csv", "query": [["name", "x"]]}"#;
    client.upload(
        1,
        "POST",
        "/files",
        Some(options),
        body.map(Into::into),
        style,
    );
}

fn created() -> [Step; 2] {
    let location = [("location", "/v1/uploads/up_1")];
    [
        answer_with(204, &[SPEAKS], ""),
        answer_with(201, &location, ""),
    ]
}

fn appended(complete: bool) -> Step {
    let complete = [("upload-complete", if complete { "?1" } else { "?0" })];
    answer_with(
        if complete[0].1 == "?1" { 201 } else { 204 },
        &complete,
        "{}",
    )
}

#[test]
fn an_upload_is_one_call_and_tells_how_far_it_is() {
    let script = created()
        .into_iter()
        .chain([appended(false), appended(true)]);
    let stage = Stage::new(script);
    upload(
        &stage,
        Some("012345"),
        r#"{"chunkSize": 4, "progress": true}"#,
    );
    let mut frames = stage.frames();
    let (status, meta, body) = frames.pop().unwrap().answer();
    assert_eq!((status, &*body), (201, &b"{}"[..]));
    assert_eq!(
        (&meta["resumable"], &meta["answerLost"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(meta["attempts"].as_array().unwrap().len(), 4);
    let notes: Vec<_> = frames.iter().map(Seen::json).collect();
    let location = "https://api.example.com/v1/uploads/up_1";
    assert_eq!(
        notes,
        [
            json!({"question": 0, "client": 6, "call": 1, "what": "progress", "location": null, "offset": 0, "length": 6}),
            json!({"question": 0, "client": 6, "call": 1, "what": "progress", "location": location, "offset": 0, "length": 6}),
            json!({"question": 0, "client": 6, "call": 1, "what": "progress", "location": location, "offset": 4, "length": 6}),
            json!({"question": 0, "client": 6, "call": 1, "what": "progress", "location": location, "offset": 6, "length": 6}),
        ]
    );
    let bodies: Vec<_> = stage
        .wire
        .requests()
        .iter()
        .map(|r| r.body.clone())
        .collect();
    assert_eq!(bodies, ["", "", "0123", "45"]);
    stage.assert_empty();
}

#[test]
fn an_upload_that_failed_says_where_another_one_may_go_on() {
    let script = created().into_iter().chain([appended(false), answer(403)]);
    let stage = Stage::new(script);
    upload(&stage, Some("012345"), r#"{"chunkSize": 4}"#);
    let error = stage.error(1);
    let location = "https://api.example.com/v1/uploads/up_1";
    assert_eq!(error["code"], "permission_denied");
    assert_eq!(
        error["upload"],
        json!({"location": location, "offset": 4, "length": 6})
    );
    stage.assert_empty();

    let offset = [("upload-complete", "?0"), ("upload-offset", "4")];
    let stage = Stage::new([answer_with(204, &offset, ""), appended(true)]);
    upload(
        &stage,
        Some("012345"),
        &format!(r#"{{"resume": "{location}"}}"#),
    );
    assert_eq!(stage.frame().kind, ANSWER);
    let requests = stage.wire.requests();
    assert_eq!(
        (&requests[0].method, &*requests[1].body),
        (&http::Method::HEAD, &b"45"[..])
    );
}

#[test]
fn a_stream_of_the_hosts_is_uploaded() {
    let script = created()
        .into_iter()
        .chain([appended(false), appended(true)]);
    let stage = Stage::new(script);
    let style = r#"{"chunkSize": 4, "stream": {"replayable": true, "length": 6}}"#;
    upload(&stage, None, style);
    for (what, piece) in [
        ("bodyOpen", None),
        ("bodyNext", Some("012")),
        ("bodyNext", Some("345")),
        ("bodyNext", None),
    ] {
        let question = stage.question();
        assert_eq!(
            (&question["what"], &question["call"]),
            (&json!(what), &json!(1))
        );
        let bytes = piece.map(|text: &str| Bytes::from_static(text.as_bytes()));
        stage
            .port
            .answer(number(&question["question"]), None, bytes);
    }
    assert_eq!(stage.frame().kind, ANSWER);
    let bodies: Vec<_> = stage
        .wire
        .requests()
        .iter()
        .map(|r| r.body.clone())
        .collect();
    assert_eq!(bodies, ["", "", "0123", "45"]);
    stage.assert_empty();
}

#[test]
fn what_is_wrong_with_an_upload_is_said_before_anything_is_sent() {
    let stage = Stage::new([]);
    for (style, what) in [
        (
            r#"{"chunkSize": 0}"#,
            "`chunkSize` is 0; it must be a whole number of bytes above zero",
        ),
        (r#"{"chunkSize": 1.5}"#, "`chunkSize` is 1.5;"),
        (r#"{"size": 1}"#, "\"size\" is no option of an upload"),
        (
            r#"{"stream": {"replayable": 1}}"#,
            "`replayable` is 1; it must be true or false",
        ),
        ("[]", "the style of an upload must be an object"),
    ] {
        upload(&stage, None, style);
        let error = stage.error(1);
        assert_eq!(error["code"], "invalid_request");
        assert!(error["what"].as_str().unwrap().contains(what), "{error}");
    }
    assert!(stage.wire.requests().is_empty());
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn each_attempt_is_a_span_of_the_callers_trace() {
    let stage = Stage::new([answer(503), answer(200)]);
    let client = stage.client("{}");
    let options = json!({
        "traceContext": {"traceparent": PARENT, "tracestate": "vendor=abc"},
        "urlTemplate": "/x/{id}",
    });
    get(&client, 1, Some(&options.to_string()));
    stage.run();
    stage.pass(Duration::from_secs(10));
    assert_eq!(stage.frame().kind, ANSWER);
    let sent: Vec<_> = stage
        .wire
        .requests()
        .iter()
        .map(|seen| seen.headers["traceparent"].to_str().unwrap().to_owned())
        .collect();
    assert_ne!(sent[0], sent[1]);
    for parent in &sent {
        assert!(
            parent.starts_with(&PARENT[..36]) && parent.ends_with("-01"),
            "{parent}"
        );
        assert_ne!(parent, PARENT);
    }
    assert_eq!(
        &stage.wire.requests()[1].headers["tracestate"],
        "vendor=abc"
    );
}

#[test]
fn a_trace_that_is_none_is_refused() {
    let stage = Stage::new([]);
    let client = stage.client("{}");
    for (context, what) in [
        (
            r#"{"traceparent": "canary"}"#,
            "`traceparent` is none: it must look like 00-",
        ),
        ("{}", "`traceContext` has no `traceparent`"),
        (r#"{"parent": ""}"#, "has a member \"parent\""),
    ] {
        get(
            &client,
            1,
            Some(&format!(r#"{{"traceContext": {context}}}"#)),
        );
        let error = stage.error(1);
        assert_eq!(error["code"], "invalid_request");
        let text = error["what"].as_str().unwrap();
        assert!(text.contains(what) && !text.contains("canary"), "{text}");
    }
    assert!(stage.wire.requests().is_empty());
}

#[test]
fn a_body_slower_than_the_floor_is_a_timeout() {
    let floor = r#"{"minThroughput": {"bytesPerSecond": 1000, "graceMs": 2000}}"#;
    for (settings, options, stalls) in [
        (floor, "{}", true),
        ("{}", floor, true),
        (floor, r#"{"minThroughput": null}"#, false),
    ] {
        let pipe = super::stage::Pipe::default();
        let stage = Stage::new([pipe.answer()]);
        stage
            .client(settings)
            .start(1, "GET", "/x", 1, Some(options), None);
        assert_eq!(stage.frame().kind, HEAD);
        stage.port.pull(1);
        stage.run();
        stage.pass(Duration::from_millis(2100));
        let frames = stage.frames();
        assert_eq!(!frames.is_empty(), stalls, "{settings} {options}");
        if stalls {
            let error = frames[0].json();
            assert_eq!(error["code"], "timeout");
            let what = error["what"].as_str().unwrap();
            assert!(what.contains("0 bytes in 2.10 s"), "{what}");
            assert!(
                error["advice"]
                    .as_str()
                    .unwrap()
                    .contains("`minThroughput`")
            );
        }
    }
}

#[test]
fn floors_and_queues_are_checked() {
    let stage = Stage::new([]);
    for (settings, what) in [
        (
            r#"{"minThroughput": 5}"#,
            "`minThroughput` is 5; it must be an object, or null for no floor",
        ),
        (
            r#"{"minThroughput": {"bytesPerSecond": -1}}"#,
            "`minThroughput.bytesPerSecond` is -1;",
        ),
        (
            r#"{"minThroughput": {"graceMs": "NaN"}}"#,
            "`minThroughput.grace` is NaN;",
        ),
        (
            r#"{"minThroughput": {"grace": 1}}"#,
            "`minThroughput` has a member \"grace\"",
        ),
        (
            r#"{"pacing": 1}"#,
            "`pacing` is 1; it must be true, false or an object",
        ),
        (r#"{"pacing": {"maxQueue": -1}}"#, "`maxQueue` is -1;"),
        (
            r#"{"pacing": {"queue": 1}}"#,
            "`pacing` has a member \"queue\"",
        ),
    ] {
        let error = stage.open("https://api.example.com", settings).unwrap_err();
        assert_eq!(error["code"], "invalid_config");
        assert!(error["what"].as_str().unwrap().contains(what), "{error}");
    }
}

#[test]
fn more_calls_than_the_queue_takes_are_refused() {
    let stage = Stage::new([answer(200)]);
    let settings = r#"{"quota": "1/min", "pacing": {"maxQueue": 1}}"#;
    let client = stage.client(settings);
    for call in 1..=3 {
        get(&client, call, None);
    }
    let frames = stage.frames();
    let told: Vec<_> = frames
        .iter()
        .map(|frame| (frame.call, frame.kind))
        .collect();
    assert_eq!(told, [(1, ANSWER), (3, ERROR)]);
    assert_eq!(frames[1].json()["code"], "rate_limited");
}

#[test]
fn a_call_that_is_over_is_told_with_its_attempts() {
    let stage = Stage::new([answer(503), answer(200)]);
    let client = stage.client(r#"{"observe": true, "client": 6}"#);
    let options = json!({
        "traceContext": {"traceparent": PARENT},
        "urlTemplate": "/x/{id}",
        "query": [["api_key", "canary"]],
    });
    get(&client, 1, Some(&options.to_string()));
    stage.run();
    stage.pass(Duration::from_secs(10));
    let frames = stage.frames();
    assert_eq!(frames[1].kind, ANSWER);
    let note = frames[0].json();
    assert_eq!(
        (
            &note["what"],
            &note["question"],
            &note["client"],
            &note["call"]
        ),
        (&json!("observed"), &json!(0), &json!(6), &json!(1))
    );
    let told = &note["observed"];
    let place = json!(["GET", "https", "api.example.com", 443]);
    let of = |value: &Value| {
        json!([
            value["method"],
            value["scheme"],
            value["host"],
            value["port"]
        ])
    };
    assert_eq!(of(told), place);
    assert_eq!(
        (
            &told["template"],
            &told["traceparent"],
            &told["status"],
            &told["error"]
        ),
        (&json!("/x/{id}"), &json!(PARENT), &json!(200), &json!(null))
    );
    let attempts = told["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(
        (&attempts[0]["status"], &attempts[0]["error"]),
        (&json!(503), &json!("503"))
    );
    assert_eq!(
        (of(&attempts[1]), &attempts[1]["number"]),
        (place, &json!(2))
    );
    assert!(attempts[1]["startedMs"].as_f64() > attempts[0]["startedMs"].as_f64());

    // A caller that goes away ends it, too.
    let stage = Stage::new([]);
    let client = stage.client_over(gatewright::testing::Never, r#"{"observe": true}"#);
    get(&client, 1, None);
    stage.run();
    stage.port.cancel(1);
    let note = stage.question();
    assert_eq!(note["observed"]["error"], "cancelled");
    assert_eq!(note["observed"]["attempts"][0]["error"], "cancelled");
    stage.assert_empty();
}
