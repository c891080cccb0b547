//! Webhooks as host languages have them.

use serde_json::Value;

use crate::{HostWebhook, generate_secret};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: f64 = 1_614_265_330.9;

fn open(secrets: &[&str]) -> HostWebhook {
    HostWebhook::open(secrets, 300.0, 1e6).unwrap()
}

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// The headers of a signed message as lines, a name and a value in turns.
fn signed(webhook: &HostWebhook) -> String {
    let signed = read(&webhook.sign(BODY, ID, AT));
    let pairs = signed.as_object().unwrap().iter();
    pairs
        .map(|(name, value)| format!("{}\n{}\n", name.to_uppercase(), value.as_str().unwrap()))
        .collect()
}

/// So many lines of headers.
fn first(lines: &str, count: usize) -> String {
    lines.split_inclusive('\n').take(count).collect()
}

#[test]
fn what_is_signed_verifies() {
    let webhook = open(&[SECRET]);
    let headers = signed(&webhook);
    assert_eq!(
        read(&webhook.sign(BODY, ID, AT))["webhook-signature"],
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
    assert_eq!(
        webhook.verify(BODY, &headers, AT + 1.0),
        format!("standard-webhooks\nhmac-sha256\n0\n1614265330\n{ID}\nfull\n110")
    );
}

#[test]
fn what_does_not_verify_has_a_code_and_an_explanation() {
    let webhook = open(&[SECRET]);
    let headers = signed(&webhook);
    for (body, headers, now) in [
        (&b"other"[..], headers.clone(), AT),
        (BODY, headers.clone(), AT + 301.0),
        (BODY, first(&headers, 4), AT),
        (BODY, first(&headers, 5), AT),
        (BODY, String::new(), AT),
        (BODY, headers.clone(), f64::NAN),
        (BODY, headers.clone(), f64::INFINITY),
    ] {
        let error = read(&webhook.verify(body, &headers, now));
        assert!(
            error["code"].is_string() && error["message"].is_string(),
            "{error}"
        );
        assert!(!webhook.explain(body, &headers, now).is_empty());
    }
    assert!(
        webhook
            .explain(BODY, &headers, AT + 301.0)
            .contains("timestamp")
    );
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let wrong = |secrets: &[&str]| read(&HostWebhook::open(secrets, 300.0, 1e6).unwrap_err());
    for secrets in [
        &[][..],
        &[""],
        &["whsec_canary"],
        &["canary"],
        &["whpk_canary"],
    ] {
        let error = wrong(secrets);
        assert!(error["code"].is_string(), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for (tolerance, max_body) in [
        (f64::NAN, 1.0),
        (-1.0, 1.0),
        (300.0, f64::NAN),
        (300.0, -1.0),
    ] {
        let error = read(&HostWebhook::open(&[SECRET], tolerance, max_body).unwrap_err());
        assert!(error["code"].is_string(), "{error}");
    }
    assert!(HostWebhook::open(&[SECRET], 300.0, f64::INFINITY).is_ok());
}

#[test]
fn a_public_key_verifies_and_a_private_one_signs() {
    let pair = gatewright_webhook::generate_key_pair(&[7; 32]);
    let (private, public) = (open(&[pair.signing.expose()]), open(&[&pair.public]));
    let headers = signed(&private);
    let proven = public.verify(BODY, &headers, AT);
    assert_eq!(proven.split('\n').nth(1), Some("ed25519"));
    let unfit = |json: String| read(&json)["code"].clone();
    assert_eq!(
        unfit(private.verify(BODY, &headers, AT)),
        "signing_key_cannot_verify"
    );
    assert_eq!(unfit(public.sign(BODY, ID, AT)), "public_key_cannot_sign");
    assert_eq!(unfit(private.sign(BODY, "a.b", AT)), "bad_message_id");
    assert_eq!(unfit(private.sign(BODY, ID, f64::NAN)), "bad_timestamp");
}

#[test]
fn new_secrets_can_be_used() {
    let secret = generate_secret(&[9; 32]);
    assert!(secret.starts_with("whsec_"));
    let webhook = open(&[&secret]);
    assert!(
        webhook
            .verify(BODY, &signed(&webhook), AT)
            .starts_with("standard-webhooks\n")
    );
}
