//! Signatures of requests: good ones name their caller, changed ones are refused, and none is good twice.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatewright_server_mock::FaultRule;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::caller::{Asking, Caller, Seen};

/// The keys of RFC 9421, appendix B.1.
const SHARED: &str =
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const ED25519_D: &str = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";
const P256: [&str; 3] = [
    "UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs",
    "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
    "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
];

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn hmac_of(secret: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

async fn caller(signing: Value) -> Caller {
    let caller = Caller::new().await;
    let change = json!({ "signing": signing });
    let path = "/admin/session?session=test";
    let set = caller.admin("POST", path).json(&change).send().await;
    assert_eq!(set.status(), 200, "{:?}", set.json());
    caller
}

/// The scheme's header for a request with this body.
fn authorization(method: &str, target: &str, ts: u64, nonce: &str, body: &str) -> String {
    let digest = STANDARD.encode(Sha256::digest(body));
    let text = format!("{method}\n{target}\n{ts}\n{nonce}\n{digest}");
    let signature = STANDARD.encode(hmac_of(b"test-hmac-secret", &text));
    format!(r#"HMAC-SHA256 keyid="test-hmac", ts="{ts}", nonce="{nonce}", signature="{signature}""#)
}

fn create(caller: &Caller, body: &str, authorization: &str) -> Asking {
    caller
        .anonymous("POST", "/v1/contacts?a=1")
        .header("content-type", "application/json")
        .header("authorization", authorization)
        .body(body)
}

fn code(seen: &Seen) -> (u16, String) {
    let code = seen.json()["code"].as_str().unwrap_or_default().to_owned();
    (seen.status(), code)
}

const ADA: &str = r#"{"name":"Ada"}"#;

#[tokio::test]
async fn an_hmac_names_its_caller_and_is_good_once() {
    let caller = caller(json!({ "mode": "required" })).await;
    let header = authorization("POST", "/v1/contacts?a=1", now_s(), "n-1", ADA);
    let asking = create(&caller, ADA, &header);
    assert_eq!(asking.send().await.status(), 201);
    let again = asking.send().await;
    assert_eq!(code(&again), (401, "nonce_reused".into()));
    assert_eq!(
        again.header("www-authenticate").as_deref(),
        Some(r#"HMAC-SHA256 realm="gatewright""#)
    );
    assert_eq!(caller.session.effects("contacts.create").count, 1);
    let header = authorization("GET", "/v1/whoami", now_s(), "n-2", "");
    let whoami = caller.anonymous("GET", "/v1/whoami");
    let whoami = whoami.header("authorization", &header).send().await.json();
    assert_eq!(
        (&whoami["tenant"], &whoami["tier"]),
        (&json!("acme"), &json!("unlimited"))
    );
    let verdicts: Vec<_> = caller
        .session
        .journal(0)
        .into_iter()
        .map(|e| e.signature)
        .collect();
    let expected = ["valid", "nonce_reused", "valid"].map(|verdict| Some(verdict.to_owned()));
    assert_eq!(verdicts, expected);
}

#[tokio::test]
async fn an_hmac_over_another_request_is_refused() {
    let caller = caller(json!({ "mode": "checked" })).await;
    let now = now_s();
    let sign = |method: &str, target: &str, ts: u64, body: &str| {
        authorization(method, target, ts, "n", body)
    };
    let target = "/v1/contacts?a=1";
    for (header, expected) in [
        (sign("PUT", target, now, ADA), "signature_invalid"),
        (sign("POST", "/v1/contacts", now, ADA), "signature_invalid"),
        (sign("POST", target, now, "{}"), "signature_invalid"),
        (sign("POST", target, now - 301, ADA), "signature_expired"),
        (sign("POST", target, now + 400, ADA), "signature_expired"),
        (
            sign("POST", target, now, ADA).replace("test-hmac", "other"),
            "signature_key_unknown",
        ),
        (
            sign("POST", target, now, ADA).replace("nonce=\"n\"", "nonce=\"m\""),
            "signature_invalid",
        ),
        (
            sign("POST", target, now, ADA).replace("nonce=\"n\", ", ""),
            "signature_malformed",
        ),
        ("HMAC-SHA256 x".to_owned(), "signature_malformed"),
    ] {
        let seen = create(&caller, ADA, &header).send().await;
        assert_eq!(code(&seen), (401, expected.into()), "{header}");
    }
    assert_eq!(caller.session.effects("contacts.create").count, 0);
    // What was refused has not used its nonce up.
    let good = create(&caller, ADA, &sign("POST", target, now, ADA));
    assert_eq!(good.send().await.status(), 201);
    // Without a signature a key is enough, as this mode says.
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn a_signature_has_to_be_there_where_it_is_required() {
    let caller = caller(json!({ "mode": "required" })).await;
    let seen = caller.get("/v1/whoami").await;
    assert_eq!(code(&seen), (401, "signature_missing".into()));
    assert_eq!(
        caller.anonymous("GET", "/healthz").send().await.status(),
        200
    );
    caller.session.reset();
    assert_eq!(caller.get("/v1/whoami").await.status(), 200);
}

#[tokio::test]
async fn a_nonce_is_used_up_by_a_request_that_a_fault_answered() {
    let caller = caller(json!({ "mode": "required" })).await;
    let rule = FaultRule::on("contacts.create").script("503").unwrap();
    caller.session.set_faults(vec![rule]).unwrap();
    let header = authorization("POST", "/v1/contacts?a=1", now_s(), "n", ADA);
    let asking = create(&caller, ADA, &header);
    assert_eq!(asking.send().await.status(), 503);
    assert_eq!(code(&asking.send().await), (401, "nonce_reused".into()));
}

#[tokio::test]
async fn the_clock_of_the_session_counts_too() {
    let caller = caller(json!({ "mode": "required" })).await;
    caller.session.advance(Duration::from_secs(86_400)).await;
    let at = |ts: u64| authorization("POST", "/v1/contacts?a=1", ts, &ts.to_string(), ADA);
    for ts in [now_s(), now_s() + 86_400] {
        assert_eq!(create(&caller, ADA, &at(ts)).send().await.status(), 201);
    }
}

/// How a test signs a message.
struct Message<'a> {
    keyid: &'a str,
    alg: &'a str,
    nonce: &'a str,
    covers_digest: bool,
    created: u64,
}

impl Message<'_> {
    fn sign(&self, text: &str) -> Vec<u8> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        match self.keyid {
            "test-key-ed25519" => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&decode(ED25519_D)).unwrap();
                pair.sign(text.as_bytes()).as_ref().to_vec()
            }
            "test-key-ecc-p256" => {
                let [d, x, y] = P256.map(decode);
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &d,
                    &[vec![4], x, y].concat(),
                    &random,
                );
                let signature = pair.unwrap().sign(&random, text.as_bytes());
                signature.unwrap().as_ref().to_vec()
            }
            _ => hmac_of(&STANDARD.decode(SHARED).unwrap(), text),
        }
    }

    /// A signed `POST /v1/contacts?a=1`.
    fn ask(&self, caller: &Caller, body: &str) -> Asking {
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
        let target = format!("{}/v1/contacts?a=1", caller.gateway.url());
        let (covered, line) = if self.covers_digest {
            (
                r#" "content-digest""#,
                format!("\"content-digest\": {digest}\n"),
            )
        } else {
            ("", String::new())
        };
        let Self {
            keyid,
            alg,
            nonce,
            created,
            ..
        } = self;
        let nonce = if nonce.is_empty() {
            String::new()
        } else {
            format!(";nonce=\"{nonce}\"")
        };
        let input = format!(
            r#"("@method" "@target-uri"{covered});created={created};keyid="{keyid}";alg="{alg}"{nonce}"#
        );
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": {target}\n{line}\"@signature-params\": {input}"
        );
        let signature = STANDARD.encode(self.sign(&base));
        caller
            .anonymous("POST", "/v1/contacts?a=1")
            .header("content-type", "application/json")
            .header("content-digest", &digest)
            .header("signature-input", &format!("sig1={input}"))
            .header("signature", &format!("sig1=:{signature}:"))
            .body(body)
    }
}

fn message<'a>(keyid: &'a str, alg: &'a str, nonce: &'a str) -> Message<'a> {
    Message {
        keyid,
        alg,
        nonce,
        covers_digest: true,
        created: now_s(),
    }
}

#[tokio::test]
async fn message_signatures_of_each_algorithm_are_good_once() {
    let caller = caller(json!({ "mode": "required" })).await;
    for (keyid, alg) in [
        ("test-shared-secret", "hmac-sha256"),
        ("test-key-ed25519", "ed25519"),
        ("test-key-ecc-p256", "ecdsa-p256-sha256"),
    ] {
        let asking = message(keyid, alg, "n-1").ask(&caller, ADA);
        assert_eq!(asking.send().await.status(), 201, "{keyid}");
        assert_eq!(code(&asking.send().await), (401, "nonce_reused".into()));
        let anew = message(keyid, alg, "n-2").ask(&caller, ADA);
        assert_eq!(anew.send().await.status(), 201, "{keyid}");
    }
    assert_eq!(caller.session.effects("contacts.create").count, 6);
}

#[tokio::test]
async fn a_message_that_was_changed_or_half_signed_is_refused() {
    let caller = caller(json!({ "mode": "checked" })).await;
    let good = || message("test-key-ed25519", "ed25519", "n");
    let refused = async |asking: Asking, expected: &str| {
        assert_eq!(code(&asking.send().await), (401, expected.into()));
    };
    let eve = r#"{"name":"Eve"}"#;
    refused(
        good().ask(&caller, ADA).body(eve),
        "content_digest_mismatch",
    )
    .await;
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(eve)));
    let other = good()
        .ask(&caller, ADA)
        .body(eve)
        .header("content-digest", &digest);
    refused(other, "signature_invalid").await;
    let half = Message {
        covers_digest: false,
        ..good()
    };
    refused(half.ask(&caller, ADA), "signature_incomplete").await;
    refused(
        message("test-key-ed25519", "ed25519", "").ask(&caller, ADA),
        "signature_incomplete",
    )
    .await;
    refused(
        message("test-key-ed25519", "hmac-sha256", "n").ask(&caller, ADA),
        "signature_invalid",
    )
    .await;
    refused(
        message("nobody", "hmac-sha256", "n").ask(&caller, ADA),
        "signature_key_unknown",
    )
    .await;
    let old = Message {
        created: now_s() - 400,
        ..good()
    };
    refused(old.ask(&caller, ADA), "signature_expired").await;
    refused(
        good().ask(&caller, ADA).header("signature", "sig2=:AAAA:"),
        "signature_malformed",
    )
    .await;
    assert_eq!(caller.session.effects("contacts.create").count, 0);
    assert_eq!(good().ask(&caller, ADA).send().await.status(), 201);
}

#[tokio::test]
async fn keys_and_what_must_be_signed_can_be_set() {
    let caller = caller(json!({
        "mode": "required",
        "components": ["@method", "content-type"],
        "keys": [{ "keyid": "test-shared-secret", "secret": "other", "tenant": "globex", "tier": "pro" }],
    }))
    .await;
    let ours = message("test-shared-secret", "hmac-sha256", "n").ask(&caller, ADA);
    assert_eq!(code(&ours.send().await), (401, "signature_invalid".into()));
    let theirs = message("test-key-ed25519", "ed25519", "n").ask(&caller, ADA);
    assert_eq!(
        code(&theirs.send().await),
        (401, "signature_incomplete".into())
    );
    let wrong = json!({ "signing": { "keys": [{ "keyid": "a" }] } });
    let path = "/admin/session?session=test";
    assert_eq!(
        caller
            .admin("POST", path)
            .json(&wrong)
            .send()
            .await
            .status(),
        422
    );
}
