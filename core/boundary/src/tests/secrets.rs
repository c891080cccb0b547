//! No frame that is about a secret has it in it.

use gatewright::FailureClass;
use gatewright::testing::{answer_with, failure};

use super::stage::{Stage, get, number};

const CANARY: &str = "canary-5f2d9";

/// Everything that came, as bytes.
fn all(stage: &Stage) -> String {
    let frames = stage.frames();
    assert!(!frames.is_empty());
    let mut text = String::new();
    for frame in frames {
        text += &String::from_utf8_lossy(&frame.payload);
    }
    text
}

fn assert_clean(text: &str) {
    assert!(!text.contains("canary"), "{text}");
    // Base64 of an error's body, at each of its three offsets.
    for part in ["Y2FuYXJ5", "NhbmFye", "jYW5hcn"] {
        assert!(!text.contains(part), "{part} in {text}");
    }
}

#[test]
fn credentials_are_in_no_frame() {
    let kinds = [
        format!(r#"{{"kind": "bearer", "token": "{CANARY}"}}"#),
        format!(r#"{{"kind": "basic", "user": "u", "password": "{CANARY}"}}"#),
        format!(r#"{{"kind": "apiKey", "key": "{CANARY}", "header": "x-key"}}"#),
        format!(r#"{{"kind": "apiKey", "key": "{CANARY}", "query": "q"}}"#),
        format!(r#"{{"kind": "apiKey", "key": "{CANARY}", "cookie": "c"}}"#),
    ];
    for kind in kinds {
        let echo = format!(r#"{{"detail": "bad key {CANARY}"}}"#);
        let stage = Stage::new([
            answer_with(401, &[], echo.clone()),
            answer_with(400, &[], echo),
            failure(FailureClass::Tls),
        ]);
        let settings = format!(r#"{{"auth": {kind}, "hooks": {{"before": true, "after": true}}}}"#);
        let client = stage.client(&settings);
        for call in 1..=3 {
            get(&client, call, None);
            for _ in 0..2 {
                let question = stage.question();
                assert_clean(&question.to_string());
                stage.port.answer(number(&question["question"]), None, None);
            }
            assert_clean(&all(&stage));
        }
        assert_eq!(stage.wire.requests().len(), 3);
        assert_clean(&format!("{client:?} {:?}", stage.port));
    }
}

#[test]
fn fetched_tokens_are_in_no_frame() {
    let echo = format!("nobody knows {CANARY}");
    let stage = Stage::new([answer_with(403, &[], echo)]);
    get(&stage.client(r#"{"auth": {"kind": "callback"}}"#), 1, None);
    let question = number(&stage.question()["question"]);
    let token = format!(r#"{{"token": "{CANARY}", "expiresInMs": 5000}}"#);
    stage.port.answer(question, Some(token), None);
    assert_clean(&all(&stage));
    assert_eq!(stage.wire.requests().len(), 1);
}

#[test]
fn secrets_in_wrong_places_are_not_shown() {
    let stage = Stage::new([]);
    for settings in [
        format!(r#"{{"auth": {{"kind": "bearer", "token": "{CANARY}\n"}}}}"#),
        format!(r#"{{"headers": [["authorization", "{CANARY}\n"]]}}"#),
        format!(r#"{{"timeoutMs": "{CANARY}"}}"#),
        format!(r#"{{"timeoutMs": "{CANARY}""#),
    ] {
        if let Err(error) = stage.open("https://api.example.com", &settings) {
            assert_clean(&error.to_string());
        } else {
            panic!("{settings} was taken");
        }
    }
    let error = stage
        .open(&format!("https://u:{CANARY}@api.example.com"), "{}")
        .unwrap_err();
    assert_clean(&error.to_string());
}
