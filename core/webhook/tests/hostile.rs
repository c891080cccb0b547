//! What strangers send: nothing here may verify, panic or cost much.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use gatewright_webhook::{Signer, VerifyError, Webhook, limits};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI=";
const SIGNING_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const NOW: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const GOOD: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const GOOD_ED25519: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

fn verify(id: &[u8], timestamp: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signature),
    ];
    Webhook::new([SECRET, PUBLIC_KEY])
        .unwrap()
        .verify(BODY, &headers, NOW)
        .map(|_| ())
}

fn with_signature(signature: impl AsRef<[u8]>) -> Result<(), VerifyError> {
    verify(ID.as_bytes(), b"1614265330", signature.as_ref())
}

fn with_timestamp(timestamp: impl AsRef<[u8]>) -> Result<(), VerifyError> {
    verify(ID.as_bytes(), timestamp.as_ref(), GOOD.as_bytes())
}

/// Signed as the sender of a broken id or timestamp would, so that only the form is at fault.
fn signed_by_hand(id: &[u8], timestamp: &[u8]) -> Result<(), VerifyError> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let key = STANDARD
        .decode(SECRET.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    for part in [id, b".", timestamp, b".", BODY] {
        mac.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    verify(id, timestamp, signature.as_bytes())
}

#[test]
fn the_request_these_tests_break_is_good() {
    assert_eq!(with_signature(GOOD), Ok(()));
    assert_eq!(with_signature(GOOD_ED25519), Ok(()));
    assert_eq!(signed_by_hand(ID.as_bytes(), b"1614265330"), Ok(()));
}

#[test]
fn refuse_timestamps_that_are_not_1_to_11_ascii_digits() {
    for timestamp in [
        "+1614265330",
        "-1614265330",
        "1614265330.0",
        "1614265330.",
        ".1614265330",
        "1,614,265,330",
        "1_614_265_330",
        " 1614265330",
        "1614265330 ",
        "1614265330\t",
        "1614265330\0",
        "\x001614265330",
        "0x60378A72",
        "1.614265330e9",
        "161426533０",
        "１６１４２６５３３０",
        "١٦١٤٢٦٥٣٣٠",
        "²",
        "NaN",
        "inf",
        "null",
        "161426533000",
        "1614265330000",
        "000001614265330",
        "99999999999999999999999999",
        "9223372036854775808",
        "2021-02-25T15:02:10Z",
        "1614265330\u{a0}",
    ] {
        assert_eq!(
            signed_by_hand(ID.as_bytes(), timestamp.as_bytes()),
            Err(VerifyError::BadTimestamp {
                name: "webhook-timestamp".into()
            }),
            "{timestamp:?}"
        );
    }
    for timestamp in [
        b"\xff".as_slice(),
        b"16142\xe965330",
        b"\x00",
        b"1614265330\r\n",
    ] {
        assert_eq!(
            with_timestamp(timestamp),
            Err(VerifyError::BadTimestamp {
                name: "webhook-timestamp".into()
            }),
            "{timestamp:?}"
        );
    }
}

#[test]
fn leading_zeros_are_digits_and_are_signed_as_sent() {
    assert_eq!(signed_by_hand(ID.as_bytes(), b"01614265330"), Ok(()));
    // The same time, but other signed bytes.
    assert_eq!(
        with_timestamp("01614265330"),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn refuse_ids_with_two_readings() {
    let long = "x".repeat(limits::MAX_MESSAGE_ID + 1);
    for id in [
        "msg.1".as_bytes(),
        b".",
        b"msg_1.1614265330.",
        b"msg\0",
        b"msg\n",
        b"msg\r\nx: y",
        b"\x1b[31m",
        b"\x7f",
        b"msg\xff",
        b"\xc3\x28",
        long.as_bytes(),
    ] {
        assert_eq!(
            signed_by_hand(id, b"1614265330"),
            Err(VerifyError::BadMessageId {
                name: "webhook-id".into()
            }),
            "{id:?}"
        );
    }
    let longest = "x".repeat(limits::MAX_MESSAGE_ID);
    for id in ["m", "msg_é", "a b", longest.as_str()] {
        assert_eq!(
            signed_by_hand(id.as_bytes(), b"1614265330"),
            Ok(()),
            "{id:?}"
        );
    }
}

#[test]
fn moving_the_dot_between_id_timestamp_and_body_proves_nothing() {
    // "a.1614265330.2.x" signed as id "a" at 1614265330 with body "2.x", sent as another split.
    let webhook = Webhook::new([SECRET]).unwrap();
    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("a", NOW, b"1614265330.x")
        .unwrap();
    let moved = [
        ("webhook-id", "a.1614265330"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", signed.signature.as_str()),
    ];
    assert_eq!(
        webhook.verify(b"x", &moved, NOW),
        Err(VerifyError::BadMessageId {
            name: "webhook-id".into()
        })
    );
}

#[test]
fn a_required_header_must_be_there_once_and_not_empty() {
    let webhook = Webhook::new([SECRET]).unwrap();
    let good = [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", GOOD),
    ];
    for (index, (name, value)) in good.into_iter().enumerate() {
        let mut missing = good.to_vec();
        missing.remove(index);
        assert_eq!(
            webhook.verify(BODY, &missing, NOW),
            Err(VerifyError::MissingHeader { name: name.into() })
        );

        let mut repeated = good.to_vec();
        repeated.push((if index == 0 { "WEBHOOK-ID" } else { name }, value));
        assert_eq!(
            webhook.verify(BODY, &repeated, NOW),
            Err(VerifyError::RepeatedHeader { name: name.into() })
        );

        for nothing in ["", " ", "\t  "] {
            let mut empty = good;
            empty[index].1 = nothing;
            assert_eq!(
                webhook.verify(BODY, &empty, NOW),
                Err(VerifyError::EmptyHeader { name: name.into() })
            );
        }
    }
    let none: [(&str, &str); 0] = [];
    assert_eq!(
        webhook.verify(BODY, &none, NOW),
        Err(VerifyError::MissingHeader {
            name: "webhook-id".into()
        })
    );
}

#[test]
fn svix_header_names_are_another_scheme() {
    let headers = [
        ("svix-id", ID),
        ("svix-timestamp", "1614265330"),
        ("svix-signature", GOOD),
    ];
    assert_eq!(
        Webhook::new([SECRET]).unwrap().verify(BODY, &headers, NOW),
        Err(VerifyError::MissingHeader {
            name: "webhook-id".into()
        }),
    );
}

#[test]
fn skip_unknown_and_malformed_tokens_beside_a_good_one() {
    for beside in [
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1",
        "v1,",
        "v1a,",
        ",",
        ",,,",
        "v1,AAAA",
        "garbage",
        "v0,x",
        "v1,====",
        "\0",
        "v1b,zzz",
        "=",
        "v1 ",
        "   ",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
        "é",
    ] {
        assert_eq!(
            with_signature(format!("{beside} {GOOD}")),
            Ok(()),
            "{beside:?} before"
        );
        assert_eq!(
            with_signature(format!("{GOOD} {beside}")),
            Ok(()),
            "{beside:?} after"
        );
    }
    let mut not_utf8 = vec![0xff, 0x00, b' '];
    not_utf8.extend(GOOD.as_bytes());
    assert_eq!(with_signature(not_utf8), Ok(()));
}

#[test]
fn never_accept_a_token_that_is_not_exactly_right() {
    let mac = GOOD.strip_prefix("v1,").unwrap();
    let hex = "83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1";
    for token in [
        mac.to_owned(),
        format!("v1{mac}"),
        format!("v1={mac}"),
        format!("v1:{mac}"),
        format!("V1,{mac}"),
        format!("v2,{mac}"),
        format!("v1a,{mac}"),
        format!("v01,{mac}"),
        format!(" v1 ,{mac}"),
        format!("v1, {mac}"),
        format!("v1,,{mac}"),
        format!("v1,{mac},"),
        format!("v1,{mac}\t"),
        format!("v1,{mac}\n"),
        format!("\tv1,{mac}"),
        format!("v1,{hex}"),
        format!("v1,sha256={hex}"),
        // Not canonical: bits after the end, no padding, too much padding, the other alphabet.
        format!("v1,{}F=", &mac[..42]),
        format!("v1,{}G=", &mac[..42]),
        format!("v1,{}", mac.trim_end_matches('=')),
        format!("v1,{mac}="),
        format!("v1,{}", mac.replace('+', "-").replace('/', "_")),
        format!("v1,{}\0", &mac[..43]),
        format!("v1,{}", &mac[..40]),
        // Prefixes and repetitions of the right one.
        format!("v1,{mac}{mac}"),
        format!("v1,{}", mac.to_lowercase()),
        "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
    ] {
        assert_eq!(
            with_signature(&token),
            Err(VerifyError::BadSignature),
            "{token:?}"
        );
    }
}

#[test]
fn a_signature_of_one_algorithm_is_nothing_in_the_other() {
    let webhook = Webhook::new([SECRET]).unwrap();
    let headers = [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", GOOD_ED25519),
    ];
    assert_eq!(
        webhook.verify(BODY, &headers, NOW),
        Err(VerifyError::BadSignature)
    );

    let webhook = Webhook::new([PUBLIC_KEY]).unwrap();
    let headers = [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", GOOD),
    ];
    assert_eq!(
        webhook.verify(BODY, &headers, NOW),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn whoever_knows_the_public_key_cannot_sign_with_it_as_an_hmac_secret() {
    // The attack on verifiers that let the token choose the algorithm.
    let as_secret = PUBLIC_KEY.replace("whpk_", "whsec_");
    let forged = Signer::new([as_secret])
        .unwrap()
        .sign(ID, NOW, BODY)
        .unwrap();
    let webhook = Webhook::new([PUBLIC_KEY]).unwrap();
    assert_eq!(
        webhook.verify(BODY, &forged.headers(), NOW),
        Err(VerifyError::BadSignature)
    );
    let relabelled = forged.signature.replace("v1,", "v1a,");
    assert_eq!(with_signature(relabelled), Err(VerifyError::BadSignature));
}

#[test]
fn refuse_ed25519_signatures_made_from_a_good_one() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let good = STANDARD
        .decode(GOOD_ED25519.strip_prefix("v1a,").unwrap())
        .unwrap();
    let refuse = |bytes: &[u8], why: &str| {
        let token = format!("v1a,{}", STANDARD.encode(bytes));
        assert_eq!(
            with_signature(&token),
            Err(VerifyError::BadSignature),
            "{why}"
        );
        // The stream has a check of its own.
        let headers = [
            ("webhook-id", ID),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", token.as_str()),
        ];
        let mut verifier = Webhook::new([PUBLIC_KEY])
            .unwrap()
            .verifier(&headers, NOW)
            .unwrap();
        verifier.update(BODY).unwrap();
        assert_eq!(verifier.finish(), Err(VerifyError::BadSignature), "{why}");
    };

    // S plus the group order L satisfies the equation too (RFC 8032, section 5.1.7 forbids it).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut malleable = good.clone();
    let mut carry = 0_u16;
    for (byte, add) in malleable[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    refuse(&malleable, "S + L");

    for bit in [0, 7, 255, 256, 511] {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refuse(&flipped, "one bit");
    }
    refuse(&[0; 64], "zeros");
    refuse(&[0xff; 64], "ones");
    let mut identity = [0; 64];
    identity[0] = 1;
    refuse(&identity, "R of low order, S = 0");
    // Made with the private key, so the equation holds; lax verifiers take it, strict ones do not.
    let low_order =
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADoOpLQmiNdduUwr7D3B0DE0lZ7ZfUXB32dZ9EfayOxCQ==";
    refuse(
        &STANDARD.decode(low_order).unwrap(),
        "R of low order, made with the private key",
    );
    refuse(&good.iter().rev().copied().collect::<Vec<_>>(), "reversed");
}

#[test]
fn every_changed_byte_of_the_body_is_noticed() {
    let webhook = Webhook::new([SECRET, PUBLIC_KEY]).unwrap();
    for signature in [GOOD, GOOD_ED25519] {
        let headers = [
            ("webhook-id", ID),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ];
        for index in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[index] ^= 1;
            assert_eq!(
                webhook.verify(&body, &headers, NOW),
                Err(VerifyError::BadSignature)
            );
        }
        for body in [
            b"".as_slice(),
            &BODY[1..],
            &BODY[..BODY.len() - 1],
            b"\0",
            &[BODY, b"\0"].concat(),
            &[BODY, BODY].concat(),
        ] {
            assert_eq!(
                webhook.verify(body, &headers, NOW),
                Err(VerifyError::BadSignature)
            );
        }
    }
}

#[test]
fn the_id_and_the_timestamp_are_signed() {
    assert_eq!(
        verify(b"msg_other", b"1614265330", GOOD.as_bytes()),
        Err(VerifyError::BadSignature)
    );
    assert_eq!(with_timestamp("1614265331"), Err(VerifyError::BadSignature));
    assert_eq!(
        verify(ID.to_uppercase().as_bytes(), b"1614265330", GOOD.as_bytes()),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn the_tolerance_holds_in_both_directions_to_the_second() {
    let signed = Signer::new([SECRET]).unwrap().sign(ID, NOW, BODY).unwrap();
    let webhook = Webhook::new([SECRET]).unwrap();
    let at = |webhook: &Webhook, now: i64| webhook.verify(BODY, &signed.headers(), now).map(|_| ());
    assert_eq!(at(&webhook, NOW + 300), Ok(()));
    assert_eq!(
        at(&webhook, NOW + 301),
        Err(VerifyError::TooOld {
            name: "webhook-timestamp".into(),
            by: 301,
            tolerance: 300
        })
    );
    assert_eq!(at(&webhook, NOW - 300), Ok(()));
    assert_eq!(
        at(&webhook, NOW - 301),
        Err(VerifyError::TooNew {
            name: "webhook-timestamp".into(),
            by: 301,
            tolerance: 300
        })
    );

    let strict = Webhook::builder()
        .secret(SECRET)
        .tolerance(Duration::ZERO)
        .build()
        .unwrap();
    assert_eq!(at(&strict, NOW), Ok(()));
    assert_eq!(
        at(&strict, NOW + 1),
        Err(VerifyError::TooOld {
            name: "webhook-timestamp".into(),
            by: 1,
            tolerance: 0
        })
    );
    assert_eq!(
        at(&strict, NOW - 1),
        Err(VerifyError::TooNew {
            name: "webhook-timestamp".into(),
            by: 1,
            tolerance: 0
        })
    );

    let uneven = Webhook::builder()
        .secret(SECRET)
        .tolerance(Duration::from_secs(600))
        .future_tolerance(Duration::from_secs(5))
        .build()
        .unwrap();
    assert_eq!(at(&uneven, NOW + 600), Ok(()));
    assert_eq!(
        at(&uneven, NOW - 6),
        Err(VerifyError::TooNew {
            name: "webhook-timestamp".into(),
            by: 6,
            tolerance: 5
        })
    );
}

#[test]
fn no_clock_however_wrong_overflows() {
    for now in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
        let headers = [
            ("webhook-id", ID),
            ("webhook-timestamp", "99999999999"),
            ("webhook-signature", GOOD),
        ];
        for tolerance in [Duration::ZERO, Duration::from_secs(300), Duration::MAX] {
            let webhook = Webhook::builder()
                .secret(SECRET)
                .tolerance(tolerance)
                .build()
                .unwrap();
            assert!(webhook.verify(BODY, &headers, now).is_err());
            let _ = webhook.explain(BODY, &headers, now).to_string();
        }
    }
    // The largest distance there is.
    let headers = [
        ("webhook-id", ID),
        ("webhook-timestamp", "99999999999"),
        ("webhook-signature", GOOD),
    ];
    let error = Webhook::new([SECRET])
        .unwrap()
        .verify(BODY, &headers, i64::MIN)
        .unwrap_err();
    assert_eq!(
        error,
        VerifyError::TooNew {
            name: "webhook-timestamp".into(),
            by: 9_223_372_136_854_775_807,
            tolerance: 300
        }
    );
}

#[test]
fn the_work_a_stranger_can_cause_is_bounded() {
    let wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let list = |token: &str, count: usize| vec![token; count].join(" ");
    assert_eq!(
        with_signature(format!(
            "{} {GOOD}",
            list(wrong, limits::MAX_SIGNATURES - 1)
        )),
        Ok(()),
        "the last of 64"
    );
    assert_eq!(
        with_signature(format!("{} {GOOD}", list(wrong, limits::MAX_SIGNATURES))),
        Err(VerifyError::TooManySignatures {
            name: "webhook-signature".into()
        })
    );
    assert_eq!(
        with_signature(list("x", limits::MAX_SIGNATURES + 1)),
        Err(VerifyError::TooManySignatures {
            name: "webhook-signature".into()
        })
    );

    let wrong = format!("v1a,{}", "A".repeat(86) + "==");
    assert_eq!(
        with_signature(format!(
            "{} {GOOD_ED25519}",
            list(&wrong, limits::MAX_ED25519_SIGNATURES - 1)
        )),
        Ok(())
    );
    assert_eq!(
        with_signature(format!(
            "{} {GOOD_ED25519}",
            list(&wrong, limits::MAX_ED25519_SIGNATURES)
        )),
        Err(VerifyError::TooManySignatures {
            name: "webhook-signature".into()
        }),
    );

    assert_eq!(
        with_signature("v".repeat(limits::MAX_SIGNATURE_HEADER + 1)),
        Err(VerifyError::TooManySignatures {
            name: "webhook-signature".into()
        })
    );
    assert_eq!(
        with_signature("v".repeat(limits::MAX_SIGNATURE_HEADER)),
        Err(VerifyError::BadSignature)
    );
    // Spaces are no tokens.
    assert_eq!(
        with_signature(format!(
            "{}{GOOD}",
            " ".repeat(limits::MAX_SIGNATURE_HEADER - GOOD.len())
        )),
        Ok(())
    );
}

#[test]
fn the_body_is_capped() {
    let webhook = Webhook::builder()
        .secret(SECRET)
        .max_body(BODY.len())
        .build()
        .unwrap();
    let headers = [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", GOOD),
    ];
    assert!(webhook.verify(BODY, &headers, NOW).is_ok());
    let longer = [BODY, b" "].concat();
    assert_eq!(
        webhook.verify(&longer, &headers, NOW),
        Err(VerifyError::BodyTooLarge { max: BODY.len() })
    );

    let signed = Signer::new([SECRET])
        .unwrap()
        .sign(ID, NOW, &vec![b'x'; limits::DEFAULT_MAX_BODY])
        .unwrap();
    let webhook = Webhook::new([SECRET]).unwrap();
    assert!(
        webhook
            .verify(
                &vec![b'x'; limits::DEFAULT_MAX_BODY],
                &signed.headers(),
                NOW
            )
            .is_ok()
    );
    assert_eq!(
        webhook.verify(
            &vec![b'x'; limits::DEFAULT_MAX_BODY + 1],
            &signed.headers(),
            NOW
        ),
        Err(VerifyError::BodyTooLarge {
            max: limits::DEFAULT_MAX_BODY
        }),
    );
}

#[test]
fn another_secret_does_not_verify() {
    let headers = [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", GOOD),
    ];
    assert_eq!(
        Webhook::new([OTHER_SECRET])
            .unwrap()
            .verify(BODY, &headers, NOW),
        Err(VerifyError::BadSignature)
    );
    assert!(
        Webhook::new([OTHER_SECRET, SECRET])
            .unwrap()
            .verify(BODY, &headers, NOW)
            .is_ok()
    );
    let signed = Signer::new([SIGNING_KEY])
        .unwrap()
        .sign(ID, NOW, BODY)
        .unwrap();
    let other = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert_eq!(
        Webhook::new([other])
            .unwrap()
            .verify(BODY, &signed.headers(), NOW),
        Err(VerifyError::BadSignature)
    );
    assert!(
        Webhook::new([other, PUBLIC_KEY])
            .unwrap()
            .verify(BODY, &signed.headers(), NOW)
            .is_ok()
    );
}

#[test]
fn refuse_to_sign_what_no_receiver_should_accept() {
    use gatewright_webhook::SignError;
    let signer = Signer::new([SECRET]).unwrap();
    let long = "x".repeat(limits::MAX_MESSAGE_ID + 1);
    for id in [
        "", " ", " msg", "msg ", "msg.1", "msg\0", "msg\n", "\u{7f}", &long,
    ] {
        assert_eq!(
            signer.sign(id, NOW, BODY),
            Err(SignError::BadMessageId),
            "{id:?}"
        );
    }
    for timestamp in [-1, i64::MIN, 100_000_000_000, 1_614_265_330_000, i64::MAX] {
        assert_eq!(
            signer.sign(ID, timestamp, BODY),
            Err(SignError::BadTimestamp),
            "{timestamp}"
        );
    }
    for timestamp in [0, 99_999_999_999] {
        let signed = signer.sign(ID, timestamp, BODY).unwrap();
        assert!(
            Webhook::new([SECRET])
                .unwrap()
                .verify(BODY, &signed.headers(), timestamp)
                .is_ok()
        );
    }
    assert_eq!(
        SignError::BadMessageId.to_string(),
        "message id cannot be signed: expected 1 to 512 bytes without \".\", control characters and spaces around it",
    );
    assert_eq!(
        SignError::BadTimestamp.to_string(),
        "timestamp cannot be signed: expected unix seconds from 0 to 99999999999, not milliseconds",
    );
}
