//! Bodies of requests that the host language streams.

use std::time::Duration;

use bytes::Bytes;
use gatewright::runtime::BoxFuture;
use gatewright::testing::{Scripted, answer, answer_with};
use gatewright::transport::{Transport, TransportError, TransportRequest, TransportResponse};
use serde_json::{Value, json};

use super::stage::{ANSWER, ASK, Stage, number};

fn upload(stage: &Stage, call: u32, stream: &str) {
    let options = format!(r#"{{"stream": {stream}, "idempotencyKey": "k"}}"#);
    let client = stage.client(r#"{"client": 6}"#);
    client.start(call, "POST", "/x", 0, Some(&options), None);
}

fn give(stage: &Stage, question: &Value, bytes: Option<&[u8]>) {
    stage.port.answer(
        number(&question["question"]),
        None,
        bytes.map(Bytes::copy_from_slice),
    );
}

/// The next question, which must be this.
fn asked(stage: &Stage, what: &str, stream: u32) -> Value {
    let question = stage.question();
    assert_eq!(
        (&question["what"], &question["stream"]),
        (&json!(what), &json!(stream))
    );
    assert_eq!(
        (&question["client"], &question["call"]),
        (&json!(6), &json!(1))
    );
    question
}

#[test]
fn a_body_is_asked_for_piece_by_piece() {
    let stage = Stage::new([answer(200)]);
    upload(&stage, 1, r#"{"replayable": false, "length": 5}"#);
    let open = asked(&stage, "bodyOpen", 1);
    give(&stage, &open, None);
    for piece in [&b"ab"[..], b"", b"cde"] {
        let next = asked(&stage, "bodyNext", 1);
        give(&stage, &next, Some(piece));
    }
    let end = asked(&stage, "bodyNext", 1);
    give(&stage, &end, None);
    assert_eq!(stage.frame().kind, ANSWER);
    assert_eq!(&*stage.wire.requests()[0].body, b"abcde");
    stage.assert_empty();
}

#[test]
fn a_replayable_body_is_opened_anew_for_each_attempt() {
    let stage = Stage::new([answer_with(503, &[], ""), answer(200)]);
    upload(&stage, 1, r#"{"replayable": true, "length": null}"#);
    for stream in [1, 2] {
        let open = asked(&stage, "bodyOpen", stream);
        give(&stage, &open, None);
        let next = asked(&stage, "bodyNext", stream);
        give(&stage, &next, Some(b"again"));
        let end = asked(&stage, "bodyNext", stream);
        give(&stage, &end, None);
        stage.run();
        if stream == 1 {
            stage.pass(Duration::from_secs(30));
        }
    }
    assert_eq!(stage.frame().kind, ANSWER);
    let bodies: Vec<_> = stage
        .wire
        .requests()
        .iter()
        .map(|r| r.body.clone())
        .collect();
    assert_eq!(bodies, ["again", "again"]);
    stage.assert_empty();
}

#[test]
fn a_body_that_can_be_sent_once_is() {
    let stage = Stage::new([answer_with(503, &[], ""), answer(200)]);
    upload(&stage, 1, r#"{"replayable": false}"#);
    let open = asked(&stage, "bodyOpen", 1);
    give(&stage, &open, None);
    let end = asked(&stage, "bodyNext", 1);
    give(&stage, &end, None);
    let error = stage.error(1);
    assert_eq!(error["noRetry"], "the body can be sent only once");
    assert_eq!(stage.wire.requests().len(), 1);
}

/// Begins to send, and then waits with the body open; or sends it, with the source of its failure.
#[derive(Debug)]
struct Sender;

impl Transport for Sender {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        use futures_util::StreamExt as _;
        Box::pin(async move {
            let gatewright::Body::Once { mut stream, .. } = request.body else {
                return answer(200);
            };
            while let Some(piece) = stream.next().await {
                piece.map_err(|error| TransportError {
                    class: gatewright::FailureClass::BodySource,
                    text: error.to_string(),
                    source: Some(error),
                })?;
            }
            answer(200)
        })
    }
}

fn send(stage: &Stage) {
    let client = stage.client_over(Sender, r#"{"client": 6}"#);
    let options = r#"{"stream": {"replayable": true}}"#;
    client.start(1, "PUT", "/x", 0, Some(options), None);
}

#[test]
fn what_the_stream_threw_is_the_cause() {
    let stage = Stage::new([]);
    for fails_at_opening in [true, false] {
        send(&stage);
        let mut question = stage.question();
        if !fails_at_opening {
            give(&stage, &question, None);
            question = stage.question();
            assert_eq!(question["what"], "bodyNext");
        }
        stage
            .port
            .fail(number(&question["question"]), 8, "Error: disk");
        let error = stage.error(1);
        assert_eq!(
            (&error["code"], &error["cause"]),
            (&json!("invalid_request"), &json!(8))
        );
        assert!(
            error["message"].as_str().unwrap().contains("Error: disk"),
            "{error}"
        );
    }
    stage.assert_empty();
}

#[test]
fn a_body_of_a_call_that_was_given_up_is_closed() {
    let stage = Stage::new([]);
    send(&stage);
    let open = asked(&stage, "bodyOpen", 1);
    give(&stage, &open, None);
    let next = asked(&stage, "bodyNext", 1);
    stage.port.cancel(1);
    let frames = stage.frames();
    let told: Vec<_> = frames.iter().map(super::stage::Seen::json).collect();
    assert!(
        frames
            .iter()
            .all(|frame| (frame.call, frame.kind) == (0, ASK))
    );
    assert_eq!(
        told,
        [
            json!({"question": next["question"], "client": 6, "call": 1, "what": "abandon"}),
            json!({"question": 0, "client": 6, "call": 1, "what": "bodyClose", "stream": 1}),
        ]
    );
    stage.assert_empty();
}

#[test]
fn a_body_that_was_never_wanted_is_never_opened() {
    let stage = Stage::new([]);
    let client = stage.client_over(gatewright::testing::Never, "{}");
    client.start(1, "PUT", "/x", 0, Some(r#"{"stream": {}}"#), None);
    stage.run();
    stage.port.cancel(1);
    assert_eq!(stage.frames(), []);
    stage.assert_empty();
}

#[test]
fn members_of_a_stream_are_checked() {
    let stage = Stage::new([]);
    for (stream, what) in [
        (
            r#"{"length": -1}"#,
            "`length` is -1; it must be a whole number of bytes, zero or more",
        ),
        (
            r#"{"replayable": 1}"#,
            "`replayable` is 1; it must be true or false",
        ),
        (r#"{"size": 1}"#, "\"size\" is no member of `stream`"),
        ("true", "`stream` must be an object"),
    ] {
        upload(&stage, 1, stream);
        assert_eq!(stage.error(1)["what"], what);
    }
    assert_eq!(Scripted::new([]).requests().len(), 0);
}
