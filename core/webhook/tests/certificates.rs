//! AWS SNS and PayPal: what is signed, which certificates are good, where they may come from, and how they are kept.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is prepared must work"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::{Algorithm, BodyBound, Received, Scheme, Verified, VerifyError, Webhook};
use rsa::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

const SNS: &[u8] = include_bytes!("keys/sns.pem");
const PAYPAL: &[u8] = include_bytes!("keys/paypal.pem");
/// Good from 2026-11-23T15:05:55Z for one day.
const SHORT: &[u8] = include_bytes!("keys/short.pem");
const SHORT_FROM: i64 = 1_795_446_355;
const NOW: i64 = SHORT_FROM + 3600;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:MyTopic";
const SNS_URL: &str = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem";
const PAYPAL_URL: &str =
    "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77";

fn key() -> rsa::PrivateKey {
    let pem = include_str!("keys/rsa.key.pem");
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    rsa::PrivateKey::from_pkcs8_der(&STANDARD.decode(text).unwrap()).unwrap()
}

/// A message as SNS signs it, `fields` in the order in which they are signed.
fn sns(version: &str, fields: &[(&str, &str)]) -> Value {
    let signed: String = fields
        .iter()
        .flat_map(|(name, value)| [*name, "\n", *value, "\n"])
        .collect();
    let signature = match version {
        "1" => key().pkcs1v15_sign::<Sha1>(signed.as_bytes()),
        _ => key().pkcs1v15_sign::<Sha256>(signed.as_bytes()),
    };
    let mut message = json!({
        "SignatureVersion": version,
        "Signature": STANDARD.encode(signature.unwrap()),
        "SigningCertURL": SNS_URL,
        "UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
    });
    for (name, value) in fields {
        message[*name] = json!(value);
    }
    message
}

const NOTIFICATION: [(&str, &str); 6] = [
    ("Message", "Hello\nworld"),
    ("MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"),
    ("Subject", "My First Message"),
    ("Timestamp", "2012-05-02T00:54:06.655Z"),
    ("TopicArn", TOPIC),
    ("Type", "Notification"),
];

fn sns_webhook() -> Webhook {
    Webhook::builder()
        .scheme(Scheme::Sns)
        .topic_arn(TOPIC)
        .build()
        .unwrap()
}

fn verify_sns(message: &Value, certificate: &[u8]) -> Result<Verified, VerifyError> {
    let body = message.to_string();
    let headers: [(&str, &str); 0] = [];
    sns_webhook().verify_with_certificate(
        &Received::new(body.as_bytes(), &headers),
        certificate,
        NOW,
    )
}

#[test]
fn sns_messages_of_every_kind_and_version_verify() {
    let without_subject: Vec<_> = NOTIFICATION
        .iter()
        .copied()
        .filter(|(name, _)| *name != "Subject")
        .collect();
    let subscription = |kind| {
        [
            ("Message", "You have chosen to subscribe to the topic."),
            ("MessageId", "165545c9-2a5c-472c-8df2-7ff2be2b3b1b"),
            (
                "SubscribeURL",
                "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
            ),
            ("Timestamp", "2012-04-26T20:45:04.751Z"),
            ("Token", "2336412f37"),
            ("TopicArn", TOPIC),
            ("Type", kind),
        ]
    };
    for version in ["1", "2"] {
        for fields in [
            &NOTIFICATION[..],
            &without_subject,
            &subscription("SubscriptionConfirmation"),
            &subscription("UnsubscribeConfirmation"),
        ] {
            let verified = verify_sns(&sns(version, fields), SNS).unwrap();
            let algorithm = if version == "1" {
                Algorithm::RsaSha1
            } else {
                Algorithm::RsaSha256
            };
            assert_eq!(
                (verified.scheme, verified.algorithm),
                (Scheme::Sns, algorithm)
            );
            assert_eq!(verified.message_id.as_deref(), Some(fields[1].1));
            assert_eq!(verified.body_bound, BodyBound::Fields);
            assert!(verified.timestamp_signed && verified.id_signed && !verified.url_bound);
        }
    }
    let verified = verify_sns(&sns("1", &NOTIFICATION), SNS).unwrap();
    assert_eq!(verified.timestamp, Some(1_335_920_046));
}

#[test]
fn sns_messages_that_were_changed_are_refused() {
    let refused = |name: &str, value: Value, code: &str| {
        let mut message = sns("2", &NOTIFICATION);
        message[name] = value.clone();
        assert_eq!(
            verify_sns(&message, SNS).unwrap_err().code(),
            code,
            "{name}: {value}"
        );
    };
    refused("Message", json!("Hello"), "bad_signature");
    refused("MessageId", json!("other"), "bad_signature");
    refused("Subject", json!("other"), "bad_signature");
    refused(
        "Timestamp",
        json!("2012-05-02T00:54:07.655Z"),
        "bad_signature",
    );
    refused("SignatureVersion", json!("1"), "bad_signature");
    refused("SignatureVersion", json!("3"), "bad_signature");
    refused("Signature", json!("AAAA"), "bad_signature");
    refused("Signature", json!(""), "bad_signature");
    refused(
        "TopicArn",
        json!("arn:aws:sns:us-west-2:999999999999:MyTopic"),
        "wrong_topic",
    );
    refused(
        "SigningCertURL",
        json!("https://evil.example/SimpleNotificationService-a.pem"),
        "bad_certificate_url",
    );
    refused("Timestamp", json!("1335920046"), "bad_timestamp");
    refused("MessageId", json!(""), "bad_message_id");
    refused("Type", json!("Other"), "body_malformed");
    refused("Type", json!(null), "body_malformed");
    refused("Subject", json!(null), "body_malformed");
    refused("Message", json!(7), "body_malformed");
    refused("SigningCertURL", json!(7), "body_malformed");
    // Not signed, and said to be so.
    let mut message = sns("2", &NOTIFICATION);
    message["MessageAttributes"] = json!({"a": {"Type": "String", "Value": "b"}});
    assert!(verify_sns(&message, SNS).is_ok());
}

/// What was signed as one field cannot be handed in as two, nor two as one.
#[test]
fn lines_cannot_move_from_one_field_to_another() {
    let mut message = sns("2", &NOTIFICATION);
    message["MessageId"] = json!("22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nMy First Message");
    message.as_object_mut().unwrap().remove("Subject");
    assert_eq!(
        verify_sns(&message, SNS).unwrap_err().code(),
        "body_malformed"
    );
    let twice = sns("2", &NOTIFICATION)
        .to_string()
        .replacen('{', r#"{"Message":"other","#, 1);
    let headers: [(&str, &str); 0] = [];
    let verdict =
        sns_webhook().verify_with_certificate(&Received::new(twice.as_bytes(), &headers), SNS, NOW);
    assert_eq!(verdict.unwrap_err().code(), "body_malformed");
}

#[test]
fn certificates_that_are_not_good_are_refused() {
    let message = sns("2", &NOTIFICATION);
    for (name, certificate, code) in [
        (
            "too small",
            &include_bytes!("keys/small.pem")[..],
            "bad_certificate",
        ),
        (
            "no RSA",
            include_bytes!("keys/ecdsa.pem"),
            "bad_certificate",
        ),
        (
            "a key",
            include_bytes!("keys/rsa.pub.pem"),
            "bad_certificate",
        ),
        ("nothing", b"", "bad_certificate"),
        (
            "in a page",
            &[b"<x>", SNS, b"</x>"].concat(),
            "bad_certificate",
        ),
        ("cut off", &SNS[..SNS.len() - 40], "bad_certificate"),
        ("with a chain", &[SNS, PAYPAL].concat(), "verified"),
        ("short", SHORT, "verified"),
    ] {
        let code_of = |verdict: Result<Verified, VerifyError>| match verdict {
            Ok(_) => "verified",
            Err(error) => error.code(),
        };
        assert_eq!(code_of(verify_sns(&message, certificate)), code, "{name}");
    }
    let body = message.to_string();
    let headers: [(&str, &str); 0] = [];
    let received = Received::new(body.as_bytes(), &headers);
    for (now, good) in [
        (SHORT_FROM - 1, false),
        (SHORT_FROM, true),
        (SHORT_FROM + 86_400, true),
        (SHORT_FROM + 86_401, false),
        (i64::MIN, false),
        (i64::MAX, false),
    ] {
        let verdict = sns_webhook().verify_with_certificate(&received, SHORT, now);
        assert_eq!(verdict.is_ok(), good, "{now}");
        assert!(good || verdict.unwrap_err().code() == "bad_certificate");
    }
}

/// A certificate is asked for once, kept for its URL, and asked for again when it has ended.
#[test]
fn certificates_are_asked_for_and_kept() {
    let webhook = sns_webhook();
    let body = sns("2", &NOTIFICATION).to_string();
    let headers: [(&str, &str); 0] = [];
    let verify = |now| webhook.verify(body.as_bytes(), &headers, now);
    let Err(VerifyError::MissingCertificate { url }) = verify(NOW) else {
        panic!("no certificate is there")
    };
    assert_eq!(url, SNS_URL);
    webhook.add_certificate(&url, SHORT, NOW).unwrap();
    verify(NOW).unwrap();
    // Clones share them, and so does a body that came in pieces.
    let mut verifier = webhook.clone().verifier(&headers, NOW).unwrap();
    for piece in body.as_bytes().chunks(7) {
        verifier.update(piece).unwrap();
    }
    verifier.finish().unwrap();
    let ended = SHORT_FROM + 86_401;
    assert_eq!(verify(ended).unwrap_err().code(), "missing_certificate");
    assert_eq!(
        webhook
            .add_certificate(&url, SHORT, ended)
            .unwrap_err()
            .code(),
        "bad_certificate"
    );
    webhook.add_certificate(&url, SNS, ended).unwrap();
    verify(ended).unwrap();
    // Only what passes the rules is kept.
    for other in ["https://evil.example/a.pem", PAYPAL_URL, ""] {
        assert_eq!(
            webhook.add_certificate(other, SNS, NOW).unwrap_err().code(),
            "bad_certificate_url"
        );
    }
    let asked = webhook
        .certificate_url(&Received::new(body.as_bytes(), &headers))
        .unwrap();
    assert_eq!(asked.unwrap().as_str(), SNS_URL);
}

#[test]
fn certificates_do_not_pile_up() {
    let webhook = sns_webhook();
    let url = |number: usize| {
        format!("https://sns.us-west-2.amazonaws.com/SimpleNotificationService-{number}.pem")
    };
    let verify = |number: usize| {
        let mut message = sns("2", &NOTIFICATION);
        message["SigningCertURL"] = json!(url(number));
        let headers: [(&str, &str); 0] = [];
        webhook
            .verify(message.to_string().as_bytes(), &headers, NOW)
            .is_ok()
    };
    for number in 0..16 {
        webhook.add_certificate(&url(number), SNS, NOW).unwrap();
    }
    assert!((0..16).all(verify));
    assert!(verify(0));
    webhook.add_certificate(&url(16), SNS, NOW).unwrap();
    // The one that was not used for the longest has gone.
    assert!(verify(0) && verify(16) && !verify(1) && verify(2));
}

#[test]
fn an_sns_verifier_needs_its_topic_and_no_secret() {
    let code =
        |result: Result<Webhook, gatewright_webhook::KeyError>| result.unwrap_err().kind.code();
    assert_eq!(
        code(Webhook::builder().scheme(Scheme::Sns).build()),
        "missing_topic"
    );
    assert_eq!(
        code(Webhook::builder().scheme(Scheme::Sns).topic_arn("").build()),
        "missing_topic"
    );
    let secret = Webhook::builder()
        .scheme(Scheme::Sns)
        .topic_arn(TOPIC)
        .secret("x".repeat(32));
    assert_eq!(code(secret.build()), "no_secret_wanted");
    assert_eq!(
        code(Webhook::builder().scheme(Scheme::PayPal).build()),
        "missing_webhook_id"
    );
}

const TRANSMISSION_TIME: &str = "2026-11-23T16:05:55Z";

fn paypal(id: &str, time: &str, body: &[u8]) -> [(&'static str, String); 5] {
    // Table-free, as the specification of CRC-32 has it.
    let crc = !body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    });
    let signed = format!("{id}|{time}|8PT597110X687430LKGECATA|{crc}");
    let signature = key().pkcs1v15_sign::<Sha256>(signed.as_bytes()).unwrap();
    [
        ("PAYPAL-TRANSMISSION-ID", id.to_owned()),
        ("PAYPAL-TRANSMISSION-TIME", time.to_owned()),
        ("PAYPAL-TRANSMISSION-SIG", STANDARD.encode(signature)),
        ("PAYPAL-CERT-URL", PAYPAL_URL.to_owned()),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA".to_owned()),
    ]
}

#[test]
fn paypal_deliveries_verify_and_bind_the_body_by_its_checksum() {
    let webhook = Webhook::builder()
        .scheme(Scheme::PayPal)
        .webhook_id("8PT597110X687430LKGECATA")
        .build()
        .unwrap();
    let body = br#"{"id":"WH-1"}"#;
    let headers = paypal(
        "dfb3be50-fd74-11e4-8bf3-77339302725b",
        TRANSMISSION_TIME,
        body,
    );
    let verify = |body: &[u8], headers: &[(&'static str, String); 5], now| {
        webhook.verify_with_certificate(&Received::new(body, headers), PAYPAL, now)
    };
    let verified = verify(body, &headers, NOW).unwrap();
    assert_eq!(
        verified.message_id.as_deref(),
        Some("dfb3be50-fd74-11e4-8bf3-77339302725b")
    );
    assert_eq!(
        (verified.algorithm, verified.body_bound),
        (Algorithm::RsaSha256, BodyBound::Crc32)
    );
    assert_eq!(verified.timestamp, Some(NOW));
    assert!(verified.timestamp_signed && verified.id_signed);
    let code = |body: &[u8], headers: &[(&'static str, String); 5]| {
        verify(body, headers, NOW).unwrap_err().code()
    };
    assert_eq!(code(br#"{"id":"WH-2"}"#, &headers), "bad_signature");
    for (at, value, expected) in [
        (0, "other", "bad_signature"),
        (0, "a|b", "bad_message_id"),
        (0, " ", "empty_header"),
        (1, "2026-11-23T16:05:56Z", "bad_signature"),
        (1, "2026-11-23T15:05:55Z", "too_old"),
        (1, "2026-11-23T17:05:55Z", "too_new"),
        (1, "1795449955", "bad_timestamp"),
        (2, "AAAA", "bad_signature"),
        (
            3,
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "bad_certificate_url",
        ),
        (4, "SHA1withRSA", "bad_signature"),
    ] {
        let mut other = headers.clone();
        value.clone_into(&mut other[at].1);
        assert_eq!(code(body, &other), expected, "{value}");
    }
    // The webhook's id is signed too.
    let other = Webhook::builder()
        .scheme(Scheme::PayPal)
        .webhook_id("OTHER")
        .build()
        .unwrap();
    let verdict = other.verify_with_certificate(&Received::new(body, &headers), PAYPAL, NOW);
    assert_eq!(verdict, Err(VerifyError::BadSignature));
    let missing = webhook.verify(body, &headers, NOW).unwrap_err();
    assert_eq!(
        missing,
        VerifyError::MissingCertificate {
            url: PAYPAL_URL.to_owned()
        }
    );
}
