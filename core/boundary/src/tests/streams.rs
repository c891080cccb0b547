//! Streamed answers: a head, then a piece for each pull.

use std::time::Duration;

use bytes::Bytes;
use gatewright::FailureClass;
use gatewright::testing::{answer, answer_with};
use gatewright::transport::TransportError;
use serde_json::Value;

use super::stage::{CHUNK, END, HEAD, Pipe, Stage};

/// A stream of call 1 whose head has come.
fn begun(pipe: &Pipe, settings: &str) -> Stage {
    let stage = Stage::new([pipe.answer()]);
    let client = stage.client(settings);
    client.start(1, "GET", "/x", 1, None, None);
    let head = stage.frame();
    assert_eq!((head.call, head.kind), (1, HEAD));
    assert_eq!(head.payload[..2], [200, 0]);
    let meta: Value = serde_json::from_slice(&head.payload[2..]).unwrap();
    assert_eq!(meta["url"], "https://api.example.com/v1/x");
    assert_eq!(stage.port.waiting(), 0);
    stage
}

#[test]
fn pieces_come_as_they_are_pulled() {
    let pipe = Pipe::default();
    let stage = begun(&pipe, "{}");
    pipe.text("one");
    assert_eq!(stage.frames(), []);
    stage.port.pull(1);
    assert_eq!(stage.frame().piece(), b"one");
    stage.port.pull(1);
    assert_eq!(stage.port.waiting(), 1);
    assert_eq!(stage.frames(), []);
    pipe.text("two");
    assert_eq!(stage.frame().piece(), b"two");
    assert_eq!(stage.port.waiting(), 0);
    pipe.send(None);
    stage.port.pull(1);
    let end = stage.frame();
    assert_eq!((end.call, end.kind), (1, END));
    assert_eq!(pipe.holders(), 0);
    stage.assert_empty();
}

#[test]
fn what_is_there_comes_in_one_piece() {
    let pipe = Pipe::default();
    let stage = begun(&pipe, "{}");
    for text in ["a", "b", "c"] {
        pipe.text(text);
    }
    pipe.send(None);
    stage.port.pull(1);
    assert_eq!(stage.frame().piece(), b"abc");
    // The connection is given back before the end is asked for.
    assert_eq!(pipe.holders(), 0);
    stage.port.pull(1);
    assert_eq!(stage.frame().kind, END);
    stage.assert_empty();
}

#[test]
fn no_more_than_256_kib_is_read_ahead() {
    let pipe = Pipe::default();
    let stage = begun(&pipe, "{}");
    for _ in 0..100 {
        pipe.send(Some(Ok(Bytes::from(vec![1; 32 * 1024]))));
    }
    stage.run();
    assert_eq!(pipe.unread(), 92);
    stage.port.pull(1);
    let piece = stage.frame();
    assert_eq!((piece.piece().len(), piece.large.len()), (256 * 1024, 1));
    assert_eq!(pipe.unread(), 84);
}

#[test]
fn a_pull_while_one_is_under_way_is_the_same() {
    let pipe = Pipe::default();
    let stage = begun(&pipe, "{}");
    stage.port.pull(1);
    stage.port.pull(1);
    assert_eq!(stage.port.waiting(), 1);
    pipe.text("x");
    assert_eq!(stage.frame().kind, CHUNK);
    pipe.text("y");
    assert_eq!(stage.frames(), []);
}

#[test]
fn a_body_that_breaks_gives_what_came_and_then_the_error() {
    let pipe = Pipe::default();
    let stage = begun(&pipe, "{}");
    pipe.text("good");
    pipe.send(Some(Err(TransportError::new(
        FailureClass::ConnectionLost,
        "cut",
    ))));
    stage.port.pull(1);
    assert_eq!(stage.frame().piece(), b"good");
    stage.port.pull(1);
    let error = stage.error(1);
    assert_eq!(error["code"], "connection_lost");
    assert_eq!(error["status"], 200);
    assert!(
        error["what"].as_str().unwrap().contains("broke off"),
        "{error}"
    );
    stage.assert_empty();
}

#[test]
fn a_body_that_stalls_is_a_timeout() {
    let pipe = Pipe::default();
    let stage = begun(&pipe, r#"{"readTimeoutMs": 250}"#);
    stage.port.pull(1);
    stage.run();
    stage.pass(Duration::from_millis(249));
    assert_eq!(stage.frames(), []);
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.error(1)["code"], "timeout");
    assert_eq!(pipe.holders(), 0);
}

#[test]
fn a_stream_is_given_up_while_nobody_asks_and_while_somebody_does() {
    for pulled in [false, true] {
        let pipe = Pipe::default();
        let stage = begun(&pipe, "{}");
        if pulled {
            stage.port.pull(1);
            stage.run();
        }
        assert_eq!(pipe.holders(), 1);
        stage.port.cancel(1);
        assert_eq!(stage.frames(), []);
        assert_eq!(pipe.holders(), 0);
        stage.assert_empty();
    }
}

#[test]
fn a_pull_of_a_stream_that_is_gone_is_answered() {
    let stage = Stage::new([answer(200)]);
    stage.port.pull(5);
    let error = stage.error(5);
    assert_eq!(error["code"], "closed");
    assert_eq!(error["what"], "the stream is closed");
    stage.assert_empty();
}

#[test]
fn an_error_status_has_no_head() {
    let stage = Stage::new([answer_with(404, &[], "gone")]);
    stage.client("{}").start(1, "GET", "/x", 1, None, None);
    let error = stage.error(1);
    assert_eq!(
        (&error["code"], &error["body"]),
        (&"not_found".into(), &"Z29uZQ==".into())
    );
    stage.assert_empty();
}

#[test]
fn an_empty_body_ends_at_once() {
    let stage = Stage::new([answer_with(204, &[], "")]);
    stage.client("{}").start(1, "GET", "/x", 1, None, None);
    assert_eq!(stage.frame().kind, HEAD);
    stage.port.pull(1);
    assert_eq!(stage.frame().kind, END);
    stage.assert_empty();
}
