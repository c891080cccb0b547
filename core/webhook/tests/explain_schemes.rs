//! `explain` names the cause of each mistake that people make with the schemes of providers, and never shows a secret or a MAC.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use gatewright_webhook::{
    BodyChange, Cause, Outgoing, Received, Scheme, SignatureForm, SignedContent, SignedRequest,
    Signer, Template, TimestampForm, UrlChange, Webhook,
};

const NOW: i64 = 1_700_000_000;
const URL: &str = "https://example.com/hooks/in?a=1";
const STRIPE: &str = "whsec_5f3c2b1a09f8e7d65f3c2b1a09f8e7d6";
const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Fields = Vec<(String, String)>;

fn sign(scheme: Scheme, secret: &str, body: &str) -> SignedRequest {
    let outgoing = Outgoing::new(body.as_bytes(), NOW).id("msg_1").url(URL);
    let signer = Signer::of(scheme, [secret]).unwrap();
    signer.sign_request(&outgoing).unwrap()
}

/// What `explain` says, having looked that it says nothing it must not.
fn explain(scheme: Scheme, secret: &str, body: &[u8], headers: &Fields, url: &str) -> Cause {
    let webhook = Webhook::of(scheme, [secret]).unwrap();
    let request = Received::new(body, headers).url(url);
    let explanation = webhook.explain_request(&request, NOW);
    let shown = format!("{explanation} {explanation:?}");
    assert!(!shown.contains(secret), "{shown}");
    // The right signature of what was received, which `explain` must not give away.
    let outgoing = Outgoing::new(body, NOW).id("msg_1").url(url);
    if let Ok(right) = Signer::of(scheme, [secret])
        .unwrap()
        .sign_request(&outgoing)
    {
        for (_, value) in right.headers.iter().filter(|(_, value)| value.len() > 20) {
            assert!(!shown.contains(value.as_str()), "{shown}");
        }
    }
    explanation.cause
}

/// With what `signed` was signed, and `received` handed in.
fn body_cause(scheme: Scheme, secret: &str, signed: &str, received: &str) -> Cause {
    let sent = sign(scheme, secret, signed);
    explain(scheme, secret, received.as_bytes(), &sent.headers, URL)
}

fn changed(change: BodyChange) -> Cause {
    Cause::BodyChanged { change }
}

fn renamed(headers: &Fields, from: &str, to: &str) -> Fields {
    let rename = |(name, value): &(String, String)| (name.replace(from, to), value.clone());
    headers.iter().map(rename).collect()
}

fn revalued(headers: &Fields, of: &str, change: impl Fn(&str) -> String) -> Fields {
    let revalue = |(name, value): &(String, String)| {
        let value = if name == of {
            change(value)
        } else {
            value.clone()
        };
        (name.clone(), value)
    };
    headers.iter().map(revalue).collect()
}

/// Every scheme that signs the whole body.
const WHOLE_BODY: [(Scheme, &str); 9] = [
    (Scheme::StandardWebhooks, STANDARD),
    (Scheme::Svix, STANDARD),
    (Scheme::Stripe, STRIPE),
    (Scheme::GitHub, "It's a Secret to Everybody"),
    (Scheme::Slack, "8f742231b10e8888abcd99yyyzzz85a5"),
    (Scheme::Zoom, "dTktpuHuQyGzbnvLa6tbaw"),
    (Scheme::Shopify, "shpss_0123456789abcdef"),
    (Scheme::Square, "asdf1234"),
    (Scheme::Paddle, "pdl_ntfset_01hbd_abc"),
];

#[test]
fn changed_bodies_are_found_in_every_scheme_that_signs_them() {
    let signed = r#"{"name":"Zoë","n":1}"#;
    let mistakes = [
        (r#"{"name": "Zo\u00eb", "n": 1}"#, BodyChange::JsonRewritten),
        (
            "{\n  \"name\": \"Zoë\",\n  \"n\": 1\n}",
            BodyChange::JsonRewritten,
        ),
        ("{\"name\":\"Zoë\",\"n\":1}\n", BodyChange::NewlineAdded),
        (" {\"name\":\"Zoë\",\"n\":1} ", BodyChange::WhitespaceAdded),
        (
            "\u{feff}{\"name\":\"Zoë\",\"n\":1}",
            BodyChange::ByteOrderMarkAdded,
        ),
        ("eyJuYW1lIjoiWm/DqyIsIm4iOjF9", BodyChange::Base64Encoded),
        (r#"{"name":"ZoÃ«","n":1}"#, BodyChange::CharsetChanged),
        (r#""{\"name\":\"Zoë\",\"n\":1}""#, BodyChange::JsonQuoted),
        (r#"b'{"name":"Zo\xc3\xab","n":1}'"#, BodyChange::PythonBytes),
    ];
    for (scheme, secret) in WHOLE_BODY {
        for (received, change) in mistakes {
            assert_eq!(
                body_cause(scheme, secret, signed, received),
                changed(change),
                "{scheme} {received}"
            );
        }
        assert_eq!(
            body_cause(scheme, secret, "a\r\nb\r\n", "a\nb\n"),
            changed(BodyChange::LineEndingsChanged),
            "{scheme}"
        );
        assert_eq!(
            body_cause(scheme, secret, "eyJhIjoxfQ==", "{\"a\":1}"),
            changed(BodyChange::Base64Decoded),
            "{scheme}"
        );
    }
}

#[test]
fn forms_that_were_parsed_are_found() {
    let secret = "8f742231b10e8888abcd99yyyzzz85a5";
    let signed = "text=a+b%2Fc&url=https%3A%2F%2Fx.example%2F&user=%7Ez*";
    for received in [
        "text=a%20b%2Fc&url=https%3A%2F%2Fx.example%2F&user=~z%2A",
        "text=a+b%2fc&url=https%3a%2f%2fx.example%2f&user=%7ez%2a",
    ] {
        // As a browser and Java write it.
        let cause = body_cause(
            Scheme::Slack,
            secret,
            "text=a+b%2Fc&url=https%3A%2F%2Fx.example%2F&user=%7Ez*",
            received,
        );
        assert_eq!(cause, changed(BodyChange::FormRewritten), "{received}");
    }
    let json = r#"{"text":"a b/c","url":"https://x.example/","user":"~z*"}"#;
    assert_eq!(
        body_cause(Scheme::Slack, secret, signed, json),
        changed(BodyChange::FormToJson)
    );
}

#[test]
fn the_headers_of_another_scheme_are_recognised() {
    for (scheme, secret) in WHOLE_BODY {
        for (other, other_secret) in WHOLE_BODY {
            let sent = sign(other, other_secret, "{}");
            let cause = explain(scheme, secret, b"{}", &sent.headers, URL);
            let svix = [Scheme::StandardWebhooks, Scheme::Svix];
            if scheme == other || (svix.contains(&scheme) && svix.contains(&other)) {
                continue;
            }
            let named = matches!(&cause, Cause::OtherScheme { offered } if *offered == other)
                || matches!(
                    &cause,
                    Cause::HeaderMissing {
                        similar: Some(_),
                        ..
                    }
                );
            assert!(named, "{scheme} got {other}: {cause:?}");
        }
    }
    let sent = sign(Scheme::Stripe, STRIPE, "{}");
    let cause = explain(
        Scheme::StandardWebhooks,
        STANDARD,
        b"{}",
        &sent.headers,
        URL,
    );
    assert_eq!(
        cause.to_string(),
        "the headers are those of another scheme, stripe: use that one"
    );
}

#[test]
fn a_header_under_a_similar_name_is_pointed_out() {
    let secret = "It's a Secret to Everybody";
    let sent = sign(Scheme::GitHub, secret, "{}");
    for name in [
        "x-hub-signature",
        "HTTP_X_HUB_SIGNATURE_256",
        "hub-signature-256",
        "x-original-x-hub-signature-256",
    ] {
        let headers = renamed(&sent.headers, "x-hub-signature-256", name);
        let cause = explain(Scheme::GitHub, secret, b"{}", &headers, URL);
        let expected = Cause::HeaderMissing {
            name: "x-hub-signature-256".into(),
            similar: Some(name.to_owned()),
        };
        assert_eq!(cause, expected);
    }
    let none = explain(Scheme::GitHub, secret, b"{}", &Vec::new(), URL);
    assert_eq!(
        none,
        Cause::HeaderMissing {
            name: "x-hub-signature-256".into(),
            similar: None
        }
    );
}

#[test]
fn a_secret_that_is_read_in_another_way_is_found() {
    // The sender decodes what this scheme uses as text.
    for (text, key) in [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ),
        (
            "whsec_00112233445566778899aabbccddeeff",
            "00112233445566778899aabbccddeeff",
        ),
    ] {
        let hex = key.starts_with("00");
        let template = Template::new("stripe-signature", "{timestamp}.{body}")
            .timestamp_item("t=")
            .prefix("v1=")
            .separator(',')
            .secret_encoding(if hex {
                gatewright_webhook::SecretEncoding::Hex
            } else {
                gatewright_webhook::SecretEncoding::Base64
            });
        let signer = Signer::by_template(&template, [key]).unwrap();
        let sent = signer.sign_request(&Outgoing::new(b"{}", NOW)).unwrap();
        let cause = explain(Scheme::Stripe, text, b"{}", &sent.headers, URL);
        assert_eq!(cause.code(), "secret_decoded");
    }
    // The environment file's quotes came along.
    let sent = sign(Scheme::GitHub, "a long secret", "{}");
    for quoted in ["\"a long secret\"", "'a long secret'"] {
        let cause = explain(Scheme::GitHub, quoted, b"{}", &sent.headers, URL);
        assert_eq!(cause, Cause::SecretQuoted { key_index: 0 });
    }
    // The secret of another endpoint.
    let cause = explain(Scheme::GitHub, "another secret", b"{}", &sent.headers, URL);
    assert_eq!(cause, Cause::NothingFits);
    assert!(cause.to_string().contains("secret that of this endpoint"));
}

#[test]
fn other_content_under_the_right_headers_is_found() {
    let signed_as = |signed: &str| {
        let template = Template::new("x-slack-signature", signed)
            .timestamp_header("x-slack-request-timestamp")
            .prefix("v0=");
        let signer = Signer::by_template(&template, ["a long secret"]).unwrap();
        let sent = signer
            .sign_request(&Outgoing::new(b"{}", NOW).url(URL))
            .unwrap();
        explain(Scheme::Slack, "a long secret", b"{}", &sent.headers, URL)
    };
    for (signed, content) in [
        ("{body}", SignedContent::Body),
        ("{timestamp}.{body}", SignedContent::TimestampAndBody),
        ("{timestamp}:{body}", SignedContent::TimestampColonBody),
        ("{timestamp}{body}", SignedContent::TimestampRunsIntoBody),
        ("{url}{body}", SignedContent::UrlAndBody),
    ] {
        assert_eq!(
            signed_as(signed),
            Cause::OtherContent { content },
            "{signed}"
        );
    }
}

#[test]
fn what_a_proxy_did_to_the_url_is_found() {
    for (scheme, secret, body) in [
        (Scheme::Square, "asdf1234", "{}"),
        (Scheme::Twilio, "12345", "CallSid=CA1&Caller=%2B1"),
    ] {
        let sent = sign(scheme, secret, body);
        let cause = |url: &str, more: &[(&str, &str)]| {
            let mut headers = sent.headers.clone();
            headers.extend(
                more.iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
            );
            explain(scheme, secret, body.as_bytes(), &headers, url)
        };
        let proxied = |url, more: &[(&str, &str)], change| {
            assert_eq!(
                cause(url, more),
                Cause::UrlChanged { change },
                "{scheme} {url}"
            )
        };
        proxied("http://example.com/hooks/in?a=1", &[], UrlChange::Scheme);
        proxied(
            "https://10.0.0.7/hooks/in?a=1",
            &[("host", "example.com")],
            UrlChange::Host,
        );
        proxied(
            "https://10.0.0.7/hooks/in?a=1",
            &[("X-Forwarded-Host", "example.com, proxy")],
            UrlChange::Host,
        );
        proxied(
            "http://10.0.0.7:8080/hooks/in?a=1",
            &[("x-forwarded-host", "example.com")],
            UrlChange::Several,
        );
        // Twilio's is tried with its port and without.
        if scheme == Scheme::Square {
            proxied(
                "https://example.com:8443/hooks/in?a=1",
                &[],
                UrlChange::Port,
            );
        }
        proxied(
            "https://example.com/hooks/in/?a=1",
            &[],
            UrlChange::TrailingSlash,
        );
        proxied(
            "https://example.com/in?a=1",
            &[("x-forwarded-prefix", "/hooks")],
            UrlChange::Path,
        );
        proxied(
            "https://example.com/in?a=1",
            &[("x-original-uri", "/hooks/in?a=1")],
            UrlChange::Path,
        );
        proxied(
            "https://example.com/hooks/in",
            &[("x-original-uri", "/hooks/in?a=1")],
            UrlChange::Query,
        );
        assert_eq!(
            cause("https://other.example/hooks/in?a=1", &[]),
            Cause::NothingFits
        );
    }
}

#[test]
fn malformed_signatures_and_timestamps_are_told_apart() {
    let secret = "It's a Secret to Everybody";
    let sent = sign(Scheme::GitHub, secret, "{}");
    let form = |change: &dyn Fn(&str) -> String| {
        let headers = revalued(&sent.headers, "x-hub-signature-256", change);
        explain(Scheme::GitHub, secret, b"{}", &headers, URL)
    };
    let malformed = |form| Cause::SignatureMalformed { form };
    assert_eq!(
        form(&|value| value.replace("sha256=", "")),
        malformed(SignatureForm::NoVersion)
    );
    assert_eq!(
        form(&|_| "sha256=dRB+p+DrslCfwhEiHM6YS4o3Vw1nWG".to_owned() + "IsRvQ3nIsEPhc="),
        malformed(SignatureForm::Base64)
    );
    assert_eq!(
        form(&|_| format!("sha256={}", "0".repeat(40))),
        malformed(SignatureForm::OtherHash)
    );
    assert_eq!(
        form(&|_| "sha256=".to_owned() + &"0".repeat(10)),
        malformed(SignatureForm::Other)
    );

    let shopify = "shpss_0123456789abcdef";
    let sent = sign(Scheme::Shopify, shopify, "{}");
    let headers = revalued(&sent.headers, "x-shopify-hmac-sha256", |_| "0".repeat(64));
    assert_eq!(
        explain(Scheme::Shopify, shopify, b"{}", &headers, URL),
        malformed(SignatureForm::Hex)
    );

    let sent = sign(Scheme::Stripe, STRIPE, "{}");
    for (written, form) in [
        ("t=1700000000000", TimestampForm::Milliseconds),
        ("t=1700000000.5", TimestampForm::Fraction),
        ("t=+1700000000", TimestampForm::Sign),
        ("t= 1700000000", TimestampForm::Padded),
        ("t=2023-11-14T22:13:20Z", TimestampForm::Date),
        ("x=1", TimestampForm::Other),
    ] {
        let headers = revalued(&sent.headers, "stripe-signature", |value| {
            value.replace("t=1700000000", written)
        });
        let name = "stripe-signature".into();
        assert_eq!(
            explain(Scheme::Stripe, STRIPE, b"{}", &headers, URL),
            Cause::TimestampMalformed { name, form }
        );
    }
}

#[test]
fn clocks_and_bodies_that_were_lost_are_told() {
    for (scheme, secret) in WHOLE_BODY {
        let sent = sign(scheme, secret, "{\"a\":1}");
        let webhook = Webhook::of(scheme, [secret]).unwrap();
        let at = |now| {
            let request = Received::new(b"{\"a\":1}", &sent.headers).url(URL);
            webhook.explain_request(&request, now).cause
        };
        assert_eq!(at(NOW), Cause::Valid { key_index: 0 }, "{scheme}");
        if webhook
            .verify_request(
                &Received::new(b"{\"a\":1}", &sent.headers).url(URL),
                NOW + 3600,
            )
            .is_err()
        {
            assert_eq!(
                at(NOW + 3600),
                Cause::ClockOff { seconds: 3600 },
                "{scheme}"
            );
            assert_eq!(
                at(NOW - 3600),
                Cause::ClockOff { seconds: -3600 },
                "{scheme}"
            );
        }
        assert_eq!(
            explain(scheme, secret, b"", &sent.headers, URL),
            Cause::BodyEmpty,
            "{scheme}"
        );
        let mut cut = sent.headers.clone();
        cut.push(("content-length".to_owned(), "7".to_owned()));
        let expected = Cause::BodyLengthDiffers {
            declared: 7,
            got: 4,
        };
        assert_eq!(
            explain(scheme, secret, b"{\"a\"", &cut, URL),
            expected,
            "{scheme}"
        );
        cut.push(("content-encoding".to_owned(), "gzip".to_owned()));
        assert_eq!(
            explain(scheme, secret, b"{\"a\"", &cut, URL),
            Cause::BodyDecompressed,
            "{scheme}"
        );
    }
}

#[test]
fn schemes_that_read_the_body_are_explained_too() {
    let linear = "lin_wh_0123456789";
    let signed = r#"{"a":1,"webhookTimestamp":1700000000000}"#;
    let received = r#"{"a": 1, "webhookTimestamp": 1700000000000}"#;
    assert_eq!(
        body_cause(Scheme::Linear, linear, signed, received),
        changed(BodyChange::JsonRewritten)
    );
    let quoted = r#""{\"a\":1,\"webhookTimestamp\":1700000000000}""#;
    assert_eq!(
        body_cause(Scheme::Linear, linear, signed, quoted),
        changed(BodyChange::JsonQuoted)
    );
    let encoded = "eyJhIjoxLCJ3ZWJob29rVGltZXN0YW1wIjoxNzAwMDAwMDAwMDAwfQ==";
    assert_eq!(
        body_cause(Scheme::Linear, linear, signed, encoded),
        changed(BodyChange::Base64Encoded)
    );
    let mailgun = "key-0123456789abcdef";
    let sent = sign(Scheme::Mailgun, mailgun, "{}");
    let body = sent.body.unwrap();
    let late =
        Webhook::of(Scheme::Mailgun, [mailgun])
            .unwrap()
            .explain(&body, &sent.headers, NOW + 900);
    assert_eq!(late.cause, Cause::ClockOff { seconds: 900 });
    let cause = explain(
        Scheme::Mailgun,
        mailgun,
        b"timestamp=1&token=2",
        &Vec::new(),
        URL,
    );
    assert_eq!(cause.code(), "body_malformed");
    let json = explain(
        Scheme::Twilio,
        "12345",
        br#"{"CallSid":"CA1"}"#,
        &sign(Scheme::Twilio, "12345", "CallSid=CA1").headers,
        URL,
    );
    assert_eq!(json, changed(BodyChange::FormToJson));
}
