//! Credentials of every kind reach the wire, and what is wrong with one is said by name, never by value.

use gatewright::testing::{answer, answer_with};
use serde_json::json;

use super::stage::{Stage, get};

fn refused(auth: &serde_json::Value) -> String {
    let stage = Stage::new([]);
    let settings = json!({"auth": auth}).to_string();
    let error = stage
        .open("https://api.example.com", &settings)
        .unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
    assert_eq!(error["code"], "invalid_config");
    error["what"].as_str().unwrap().to_owned()
}

#[test]
fn wrong_credentials_are_named_and_not_shown() {
    let oauth = |more: serde_json::Value| {
        let mut auth = json!({"kind": "oauth", "clientId": "app", "clientSecret": "canary",
            "tokenUrl": "https://as.example/token"});
        auth.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        auth
    };
    for (auth, what) in [
        (json!({"kind": "oauth"}), "`auth.clientId` is missing"),
        (
            oauth(json!({"grant": "canary"})),
            "`auth.grant` must be one of clientCredentials, login",
        ),
        (
            oauth(json!({"scopes": "canary"})),
            "`auth.scopes` must be a list of strings",
        ),
        (
            oauth(json!({"token": "canary"})),
            "`auth` has a member \"token\", which it does not know",
        ),
        (
            oauth(json!({"dpopKey": "canary"})),
            "`auth.dpopKey`: the signing key is no PEM with a PRIVATE KEY or an EC PRIVATE KEY that is not encrypted",
        ),
        (
            oauth(json!({"tokenUrl": "http://canary.example/"})),
            "`auth`: `tokenUrl` must be https: tokens travel there",
        ),
        (
            json!({"kind": "hmac", "keyId": "k", "secret": "canary", "text": "{nope}"}),
            "`auth.text` has a place {nope} that is not known",
        ),
        (
            json!({"kind": "hmac", "keyId": "k", "secret": ""}),
            "`auth`: the secret of the HMAC scheme is empty; is its environment variable set?",
        ),
        (
            json!({"kind": "httpSignature", "keyId": "k"}),
            "`auth` must have one of key and secret",
        ),
        (
            json!({"kind": "httpSignature", "keyId": "k", "secret": "Y2FuYXJ5", "components": ["@status"]}),
            "`auth.components`: \"@status\" is no component of a request that can be signed (RFC 9421, section 2)",
        ),
        (
            json!({"kind": "bearer", "token": "canary", "sign": {"kind": "bearer"}}),
            "`auth.sign` is of no kind that signs",
        ),
    ] {
        assert_eq!(refused(&auth), what);
    }
}

#[test]
fn client_credentials_and_signatures_reach_the_wire() {
    let tokens = r#"{"access_token":"a-123","token_type":"Bearer","expires_in":60}"#;
    let stage = Stage::new([answer_with(200, &[], tokens), answer(200)]);
    let auth = json!({"kind": "oauth", "clientId": "app", "clientSecret": "s-123", "clientAuth": "post",
        "tokenUrl": "https://as.example/token", "scopes": ["a", "b"], "headers": [["x-t", "1"]],
        "sign": {"kind": "hmac", "keyId": "k1", "secret": "h-123", "algorithm": "sha512", "encoding": "hex",
            "text": "{method}", "headers": [["x-sig", "v1={signature}"]]}});
    get(&stage.client(&json!({"auth": auth}).to_string()), 1, None);
    stage.run();
    let [token, call] = &stage.wire.requests()[..] else {
        panic!()
    };
    assert_eq!(token.url.as_str(), "https://as.example/token");
    assert_eq!(
        token.body,
        "grant_type=client_credentials&scope=a+b&client_id=app&client_secret=s-123"
    );
    assert_eq!(token.headers["x-t"], "1");
    assert_eq!(call.headers["authorization"], "Bearer a-123");
    let signature = call.headers["x-sig"].to_str().unwrap();
    assert_eq!(signature.len(), 3 + 128, "{signature}");
}

#[test]
fn calls_choose_among_named_credentials() {
    let stage = Stage::new([answer(200), answer(200), answer(200)]);
    let settings = json!({"auth": {"kind": "bearer", "token": "t-123"},
        "credentials": {"admin": {"kind": "apiKey", "key": "k-123", "header": "x-key"}}});
    let client = stage.client(&settings.to_string());
    get(&client, 1, None);
    get(&client, 2, Some(r#"{"credential": "admin"}"#));
    get(&client, 3, Some(r#"{"credential": false}"#));
    stage.run();
    assert_eq!(stage.frames().len(), 3);
    get(&client, 4, Some(r#"{"credential": "nobody"}"#));
    let shown: Vec<_> = stage
        .wire
        .requests()
        .iter()
        .map(|seen| {
            let has = |name: &str| seen.headers.contains_key(name);
            (has("authorization"), has("x-key"))
        })
        .collect();
    assert_eq!(shown, [(true, false), (false, true), (false, false)]);
    let error = stage.error(4);
    assert_eq!(error["code"], "invalid_request");
}

#[test]
fn an_http_signature_by_a_shared_secret_reaches_the_wire() {
    let stage = Stage::new([answer(200)]);
    let auth = json!({"kind": "httpSignature", "keyId": "k1", "secret": "c2VjcmV0", "components": ["@method", "@path"],
        "label": "mine", "tag": "app", "expiresMs": 60000, "nonce": false});
    get(&stage.client(&json!({"auth": auth}).to_string()), 1, None);
    stage.run();
    let seen = &stage.wire.requests()[0];
    let input = seen.headers["signature-input"].to_str().unwrap();
    assert_eq!(
        input,
        "mine=(\"@method\" \"@path\");created=1767225600;expires=1767225660;keyid=\"k1\";alg=\"hmac-sha256\";tag=\"app\""
    );
    assert!(
        seen.headers["signature"]
            .to_str()
            .unwrap()
            .starts_with("mine=:")
    );
}
