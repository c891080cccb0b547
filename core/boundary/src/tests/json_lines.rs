//! Streams of JSON lines, a batch of values at a time.

use gatewright::testing::answer_with;
use serde_json::{Value, json};

use super::stage::{CHUNK, END, Stage};

const LINES: [(&str, &str); 1] = [("content-type", "application/jsonl")];

fn values(stage: &Stage, call: u32) -> Value {
    let frame = stage.frame();
    assert_eq!((frame.call, frame.kind), (call, CHUNK), "{frame:?}");
    serde_json::from_slice(&frame.piece()).unwrap()
}

#[test]
fn values_come_in_batches_until_the_end() {
    let body = "{\"a\": \"ü\"}\r\n\n 1e400 \n[null]";
    let stage = Stage::new([answer_with(200, &LINES, body)]);
    let style = r#"{"idleTimeoutMs": null, "maxLineBytes": 100}"#;
    stage
        .client("{}")
        .json_lines(7, "GET", "/lines", None, None, style);
    stage.port.next_events(1, 7);
    let frame = stage.frame();
    assert_eq!((frame.call, frame.kind), (1, CHUNK));
    // Which numbers there are is the host language's affair.
    assert_eq!(frame.piece(), "[{\"a\": \"ü\"}, 1e400 ]".as_bytes());
    stage.port.next_events(2, 7);
    assert_eq!(values(&stage, 2), json!([[null]]));
    stage.port.next_events(3, 7);
    assert_eq!(stage.frame().kind, END);
    stage.port.drop_pages(7);
    stage.assert_empty();
}

#[test]
fn a_line_that_is_no_json_is_an_error_in_its_turn() {
    let stage = Stage::new([answer_with(200, &LINES, "1\n2\n{oops}\n4\n")]);
    stage
        .client("{}")
        .json_lines(7, "GET", "/lines", None, None, "{}");
    stage.port.next_events(1, 7);
    assert_eq!(values(&stage, 1), json!([1, 2]));
    stage.port.next_events(2, 7);
    let error = stage.error(2);
    assert_eq!(error["code"], "decode");
    assert!(
        error["what"].as_str().unwrap().contains("line 3"),
        "{error}"
    );
    stage.port.next_events(3, 7);
    assert_eq!(values(&stage, 3), json!([4]));
}

#[test]
fn lines_come_as_texts_where_that_is_wanted() {
    let stage = Stage::new([answer_with(200, &LINES, "{\"a\": 1}\n\n[DONE]\n")]);
    let style = r#"{"asText": true}"#;
    stage
        .client("{}")
        .json_lines(7, "GET", "/lines", None, None, style);
    stage.port.next_events(1, 7);
    assert_eq!(values(&stage, 1), json!(["{\"a\": 1}", "[DONE]"]));
    stage.port.next_events(2, 7);
    assert_eq!(stage.frame().kind, END);
}

#[test]
fn what_is_wrong_is_said_in_place_of_the_first_value() {
    let stage = Stage::new([]);
    let client = stage.client("{}");
    for (style, what) in [
        (
            r#"{"lastEventId": "1"}"#,
            "\"lastEventId\" is no option of JSON lines",
        ),
        (r#"{"idleTimeoutMs": 0}"#, "`idleTimeout`"),
        (r#"{"maxLineBytes": -1}"#, "`maxLineBytes`"),
    ] {
        client.json_lines(7, "GET", "/lines", None, None, style);
        stage.port.next_events(1, 7);
        let error = stage.error(1);
        assert!(error["what"].as_str().unwrap().contains(what), "{error}");
        stage.port.next_events(2, 7);
        assert_eq!(stage.frame().kind, END);
    }
    assert!(stage.wire.requests().is_empty());
}
