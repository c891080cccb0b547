//! Settings: each takes effect, and what is wrong is said by name.

use gatewright::testing::{answer, answer_with};
use serde_json::json;

use super::stage::{Stage, get, post};
use crate::Language;

fn refused(settings: &str) -> (String, String) {
    let stage = Stage::new([]);
    let error = stage.open("https://api.example.com", settings).unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("code"), text("what"))
}

#[test]
fn wrong_settings_are_named_and_not_shown() {
    let ms = "it must be a number of milliseconds above zero, or null for no limit";
    for (settings, what) in [
        (r#"{"timeoutMs": 0}"#, format!("`timeout` is 0; {ms}")),
        (r#"{"timeoutMs": "NaN"}"#, format!("`timeout` is NaN; {ms}")),
        (
            r#"{"timeoutMs": "-Infinity"}"#,
            format!("`timeout` is -Infinity; {ms}"),
        ),
        (
            r#"{"attemptTimeoutMs": -5.5}"#,
            format!("`attemptTimeout` is -5.5; {ms}"),
        ),
        (
            r#"{"readTimeoutMs": "Infinity"}"#,
            format!("`readTimeout` is Infinity; {ms}"),
        ),
        (
            r#"{"readTimeoutMs": true}"#,
            "`readTimeout` must be a number of milliseconds above zero, or null for no limit"
                .to_owned(),
        ),
        (
            r#"{"maxAttempts": 0}"#,
            "`retry.maxAttempts` is 0; it must be a whole number from 1 to 4294967295".to_owned(),
        ),
        (
            r#"{"backoffBaseMs": -1}"#,
            "`retry.backoffBase` is -1; it must be a number of milliseconds, zero or more"
                .to_owned(),
        ),
        (
            r#"{"backoffCapMs": "NaN"}"#,
            "`retry.backoffCap` is NaN; it must be a number of milliseconds, zero or more"
                .to_owned(),
        ),
        (
            r#"{"maxRetryAfterMs": "canary"}"#,
            "`retry.maxRetryAfter` must be a number of milliseconds, zero or more".to_owned(),
        ),
        (
            r#"{"budget": 0.5}"#,
            "`retry.budget` is 0.5; it must be a whole number from 0 to 4294967295".to_owned(),
        ),
        (
            r#"{"maxRedirects": -1}"#,
            "`maxRedirects` is -1; it must be a whole number from 0 to 4294967295".to_owned(),
        ),
        (
            r#"{"maxResponseBytes": "NaN"}"#,
            "`maxResponseBytes` is NaN; it must be a whole number of bytes, zero or more"
                .to_owned(),
        ),
        (
            r#"{"pacing": "canary"}"#,
            "`pacing` must be true, false or an object".to_owned(),
        ),
        (
            r#"{"quota": 3}"#,
            "`quota` is 3; it must be a string".to_owned(),
        ),
        (
            r#"{"headers": [["a b", "canary"]]}"#,
            "\"a b\" is no header name".to_owned(),
        ),
        (
            r#"{"headers": [["a", "canary€"]]}"#,
            "the value of the header a has a character that no header can carry (above U+00FF)"
                .to_owned(),
        ),
        (
            r#"{"headers": ["canary"]}"#,
            "`headers` must be a list of pairs of strings".to_owned(),
        ),
        (
            r#"{"allowedOrigins": "canary"}"#,
            "`allowedOrigins` must be a list of strings".to_owned(),
        ),
        (
            r#"{"hooks": {"during": true}}"#,
            "`hooks` has a member \"during\", which it does not know".to_owned(),
        ),
        (
            r#"{"auth": "canary"}"#,
            "`auth` must be an object".to_owned(),
        ),
        (
            r#"{"auth": {"token": "canary"}}"#,
            "`auth.kind` is missing".to_owned(),
        ),
        (
            r#"{"auth": {"kind": "bearer", "key": "canary"}}"#,
            "`auth.token` is missing".to_owned(),
        ),
        (
            r#"{"auth": {"kind": "bearer", "token": ["canary"]}}"#,
            "`auth.token` must be a string".to_owned(),
        ),
        (
            r#"{"auth": {"kind": "bearer", "tokn": "canary"}}"#,
            "`auth` has a member \"tokn\", which it does not know".to_owned(),
        ),
        (
            r#"{"auth": {"kind": "canary"}}"#,
            "`auth` is of no kind that is known".to_owned(),
        ),
        (
            r#"{"auth": {"kind": "apiKey", "key": "canary"}}"#,
            "`auth` must have one of header, query and cookie".to_owned(),
        ),
        (
            r#"{"auth": {"kind": "apiKey", "key": "canary", "header": "a b"}}"#,
            "`auth.header` is no header name".to_owned(),
        ),
        (
            r#"{"timout": 5}"#,
            "\"timout\" is no setting of a client".to_owned(),
        ),
        (
            r#"{"max_attempts": 5}"#,
            "\"max_attempts\" is no setting of a client".to_owned(),
        ),
        ("7", "the settings must be an object".to_owned()),
    ] {
        assert_eq!(
            refused(settings),
            ("invalid_config".to_owned(), what),
            "{settings}"
        );
    }
}

#[test]
fn texts_of_the_core_have_the_names_of_javascript() {
    assert!(
        refused(r#"{"idempotencyHeader": "a b"}"#)
            .1
            .starts_with("`idempotencyHeader`")
    );
    assert!(
        refused(r#"{"allowedOrigins": ["canary"]}"#)
            .1
            .starts_with("`allowedOrigins`")
    );
    let stage = Stage::new([]);
    let error = stage.open("nonsense", "{}").unwrap_err();
    assert!(
        error["what"]
            .as_str()
            .unwrap()
            .starts_with("`baseUrl` is no URL"),
        "{error}"
    );
    let error = stage.open("http://api.example.com", "{}").unwrap_err();
    assert_eq!(error["code"], "insecure_url");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .ends_with("set `allowHttp` if the network in between is yours")
    );
    assert!(
        stage
            .open("http://api.example.com", r#"{"allowHttp": true}"#)
            .is_ok()
    );
}

#[test]
fn texts_have_the_names_of_swift_and_kotlin() {
    for (language, base_url, allow_http, limit) in [
        (
            Language::Swift,
            "`baseURL`",
            "`allowHTTP`",
            "a time above zero, or `.never`",
        ),
        (
            Language::Kotlin,
            "`baseUrl`",
            "`allowHttp`",
            "a time above zero, or null for none",
        ),
    ] {
        let stage = Stage::of(language, []);
        let what = |base_url: &str, settings: &str| {
            let error = stage.open(base_url, settings).unwrap_err();
            error["message"].as_str().unwrap().to_owned()
        };
        let text = what("nonsense", "{}");
        assert!(text.contains(&format!("{base_url} is no URL")), "{text}");
        let text = what("http://api.example.com", "{}");
        assert!(text.contains(&format!("set {allow_http} if")), "{text}");
        for (settings, wrong) in [
            (r#"{"timeoutMs": 0}"#, "`timeout` is 0 ms; it must be "),
            (r#"{"timeoutMs": true}"#, "`timeout` must be "),
        ] {
            let text = what("https://api.example.com", settings);
            assert_eq!(
                text,
                format!("invalid_config: {wrong}{limit}; change the setting")
            );
        }
        let text = what("https://api.example.com", r#"{"backoffBaseMs": -2}"#);
        assert!(
            text.contains("`retry.backoffBase` is -2 ms; it must be a time of zero or more"),
            "{text}"
        );

        // Of calls, too.
        get(&stage.client("{}"), 1, Some(r#"{"timeoutMs": 0}"#));
        let error = stage.error(1);
        assert!(error["what"].as_str().unwrap().contains(limit), "{error}");
    }
}

#[cfg(feature = "native")]
#[test]
fn pins_are_checked() {
    for settings in [r#"{"pins": "canary"}"#, r#"{"pins": [7]}"#] {
        assert_eq!(refused(settings).1, "`pins` must be a list of strings");
    }
    let stage = Stage::new([]);
    let wrong = stage
        .port
        .open_client("https://h.example", r#"{"pins": ["sha256/short"]}"#)
        .unwrap_err();
    assert!(
        wrong.contains("invalid_config")
            && wrong.contains("`pins`")
            && wrong.contains("sha256/short"),
        "{wrong}"
    );
    let pin = format!("sha256/{}=", "A".repeat(43));
    let settings = json!({"pins": [pin, pin]}).to_string();
    assert!(
        stage
            .port
            .open_client("https://h.example", &settings)
            .is_ok()
    );
}

#[cfg(not(feature = "native"))]
#[test]
fn what_fetch_cannot_do_is_refused() {
    for (settings, name) in [
        (r#"{"proxy": "http://canary"}"#, "proxy"),
        (r#"{"caCertificates": "canary"}"#, "caCertificates"),
        (r#"{"connectTimeoutMs": 5}"#, "connectTimeout"),
        (r#"{"pins": ["canary"]}"#, "pins"),
    ] {
        let (code, what) = refused(settings);
        assert_eq!(code, "invalid_config");
        assert!(
            what.starts_with(&format!("`{name}` cannot be set here")),
            "{what}"
        );
    }
}

#[cfg(feature = "native")]
#[test]
fn settings_of_connections_are_checked() {
    let stage = Stage::new([]);
    for (settings, name) in [
        (
            r#"{"proxy": true}"#,
            "`proxy` must be a URL, or false for none",
        ),
        (
            r#"{"caCertificates": 7}"#,
            "`caCertificates` is 7; it must be a string",
        ),
        (
            r#"{"connectTimeoutMs": "canary"}"#,
            "`connectTimeout` must be a number of milliseconds above zero, or null for no limit",
        ),
    ] {
        assert_eq!(refused(settings).1, name);
    }
    assert!(
        stage
            .port
            .open_client(
                "https://h.example",
                r#"{"proxy": false, "connectTimeoutMs": 250}"#
            )
            .is_ok()
    );
    let wrong = stage
        .port
        .open_client("https://h.example", r#"{"connectTimeoutMs": 0}"#)
        .unwrap_err();
    assert!(
        wrong.contains("`connectTimeout` is 0; it must be a number of milliseconds"),
        "{wrong}"
    );
}

#[test]
fn credentials_reach_the_wire() {
    for (auth, header, value) in [
        (json!({"kind": "none"}), "authorization", None),
        (
            json!({"kind": "bearer", "token": "t-123"}),
            "authorization",
            Some("Bearer t-123"),
        ),
        (
            json!({"kind": "basic", "user": "u", "password": "p-123"}),
            "authorization",
            Some("Basic dTpwLTEyMw=="),
        ),
        (
            json!({"kind": "apiKey", "key": "k-123", "header": "x-key"}),
            "x-key",
            Some("k-123"),
        ),
        (
            json!({"kind": "apiKey", "key": "k-123", "cookie": "sid"}),
            "cookie",
            Some("sid=k-123"),
        ),
    ] {
        let stage = Stage::new([answer(200)]);
        get(&stage.client(&json!({"auth": auth}).to_string()), 1, None);
        stage.run();
        let requests = stage.wire.requests();
        let found = requests[0]
            .headers
            .get(header)
            .map(|value| value.to_str().unwrap());
        assert_eq!(found, value, "{auth}");
    }
    let stage = Stage::new([answer(200)]);
    let settings = r#"{"auth": {"kind": "apiKey", "key": "k-123", "query": "key"}}"#;
    get(&stage.client(settings), 1, None);
    let (_, meta, _) = stage.frame().answer();
    assert_eq!(stage.wire.requests()[0].url.query(), Some("key=k-123"));
    assert!(!meta.to_string().contains("k-123"), "{meta}");
}

#[test]
fn settings_take_effect() {
    let stage = Stage::new([answer_with(503, &[], ""), answer(200)]);
    let client = stage.client(
        r#"{"maxAttempts": 1, "idempotencyHeader": "x-once", "idempotencyQuoted": true, "maxResponseBytes": "Infinity",
            "backoffBaseMs": 0, "backoffCapMs": 1.5, "maxRetryAfterMs": 1000, "budget": 10, "maxRedirects": 0, "pacing": false,
            "timeoutMs": null, "attemptTimeoutMs": 1000, "readTimeoutMs": null, "allowedOrigins": ["https://cdn.example"]}"#,
    );
    post(&client, 1, None, "{}");
    assert_eq!(stage.error(1)["code"], "server");
    let requests = stage.wire.requests();
    let key = requests[0].headers["x-once"].to_str().unwrap();
    assert!(key.starts_with('"') && key.ends_with('"'), "{key}");

    let quiet = stage.client(r#"{"idempotencyKeys": false}"#);
    post(&quiet, 2, None, "{}");
    stage.run();
    assert!(
        !stage.wire.requests()[1]
            .headers
            .contains_key("idempotency-key")
    );

    let quoted = Stage::new([answer(200)]);
    post(
        &quoted.client(r#"{"idempotencyQuoted": true}"#),
        1,
        None,
        "{}",
    );
    quoted.run();
    assert!(
        quoted.wire.requests()[0].headers["idempotency-key"]
            .as_bytes()
            .starts_with(b"\"")
    );
}
