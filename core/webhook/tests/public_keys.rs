//! Discord and SendGrid: signatures of key pairs over timestamp and body.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is prepared must work"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use gatewright_webhook::{Algorithm, BodyBound, Scheme, VerifyError, Webhook};
use p256::ecdsa::DerSignature;

const NOW: i64 = 1_700_000_000;
const BODY: &[u8] = b"[{\"event\":\"delivered\"}]\r\n";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn discord(timestamp: &str, body: &[u8]) -> [(&'static str, String); 2] {
    let key = SigningKey::from_bytes(&[7; 32]);
    let signature = key.sign(&[timestamp.as_bytes(), body].concat());
    [
        ("X-Signature-Ed25519", hex(&signature.to_bytes())),
        ("X-Signature-Timestamp", timestamp.to_owned()),
    ]
}

fn discord_key() -> String {
    hex(SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes())
}

fn sendgrid(timestamp: &str, body: &[u8]) -> [(&'static str, String); 2] {
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let signature: DerSignature = key.sign(&[timestamp.as_bytes(), body].concat());
    [
        (
            "X-Twilio-Email-Event-Webhook-Signature",
            STANDARD.encode(signature.as_bytes()),
        ),
        (
            "X-Twilio-Email-Event-Webhook-Timestamp",
            timestamp.to_owned(),
        ),
    ]
}

/// As SendGrid shows it: SubjectPublicKeyInfo in base64.
fn sendgrid_key() -> String {
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    let header = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    STANDARD.encode([&header[..], point.as_bytes()].concat())
}

/// What is between the lines of a PEM file.
fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

#[test]
fn signatures_over_timestamp_and_body_verify() {
    for (scheme, key, headers, algorithm) in [
        (
            Scheme::Discord,
            discord_key(),
            discord as fn(&str, &[u8]) -> [(&'static str, String); 2],
            Algorithm::Ed25519,
        ),
        (
            Scheme::SendGrid,
            sendgrid_key(),
            sendgrid,
            Algorithm::EcdsaP256Sha256,
        ),
    ] {
        let webhook = Webhook::of(scheme, [&key]).unwrap();
        let signed = headers("1700000000", BODY);
        let verified = webhook.verify(BODY, &signed, NOW).unwrap();
        assert_eq!(
            (verified.scheme, verified.algorithm, verified.key_index),
            (scheme, algorithm, 0)
        );
        assert_eq!((verified.timestamp, verified.message_id), (Some(NOW), None));
        assert_eq!(verified.body_bound, BodyBound::Full);
        assert!(verified.timestamp_signed && !verified.id_signed && !verified.url_bound);
        // In pieces.
        let mut verifier = webhook.verifier(&signed, NOW).unwrap();
        BODY.chunks(5)
            .for_each(|piece| verifier.update(piece).unwrap());
        verifier.finish().unwrap();
        let mut verifier = webhook.verifier(&signed, NOW).unwrap();
        verifier.update(&BODY[1..]).unwrap();
        assert_eq!(verifier.finish(), Err(VerifyError::BadSignature));
        // The line's end belongs to the body.
        assert_eq!(
            webhook.verify(BODY.trim_ascii(), &signed, NOW),
            Err(VerifyError::BadSignature)
        );
        // Times.
        assert_eq!(
            webhook.verify(BODY, &signed, NOW + 301).unwrap_err().code(),
            "too_old"
        );
        assert_eq!(
            webhook.verify(BODY, &signed, NOW - 301).unwrap_err().code(),
            "too_new"
        );
        let mut later = signed.clone();
        "1700000001".clone_into(&mut later[1].1);
        assert_eq!(
            webhook.verify(BODY, &later, NOW),
            Err(VerifyError::BadSignature)
        );
        // A digit that moves from the timestamp to the body, or back, is no other message.
        for (timestamp, moved) in [
            ("170000000", &b"0["[..]),
            ("17000000001", b""),
            ("01700000000", b"["),
        ] {
            let signed = headers(timestamp, moved);
            let verdict = webhook.verify(moved, &signed, NOW);
            assert_eq!(verdict.unwrap_err().code(), "bad_timestamp", "{timestamp}");
        }
        // Rotation: the second key may be the one.
        let other = match scheme {
            Scheme::Discord => hex(SigningKey::from_bytes(&[8; 32]).verifying_key().as_bytes()),
            _ => base64_of(include_str!("keys/p256.pub.pem")),
        };
        let rotated = Webhook::of(scheme, [&other, &key]).unwrap();
        assert_eq!(rotated.verify(BODY, &signed, NOW).unwrap().key_index, 1);
        let only_other = Webhook::of(scheme, [&other]).unwrap();
        assert_eq!(
            only_other.verify(BODY, &signed, NOW),
            Err(VerifyError::BadSignature)
        );
    }
}

#[test]
fn signatures_have_one_spelling() {
    let webhook = Webhook::of(Scheme::SendGrid, [sendgrid_key()]).unwrap();
    let good = sendgrid("1700000000", BODY);
    let der = STANDARD.decode(&good[0].1).unwrap();
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let fixed: p256::ecdsa::Signature = key.sign(&[b"1700000000", BODY].concat());
    let mut long_form = der.clone();
    long_form.insert(1, 0x81);
    for other in [
        STANDARD.encode(fixed.to_bytes()),
        STANDARD.encode(&long_form),
        STANDARD.encode([&der[..], &[0]].concat()),
        STANDARD.encode(&der[..der.len() - 1]),
        good[0].1.trim_end_matches('=').to_owned() + "====",
        format!(" {}", good[0].1),
        hex(&der),
    ] {
        let mut headers = good.clone();
        headers[0].1.clone_from(&other);
        assert_eq!(
            webhook.verify(BODY, &headers, NOW),
            Err(VerifyError::BadSignature),
            "{other}"
        );
    }
}

#[test]
fn keys_of_another_kind_are_refused() {
    let long = "0".repeat(66);
    let [p384, rsa, ed25519, private] = [
        include_str!("keys/p384.pub.pem"),
        include_str!("keys/rsa.pub.pem"),
        include_str!("keys/ed25519.pub.pem"),
        include_str!("keys/p256.key.pem"),
    ]
    .map(base64_of);
    for (scheme, wrong) in [
        (Scheme::Discord, ""),
        (Scheme::Discord, "abcd"),
        (Scheme::Discord, "zz"),
        (Scheme::Discord, &long),
        // The neutral element, and a point of order eight: any signature could be made to fit.
        (
            Scheme::Discord,
            "0100000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            Scheme::Discord,
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ),
        (Scheme::SendGrid, "abcd"),
        (Scheme::SendGrid, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        (Scheme::SendGrid, &p384),
        (Scheme::SendGrid, &rsa),
        (Scheme::SendGrid, &ed25519),
        (Scheme::SendGrid, &private),
        (Scheme::SendGrid, include_str!("keys/p256.pub.pem").trim()),
        (Scheme::HttpSignature, "abcd"),
        (Scheme::HttpSignature, "whsec_c2hvcnQ="),
        (
            Scheme::HttpSignature,
            include_str!("keys/p384.pub.pem").trim(),
        ),
        (
            Scheme::HttpSignature,
            include_str!("keys/rsa.key.pem").trim(),
        ),
    ] {
        let error = Webhook::of(scheme, [wrong]).unwrap_err();
        assert!(!error.to_string().contains("MIG"), "{error}");
    }
    for good in [
        include_str!("keys/p256.pub.pem"),
        include_str!("keys/rsa.pub.pem"),
        include_str!("keys/ed25519.pub.pem"),
    ] {
        Webhook::of(Scheme::HttpSignature, [good.trim()]).unwrap();
    }
    // One point, one key: compressed it would be a second spelling.
    let mut compressed = STANDARD.decode(sendgrid_key()).unwrap();
    compressed[26] = 2;
    assert!(Webhook::of(Scheme::SendGrid, [STANDARD.encode(compressed)]).is_err());
}
