//! HTTP Message Signatures: the vectors of RFC 9421, appendix B.2, what must be covered, keys and their ids, and what the client signs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is prepared must work"
)]

use gatewright_webhook::{
    Algorithm, BodyBound, Outgoing, Received, Scheme, Signer, Verified, VerifyError, Webhook,
    WebhookBuilder, generate_key_pair,
};

/// RFC 9421, appendix B.2: `test-request`.
const URL: &str = "https://example.com/foo?param=Value&Pet=dog";
const BODY: &[u8] = br#"{"hello": "world"}"#;
const CREATED: i64 = 1_618_884_473;
const DIGEST: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

const SECRET: &str = "whsec_uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const ED25519: &str = "whpk_JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
const RSA: &str = include_str!("keys/rfc9421-rsa-pss.pub.pem");

const B_2_1: [&str; 2] = [
    r#"sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#,
    "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:",
];
const B_2_2: [&str; 2] = [
    r#"sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example""#,
    "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
];
const B_2_3: [&str; 2] = [
    r#"sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#,
    "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
];
const B_2_5: [&str; 2] = [
    r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
    "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
];
const B_2_6: [&str; 2] = [
    r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
];

fn headers(signed: [&str; 2]) -> Vec<(String, String)> {
    [
        ("Host", "example.com"),
        ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", "application/json"),
        ("Content-Digest", DIGEST),
        ("Content-Length", "18"),
        ("Signature-Input", signed[0]),
        ("Signature", signed[1]),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn builder(secret: &str) -> WebhookBuilder {
    Webhook::builder()
        .scheme(Scheme::HttpSignature)
        .secret(secret)
}

/// Verifies with nothing asked to be covered.
fn verify(secret: &str, signed: [&str; 2]) -> Result<Verified, VerifyError> {
    let webhook = builder(secret).components([] as [&str; 0]).build().unwrap();
    let headers = headers(signed);
    webhook.verify_request(
        &Received::new(BODY, &headers).url(URL).method("POST"),
        CREATED + 5,
    )
}

#[test]
fn the_vectors_of_appendix_b_2_verify_and_say_what_they_cover() {
    for (secret, signed, algorithm, body_bound) in [
        (RSA, B_2_1, Algorithm::RsaPssSha512, BodyBound::None),
        (RSA, B_2_2, Algorithm::RsaPssSha512, BodyBound::Full),
        (RSA, B_2_3, Algorithm::RsaPssSha512, BodyBound::Full),
        (SECRET, B_2_5, Algorithm::HmacSha256, BodyBound::None),
        (ED25519, B_2_6, Algorithm::Ed25519, BodyBound::None),
    ] {
        let verified = verify(secret, signed).unwrap();
        assert_eq!(
            (verified.algorithm, verified.body_bound),
            (algorithm, body_bound),
            "{signed:?}"
        );
        assert_eq!(verified.scheme, Scheme::HttpSignature);
        assert_eq!(verified.timestamp, Some(CREATED));
        assert!(verified.timestamp_signed && !verified.id_signed);
        assert_eq!(verified.url_bound, signed == B_2_3);
    }
}

#[test]
fn anything_that_is_covered_and_changed_is_refused() {
    let webhook = builder(RSA).build().unwrap();
    let good = headers(B_2_3);
    let good = Received::new(BODY, &good).url(URL).method("POST");
    webhook.verify_request(&good, CREATED).unwrap();
    let refused = |request: &Received<'_>| {
        assert_eq!(
            webhook.verify_request(request, CREATED),
            Err(VerifyError::BadSignature),
            "{request:?}"
        );
    };
    refused(&good.method("PUT"));
    for url in [
        "https://example.com/foo?param=Value&Pet=cat",
        "https://example.com/foo",
        "https://example.com/bar?param=Value&Pet=dog",
        "https://example.org/foo?param=Value&Pet=dog",
        "https://example.com:8443/foo?param=Value&Pet=dog",
    ] {
        refused(&good.url(url));
    }
    // Not covered: the scheme; and the port that it has anyway is no other authority.
    webhook
        .verify_request(
            &good.url("HTTP://EXAMPLE.com:80/foo?param=Value&Pet=dog#x"),
            CREATED,
        )
        .unwrap();
    for covered in ["Date", "Content-Type", "Content-Length", "Content-Digest"] {
        let mut other = headers(B_2_3);
        other.retain(|(name, _)| name != covered);
        refused(&Received::new(BODY, &other).url(URL));
        other.push((covered.to_owned(), "x".to_owned()));
        refused(&Received::new(BODY, &other).url(URL));
        let mut twice = headers(B_2_3);
        twice.push((covered.to_owned(), "x".to_owned()));
        refused(&Received::new(BODY, &twice).url(URL));
    }
    let other_body = headers(B_2_3);
    refused(&Received::new(br#"{"hello": "World"}"#, &other_body).url(URL));
    let no_url = webhook.verify_request(&Received::new(BODY, &other_body), CREATED);
    assert_eq!(no_url, Err(VerifyError::MissingUrl));
}

#[test]
fn what_must_be_covered_must_be() {
    let request = |signed| headers(signed);
    // By default the body.
    let of = |secret: &str| builder(secret).build().unwrap();
    for (secret, signed, expected) in [
        (RSA, B_2_1, Err(VerifyError::NotCovered)),
        (RSA, B_2_2, Ok(())),
        (SECRET, B_2_5, Err(VerifyError::NotCovered)),
        (ED25519, B_2_6, Err(VerifyError::NotCovered)),
    ] {
        let headers = request(signed);
        let verdict = of(secret).verify_request(&Received::new(BODY, &headers).url(URL), CREATED);
        assert_eq!(verdict.map(drop), expected, "{signed:?}");
    }
    // Or whatever is asked for; a signature that does not fit is that before anything else.
    for (components, expected) in [
        (&["@path", "date"][..], Ok(())),
        (&["@query-param;name=\"Pet\""], Err(VerifyError::NotCovered)),
        (&["@path", "x-other"], Err(VerifyError::NotCovered)),
    ] {
        let webhook = builder(ED25519).components(components).build().unwrap();
        let headers = request(B_2_6);
        let verdict = webhook.verify_request(&Received::new(BODY, &headers).url(URL), CREATED);
        assert_eq!(verdict.map(drop), expected, "{components:?}");
        let other = Received::new(BODY, &headers).url("https://example.com/other");
        assert_eq!(
            webhook.verify_request(&other, CREATED),
            Err(VerifyError::BadSignature)
        );
    }
    for wrong in [
        "",
        "@status",
        "@query-param",
        "date;bs",
        "@signature-params",
        "a b",
        "@path;x=",
        "\"date\"",
        "Date",
    ] {
        assert!(
            builder(ED25519).components([wrong]).build().is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn times_are_checked() {
    let webhook = builder(RSA).build().unwrap();
    let headers = headers(B_2_2);
    let request = Received::new(BODY, &headers).url(URL);
    assert!(webhook.verify_request(&request, CREATED + 300).is_ok());
    assert!(webhook.verify_request(&request, CREATED - 300).is_ok());
    let late = webhook.verify_request(&request, CREATED + 301).unwrap_err();
    assert_eq!(
        (late.code(), late.header()),
        ("too_old", Some("signature-input"))
    );
    assert_eq!(
        webhook
            .verify_request(&request, CREATED - 301)
            .unwrap_err()
            .code(),
        "too_new"
    );
}

#[test]
fn key_ids_choose_among_the_keys() {
    let headers = headers(B_2_2);
    let request = Received::new(BODY, &headers).url(URL);
    let verify = |secrets: &[&str], ids: &[&str]| {
        let webhook = Webhook::builder()
            .scheme(Scheme::HttpSignature)
            .secrets(secrets)
            .key_ids(ids)
            .build()
            .unwrap();
        webhook
            .verify_request(&request, CREATED)
            .map(|verified| verified.key_index)
    };
    assert_eq!(verify(&[SECRET, RSA], &[]), Ok(1));
    assert_eq!(verify(&[SECRET, RSA], &["a", "test-key-rsa-pss"]), Ok(1));
    assert_eq!(verify(&[SECRET, RSA], &["a", ""]), Ok(1));
    assert_eq!(verify(&[SECRET, RSA], &["test-key-rsa-pss"]), Ok(1));
    assert_eq!(
        verify(&[SECRET, RSA], &["test-key-rsa-pss", "b"]),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn any_of_several_signatures_may_be_the_one() {
    let inputs = [B_2_5[0], B_2_2[0], r#"other=("x-not-there");created=1"#].join(", ");
    let signatures = [
        B_2_5[1].replace("pxcQ", "pxcR"),
        B_2_2[1].to_owned(),
        "other=:AAAA:".to_owned(),
    ]
    .join(", ");
    let headers = headers([&inputs, &signatures]);
    let webhook = Webhook::of(Scheme::HttpSignature, [SECRET, RSA]).unwrap();
    let verified = webhook
        .verify_request(&Received::new(BODY, &headers).url(URL), CREATED)
        .unwrap();
    assert_eq!(
        (verified.key_index, verified.body_bound),
        (1, BodyBound::Full)
    );
}

#[test]
fn what_cannot_be_right_is_refused() {
    for (signed, code) in [
        (["", "a=:AAAA:"], "empty_header"),
        (["a=()", ""], "empty_header"),
        (["nonsense", B_2_5[1]], "bad_signature"),
        ([B_2_5[0], "nonsense"], "bad_signature"),
        (
            [
                B_2_5[0],
                "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE9=:",
            ],
            "bad_signature",
        ),
        (
            [
                B_2_5[0],
                "other=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
            ],
            "bad_signature",
        ),
        (
            [&*B_2_5[0].replace(";created=1618884473", ""), B_2_5[1]],
            "bad_timestamp",
        ),
        (
            [&*B_2_5[0].replace("1618884473", "\"1618884473\""), B_2_5[1]],
            "bad_timestamp",
        ),
        (
            [&*B_2_5[0].replace("1618884473", "-1"), B_2_5[1]],
            "bad_timestamp",
        ),
        (
            [
                &*B_2_5[0].replace("1618884473", "1618884473;expires=1618884477"),
                B_2_5[1],
            ],
            "too_old",
        ),
        (
            [
                &*B_2_5[0].replace("1618884473", "1618884473;expires=1618884478"),
                B_2_5[1],
            ],
            "bad_signature",
        ),
        (
            [
                &*B_2_5[0].replace("1618884473", "1618884473;alg=\"ed25519\""),
                B_2_5[1],
            ],
            "bad_signature",
        ),
        (
            [
                &*B_2_5[0].replace("1618884473", "1618884473;alg=\"md5\""),
                B_2_5[1],
            ],
            "bad_signature",
        ),
        (
            [
                &*B_2_5[0].replace("\"date\"", "\"date\" \"date\""),
                B_2_5[1],
            ],
            "bad_signature",
        ),
        (
            [&*B_2_5[0].replace("\"date\"", "\"date\";bs"), B_2_5[1]],
            "bad_signature",
        ),
        (
            [
                &*B_2_5[0].replace("\"date\"", "\"@signature-params\""),
                B_2_5[1],
            ],
            "bad_signature",
        ),
        (
            [
                &*"a=(),b=(),c=(),d=(),e=(),f=(),g=(),h=(),i=()".to_owned(),
                "a=:AA==:",
            ],
            "too_many_signatures",
        ),
        (
            [&*format!("a=(){}", " ".repeat(8192)), "a=:AA==:"],
            "too_many_signatures",
        ),
    ] {
        assert_eq!(
            verify(SECRET, signed).unwrap_err().code(),
            code,
            "{signed:?}"
        );
    }
    // A key of another kind never checks a signature of this one.
    assert_eq!(verify(ED25519, B_2_5).unwrap_err().code(), "bad_signature");
    assert_eq!(verify(RSA, B_2_6).unwrap_err().code(), "bad_signature");
    let mut twice = headers(B_2_5);
    twice.push(("signature".to_owned(), "a=:AA==:".to_owned()));
    let webhook = builder(SECRET).build().unwrap();
    let verdict = webhook.verify_request(&Received::new(BODY, &twice), CREATED);
    assert_eq!(verdict.unwrap_err().code(), "repeated_header");
}

#[test]
fn what_is_signed_verifies() {
    let signing = generate_key_pair(&[7; 32]);
    for (sign, verify, algorithm) in [
        (SECRET, SECRET, Algorithm::HmacSha256),
        (
            signing.signing.expose(),
            signing.public.as_str(),
            Algorithm::Ed25519,
        ),
    ] {
        let signer = Signer::of(Scheme::HttpSignature, [sign]).unwrap();
        let webhook = builder(verify).build().unwrap();
        for url in [None, Some(URL)] {
            let mut outgoing = Outgoing::new(BODY, CREATED);
            outgoing.url = url;
            let signed = signer.sign_request(&outgoing).unwrap();
            let mut received = Received::new(BODY, &signed.headers);
            received.url = url;
            let verified = webhook.verify_request(&received, CREATED).unwrap();
            assert_eq!(
                (verified.algorithm, verified.body_bound),
                (algorithm, BodyBound::Full)
            );
            assert_eq!(verified.url_bound, url.is_some());
            received.body = b"{}";
            assert_eq!(
                webhook.verify_request(&received, CREATED),
                Err(VerifyError::BadSignature)
            );
        }
        let no_url = signer.sign_request(&Outgoing::new(BODY, CREATED).url("/relative"));
        assert!(no_url.is_err());
    }
    assert!(Signer::of(Scheme::HttpSignature, [RSA]).is_err());
}

#[test]
fn explain_tells_signatures_from_what_they_cover() {
    let of = |secret: &str| builder(secret).build().unwrap();
    let good = headers(B_2_2);
    let request = Received::new(BODY, &good).url(URL);
    let code = |webhook: &Webhook, request: &Received<'_>, now| {
        webhook.explain_request(request, now).code()
    };
    assert_eq!(code(&of(RSA), &request, CREATED), "valid");
    assert_eq!(code(&of(RSA), &request, CREATED + 1000), "clock_off");
    let minimal = headers(B_2_1);
    assert_eq!(
        code(&of(RSA), &Received::new(BODY, &minimal).url(URL), CREATED),
        "not_covered"
    );
    // The body was written again on the way.
    let compact = Received::new(br#"{"hello":"world"}"#, &good).url(URL);
    assert_eq!(code(&of(RSA), &compact, CREATED), "body_changed");
}
