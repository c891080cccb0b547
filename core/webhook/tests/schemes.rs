//! Every scheme: the vectors its provider published, what each proves, and what each refuses.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use gatewright_webhook::{
    Algorithm, BodyBound, Encoding, KeyErrorKind, Outgoing, Received, Scheme, SecretEncoding,
    SignError, SignedRequest, Signer, Template, TemplateFault, VerifyError, Webhook,
};

const NOW: i64 = 1_700_000_000;
const URL: &str = "https://example.com/hooks?a=1";

/// A scheme whose secrets are texts, one of those, and a body it signs.
const SCHEMES: [(Scheme, &str, &str); 12] = [
    (
        Scheme::StandardWebhooks,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        r#"{"a":1}"#,
    ),
    (
        Scheme::Svix,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        r#"{"a":1}"#,
    ),
    (Scheme::Stripe, "whsec_5f3c2b1a09f8e7d6", r#"{"a":1}"#),
    (Scheme::GitHub, "It's a Secret to Everybody", r#"{"a":1}"#),
    (Scheme::Slack, "8f742231b10e8888abcd99yyyzzz85a5", "a=1&b=2"),
    (Scheme::Zoom, "dTktpuHuQyGzbnvLa6tbaw", r#"{"a":1}"#),
    (Scheme::Shopify, "shpss_0123456789abcdef", r#"{"a":1}"#),
    (Scheme::Twilio, "12345", "CallSid=CA1&Caller=%2B1"),
    (Scheme::Square, "asdf1234", r#"{"a":1}"#),
    (
        Scheme::Linear,
        "lin_wh_0123456789",
        r#"{"a":1,"webhookTimestamp":1700000000999}"#,
    ),
    (Scheme::Paddle, "pdl_ntfset_01hbd_abc", r#"{"a":1}"#),
    (
        Scheme::Mailgun,
        "key-0123456789abcdef",
        r#"{"event-data":{"event":"opened"}}"#,
    ),
];

struct Sent {
    body: Vec<u8>,
    url: String,
    headers: Vec<(String, String)>,
}

impl Sent {
    fn of(body: &str, signed: SignedRequest) -> Self {
        Self {
            body: signed.body.unwrap_or_else(|| body.as_bytes().to_vec()),
            url: signed.url.unwrap_or_else(|| URL.to_owned()),
            headers: signed.headers,
        }
    }

    fn received(&self) -> Received<'_> {
        Received::new(&self.body, &self.headers).url(&self.url)
    }
}

fn send(scheme: Scheme, secret: &str, body: &str) -> Sent {
    let signer = Signer::of(scheme, [secret]).unwrap();
    let outgoing = Outgoing::new(body.as_bytes(), NOW).id("msg_1").url(URL);
    Sent::of(body, signer.sign_request(&outgoing).unwrap())
}

#[test]
fn what_is_signed_verifies_and_says_what_it_proves() {
    use BodyBound::{Fields, Full, None as Unbound};
    for (scheme, secret, body) in SCHEMES {
        let sent = send(scheme, secret, body);
        let verified = Webhook::of(scheme, [secret])
            .unwrap()
            .verify_request(&sent.received(), NOW)
            .unwrap();
        // Time, id, body, time signed, id signed, URL signed.
        let (time, id, bound, flags) = match scheme {
            Scheme::StandardWebhooks | Scheme::Svix => (true, true, Full, (true, true, false)),
            Scheme::Stripe | Scheme::Slack | Scheme::Zoom | Scheme::Paddle => {
                (true, false, Full, (true, false, false))
            }
            Scheme::GitHub | Scheme::Shopify => (false, true, Full, (false, false, false)),
            Scheme::Linear => (true, true, Full, (true, false, false)),
            Scheme::Twilio => (false, true, Fields, (false, false, true)),
            Scheme::Square => (false, false, Full, (false, false, true)),
            _ => (true, true, Unbound, (true, true, false)),
        };
        assert_eq!(verified.scheme, scheme);
        assert_eq!(verified.key_index, 0);
        assert_eq!(verified.timestamp, time.then_some(NOW), "{scheme}");
        assert_eq!(
            verified.message_id.as_deref(),
            id.then_some("msg_1"),
            "{scheme}"
        );
        assert_eq!(verified.body_bound, bound, "{scheme}");
        let proven = (
            verified.timestamp_signed,
            verified.id_signed,
            verified.url_bound,
        );
        assert_eq!(proven, flags, "{scheme}");
        let algorithm = if scheme == Scheme::Twilio {
            Algorithm::HmacSha1
        } else {
            Algorithm::HmacSha256
        };
        assert_eq!(verified.algorithm, algorithm, "{scheme}");
    }
}

#[test]
fn a_body_that_was_changed_is_refused_and_a_stream_says_the_same() {
    for (scheme, secret, body) in SCHEMES {
        let webhook = Webhook::of(scheme, [secret]).unwrap();
        let sent = send(scheme, secret, body);
        let stream = |body: &[u8]| {
            let request = Received::new(b"", &sent.headers).url(&sent.url);
            let mut verifier = webhook.verifier_of(&request, NOW)?;
            for chunk in body.chunks(3) {
                verifier.update(chunk)?;
            }
            verifier.finish()
        };
        let whole = webhook.verify_request(&sent.received(), NOW);
        assert_eq!(whole, stream(&sent.body), "{scheme}");
        assert!(whole.is_ok());
        if whole.unwrap().body_bound != BodyBound::Full {
            continue;
        }
        for at in 0..sent.body.len() {
            let mut changed = sent.body.clone();
            changed[at] ^= 1;
            let request = Received::new(&changed, &sent.headers).url(&sent.url);
            let verdict = webhook.verify_request(&request, NOW);
            assert!(verdict.is_err(), "{scheme} {at}");
            assert_eq!(verdict, stream(&changed), "{scheme} {at}");
        }
    }
}

#[test]
fn any_of_several_secrets_fits_and_none_else() {
    for (scheme, secret, body) in SCHEMES {
        let other = match scheme {
            Scheme::StandardWebhooks | Scheme::Svix => {
                "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI="
            }
            _ => "whsec_another_secret",
        };
        let sent = send(scheme, secret, body);
        let both = Webhook::of(scheme, [other, secret]).unwrap();
        let verified = both.verify_request(&sent.received(), NOW).unwrap();
        assert_eq!(verified.key_index, 1, "{scheme}");
        let wrong = Webhook::of(scheme, [other]).unwrap();
        let refused = wrong.verify_request(&sent.received(), NOW);
        assert_eq!(refused, Err(VerifyError::BadSignature), "{scheme}");
    }
}

#[test]
fn the_tolerance_is_the_schemes_and_cuts_both_ways() {
    for (scheme, secret, body) in SCHEMES {
        let tolerance = match scheme {
            Scheme::GitHub | Scheme::Shopify | Scheme::Twilio | Scheme::Square => continue,
            Scheme::Paddle => 5,
            Scheme::Linear => 60,
            _ => 300,
        };
        let sent = send(scheme, secret, body);
        let webhook = Webhook::of(scheme, [secret]).unwrap();
        let code = |now| {
            webhook
                .verify_request(&sent.received(), now)
                .map_err(|e| e.code())
                .err()
        };
        assert_eq!(code(NOW + tolerance), None, "{scheme}");
        assert_eq!(code(NOW - tolerance), None, "{scheme}");
        assert_eq!(code(NOW + tolerance + 1), Some("too_old"), "{scheme}");
        assert_eq!(code(NOW - tolerance - 1), Some("too_new"), "{scheme}");
        let patient = Webhook::builder()
            .scheme(scheme)
            .secret(secret)
            .tolerance(Duration::from_secs(3600));
        assert!(
            patient
                .build()
                .unwrap()
                .verify_request(&sent.received(), NOW + 3600)
                .is_ok()
        );
    }
}

#[test]
fn githubs_published_vector() {
    let webhook = Webhook::of(Scheme::GitHub, ["It's a Secret to Everybody"]).unwrap();
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let headers = [
        ("X-Hub-Signature-256", signature),
        ("X-GitHub-Delivery", "72d3162e"),
    ];
    let verified = webhook.verify(b"Hello, World!", &headers, NOW).unwrap();
    assert_eq!(verified.message_id.as_deref(), Some("72d3162e"));
    assert!(!verified.id_signed);
    // As it comes from a log or another tool, and what another scheme would take.
    let upper = signature.to_uppercase().replace("SHA256", "sha256");
    assert!(
        webhook
            .verify(
                b"Hello, World!",
                &[("x-hub-signature-256", upper.as_str())],
                NOW
            )
            .is_ok()
    );
    for wrong in [
        &signature[7..],
        "sha1=757107ea",
        &signature[..70],
        "SHA256=757107ea",
    ] {
        let refused = webhook.verify(b"Hello, World!", &[("x-hub-signature-256", wrong)], NOW);
        assert_eq!(refused, Err(VerifyError::BadSignature), "{wrong}");
    }
}

#[test]
fn slacks_published_vector() {
    let webhook = Webhook::of(Scheme::Slack, ["8f742231b10e8888abcd99yyyzzz85a5"]).unwrap();
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let headers = [
        ("X-Slack-Request-Timestamp", "1531420618"),
        (
            "X-Slack-Signature",
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ),
    ];
    assert!(
        webhook
            .verify(body.as_bytes(), &headers, 1_531_420_618)
            .is_ok()
    );
}

#[test]
fn twilios_published_vectors() {
    let webhook = Webhook::of(Scheme::Twilio, ["12345"]).unwrap();
    let form = "Digits=1234&From=%2B14158675309&To=%2B18005551212&CallSid=CA1234567890ABCDE&Caller=%2B14158675309";
    let headers = [("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")];
    let verify = |url: &str, body: &str| {
        let request = Received::new(body.as_bytes(), &headers).url(url);
        webhook.verify_request(&request, NOW)
    };
    // The port may be there or not, and what repeats counts once.
    for url in [
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "https://mycompany.com:443/myapp.php?foo=1&bar=2",
    ] {
        assert!(verify(url, form).is_ok(), "{url}");
        assert!(verify(url, &format!("{form}&Digits=1234")).is_ok());
        assert_eq!(
            verify(url, &format!("{form}&Digits=1235")),
            Err(VerifyError::BadSignature)
        );
        assert_eq!(
            verify(url, &format!("{form}&x=%zz")),
            Err(VerifyError::BodyMalformed)
        );
    }
    let other = verify("https://mycompany.com/myapp.php?foo=1", form);
    assert_eq!(other, Err(VerifyError::BadSignature));
    let none = webhook.verify(form.as_bytes(), &headers, NOW);
    assert_eq!(none, Err(VerifyError::MissingUrl));

    let body = r#"{"property": "value", "boolean": true}"#;
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let headers = [("X-Twilio-Signature", "a9nBmqA0ju/hNViExpshrM61xv4=")];
    let request = Received::new(body.as_bytes(), &headers).url(url);
    let verified = webhook.verify_request(&request, NOW).unwrap();
    assert_eq!(verified.body_bound, BodyBound::Full);
    let request = Received::new(b"{}", &headers).url(url);
    assert_eq!(
        webhook.verify_request(&request, NOW),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn a_twilio_body_that_is_no_form_is_bound_by_its_hash() {
    let sent = send(Scheme::Twilio, "12345", r#"{"a":1}"#);
    assert!(sent.url.starts_with(&format!("{URL}&bodySHA256=")));
    let webhook = Webhook::of(Scheme::Twilio, ["12345"]).unwrap();
    let verified = webhook.verify_request(&sent.received(), NOW).unwrap();
    assert_eq!(verified.body_bound, BodyBound::Full);
    // The configured URL has no query: that of the request, with the hash, is taken.
    let proxied = sent
        .url
        .replace("https://example.com", "http://10.0.0.7:8080");
    let webhook = Webhook::builder()
        .scheme(Scheme::Twilio)
        .secret("12345")
        .url("https://example.com");
    let request = Received::new(&sent.body, &sent.headers).url(&proxied);
    assert!(
        webhook
            .build()
            .unwrap()
            .verify_request(&request, NOW)
            .is_ok()
    );
}

#[test]
fn squares_signature_is_over_the_registered_url() {
    let body = r#"{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}"#;
    let headers = [(
        "x-square-hmacsha256-signature",
        "pGRqj9GSSbM6O/O9z98MeFVedq3Q2OTDEMGMq8wEM+s=",
    )];
    let webhook = Webhook::builder()
        .scheme(Scheme::Square)
        .secret("asdf1234")
        .url("https://example.com/webhook")
        .build()
        .unwrap();
    assert!(webhook.verify(body.as_bytes(), &headers, NOW).is_ok());
    let request = Received::new(body.as_bytes(), &headers).url("http://10.0.0.1/other");
    assert!(webhook.verify_request(&request, NOW).is_ok());
}

#[test]
fn stripes_list_is_read_strictly() {
    let secret = "whsec_5f3c2b1a09f8e7d6";
    let sent = send(Scheme::Stripe, secret, "{}");
    let good = &sent.headers[0].1;
    assert!(good.starts_with("t=1700000000,v1="));
    let (_, signature) = good.split_once(',').unwrap();
    let webhook = Webhook::of(Scheme::Stripe, [secret]).unwrap();
    let code = |list: &str| {
        let verdict = webhook.verify(b"{}", &[("stripe-signature", list)], NOW);
        verdict.map_err(|error| error.code()).err()
    };
    assert_eq!(code(good), None);
    assert_eq!(code(&format!("{signature},t=1700000000")), None);
    assert_eq!(
        code(&format!("t=1700000000,v1=00,v0=11,x,{signature}")),
        None
    );
    assert_eq!(
        code(&format!("t=1700000000,{}", signature.replace("v1", "v0"))),
        Some("bad_signature")
    );
    assert_eq!(
        code(&format!("t=1700000000, {signature}")),
        Some("bad_signature")
    );
    for broken in [
        "",
        "t=1,",
        "t=1700000000,t=1700000000,",
        "t=+1700000000,",
        "t=1700000000.0,",
        "t=,",
        "t=170000000000,",
        "T=1700000000,",
    ] {
        let expected = if broken == "t=1," {
            "too_old"
        } else {
            "bad_timestamp"
        };
        assert_eq!(
            code(&format!("{broken}{signature}")),
            Some(expected),
            "{broken}"
        );
    }
    assert_eq!(
        code(&format!("t=1700000000,{}", "v1=00,".repeat(65))),
        Some("too_many_signatures")
    );
}

#[test]
fn several_signatures_are_sent_where_the_scheme_has_a_list() {
    let secrets = ["pdl_ntfset_old", "pdl_ntfset_new"];
    let signed = Signer::of(Scheme::Paddle, secrets)
        .unwrap()
        .sign_request(&Outgoing::new(b"{}", NOW))
        .unwrap();
    assert_eq!(signed.headers[0].1.matches("h1=").count(), 2);
    for secret in secrets {
        let webhook = Webhook::of(Scheme::Paddle, [secret]).unwrap();
        assert!(webhook.verify(b"{}", &signed.headers, NOW).is_ok());
    }
    let kind = Signer::of(Scheme::GitHub, ["one", "two"]).unwrap_err().kind;
    assert_eq!(kind, KeyErrorKind::TooManySecrets);
}

#[test]
fn svix_goes_by_either_set_of_names_and_never_mixes_them() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = Webhook::of(Scheme::Svix, [secret]).unwrap();
    let sent = send(Scheme::Svix, secret, "{}");
    assert!(
        sent.headers
            .iter()
            .all(|(name, _)| name.starts_with("svix-"))
    );
    let unbranded: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (name.replace("svix", "webhook"), value.clone()))
        .collect();
    assert!(webhook.verify(b"{}", &sent.headers, NOW).is_ok());
    assert!(webhook.verify(b"{}", &unbranded, NOW).is_ok());
    let mixed = [
        sent.headers[0].clone(),
        unbranded[1].clone(),
        unbranded[2].clone(),
    ];
    let refused = webhook.verify(b"{}", &mixed, NOW).unwrap_err();
    assert_eq!(
        (refused.code(), refused.header()),
        ("missing_header", Some("svix-timestamp"))
    );
}

#[test]
fn linears_time_is_in_the_body_and_only_there() {
    let secret = "lin_wh_0123456789";
    let code = |body: &str| {
        let sent = send(Scheme::Linear, secret, body);
        let webhook = Webhook::of(Scheme::Linear, [secret]).unwrap();
        let mut headers = sent.headers.clone();
        headers.push(("linear-timestamp".to_owned(), "1700000000000".to_owned()));
        webhook
            .verify(body.as_bytes(), &headers, NOW)
            .map_err(|error| error.code())
            .err()
    };
    assert_eq!(code(r#"{"webhookTimestamp":1700000000000}"#), None);
    assert_eq!(
        code(r#"{"webhookTimestamp":1700000061000}"#),
        Some("too_new")
    );
    for body in [
        "{}",
        r#"{"webhookTimestamp":"1700000000000"}"#,
        r#"{"webhookTimestamp":1.7e12}"#,
        r#"{"webhookTimestamp":-1}"#,
        r#"{"data":{"webhookTimestamp":1700000000000}}"#,
        r#"{"webhookTimestamp":99999999999999999999999}"#,
    ] {
        assert_eq!(code(body), Some("bad_timestamp"), "{body}");
    }
    for body in [
        "",
        "[]",
        "a=1",
        r#"{"webhookTimestamp":1700000000000,"webhookTimestamp":1}"#,
    ] {
        assert_eq!(code(body), Some("body_malformed"), "{body}");
    }
}

#[test]
fn mailguns_signature_is_in_the_body_which_is_not_signed() {
    let secret = "key-0123456789abcdef";
    let webhook = Webhook::of(Scheme::Mailgun, [secret]).unwrap();
    let sent = send(
        Scheme::Mailgun,
        secret,
        r#"{"event-data":{"event":"opened"}}"#,
    );
    let body = String::from_utf8(sent.body).unwrap();
    let none: [(&str, &str); 0] = [];
    let code = |body: &str| {
        webhook
            .verify(body.as_bytes(), &none, NOW)
            .map_err(|error| error.code())
            .err()
    };
    assert_eq!(code(&body), None);
    assert_eq!(code(&body.replace("opened", "clicked")), None);
    assert_eq!(code(&body.replace("\"1700000000\"", "1700000000")), None);
    assert_eq!(code(&body.replace("msg_1", "msg_2")), Some("bad_signature"));
    // A digit moved from the timestamp to the token signs the same text.
    assert_eq!(
        code(
            &body
                .replace("\"1700000000\"", "\"170000000\"")
                .replace("msg_1", "0msg_1")
        ),
        Some("bad_timestamp")
    );
    assert_eq!(code(&body.replace("msg_1", "")), Some("bad_message_id"));
    assert_eq!(code(r#"{"event-data":{}}"#), Some("body_malformed"));
    assert_eq!(
        code(&format!(
            "{}{}",
            &body[..body.len() - 1],
            r#","signature":{}}"#
        )),
        Some("body_malformed")
    );
    // Of a subaccount: the main account's key fits too.
    let both = Signer::of(Scheme::Mailgun, ["key-of-a-subaccount", secret]).unwrap();
    let signed = both
        .sign_request(&Outgoing::new(b"{}", NOW).id("t1"))
        .unwrap();
    let body = String::from_utf8(signed.body.unwrap()).unwrap();
    assert!(body.contains("parent-signature"));
    assert_eq!(code(&body), None);
}

#[test]
fn discord_signs_with_a_key_pair_in_hexadecimal() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let Ok(signer) = Signer::of(Scheme::Discord, [seed]) else {
        return;
    };
    let signed = signer
        .sign_request(&Outgoing::new(br#"{"type":1}"#, NOW))
        .unwrap();
    let webhook = Webhook::of(Scheme::Discord, [public]).unwrap();
    let verified = webhook
        .verify(br#"{"type":1}"#, &signed.headers, NOW)
        .unwrap();
    assert_eq!(verified.algorithm, Algorithm::Ed25519);
    let challenge = webhook.challenge(&verified, br#"{"type":1}"#).unwrap();
    assert_eq!(
        (challenge.status, challenge.body.as_str()),
        (200, r#"{"type":1}"#)
    );
}

#[test]
fn zooms_question_is_answered_with_the_mac_of_its_token() {
    let secret = "dTktpuHuQyGzbnvLa6tbaw";
    let body = r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#;
    let sent = send(Scheme::Zoom, secret, body);
    let webhook = Webhook::of(Scheme::Zoom, [secret]).unwrap();
    let verified = webhook.verify_request(&sent.received(), NOW).unwrap();
    let challenge = webhook.challenge(&verified, &sent.body).unwrap();
    let mac = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(b"qgg8vlvZRS6UYooatFL8Aw");
        mac.finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let expected = format!(r#"{{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"{mac}"}}"#);
    assert_eq!(
        (challenge.status, challenge.content_type, challenge.body),
        (200, "application/json", expected)
    );
    // What would be a signature over something else is not signed: `v0:1700000000:{}`.
    for body in [
        body.replace("qgg8", "v0:1700000000:{}"),
        body.replace("endpoint.url_validation", "meeting.started"),
    ] {
        assert_eq!(webhook.challenge(&verified, body.as_bytes()), None);
    }
}

#[test]
fn templates_sign_as_they_say() {
    let cases = [
        Template::new("x-acme", "{timestamp}.{body}")
            .timestamp_item("t=")
            .prefix("v1=")
            .separator(','),
        Template::new("x-acme", "{body}:{timestamp}")
            .timestamp_header("x-time")
            .algorithm(Algorithm::HmacSha512),
        Template::new("x-acme", "<{id}|{url}>{body}")
            .id_header("x-id")
            .algorithm(Algorithm::HmacSha1)
            .encoding(Encoding::Base64),
        Template::new("x-acme", "{body}")
            .prefix("sha512=")
            .algorithm(Algorithm::HmacSha512)
            .id_header("x-id"),
    ];
    for template in cases {
        let signer = Signer::by_template(&template, ["a long secret"]).unwrap();
        let signed = signer
            .sign_request(&Outgoing::new(b"body", NOW).id("msg_1").url(URL))
            .unwrap();
        let webhook = Webhook::builder()
            .template(template)
            .secret("a long secret")
            .build()
            .unwrap();
        let verify = |body: &[u8]| {
            let request = Received::new(body, &signed.headers).url(URL);
            let mut verifier = webhook.verifier_of(&request, NOW).unwrap();
            verifier.update(body).unwrap();
            let whole = webhook.verify_request(&request, NOW);
            assert_eq!(whole, verifier.finish());
            whole
        };
        assert_eq!(verify(b"body").unwrap().scheme, Scheme::Custom);
        assert_eq!(verify(b"bodies"), Err(VerifyError::BadSignature));
    }
    let nine = Template::new("x-acme", "a{id}b{timestamp}c{url}d{body}e")
        .id_header("x-id")
        .timestamp_header("x-time");
    let outgoing = Outgoing::new(b"body", NOW).id("msg_1").url(URL);
    let signer = Signer::by_template(&nine, ["secret"]);
    // An id may not have the text that follows it, `b`.
    let signed = signer.unwrap().sign_request(&outgoing).unwrap();
    let webhook = Webhook::builder()
        .template(nine)
        .secret("secret")
        .build()
        .unwrap();
    let verify =
        |body: &[u8]| webhook.verify_request(&Received::new(body, &signed.headers).url(URL), NOW);
    assert!(verify(b"body").is_ok());
    assert_eq!(verify(b"bodye"), Err(VerifyError::BadSignature));
    let template = Template::new("x-acme", "{timestamp}{body}")
        .timestamp_header("x-time")
        .algorithm(Algorithm::Ed25519)
        .secret_encoding(SecretEncoding::Hex);
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let signer = Signer::by_template(&template, [seed]).unwrap();
    let signed = signer.sign_request(&Outgoing::new(b"1", NOW)).unwrap();
    let webhook = Webhook::builder()
        .template(template)
        .secret(public)
        .build()
        .unwrap();
    assert!(webhook.verify(b"1", &signed.headers, NOW).is_ok());
    // Nothing separates the time from the body: only times of ten digits are taken.
    assert_eq!(
        signer.sign_request(&Outgoing::new(b"1", 170_000_000)),
        Err(SignError::BadTimestamp)
    );
}

#[test]
fn templates_that_cannot_be_used_are_refused_when_they_are_given() {
    use TemplateFault as Fault;
    let acme = |signed: &str| Template::new("x-acme", signed);
    for (template, fault) in [
        (acme("nothing"), Fault::NothingSigned),
        (acme(""), Fault::NothingSigned),
        (acme("{bodies}"), Fault::UnknownPlace),
        (acme("{body"), Fault::UnknownPlace),
        (acme("{body}{body}"), Fault::RepeatedPlace),
        (acme("{timestamp}.{body}"), Fault::NoTimestamp),
        (acme("{id}.{body}"), Fault::NoId),
        (acme("{id}{body}").id_header("x-id"), Fault::IdRunsOn),
        (
            acme("{timestamp}.{body}").timestamp_item("t="),
            Fault::BadSeparator,
        ),
        (acme("{body}").separator('é'), Fault::BadSeparator),
        (Template::new("x acme", "{body}"), Fault::BadHeaderName),
        (Template::new("", "{body}"), Fault::BadHeaderName),
        (
            acme("{body}").algorithm(Algorithm::RsaSha256),
            Fault::BadAlgorithm,
        ),
        (
            acme("{body}").algorithm(Algorithm::Ed25519),
            Fault::BadAlgorithm,
        ),
    ] {
        let built = Webhook::builder()
            .template(template)
            .secret("a long secret")
            .build();
        assert_eq!(built.unwrap_err().kind, KeyErrorKind::BadTemplate(fault));
    }
    let none = Webhook::of(Scheme::Custom, ["a long secret"]).unwrap_err();
    assert_eq!(none.kind, KeyErrorKind::MissingTemplate);
}

#[test]
fn a_secret_of_another_kind_is_refused_when_it_is_given() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----";
    for (scheme, secret, _) in SCHEMES {
        let code = |secret: &str| {
            Webhook::of(scheme, [secret])
                .map_err(|error| error.code())
                .err()
        };
        assert_eq!(code(secret), None, "{scheme}");
        assert_eq!(code(""), Some("empty_secret"), "{scheme}");
        assert_eq!(
            code(&format!("{secret}\n")),
            Some("secret_whitespace"),
            "{scheme}"
        );
        let text = !matches!(scheme, Scheme::StandardWebhooks | Scheme::Svix);
        if text {
            assert_eq!(
                code("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="),
                Some("public_key_as_secret")
            );
            assert_eq!(code(pem), Some("public_key_as_secret"), "{scheme}");
        }
        let least = !text || !matches!(scheme, Scheme::GitHub | Scheme::Twilio);
        assert_eq!(code("whsec_").is_some(), least, "{scheme}");
    }
    let error = Webhook::of(Scheme::Stripe, ["sk_live_0123456789"]).unwrap_err();
    assert_eq!(error.code(), "unknown_prefix");
    assert_eq!(
        error.to_string(),
        "webhook secret [0]: expected it to begin with whsec_: is it that of the webhook, not an API key?"
    );
}

#[test]
fn every_scheme_has_a_name_and_is_found_by_it() {
    for scheme in Scheme::ALL {
        assert_eq!(Scheme::from_name(scheme.name()), Some(*scheme));
        assert_eq!(scheme.to_string(), scheme.name());
    }
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::from_name(algorithm.name()), Some(*algorithm));
    }
    assert_eq!(Scheme::from_name("Stripe"), None);
}

#[test]
fn a_replay_has_the_key_of_the_first_and_another_message_has_not() {
    for (scheme, secret, body) in SCHEMES {
        let webhook = Webhook::of(scheme, [secret]).unwrap();
        let key = |sent: &Sent, sender: &str| {
            webhook
                .verify_request(&sent.received(), NOW)
                .unwrap()
                .replay_key(sender)
        };
        let first = send(scheme, secret, body);
        assert_eq!(key(&first, "a"), key(&first, "a"), "{scheme}");
        assert_ne!(key(&first, "a"), key(&first, "b"), "{scheme}");
        // Whoever replays it can change what is not signed: the id.
        let mut replay = send(scheme, secret, body);
        let verified = webhook.verify_request(&replay.received(), NOW).unwrap();
        if !verified.id_signed {
            for (_, value) in &mut replay.headers {
                if value == "msg_1" {
                    *value = "msg_2".to_owned();
                }
            }
            assert_eq!(key(&first, "a"), key(&replay, "a"), "{scheme}");
            let other = match scheme {
                Scheme::Slack | Scheme::Twilio => format!("{body}&c=3"),
                _ => body.replace("\"a\":1", "\"a\":2"),
            };
            assert_ne!(
                key(&first, "a"),
                key(&send(scheme, secret, &other), "a"),
                "{scheme}"
            );
        }
        assert!(!format!("{verified:?}").contains("fingerprint: Some(Fingerprint("));
    }
}
