//! `explain` names the cause of each common mistake, and says what to do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use gatewright_webhook::{
    Algorithm, BodyChange, Cause, Encoding, Scheme, SignatureForm, SignedContent, Signer,
    TimestampForm, UrlChange, VerifyError, Webhook,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNING_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const NOW: i64 = 1_614_265_330;

/// What `explain` says when `signed` was signed and `received` handed in, with both algorithms.
fn cause(signed: impl AsRef<[u8]>, received: impl AsRef<[u8]>) -> Cause {
    let (signed, received) = (signed.as_ref(), received.as_ref());
    let [hmac, ed25519] =
        [(SECRET, SECRET), (SIGNING_KEY, PUBLIC_KEY)].map(|(signing, verifying)| {
            let headers = Signer::new([signing])
                .unwrap()
                .sign("msg_1", NOW, signed)
                .unwrap();
            Webhook::new([verifying])
                .unwrap()
                .explain(received, &headers.headers(), NOW)
                .cause
        });
    assert_eq!(hmac, ed25519);
    hmac
}

fn change(signed: impl AsRef<[u8]>, received: impl AsRef<[u8]>) -> BodyChange {
    match cause(signed, received) {
        Cause::BodyChanged { change } => change,
        other => panic!("expected a changed body, got {other:?}"),
    }
}

/// What `explain` says about these header values and a good body.
fn headers_cause(id: &str, timestamp: &str, signature: &str) -> Cause {
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signature),
    ];
    Webhook::new([SECRET])
        .unwrap()
        .explain(b"{}", &headers, NOW)
        .cause
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    format!(
        "v1,{}",
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    )
}

fn secret_bytes() -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(SECRET.strip_prefix("whsec_").unwrap())
        .unwrap()
}

#[test]
fn a_good_webhook_is_said_to_be_good() {
    let explanation = {
        let signed = Signer::new([SECRET])
            .unwrap()
            .sign("msg_1", NOW, b"{}")
            .unwrap();
        Webhook::new([PUBLIC_KEY, SECRET])
            .unwrap()
            .explain(b"{}", &signed.headers(), NOW)
    };
    assert_eq!(explanation.cause, Cause::Valid { key_index: 1 });
    assert_eq!(explanation.clock_off_by, None);
    assert_eq!(
        explanation.to_string(),
        "the webhook verifies, with secret [1]"
    );
}

#[test]
fn line_ends_and_spaces_around_the_body_are_found() {
    assert_eq!(change("{}", "{}\n"), BodyChange::NewlineAdded);
    assert_eq!(change("{}", "{}\r\n"), BodyChange::NewlineAdded);
    assert_eq!(change("{}\r", "{}\r\n"), BodyChange::NewlineAdded);
    assert_eq!(change("{}\n", "{}"), BodyChange::NewlineRemoved);
    assert_eq!(change("{}\r\n", "{}"), BodyChange::NewlineRemoved);
    assert_eq!(change("{}", "  {}\n\n"), BodyChange::WhitespaceAdded);
    assert_eq!(
        change("a\nb\n", "a\r\nb\r\n"),
        BodyChange::LineEndingsChanged
    );
    assert_eq!(
        change("a\r\nb\r\n", "a\nb\n"),
        BodyChange::LineEndingsChanged
    );
    assert_eq!(change("{}", "\u{feff}{}"), BodyChange::ByteOrderMarkAdded);
    assert_eq!(change("\u{feff}{}", "{}"), BodyChange::ByteOrderMarkRemoved);
}

#[test]
fn a_body_that_was_decoded_or_encoded_is_found() {
    assert_eq!(
        change(r#"{"a":1}"#, "eyJhIjoxfQ=="),
        BodyChange::Base64Encoded
    );
    assert_eq!(
        change(r#"{"a":1}"#, "eyJhIjoxfQ"),
        BodyChange::Base64Encoded
    );
    assert_eq!(
        change("eyJhIjoxfQ==", r#"{"a":1}"#),
        BodyChange::Base64Decoded
    );
    assert_eq!(
        change(r#"{"name":"Zoë"}"#, r#"{"name":"ZoÃ«"}"#),
        BodyChange::CharsetChanged
    );
    assert_eq!(
        change([b'"', 0xe9, b'"'], "\"é\""),
        BodyChange::CharsetChanged
    );
    assert_eq!(
        change(r#"{"a":"x"}"#, r#""{\"a\":\"x\"}""#),
        BodyChange::JsonQuoted
    );
    assert_eq!(
        change("{\"a\":\"\u{e9}'\"}\n", r#"b'{"a":"\xc3\xa9\'"}\n'"#),
        BodyChange::PythonBytes
    );
    assert_eq!(change("it's", r#"b"it's""#), BodyChange::PythonBytes);
}

#[test]
fn json_written_again_is_found_whoever_wrote_it_first_and_last() {
    // Each the same document as one language writes it by default.
    let written = [
        r#"{"a":1,"b":[true,null,{}],"c":"é </b> 😀","d":[]}"#, // JavaScript, Rust
        r#"{"a":1,"b":[true,null,{}],"c":"é \u003c/b\u003e 😀","d":[]}"#, // Go
        r#"{"a": 1, "b": [true, null, {}], "c": "\u00e9 </b> \ud83d\ude00", "d": []}"#, // Python
        r#"{"a":1,"b":[true,null,{}],"c":"\u00e9 <\/b> \ud83d\ude00","d":[]}"#, // PHP
        "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null,\n    {}\n  ],\n  \"c\": \"é </b> 😀\",\n  \"d\": []\n}", // pretty
        "{\n\t\"a\": 1,\n\t\"b\": [\n\t\ttrue,\n\t\tnull,\n\t\t{}\n\t],\n\t\"c\": \"é </b> 😀\",\n\t\"d\": []\n}",
        "{\"a\":1,\"b\":[true,null,{}],\"c\":\"é \\u003c/b\\u003e 😀\",\"d\":[]}\n", // Go's encoder
    ];
    for signed in written {
        for received in written {
            if signed.trim_end() != received.trim_end() {
                assert_eq!(
                    change(signed, received),
                    BodyChange::JsonRewritten,
                    "{signed} as {received}"
                );
            }
        }
    }
}

#[test]
fn a_body_changed_beyond_its_spelling_is_not_explained_away() {
    assert_eq!(cause(r#"{"a":1}"#, r#"{"a":2}"#), Cause::NothingFits);
    assert_eq!(
        cause(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        Cause::NothingFits
    );
    assert_eq!(cause(r#"{"a":1}"#, [0xff, 0xfe]), Cause::NothingFits);
}

#[test]
fn hostile_bodies_are_given_up_cheaply() {
    for received in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(100_000),
        format!("{}{}", "[".repeat(64), "]".repeat(64)),
        format!("{}{}", "[".repeat(500_000), "]".repeat(500_000)),
        "[1,".repeat(60) + &"1,".repeat(100_000) + "1" + &"]".repeat(60),
        "\"\\ud800\"".to_owned(),
        "\"\\u12".to_owned(),
        "\"\\u12é\"".to_owned(),
        "\"\\".to_owned(),
        "b'\\x".to_owned(),
        "b'\\xé'".to_owned(),
        "b'".to_owned(),
        "b'\\'".to_owned(),
        "{]".to_owned(),
        "]".to_owned(),
        ",,,:::".to_owned(),
        "\u{feff}".to_owned(),
    ] {
        assert_eq!(
            cause("x", &received),
            Cause::NothingFits,
            "{:.20}",
            received
        );
    }
}

#[test]
fn the_work_for_large_bodies_and_many_keys_is_bounded() {
    use gatewright_webhook::{generate_key_pair, limits};
    let publics: Vec<_> = (0..limits::MAX_SECRETS)
        .map(|seed| generate_key_pair(&[seed as u8; 32]).public)
        .collect();
    let token = Signer::new([SIGNING_KEY])
        .unwrap()
        .sign("msg_1", NOW, b"x")
        .unwrap()
        .signature;
    let list = [token.as_str(); limits::MAX_ED25519_SIGNATURES].join(" ");
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", list.as_str()),
    ];
    // 16 keys, 8 signatures and 1 MiB make 128 MiB to hash for each hypothesis: the first is the last.
    let mut body = vec![b' '; limits::DEFAULT_MAX_BODY - 3];
    body.push(b'x');
    body.push(b'\n');
    let webhook = Webhook::new(&publics).unwrap();
    assert_eq!(
        webhook.explain(&body, &headers, NOW).cause,
        Cause::NothingFits
    );
    // With one key and one signature there is work enough for all, here for the third kind of change.
    let webhook = Webhook::new([PUBLIC_KEY]).unwrap();
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", token.as_str()),
    ];
    let change = BodyChange::WhitespaceAdded;
    assert_eq!(
        webhook.explain(&body, &headers, NOW).cause,
        Cause::BodyChanged { change }
    );
}

#[test]
fn a_clock_that_is_off_is_told_in_seconds() {
    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"{}")
        .unwrap();
    let webhook = Webhook::new([SECRET]).unwrap();

    let late = webhook.explain(b"{}", &signed.headers(), NOW + 3_600);
    assert_eq!(late.cause, Cause::ClockOff { seconds: 3_600 });
    assert_eq!(late.clock_off_by, Some(3_600));
    assert_eq!(
        late.to_string(),
        "the signature is right, but the timestamp is 3600 s behind this clock, more than the tolerance: set the clock of this machine, and verify on arrival, before any queue",
    );
    let early = webhook.explain(b"{}", &signed.headers(), NOW - 301);
    assert_eq!(early.cause, Cause::ClockOff { seconds: -301 });

    // Two faults at once: the cause is the one that would remain.
    let both = webhook.explain(b"{}\n", &signed.headers(), NOW - 3_600);
    assert_eq!(
        both.cause,
        Cause::BodyChanged {
            change: BodyChange::NewlineAdded
        }
    );
    assert_eq!(both.clock_off_by, Some(-3_600));
    assert_eq!(
        both.to_string(),
        "the body has a line end after it that the sender did not sign: hand in the bytes as they arrived; besides, the timestamp is 3600 s ahead of this clock, more than the tolerance",
    );
}

#[test]
fn malformed_timestamps_are_told_apart() {
    for (timestamp, form) in [
        ("1614265330000", TimestampForm::Milliseconds),
        ("1614265330.123", TimestampForm::Fraction),
        ("+1614265330", TimestampForm::Sign),
        ("-1614265330", TimestampForm::Sign),
        (" 1614265330", TimestampForm::Padded),
        ("2021-02-25T15:02:10Z", TimestampForm::Date),
        ("Thu, 25 Feb 2021 15:02:10 GMT", TimestampForm::Date),
        ("soon", TimestampForm::Other),
        ("99999999999999999999", TimestampForm::Other),
        ("١٦", TimestampForm::Other),
    ] {
        assert_eq!(
            headers_cause("msg_1", timestamp, "v1,x"),
            Cause::TimestampMalformed {
                name: "webhook-timestamp".into(),
                form
            },
            "{timestamp}"
        );
    }
    assert_eq!(
        headers_cause("msg_1", "1614265330000", "v1,x").to_string(),
        "webhook-timestamp is milliseconds: expected unix seconds in 1 to 11 ASCII digits; ask the sender",
    );
}

#[test]
fn malformed_signatures_are_told_apart() {
    let mac = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let hex = "83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1";
    for (signature, form) in [
        (mac.to_owned(), SignatureForm::NoVersion),
        (format!("v1,{hex}"), SignatureForm::Hex),
        (hex.to_owned(), SignatureForm::Hex),
        (format!("sha256={hex}"), SignatureForm::Other),
        (format!("v2,{mac}"), SignatureForm::UnknownVersion),
        (format!("v1,{mac},v1,{mac}"), SignatureForm::CommaSeparated),
        (
            format!("v1,{}", mac.trim_end_matches('=')),
            SignatureForm::Base64Variant,
        ),
        (
            format!("v1,{}", mac.replace('+', "-").replace('/', "_")),
            SignatureForm::Base64Variant,
        ),
        (format!("t=1,v1={hex}"), SignatureForm::Other),
        ("v1,".to_owned(), SignatureForm::Other),
        (",".to_owned(), SignatureForm::Other),
        ("é".to_owned(), SignatureForm::Other),
    ] {
        assert_eq!(
            headers_cause("msg_1", "1614265330", &signature),
            Cause::SignatureMalformed { form },
            "{signature}"
        );
    }
    assert_eq!(
        headers_cause("msg_1", "1614265330", mac).to_string(),
        "the signature header holds a signature without what this scheme puts before it (a version, or the name of the hash); ask the sender, or use the scheme it follows",
    );
}

#[test]
fn signatures_of_an_algorithm_without_a_secret_are_named() {
    let hmac = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"{}")
        .unwrap();
    let ed25519 = Signer::new([SIGNING_KEY])
        .unwrap()
        .sign("msg_1", NOW, b"{}")
        .unwrap();
    let only_public = Webhook::new([PUBLIC_KEY])
        .unwrap()
        .explain(b"{}", &hmac.headers(), NOW);
    assert_eq!(
        only_public.cause,
        Cause::OtherAlgorithm {
            offered: Algorithm::HmacSha256
        }
    );
    assert_eq!(
        only_public.to_string(),
        "the sender signs with HMAC-SHA256 (v1), and no whsec_ secret is configured: add it",
    );
    let only_secret = Webhook::new([SECRET])
        .unwrap()
        .explain(b"{}", &ed25519.headers(), NOW);
    assert_eq!(
        only_secret.cause,
        Cause::OtherAlgorithm {
            offered: Algorithm::Ed25519
        }
    );
}

#[test]
fn a_header_under_a_similar_name_is_pointed_out() {
    let webhook = Webhook::new([SECRET]).unwrap();
    let good = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,x"),
    ];
    for (index, similar) in [
        (0, "svix-id"),
        (0, "X-Webhook-Id"),
        (0, "HTTP_WEBHOOK_ID"),
        (0, "webhook_id"),
        (0, "WebhookId"),
        (1, "svix-timestamp"),
        (1, "Webhook_Timestamp"),
        (2, "svix-signature"),
        (2, "X-Acme-Webhook-Signature"),
    ] {
        let mut headers = good;
        let name = headers[index].0;
        headers[index].0 = similar;
        let explanation = webhook.explain(b"{}", &headers, NOW);
        assert_eq!(
            explanation.cause,
            Cause::HeaderMissing {
                name: name.into(),
                similar: Some(similar.to_owned())
            }
        );
        assert_eq!(
            explanation.to_string(),
            format!(
                "header {name} is missing, but there is {similar}: hand it in under the name {name}, or use the scheme it belongs to"
            ),
        );
    }
    // A name that could forge a line in a log, or fill it, is not repeated.
    let long = "x".repeat(60) + "webhook-id";
    for unprintable in [
        "evil\nwebhook-id",
        "\u{1b}[2Jwebhook-id",
        "é-webhook-id",
        &long,
    ] {
        let mut headers = good;
        headers[0].0 = unprintable;
        let cause = webhook.explain(b"{}", &headers, NOW).cause;
        assert_eq!(
            cause,
            Cause::HeaderMissing {
                name: "webhook-id".into(),
                similar: None
            }
        );
    }
    let cause = webhook.explain(b"{}", &good[1..], NOW).cause;
    assert_eq!(
        cause,
        Cause::HeaderMissing {
            name: "webhook-id".into(),
            similar: None
        }
    );
    assert_eq!(
        cause.to_string(),
        VerifyError::MissingHeader {
            name: "webhook-id".into()
        }
        .to_string()
    );
}

#[test]
fn a_secret_used_as_text_is_found() {
    let message: [&[u8]; 2] = [b"msg_1.1614265330.", b"{}"];
    let with_prefix = hmac(SECRET.as_bytes(), &message);
    assert_eq!(
        headers_cause("msg_1", "1614265330", &with_prefix),
        Cause::SecretUsedAsText {
            key_index: 0,
            with_prefix: true
        },
    );
    let without = hmac(SECRET.strip_prefix("whsec_").unwrap().as_bytes(), &message);
    let cause = headers_cause("msg_1", "1614265330", &without);
    assert_eq!(
        cause,
        Cause::SecretUsedAsText {
            key_index: 0,
            with_prefix: false
        }
    );
    assert_eq!(
        cause.to_string(),
        "the sender uses the text of secret [0] without \"whsec_\" as its key, without decoding it: it does not follow Standard Webhooks; to accept it, encode that text as base64 and put whsec_ before it",
    );
    // And the advice works.
    use base64::Engine as _;
    let advised = base64::engine::general_purpose::STANDARD.encode(SECRET);
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", with_prefix.as_str()),
    ];
    assert!(
        Webhook::new([format!("whsec_{advised}")])
            .unwrap()
            .verify(b"{}", &headers, NOW)
            .is_ok()
    );
}

#[test]
fn other_signed_content_is_found() {
    for (parts, content) in [
        (&[b"{}".as_slice()] as &[&[u8]], SignedContent::Body),
        (&[b"1614265330.{}"], SignedContent::TimestampAndBody),
        (&[b"msg_1.1614265330"], SignedContent::IdAndTimestamp),
        (&[b"msg_1.1614265330."], SignedContent::WithoutBody),
    ] {
        let signature = hmac(&secret_bytes(), parts);
        assert_eq!(
            headers_cause("msg_1", "1614265330", &signature),
            Cause::OtherContent { content }
        );
    }
}

#[test]
fn hints_are_given_where_nothing_can_be_proven() {
    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"something else")
        .unwrap();
    let webhook = Webhook::new([SECRET]).unwrap();
    let with = |extra: &[(&str, &str)], body: &[u8]| {
        let mut headers = signed.headers().to_vec();
        headers.extend_from_slice(extra);
        webhook.explain(body, &headers, NOW).cause
    };
    assert_eq!(with(&[], b""), Cause::BodyEmpty);
    assert_eq!(with(&[], b"{}"), Cause::NothingFits);
    assert_eq!(
        with(&[("Content-Length", "14")], b"{}"),
        Cause::BodyLengthDiffers {
            declared: 14,
            got: 2
        }
    );
    assert_eq!(with(&[("content-length", "2")], b"{}"), Cause::NothingFits);
    assert_eq!(with(&[("content-length", "x")], b"{}"), Cause::NothingFits);
    assert_eq!(
        with(
            &[("content-encoding", "gzip"), ("content-length", "14")],
            b"{}"
        ),
        Cause::BodyDecompressed
    );
    assert_eq!(
        with(&[("content-encoding", "gzip")], &[0x1f, 0x8b, 8]),
        Cause::NothingFits
    );
    assert_eq!(
        with(&[("content-encoding", "identity")], b"{}"),
        Cause::NothingFits
    );
}

#[test]
fn what_verify_already_says_is_said_again() {
    let cause = headers_cause("msg.1", "1614265330", "v1,x");
    assert_eq!(
        cause,
        Cause::AsReported(VerifyError::BadMessageId {
            name: "webhook-id".into()
        })
    );
    assert_eq!(
        cause.to_string(),
        VerifyError::BadMessageId {
            name: "webhook-id".into()
        }
        .to_string()
    );
    assert_eq!(cause.code(), "bad_message_id");

    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"123")
        .unwrap();
    let small = Webhook::builder()
        .secret(SECRET)
        .max_body(2)
        .build()
        .unwrap();
    let explanation = small.explain(b"123", &signed.headers(), NOW);
    assert_eq!(
        explanation.cause,
        Cause::AsReported(VerifyError::BodyTooLarge { max: 2 })
    );
}

#[test]
fn codes_and_texts_are_complete() {
    let mut causes = vec![
        Cause::BodyDecompressed,
        Cause::BodyEmpty,
        Cause::BodyLengthDiffers {
            declared: 1,
            got: 2,
        },
        Cause::ClockOff { seconds: 1 },
        Cause::HeaderMissing {
            name: "webhook-id".into(),
            similar: None,
        },
        Cause::NothingFits,
        Cause::OtherAlgorithm {
            offered: Algorithm::Ed25519,
        },
        Cause::OtherContent {
            content: SignedContent::Body,
        },
        Cause::OtherScheme {
            offered: Scheme::Stripe,
        },
        Cause::SecretDecoded {
            key_index: 0,
            encoding: Encoding::Hex,
        },
        Cause::SecretQuoted { key_index: 0 },
        Cause::SecretUsedAsText {
            key_index: 0,
            with_prefix: true,
        },
        Cause::SignatureMalformed {
            form: SignatureForm::Hex,
        },
        Cause::TimestampMalformed {
            name: "webhook-timestamp".into(),
            form: TimestampForm::Date,
        },
        Cause::UrlChanged {
            change: UrlChange::Host,
        },
        Cause::Valid { key_index: 0 },
    ];
    causes.insert(
        0,
        Cause::BodyChanged {
            change: BodyChange::NewlineAdded,
        },
    );
    assert_eq!(
        causes.iter().map(Cause::code).collect::<Vec<_>>(),
        Cause::ALL
    );

    let mut texts: Vec<_> = BodyChange::ALL
        .iter()
        .map(|&change| Cause::BodyChanged { change }.to_string())
        .collect();
    let mut codes: Vec<_> = BodyChange::ALL.iter().map(|change| change.code()).collect();
    for list in [
        &mut texts as &mut Vec<String>,
        &mut codes.drain(..).map(str::to_owned).collect(),
    ] {
        list.sort_unstable();
        list.dedup();
        assert_eq!(list.len(), BodyChange::ALL.len());
    }
}
