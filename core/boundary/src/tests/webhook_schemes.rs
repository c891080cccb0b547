//! Webhooks of any scheme as host languages have them: settings, requests with their URL, bodies in pieces, challenges, replays.

use serde_json::{Value, json};

use crate::{HostReplayGuard, HostWebhook};

const AT: f64 = 1_700_000_000.0;

fn open(settings: &Value) -> HostWebhook {
    HostWebhook::open_settings(&settings.to_string()).unwrap()
}

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// What is signed as lines of headers.
fn lines(signed: &str) -> String {
    let signed = read(signed);
    let pairs = signed["headers"].as_array().unwrap().iter();
    pairs
        .map(|pair| {
            format!(
                "{}\n{}\n",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_provider_is_one_setting() {
    let stripe = open(&json!({"scheme": "stripe", "secrets": ["whsec_test"]}));
    let headers = lines(&stripe.sign_request(b"{}", "", "", AT));
    let verdict = stripe.verify(b"{}", &headers, AT);
    let mut told = verdict.split('\n');
    assert_eq!(
        told.by_ref().take(7).collect::<Vec<_>>(),
        [
            "stripe",
            "hmac-sha256",
            "0",
            "1700000000",
            "",
            "full",
            "100"
        ]
    );
    assert_eq!(told.next().map(str::len), Some(64));
    assert_eq!(
        read(&stripe.verify(b"{}", &headers, AT + 301.0))["code"],
        "too_old"
    );
    let spaced = stripe.diagnose(b"{ }", &headers, AT);
    assert!(spaced.starts_with("body_changed\n"), "{spaced}");
}

#[test]
fn the_url_of_a_request_comes_before_its_headers() {
    let twilio = open(&json!({"scheme": "twilio", "secrets": ["12345"]}));
    let url = "https://example.com/hook?a=1";
    let headers = lines(&twilio.sign_request(b"CallSid=1", "", url, AT));
    let asked = |headers: String| twilio.verify(b"CallSid=1", &headers, AT);
    assert!(asked(format!(":url\n{url}\n:method\nPOST\n{headers}")).starts_with("twilio\n"));
    assert_eq!(read(&asked(headers.clone()))["code"], "missing_url");
    // What a sender puts among the headers is not where it was sent.
    assert_eq!(
        read(&asked(format!("{headers}:url\n{url}\n")))["code"],
        "missing_url"
    );
}

#[test]
fn a_template_is_an_object() {
    let template = json!({"signatureHeader": "acme-signature", "signed": "{timestamp}.{body}", "timestampItem": "t=", "prefix": "v1=",
        "separator": ",", "algorithm": "hmac-sha512", "encoding": "base64", "secretEncoding": "hex"});
    let acme =
        open(&json!({"secrets": ["00112233445566778899aabbccddeeff"], "template": template}));
    let headers = lines(&acme.sign_request(b"x", "", "", AT));
    assert!(
        acme.verify(b"x", &headers, AT)
            .starts_with("custom\nhmac-sha512\n")
    );
}

#[test]
fn settings_that_are_none_are_refused() {
    let code = |settings: &str| {
        let error = HostWebhook::open_settings(settings).unwrap_err();
        assert!(!error.contains("canary"), "{error}");
        read(&error)["code"].as_str().unwrap().to_owned()
    };
    for settings in [
        "",
        "[]",
        r#"{"secrets": "canary"}"#,
        r#"{"secrets": [1]}"#,
        r#"{"secrets": ["whsec_test"], "tolerance": -1}"#,
        r#"{"secrets": ["whsec_test"], "tolerance": 1.5}"#,
        r#"{"secrets": ["whsec_test"], "maxBody": "NaN"}"#,
        r#"{"secrets": ["whsec_test"], "url": 1}"#,
        r#"{"secrets": ["x"], "template": {}}"#,
        r#"{"secrets": ["x"], "template": {"signatureHeader": "a", "signed": "{body}", "separator": "ab"}}"#,
        r#"{"secrets": ["x"], "scheme": "stripe", "template": {"signatureHeader": "a", "signed": "{body}"}}"#,
    ] {
        assert_eq!(code(settings), "bad_setting", "{settings}");
    }
    assert_eq!(
        code(r#"{"scheme": "strip", "secrets": ["x"]}"#),
        "unknown_scheme"
    );
    assert_eq!(code(r#"{"secrets": ["canary"]}"#), "unknown_prefix");
    assert_eq!(
        code(r#"{"scheme": "custom", "secrets": ["x"]}"#),
        "missing_template"
    );
}

#[test]
fn a_body_may_come_in_pieces() {
    let github = open(
        &json!({"scheme": "github", "secrets": ["It's a Secret to Everybody"], "maxBody": 20}),
    );
    let headers = "X-Hub-Signature-256\nsha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\n";
    let verifier = github.verifier(headers, AT).unwrap();
    for piece in b"Hello, World!".chunks(4) {
        assert_eq!(verifier.update(piece), "");
    }
    assert_eq!(
        verifier.finish(),
        github.verify(b"Hello, World!", headers, AT)
    );
    assert_eq!(read(&verifier.finish())["code"], "verifier_finished");
    assert_eq!(read(&verifier.update(b"x"))["code"], "verifier_finished");
    let verifier = github.verifier(headers, AT).unwrap();
    assert_eq!(read(&verifier.update(&[0; 21]))["code"], "body_too_large");
    assert_eq!(
        read(&github.verifier("", AT).unwrap_err())["code"],
        "missing_header"
    );
}

#[test]
fn a_question_to_the_endpoint_is_answered_once_it_is_verified() {
    let slack = open(&json!({"scheme": "slack", "secrets": ["8f742231b10e8888abcd99yyyzzz85a5"]}));
    let body = br#"{"type":"url_verification","challenge":"3eZb"}"#;
    let verdict = slack.verify(body, &lines(&slack.sign_request(body, "", "", AT)), AT);
    assert_eq!(
        read(&slack.challenge(&verdict, body)),
        json!({"status": 200, "contentType": "text/plain", "body": "3eZb"})
    );
    for other in ["", "{}", "stripe\nhmac-sha256\n0\n\n\nfull\n100"] {
        assert_eq!(slack.challenge(other, body), "");
    }
    assert_eq!(slack.challenge(&verdict, b"{}"), "");
}

#[test]
fn a_message_is_reserved_once() {
    let stripe = open(&json!({"scheme": "stripe", "secrets": ["whsec_test"]}));
    let verdict = stripe.verify(b"{}", &lines(&stripe.sign_request(b"{}", "", "", AT)), AT);
    let key = HostWebhook::replay_key("billing", &verdict);
    assert_eq!(key.len(), 64);
    assert_ne!(key, HostWebhook::replay_key("other", &verdict));
    assert_eq!(HostWebhook::replay_key("billing", "{}"), "");
    let guard = HostReplayGuard::open(r#"{"lease": 60000}"#).unwrap();
    let reserved = guard.reserve(&key, AT);
    let token = reserved.strip_prefix("new\n").unwrap();
    assert_eq!(guard.reserve(&key, AT), "in_progress\n1700000060");
    assert_eq!(guard.release(&key, token, AT), "settled");
    let reserved = guard.reserve(&key, AT);
    let again = reserved.strip_prefix("new\n").unwrap();
    assert_eq!(guard.commit(&key, token, AT), "lost");
    assert_eq!(guard.commit(&key, again, AT), "settled");
    assert_eq!(guard.reserve(&key, AT + 61.0), "already_done");
    for told in [
        guard.reserve("x", AT),
        guard.commit(&key, "x", AT),
        guard.release(&key, "1", f64::NAN),
    ] {
        assert!(read(&told)["code"].is_string());
    }
    assert!(HostReplayGuard::open(r#"{"entries": 0}"#).is_err());
}

#[test]
fn the_key_that_signs_may_be_another() {
    let (seed, public) = (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
    let discord =
        open(&json!({"scheme": "discord", "secrets": [public], "signingSecrets": [seed]}));
    let headers = lines(&discord.sign_request(b"{\"type\":1}", "", "", AT));
    let verdict = discord.verify(b"{\"type\":1}", &headers, AT);
    assert!(verdict.starts_with("discord\ned25519\n"), "{verdict}");
    assert_eq!(
        read(&discord.challenge(&verdict, b"{\"type\":1}"))["body"],
        "{\"type\":1}"
    );
    let only = open(&json!({"scheme": "discord", "secrets": [public]}));
    assert_eq!(
        read(&only.sign_request(b"{}", "", "", AT))["code"],
        "public_key_cannot_sign"
    );
}

#[test]
fn a_receiver_of_two_secrets_signs_with_the_first_where_there_is_one_signature() {
    let both = open(&json!({"scheme": "github", "secrets": ["new", "old"]}));
    let headers = lines(&both.sign_request(b"{}", "", "", AT));
    let first = open(&json!({"scheme": "github", "secrets": ["new"]}));
    assert!(first.verify(b"{}", &headers, AT).starts_with("github\n"));
    let list = open(&json!({"scheme": "paddle", "secrets": ["pdl_ntfset_new", "pdl_ntfset_old"]}));
    let headers = lines(&list.sign_request(b"{}", "", "", AT));
    assert_eq!(headers.matches("h1=").count(), 2);
    // What is said to sign is not left out.
    let settings =
        json!({"scheme": "github", "secrets": ["new"], "signingSecrets": ["new", "old"]});
    let told = open(&settings).sign_request(b"{}", "", "", AT);
    assert_eq!(read(&told)["code"], "too_many_secrets");
}
