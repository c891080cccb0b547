//! `gatewright webhook sign | verify | explain | schemes`, as a program: files and pipes in, text and exit codes out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: &str = "1700000000";

/// Runs the program with this on its standard input.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(arguments)
        .env_remove("GATEWRIGHT_WEBHOOK_SECRET")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Where the arguments are wrong nobody reads it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", text(&output.stdout), text(&output.stderr))
    })
}

fn sign(scheme: &[&str], body: &[u8]) -> Value {
    let arguments = [&["webhook", "sign", "--now", NOW, "--json"], scheme].concat();
    let signed = run(&arguments, body);
    assert_eq!(code(&signed), 0, "{}", text(&signed.stderr));
    json_of(&signed)
}

fn headers(signed: &Value) -> Vec<String> {
    signed["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            format!(
                "{}: {}",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            )
        })
        .collect()
}

fn inspect(command: &str, scheme: &[&str], headers: &[String], body: &[u8]) -> Output {
    let mut arguments = vec!["webhook", command, "--now", NOW, "--json"];
    arguments.extend(scheme);
    for header in headers {
        arguments.extend(["--header", header]);
    }
    run(&arguments, body)
}

const SCHEMES: &[&[&str]] = &[
    &["--secret", SECRET],
    &["--scheme", "svix", "--secret", SECRET],
    &["--scheme", "stripe", "--secret", "whsec_stripe_test_secret"],
    &[
        "--scheme",
        "github",
        "--secret",
        "It's a Secret to Everybody",
    ],
    &[
        "--scheme",
        "slack",
        "--secret",
        "8f742231b10e8888abcd99yyyzzz85a5",
    ],
    &["--scheme", "zoom", "--secret", "a zoom secret token"],
    &["--scheme", "shopify", "--secret", "a shopify client secret"],
    &[
        "--scheme",
        "square",
        "--secret",
        "a square key",
        "--url",
        "https://example.com/square",
    ],
    &[
        "--scheme",
        "twilio",
        "--secret",
        "12345",
        "--url",
        "https://example.com/calls",
    ],
    &["--scheme", "linear", "--secret", "a linear secret"],
    &["--scheme", "paddle", "--secret", "pdl_ntfset_test_secret"],
    &[
        "--template",
        r#"{"signature_header":"acme-signature","signed":"{timestamp}.{body}","timestamp_item":"t=","prefix":"v1=","separator":","}"#,
        "--secret",
        "a secret of Acme's",
    ],
];

#[test]
fn what_is_signed_verifies_and_nothing_else() {
    for scheme in SCHEMES {
        let body: &[u8] = match scheme[1] {
            "twilio" => b"CallSid=CA1&From=%2B1555",
            "linear" => br#"{"webhookTimestamp":1700000000000}"#,
            _ => br#"{"a": 1}"#,
        };
        let signed = sign(scheme, body);
        let headers = headers(&signed);
        let genuine = inspect("verify", scheme, &headers, body);
        assert_eq!(code(&genuine), 0, "{scheme:?} {}", text(&genuine.stdout));
        assert_eq!(json_of(&genuine)["genuine"], true, "{scheme:?}");

        let mut other = body.to_vec();
        let last = other.len() - 2;
        other[last] ^= 1;
        let refused = inspect("verify", scheme, &headers, &other);
        assert_eq!(code(&refused), 1, "{scheme:?}");
        assert_eq!(json_of(&refused)["genuine"], false, "{scheme:?}");
        let secret = scheme[scheme.iter().position(|one| *one == "--secret").unwrap() + 1];
        let said = [refused.stdout, refused.stderr].concat();
        assert!(!text(&said).contains(secret), "{scheme:?}");
    }
}

#[test]
fn the_cause_is_named() {
    let scheme = &["--secret", SECRET];
    let body = br#"{"a": 1, "b": 2}"#;
    let headers = headers(&sign(scheme, body));
    let explained = inspect("explain", scheme, &headers, br#"{"a":1,"b":2}"#);
    assert_eq!(code(&explained), 1);
    let explained = json_of(&explained);
    assert_eq!(explained["code"], "body_changed", "{explained}");
    let genuine = inspect("explain", scheme, &headers, body);
    assert_eq!(
        (code(&genuine), &json_of(&genuine)["code"]),
        (0, &json!("valid"))
    );
}

#[test]
fn a_captured_request_is_read_whole() {
    let folder = std::env::temp_dir().join(format!("gatewright-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let secret = folder.join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let secret = ["--secret-file", secret.to_str().unwrap()];
    let signed = sign(&secret, b"{\r\n\r\n}");
    let mut request = b"POST /hook HTTP/1.1\r\nHost: a\r\n".to_vec();
    for header in headers(&signed) {
        request.extend_from_slice(header.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n{\r\n\r\n}");
    let arguments = [
        &["webhook", "verify", "--now", NOW, "--request", "-"][..],
        &secret,
    ];
    let genuine = run(&arguments.concat(), &request);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(code(&genuine), 0, "{}", text(&genuine.stderr));
    let said = text(&genuine.stdout);
    assert!(
        said.starts_with("genuine\n  scheme      standard-webhooks, hmac-sha256"),
        "{said}"
    );
    assert!(said.contains("  URL         NOT signed"), "{said}");
}

#[test]
fn wrong_arguments_say_what_is_wrong() {
    for (arguments, what) in [
        (&[][..], "say what to do"),
        (&["frobnicate"], "\"frobnicate\" is no command"),
        (&["webhook"], "say what to do"),
        (
            &["webhook", "verify", "--secret"],
            "missing argument for option '--secret'",
        ),
        (
            &["webhook", "verify", "--colour"],
            "--colour is not expected here",
        ),
        (
            &["webhook", "verify", "--scheme", "stripes"],
            "there is no scheme \"stripes\"; there are: standard-webhooks, ",
        ),
        (
            &[
                "webhook", "verify", "--header", "no colon", "--secret", SECRET,
            ],
            "a header is written `Name: value`",
        ),
        (
            &["webhook", "verify", "--secret", SECRET],
            "no headers: give them with",
        ),
        (
            &["webhook", "verify", "--secret", "plain", "-H", "a: b"],
            "webhook secret [0]: expected",
        ),
        (&["webhook", "trigger"], "say which event"),
        (&["webhook", "resend"], "say which delivery"),
    ] {
        let wrong = run(arguments, b"{}");
        let said = text(&wrong.stderr);
        assert_eq!(code(&wrong), 2, "{arguments:?}: {said}");
        assert!(said.starts_with("gatewright: "), "{said}");
        assert!(said.contains(what), "{arguments:?}: {said}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for command in ["verify", "explain", "sign", "listen", "trigger", "resend"] {
        let help = run(&["webhook", command, "--help"], b"");
        assert_eq!(code(&help), 0);
        assert!(text(&help.stdout).starts_with(&format!("Usage: gatewright webhook {command}")));
    }
    let schemes = run(&["webhook", "schemes"], b"");
    assert_eq!(text(&schemes.stdout).lines().count(), 18);
    let version = run(&["--version"], b"");
    assert_eq!(
        text(&version.stdout),
        format!("gatewright {}\n", env!("CARGO_PKG_VERSION"))
    );
}
