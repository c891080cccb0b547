//! Each kind of frame, byte for byte.

use bytes::Bytes;
use gatewright::testing::{answer, answer_with};

use super::stage::{ANSWER, Stage, get};
use crate::{Batch, Frame};

const META: &str = r#"{"method":"GET","url":"https://api.example.com/v1/x","shownUrl":"https://api.example.com/v1/x","requestId":"r-1","elapsedMs":0,"headers":[["x-request-id","r-1"],["x-name","caf\u00e9"]],"attempts":[{"number":1,"startedMs":0,"queuedMs":0,"queuedFor":null,"tookMs":0,"status":200,"error":null,"retryAfterMs":null,"requestId":null,"decision":"return","reason":null,"waitMs":null,"budgetLeft":500}]}"#;

fn bytes_of(frame: Frame) -> (Vec<u8>, Vec<Bytes>) {
    let mut batch = Batch::default();
    batch.push(frame);
    (batch.bytes, batch.large)
}

#[test]
fn an_answer_has_its_meta_and_its_body() {
    let mut scripted = answer_with(200, &[("x-request-id", "r-1")], "{\"a\":1}").unwrap();
    let name = http::HeaderValue::from_bytes(b"caf\xe9").unwrap();
    scripted.headers.append("x-name", name);
    let stage = Stage::new([Ok(scripted)]);
    let client = stage.client("{}");
    get(&client, 0x0102_0304, None);
    let seen = stage.frame();
    let meta = META.replace("\\u00e9", "é");
    let mut expected = vec![200, 0];
    expected.extend(u32::try_from(meta.len()).unwrap().to_le_bytes());
    expected.extend(7_u32.to_le_bytes());
    expected.extend([0xFF; 4]);
    expected.extend(meta.as_bytes());
    expected.extend(b"{\"a\":1}");
    assert_eq!((seen.kind, seen.call), (ANSWER, 0x0102_0304));
    assert_eq!(
        String::from_utf8_lossy(&seen.payload),
        String::from_utf8_lossy(&expected)
    );
    assert_eq!(seen.payload, expected);
    stage.assert_empty();
}

#[test]
fn large_bodies_go_beside_the_batch() {
    for (size, is_large) in [(16 * 1024, false), (16 * 1024 + 1, true)] {
        let body = vec![7_u8; size];
        let stage = Stage::new([answer_with(200, &[], body.clone())]);
        get(&stage.client("{}"), 1, None);
        let seen = stage.frame();
        assert_eq!(seen.large.len(), usize::from(is_large));
        assert_eq!(seen.payload[10..14] == [0; 4], is_large);
        assert_eq!(seen.answer().2, body);
    }
}

#[test]
fn the_other_kinds_are_as_short_as_can_be() {
    let head = Frame::Head {
        call: 5,
        status: 404,
        meta: b"{}".to_vec(),
    };
    assert_eq!(bytes_of(head).0, b"\x09\0\0\0\x05\0\0\0\x02\x94\x01{}");
    let chunk = Frame::Chunk {
        call: 6,
        bytes: Bytes::from_static(b"hi"),
    };
    assert_eq!(
        bytes_of(chunk),
        (
            b"\x0b\0\0\0\x06\0\0\0\x03\xff\xff\xff\xffhi".to_vec(),
            vec![]
        )
    );
    let end = Frame::End { call: 7 };
    assert_eq!(bytes_of(end).0, b"\x05\0\0\0\x07\0\0\0\x04");
    let error = Frame::Error {
        call: 8,
        error: b"{}".to_vec(),
    };
    assert_eq!(bytes_of(error).0, b"\x07\0\0\0\x08\0\0\0\x05{}");
    let ask = Frame::Ask {
        question: b"{}".to_vec(),
    };
    assert_eq!(bytes_of(ask).0, b"\x07\0\0\0\0\0\0\0\x06{}");
}

#[test]
fn large_pieces_are_named_by_their_index() {
    let mut batch = Batch::default();
    for call in [1, 2] {
        batch.push(Frame::Chunk {
            call,
            bytes: Bytes::from(vec![1; 20_000]),
        });
    }
    assert_eq!(
        batch.bytes,
        b"\x09\0\0\0\x01\0\0\0\x03\0\0\0\0\x09\0\0\0\x02\0\0\0\x03\x01\0\0\0"
    );
    assert_eq!(batch.large.len(), 2);
    let taken = batch.take();
    assert!(batch.is_empty() && batch.large.is_empty() && taken.large.len() == 2);
}

#[test]
fn a_batch_is_full_at_64_kib() {
    let mut batch = Batch::default();
    let mut frames = 0;
    while !batch.is_full() {
        frames += 1;
        batch.push(Frame::Chunk {
            call: 1,
            bytes: Bytes::from(vec![0; 16 * 1024]),
        });
    }
    assert_eq!(frames, 4);
}

#[test]
fn an_error_has_what_the_server_said() {
    let body = r#"{"detail":"no `first_name`","n":1}"#;
    let stage = Stage::new([answer_with(422, &[("x-request-id", "r-9")], body)]);
    get(&stage.client("{}"), 3, None);
    let error = stage.error(3);
    assert_eq!(error["code"], "unprocessable");
    assert_eq!(error["status"], 422);
    assert_eq!(
        error["message"],
        "unprocessable: GET https://api.example.com/v1/x was answered 422 Unprocessable Entity: no `first_name` \
         (1 attempt, 0 ms, request id r-9); mend the fields that the server names"
    );
    assert_eq!(
        error["problem"],
        serde_json::json!({"detail": "no `first_name`", "n": 1})
    );
    assert_eq!(
        error["headers"],
        serde_json::json!([["x-request-id", "r-9"]])
    );
    assert_eq!(
        error["body"],
        "eyJkZXRhaWwiOiJubyBgZmlyc3RfbmFtZWAiLCJuIjoxfQ=="
    );
    assert_eq!(error["attempts"][0]["decision"], "give_up");
    assert_eq!(error["attempts"][0]["requestId"], "r-9");
    assert_eq!(error["requestId"], "r-9");
    stage.assert_empty();
}

#[test]
fn retries_are_told_attempt_by_attempt() {
    let stage = Stage::new([answer_with(503, &[("retry-after", "2")], ""), answer(200)]);
    get(&stage.client("{}"), 1, None);
    assert_eq!(stage.frames(), []);
    stage.pass(std::time::Duration::from_secs(5));
    let (status, meta, body) = stage.frame().answer();
    assert_eq!((status, &*body), (200, &b"{}"[..]));
    let first = &meta["attempts"][0];
    assert_eq!(first["decision"], "retry");
    assert_eq!(first["reason"], "the server was unavailable");
    assert_eq!(first["retryAfterMs"], 2000);
    assert!(first["waitMs"].as_f64().unwrap() >= 2000.0);
    assert_eq!(meta["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(meta["elapsedMs"], 5000);
}
