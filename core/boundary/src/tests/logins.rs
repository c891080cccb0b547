//! Logins, over scripted answers of an OAuth server.

use gatewright::testing::{answer, answer_with};
use serde_json::{Value, json};

use super::stage::{ANSWER, CHUNK, END, Seen, Stage, get};
use crate::HostClient;

const TOKENS: &str = r#"{"access_token":"a-canary","token_type":"Bearer","expires_in":60,"refresh_token":"r-canary","scope":"read","id_token":"id-1"}"#;

fn settings() -> String {
    let oauth = json!({"kind": "oauth", "clientId": "app", "tokenUrl": "https://as.example/token",
        "authorizationUrl": "https://as.example/authorize", "deviceAuthorizationUrl": "https://as.example/device",
        "revocationUrl": "https://as.example/revoke"});
    json!({"auth": oauth, "credentials": {"other": oauth, "key": {"kind": "bearer", "token": "t"}}})
        .to_string()
}

fn told(frame: &Seen) -> Value {
    assert_eq!(frame.kind, CHUNK, "{frame:?}");
    serde_json::from_slice(&frame.piece()).unwrap()
}

fn begin(stage: &Stage, client: &HostClient, options: &Value) -> Value {
    client.begin_login(1, 9, &options.to_string());
    told(&stage.frame())
}

/// A parameter of a URL, as it stands there.
fn query(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').unwrap();
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    let found = pairs.find(|(known, _)| *known == name);
    found.unwrap().1.to_owned()
}

#[test]
fn a_login_by_a_browser_ends_with_tokens_for_the_client_alone() {
    let stage = Stage::new([answer_with(200, &[], TOKENS), answer(200)]);
    let client = stage.client(&settings());
    let begun = begin(
        &stage,
        &client,
        &json!({"kind": "authorization", "redirectUri": "app.example:/callback"}),
    );
    let url = begun["url"].as_str().unwrap();
    assert!(url.starts_with("https://as.example/authorize?"), "{url}");
    assert_eq!(query(url, "code_challenge_method"), "S256");
    assert_eq!(query(url, "redirect_uri"), "app.example%3A%2Fcallback");
    let redirect = format!(
        "app.example:/callback?code=c-1&state={}",
        query(url, "state")
    );
    client.end_login(2, 9, Some(&redirect));
    let frame = stage.frame();
    assert_eq!(
        told(&frame),
        json!({"tokenType": "Bearer", "scope": "read", "expiresInMs": 60000, "hasRefreshToken": true, "idToken": "id-1"})
    );
    assert!(!String::from_utf8_lossy(&frame.piece()).contains("canary"));
    get(&client, 3, None);
    assert_eq!(stage.frame().kind, ANSWER);
    let requests = stage.wire.requests();
    assert_eq!(requests[1].headers["authorization"], "Bearer a-canary");
    // A code is good for one use, and so is a login.
    client.end_login(4, 9, Some(&redirect));
    assert_eq!(stage.error(4)["code"], "closed");
    stage.assert_empty();
}

#[test]
fn a_redirect_of_another_login_is_refused() {
    let stage = Stage::new([]);
    let client = stage.client(&settings());
    begin(
        &stage,
        &client,
        &json!({"kind": "authorization", "credential": "other", "redirectUri": "app.example:/callback"}),
    );
    client.end_login(2, 9, Some("app.example:/callback?code=c-1&state=canary"));
    let error = stage.error(2);
    assert_eq!(error["code"], "token");
    assert!(!error.to_string().contains("canary"), "{error}");
    stage.assert_empty();
}

#[test]
fn a_device_waits_for_its_user() {
    let device = r#"{"device_code":"d-1","user_code":"ABCD","verification_uri":"https://as.example/go","expires_in":900,"interval":5}"#;
    let pending = r#"{"error":"authorization_pending"}"#;
    let stage = Stage::new([
        answer_with(200, &[], device),
        answer_with(400, &[], pending),
        answer_with(200, &[], TOKENS),
        answer(200),
    ]);
    let client = stage.client(&settings());
    let begun = begin(
        &stage,
        &client,
        &json!({"kind": "device", "credential": null}),
    );
    assert_eq!(
        begun,
        json!({"userCode": "ABCD", "verificationUri": "https://as.example/go", "verificationUriComplete": null, "expiresInMs": 900_000})
    );
    client.end_login(2, 9, None);
    for _ in 0..2 {
        assert!(stage.frames().is_empty());
        stage.pass(std::time::Duration::from_secs(6));
    }
    assert_eq!(told(&stage.frame())["scope"], "read");
    stage.assert_empty();
}

#[test]
fn a_device_login_that_is_given_up_asks_no_more() {
    let device = r#"{"device_code":"d-1","user_code":"ABCD","verification_uri":"https://as.example/go","expires_in":900}"#;
    let stage = Stage::new([answer_with(200, &[], device)]);
    let client = stage.client(&settings());
    begin(&stage, &client, &json!({"kind": "device"}));
    client.end_login(2, 9, None);
    stage.run();
    stage.port.cancel(2);
    stage.pass(std::time::Duration::from_secs(60));
    assert!(stage.frames().is_empty());
    assert_eq!(stage.wire.requests().len(), 1);
    stage.assert_empty();
}

#[test]
fn who_logs_out_has_no_tokens_any_more() {
    let stage = Stage::new([answer_with(200, &[], TOKENS), answer(200)]);
    let client = stage.client(&settings());
    let begun = begin(
        &stage,
        &client,
        &json!({"kind": "authorization", "redirectUri": "https://app.example/back"}),
    );
    let state = query(begun["url"].as_str().unwrap(), "state");
    client.end_login(
        2,
        9,
        Some(&format!("https://app.example/back?code=c-1&state={state}")),
    );
    told(&stage.frame());
    client.log_out(3, None);
    assert_eq!(stage.frame().kind, END);
    let requests = stage.wire.requests();
    assert_eq!(requests[1].url.as_str(), "https://as.example/revoke");
    get(&client, 4, None);
    assert_eq!(stage.error(4)["code"], "token");
    assert_eq!(stage.wire.requests().len(), 2);
    stage.assert_empty();
}

#[test]
fn what_cannot_begin_is_said_before_anything_is_sent() {
    let stage = Stage::new([]);
    let client = stage.client(&settings());
    for (options, what) in [
        (json!({"kind": "authorization"}), "`redirectUri` is missing"),
        (
            json!({"kind": "authorization", "redirectUri": "canary"}),
            "the redirect URI is no URL",
        ),
        (
            json!({"kind": "device", "credential": "key"}),
            "the client has no credential \"key\" of OAuth",
        ),
        (
            json!({"kind": "canary"}),
            "a login is of the kind authorization, device or loopback",
        ),
        (
            json!({"kind": "device", "colour": 1}),
            "\"colour\" is no option of a login",
        ),
    ] {
        client.begin_login(1, 9, &options.to_string());
        let error = stage.error(1);
        let said = error["what"].as_str().unwrap();
        assert!(said.contains(what), "{said}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    client.close();
    client.begin_login(1, 9, r#"{"kind": "device"}"#);
    assert_eq!(stage.error(1)["code"], "closed");
    client.drop_login(9);
    assert!(stage.wire.requests().is_empty());
    stage.assert_empty();
}
