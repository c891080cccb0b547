//! A token store of the host language's own: what it is asked, and what comes of its answers.

use gatewright::testing::{answer, answer_with};
use serde_json::{Value, json};

use super::stage::{ANSWER, ASK, Stage, get, number};

const TOKENS: &str =
    r#"{"access_token":"a-2","token_type":"Bearer","expires_in":60,"refresh_token":"r-2"}"#;
const STORED: &str = r#"{"version":1,"access_token":"a-1","token_type":"Bearer","refresh_token":"r-1","expires_at_ms":1}"#;

fn settings() -> String {
    json!({"client": 3, "auth": {"kind": "oauth", "clientId": "app", "tokenUrl": "https://as.example/token", "store": true}})
        .to_string()
}

/// The next question, which is of this kind; it is answered with this text.
fn asked(stage: &Stage, what: &str, answer: Option<&str>) -> Value {
    let question = stage.question();
    assert_eq!(
        (&question["what"], &question["client"]),
        (&json!(what), &json!(3))
    );
    assert_eq!(question["credential"], Value::Null);
    let number = number(&question["question"]);
    stage.port.answer(number, answer.map(str::to_owned), None);
    question
}

#[test]
fn a_refresh_is_under_the_stores_lock_and_is_saved() {
    let stage = Stage::new([answer_with(200, &[], TOKENS), answer(200)]);
    let client = stage.client(&settings());
    get(&client, 1, None);
    asked(&stage, "storeLoad", Some(STORED));
    asked(&stage, "storeLock", Some("true"));
    asked(&stage, "storeLoad", Some(STORED));
    let saved = asked(&stage, "storeSave", None);
    let tokens: Value = serde_json::from_str(saved["tokens"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&tokens["access_token"], &tokens["refresh_token"]),
        (&json!("a-2"), &json!("r-2"))
    );
    let frames = stage.frames();
    let kinds: Vec<_> = frames.iter().map(|frame| frame.kind).collect();
    assert_eq!(kinds, [ASK, ANSWER]);
    let note = frames[0].json();
    assert_eq!(
        (&note["what"], &note["question"]),
        (&json!("storeUnlock"), &json!(0))
    );
    assert_eq!(
        stage.wire.requests()[1].headers["authorization"],
        "Bearer a-2"
    );
    stage.assert_empty();
}

#[test]
fn a_lock_of_somebody_else_is_asked_for_again() {
    let good = r#"{"version":1,"access_token":"a-9","token_type":"Bearer"}"#;
    let stage = Stage::new([answer(200)]);
    let client = stage.client(&settings());
    get(&client, 1, None);
    asked(&stage, "storeLoad", None);
    asked(&stage, "storeLock", Some("false"));
    assert!(stage.frames().is_empty());
    stage.pass(std::time::Duration::from_millis(45));
    asked(&stage, "storeLock", Some("true"));
    // Meanwhile the other has logged in.
    asked(&stage, "storeLoad", Some(good));
    let kinds: Vec<_> = stage.frames().iter().map(|frame| frame.kind).collect();
    assert_eq!(kinds, [ASK, ANSWER]);
    assert_eq!(
        stage.wire.requests()[0].headers["authorization"],
        "Bearer a-9"
    );
    stage.assert_empty();
}

#[test]
fn a_store_that_fails_is_told_of_and_its_words_are_too() {
    let stage = Stage::new([]);
    let client = stage.client(&settings());
    get(&client, 1, None);
    let question = stage.question();
    stage
        .port
        .fail(number(&question["question"]), 7, "the keychain is locked");
    let error = stage.error(1);
    assert_eq!(error["code"], "token");
    assert!(
        error["what"]
            .as_str()
            .unwrap()
            .contains("the token store failed: the keychain is locked"),
        "{error}"
    );
    get(&client, 2, None);
    asked(&stage, "storeLoad", Some(r#"{"canary": 1}"#));
    let error = stage.error(2);
    assert_eq!(error["code"], "token");
    assert!(!error.to_string().contains("canary"), "{error}");
    stage.assert_empty();
}

#[test]
fn a_store_and_a_file_do_not_go_together() {
    let stage = Stage::new([]);
    let auth = json!({"kind": "oauth", "clientId": "app", "tokenUrl": "https://as.example/token", "store": true, "tokenFile": "/tmp/canary"});
    let error = stage
        .open(
            "https://api.example.com",
            &json!({"auth": auth}).to_string(),
        )
        .unwrap_err();
    assert_eq!(error["what"], "`auth` has both `tokenFile` and `store`");
}
