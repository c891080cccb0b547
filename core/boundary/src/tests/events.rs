//! Streams of events, a batch at a time.

use gatewright::testing::{answer_with, failure};
use gatewright::{Body, FailureClass};
use serde_json::{Value, json};

use super::stage::{CHUNK, END, Stage};

const EVENT_STREAM: [(&str, &str); 1] = [("content-type", "text/event-stream")];

fn events(stage: &Stage, call: u32) -> Value {
    let frame = stage.frame();
    assert_eq!((frame.call, frame.kind), (call, CHUNK), "{frame:?}");
    serde_json::from_slice(&frame.piece()).unwrap()
}

#[test]
fn events_come_in_batches_until_the_end() {
    let body = "retry: 0\nid: 1\ndata: a\\\"ü\n\nevent: tick\ndata: b\ndata: c\n\n";
    let stage = Stage::new([
        answer_with(200, &EVENT_STREAM, body),
        answer_with(204, &[], ""),
    ]);
    let options = Some(r#"{"query": [["q", "1"]], "headers": [["x-a", "b"]]}"#);
    let style = r#"{"lastEventId": "0", "idleTimeoutMs": 500}"#;
    stage
        .client("{}")
        .events(7, "GET", "/events", options, None, style);
    stage.port.next_events(1, 7);
    assert_eq!(stage.port.waiting(), 1);
    assert_eq!(
        events(&stage, 1),
        json!([{"event": "message", "data": "a\\\"ü", "id": "1"}, {"event": "tick", "data": "b\nc", "id": "1"}])
    );
    assert_eq!(stage.port.waiting(), 0);
    stage.port.next_events(2, 7);
    let end = stage.frame();
    assert_eq!((end.call, end.kind), (2, END));
    let wire: Vec<_> = stage.wire.requests();
    let ids: Vec<_> = wire
        .iter()
        .map(|seen| &seen.headers["last-event-id"])
        .collect();
    assert_eq!(ids, ["0", "1"]);
    assert!(
        wire.iter()
            .all(|seen| seen.url.query() == Some("q=1") && seen.headers["x-a"] == "b")
    );
    stage.port.drop_pages(7);
    stage.assert_empty();
}

#[test]
fn a_stream_of_a_post_ends_as_its_connection_does() {
    let body = "id: 1\ndata: a\n\n";
    let stage = Stage::new([answer_with(200, &EVENT_STREAM, body)]);
    stage.client("{}").events(
        7,
        "POST",
        "/answers",
        Some(r#"{"contentType": "application/json"}"#),
        Some(Body::from("{}")),
        "{}",
    );
    stage.port.next_events(1, 7);
    assert_eq!(events(&stage, 1)[0]["data"], "a");
    stage.port.next_events(2, 7);
    assert_eq!(stage.frame().kind, END);
    let [sent] = &stage.wire.requests()[..] else {
        panic!("one request");
    };
    assert_eq!(&*sent.body, b"{}");
    assert_eq!(sent.headers["content-type"], "application/json");
}

#[test]
fn what_is_wrong_is_said_in_place_of_the_first_event() {
    let stage = Stage::new([failure(FailureClass::Tls)]);
    let client = stage.client("{}");
    for (options, style, what) in [
        (
            None,
            r#"{"lastEventID": "1"}"#,
            "\"lastEventID\" is no option of events",
        ),
        (None, r#"{"idleTimeoutMs": 0}"#, "`idleTimeout`"),
        (Some(r#"{"stream": {}}"#), "{}", "\"stream\" is no option"),
        (Some(r#"{"timeoutMs": -1}"#), "{}", "`timeout`"),
    ] {
        client.events(7, "GET", "/events", options, None, style);
        stage.port.next_events(1, 7);
        let error = stage.error(1);
        let code = error["code"].as_str().unwrap();
        assert!(
            ["invalid_request", "invalid_config"].contains(&code),
            "{error}"
        );
        assert!(error["what"].as_str().unwrap().contains(what), "{error}");
        stage.port.next_events(2, 7);
        assert_eq!(stage.frame().kind, END);
    }
    assert!(stage.wire.requests().is_empty());
    stage.port.next_events(3, 99);
    assert_eq!(stage.error(3)["code"], "closed");
}
