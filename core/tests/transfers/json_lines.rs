use std::time::Duration;

use gatewright::testing::answer;
use gatewright::{ErrorKind, JsonLines};
use serde_json::{Value, json};

use crate::world::{End, Step, World, header, pieces, world};

fn lines(chunks: &[&'static str], end: End) -> Step {
    pieces(200, &[("content-type", "application/jsonl")], chunks, end)
}

fn begin(world: &World) -> JsonLines {
    world.client.get("/v1/exports").json_lines()
}

/// All values, and the error at the end.
fn all(world: &World, lines: &mut JsonLines) -> (Vec<Value>, Option<gatewright::Error>) {
    let mut values = Vec::new();
    loop {
        match world.clock.block_on(lines.next()) {
            Ok(Some(value)) => values.push(value),
            Ok(None) => return (values, None),
            Err(why) => return (values, Some(why)),
        }
    }
}

#[test]
fn values_come_as_they_are_sent() {
    let world = world([lines(&["{\"n\":1}\r\n\n{\"n\"", ":2}\n3"], End::Closed)]);
    let (values, error) = all(&world, &mut begin(&world));
    assert_eq!(values, [json!({"n": 1}), json!({"n": 2}), json!(3)]);
    assert!(error.is_none());
    assert_eq!(
        header(&world.wire.requests()[0], "accept"),
        Some("application/jsonl, application/x-ndjson")
    );
}

#[test]
fn a_line_that_is_broken_off_is_no_value() {
    // Its beginning would be a value by itself.
    let world = world([lines(&["1\n12"], End::Broken)]);
    let (values, error) = all(&world, &mut begin(&world));
    assert_eq!(values, [json!(1)]);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert!(error.what().ends_with("(within line 2)"), "{error}");
}

#[test]
fn a_last_line_that_ends_within_a_value_is_an_error() {
    let world = world([lines(&["{\"n\":1}\n{\"n\":"], End::Closed)]);
    let (values, error) = all(&world, &mut begin(&world));
    assert_eq!(values, [json!({"n": 1})]);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error
            .what()
            .contains("line 2, the last, which is broken off"),
        "{error}"
    );
}

#[test]
fn a_line_that_is_no_json_is_named_and_the_next_is_read() {
    let world = world([lines(&["1\n[DONE]\n3\n"], End::Closed)]);
    let mut stream = begin(&world);
    let (values, error) = all(&world, &mut stream);
    assert_eq!(values, [json!(1)]);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.what().contains("line 2, column 2"), "{error}");
    let (values, error) = all(&world, &mut stream);
    assert_eq!((values, error.is_none()), (vec![json!(3)], true));
}

#[test]
fn a_sentinel_is_read_as_text() {
    let world = world([lines(&["1\n[DONE]\n"], End::Closed)]);
    let mut stream = begin(&world);
    world.clock.block_on(stream.next_line()).unwrap().unwrap();
    let line = world.clock.block_on(stream.next_line()).unwrap().unwrap();
    assert_eq!((line.text.as_str(), line.number), ("[DONE]", 2));
}

#[test]
fn a_line_cannot_grow_without_bound() {
    let world = world([lines(&["1\n2222222222222"], End::Silent)]);
    let mut stream = begin(&world).max_line_bytes(10);
    let (values, error) = all(&world, &mut stream);
    assert_eq!(values, [json!(1)]);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.what().contains("line 2 is longer than 10 bytes"));
    assert!(all(&world, &mut stream).1.is_none(), "it is over");
}

#[test]
fn what_is_not_utf_8_is_an_error() {
    let mut step = lines(&[], End::Closed).unwrap();
    step.body =
        gatewright::transport::ResponseBody::full(bytes::Bytes::from_static(b"1\n\"\xff\"\n"));
    let world = world([Ok(step)]);
    let (values, error) = all(&world, &mut begin(&world));
    assert_eq!(
        (values.len(), error.unwrap().kind()),
        (1, ErrorKind::Decode)
    );
}

#[test]
fn silence_is_an_error_and_the_deadline_is_for_connecting() {
    let world = world([lines(&["1\n"], End::Silent)]);
    let mut stream = world
        .client
        .get("/v1/exports")
        .timeout(Duration::from_secs(5))
        .json_lines();
    let (values, error) = all(&world, &mut stream);
    assert_eq!(values.len(), 1);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error.to_string().contains("raise `idle_timeout`"),
        "{error}"
    );
    assert_eq!(world.clock.elapsed(), Duration::from_secs(60));
}

#[test]
fn until_the_head_is_there_a_stream_is_retried() {
    let world = world([answer(503), lines(&["1\n"], End::Closed)]);
    assert_eq!(all(&world, &mut begin(&world)).0.len(), 1);
    assert_eq!(world.wire.requests().len(), 2);
}
