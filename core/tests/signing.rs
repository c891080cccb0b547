//! Signatures on requests: what arrived, checked with the public halves of the keys; made anew for each attempt. And several credentials.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatewright::engine::signing::{
    Component, MessageSignature, Signable, SignatureParameters, SignedBody,
};
use gatewright::signing::{Dpop, HmacScheme, HttpSignature, SigningKey};
use gatewright::testing::{Scripted, VirtualClock, answer, answer_with, failure};
use gatewright::transport::{TransportError, TransportResponse};
use gatewright::{Auth, Body, Client, ErrorKind, FailureClass, Hypothetical, Plan};
use http::HeaderMap;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
};
use serde_json::Value;

const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n";
const ED25519_PUBLIC: &str = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";

struct World {
    clock: VirtualClock,
    transport: Scripted,
    client: Client,
}

fn world(
    auth: Auth,
    script: impl IntoIterator<Item = Result<TransportResponse, TransportError>>,
) -> World {
    let (clock, transport) = (VirtualClock::new(7), Scripted::new(script));
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(transport.clone())
        .auth(auth)
        .build()
        .unwrap();
    World {
        clock,
        transport,
        client,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |v| v.to_str().unwrap())
}

/// `test-request` of RFC 9421, appendix B.2.
fn base(components: &[&str], parameters: SignatureParameters<'_>) -> String {
    let url = url::Url::parse("https://example.com/foo?param=Value&Pet=dog").unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let signature = MessageSignature {
        components: components
            .iter()
            .map(|text| Component::parse(text).unwrap())
            .collect(),
        ..MessageSignature::default()
    };
    let request = Signable {
        method: &http::Method::POST,
        url: &url,
        headers: &headers,
        body: SignedBody::Bytes(b""),
    };
    signature.base(&request, &parameters).unwrap().base
}

/// The RSA key of appendix B.1.2: the PKCS #1 half of its SubjectPublicKeyInfo.
const RSA_PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";

#[test]
fn the_bases_are_those_that_the_rfc_signed() {
    let created = Some(1_618_884_473);
    let keyid = Some("test-key-rsa-pss");
    let spki = STANDARD.decode(RSA_PUBLIC).unwrap();
    // The header of a SubjectPublicKeyInfo of 2048 bits is 24 bytes long.
    let rsa = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA512, &spki[24..]);
    for (base, signature) in [
        (
            base(
                &[],
                SignatureParameters {
                    created,
                    keyid,
                    nonce: Some("b3k2pp5k7z-50gnwp.yemd"),
                    ..SignatureParameters::default()
                },
            ),
            "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
        ),
        (
            base(
                &["@authority", "content-digest", "@query-param;name=\"Pet\""],
                SignatureParameters {
                    created,
                    keyid,
                    tag: Some("header-example"),
                    ..SignatureParameters::default()
                },
            ),
            "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==",
        ),
        (
            base(
                &[
                    "date",
                    "@method",
                    "@path",
                    "@query",
                    "@authority",
                    "content-type",
                    "content-digest",
                    "content-length",
                ],
                SignatureParameters {
                    created,
                    keyid,
                    ..SignatureParameters::default()
                },
            ),
            "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
        ),
    ] {
        rsa.verify(base.as_bytes(), &STANDARD.decode(signature).unwrap())
            .unwrap();
    }
    // B.2.6 is deterministic.
    let base = base(
        &[
            "date",
            "@method",
            "@path",
            "@authority",
            "content-type",
            "content-length",
        ],
        SignatureParameters {
            created,
            keyid: Some("test-key-ed25519"),
            ..SignatureParameters::default()
        },
    );
    let signature = STANDARD
        .decode("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==")
        .unwrap();
    UnparsedPublicKey::new(&ED25519, STANDARD.decode(ED25519_PUBLIC).unwrap())
        .verify(base.as_bytes(), &signature)
        .unwrap();
}

#[test]
fn an_http_signature_is_good_and_made_anew_for_each_attempt() {
    let key = SigningKey::from_pem(ED25519_PEM).unwrap();
    let signer = HttpSignature::new("test-key-ed25519", key);
    let world = world(
        Auth::bearer("sk_1").and_signed(signer),
        [failure(FailureClass::ConnectionLost), answer(201)],
    );
    let sent = world.client.post("/v1/x?a=1").body("hello").send();
    world.clock.block_on(sent).unwrap();
    let requests = world.transport.requests();
    let key = UnparsedPublicKey::new(&ED25519, STANDARD.decode(ED25519_PUBLIC).unwrap());
    let mut inputs = Vec::new();
    for seen in &requests {
        let input = text(&seen.headers, "signature-input")
            .strip_prefix("sig1=")
            .unwrap();
        assert!(input.starts_with(
            "(\"@method\" \"@target-uri\" \"content-digest\");created=1767225600;keyid=\"test-key-ed25519\";alg=\"ed25519\";nonce=\""
        ));
        let digest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
        assert_eq!(text(&seen.headers, "content-digest"), digest);
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": https://api.example/v1/x?a=1\n\"content-digest\": {digest}\n\"@signature-params\": {input}"
        );
        let signature = text(&seen.headers, "signature")
            .strip_prefix("sig1=:")
            .unwrap()
            .trim_end_matches(':');
        key.verify(base.as_bytes(), &STANDARD.decode(signature).unwrap())
            .unwrap();
        assert_eq!(text(&seen.headers, "authorization"), "Bearer sk_1");
        inputs.push(input.to_owned());
    }
    assert_eq!(requests.len(), 2);
    assert_ne!(inputs[0], inputs[1]);
    assert_eq!(
        text(&requests[0].headers, "idempotency-key"),
        text(&requests[1].headers, "idempotency-key")
    );
}

#[test]
fn keys_of_rsa_and_p_256_sign_too() {
    let rsa = SigningKey::from_pem(include_str!("keys/rfc9421-rsa-pss.pem")).unwrap();
    let (p256, _) = SigningKey::generate_p256().unwrap();
    let jwk = p256.public_jwk().unwrap();
    let world_of = |key| {
        let signer = HttpSignature::new("k", key)
            .components(["@method"])
            .unwrap();
        world(Auth::signed(signer.nonce(false)), [answer(200)])
    };
    for (key, name) in [(rsa, "rsa-pss-sha512"), (p256, "ecdsa-p256-sha256")] {
        let world = world_of(key);
        world.clock.block_on(world.client.get("/x").send()).unwrap();
        let seen = &world.transport.requests()[0];
        let input = text(&seen.headers, "signature-input").trim_start_matches("sig1=");
        assert_eq!(
            input,
            format!("(\"@method\");created=1767225600;keyid=\"k\";alg=\"{name}\"")
        );
        let base = format!("\"@method\": GET\n\"@signature-params\": {input}");
        let signature = text(&seen.headers, "signature")
            .trim_start_matches("sig1=:")
            .trim_end_matches(':');
        let signature = STANDARD.decode(signature).unwrap();
        if name == "rsa-pss-sha512" {
            let spki = STANDARD.decode(RSA_PUBLIC).unwrap();
            UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA512, &spki[24..])
                .verify(base.as_bytes(), &signature)
                .unwrap();
        } else {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(&jwk))
                .verify(base.as_bytes(), &signature)
                .unwrap();
        }
    }
}

fn point(jwk: &Value) -> Vec<u8> {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    [vec![4], part("x"), part("y")].concat()
}

#[test]
fn hmac_is_made_anew_and_its_secret_is_not_shown() {
    let scheme = HmacScheme::new("k1", "canary-secret");
    let body = "{\"detail\":\"bad signature by canary-secret\"}";
    let world = world(
        Auth::signed(scheme),
        [answer(503), answer_with(403, &[], body)],
    );
    let error = world
        .clock
        .block_on(world.client.put("/v1/x").body("hi").send())
        .unwrap_err();
    let [first, second] = &world.transport.requests()[..] else {
        panic!()
    };
    let (first, second) = (
        text(&first.headers, "authorization"),
        text(&second.headers, "authorization"),
    );
    assert!(first.starts_with("HMAC-SHA256 keyid=\"k1\", ts=\"1767225600\", nonce=\""));
    assert_ne!(first, second);
    let shown = format!("{error} {error:?} {:?} {:?}", error.body(), world.client);
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_streamed_body_that_would_have_to_be_signed_is_refused_before_it_is_sent() {
    let key = SigningKey::from_pem(ED25519_PEM).unwrap();
    for auth in [
        Auth::signed(HmacScheme::new("k1", "secret")),
        Auth::signed(HttpSignature::new("k", key)),
    ] {
        let world = world(auth, [answer(200)]);
        let stream = futures_util::stream::iter([Ok("a".into())]);
        let sent = world.client.put("/f").body(Body::once(stream, None)).send();
        let error = world.clock.block_on(sent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("unsigned_streams"), "{error}");
        assert!(world.transport.requests().is_empty());
    }
    let key = SigningKey::from_pem(ED25519_PEM).unwrap();
    let lax = HttpSignature::new("k", key).unsigned_streams(true);
    let world = world(Auth::signed(lax), [answer(200)]);
    let stream = futures_util::stream::iter([Ok("a".into())]);
    world
        .clock
        .block_on(world.client.put("/f").body(Body::once(stream, None)).send())
        .unwrap();
    let seen = &world.transport.requests()[0];
    assert!(
        text(&seen.headers, "signature-input").starts_with("sig1=(\"@method\" \"@target-uri\");")
    );
}

fn claims(proof: &str, jwk: &Value) -> Value {
    let parts: Vec<_> = proof.split('.').collect();
    let decoded = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let header = decoded(parts[0]);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&"dpop+jwt".into(), &"ES256".into())
    );
    assert_eq!(&header["jwk"], jwk);
    let signed = format!("{}.{}", parts[0], parts[1]);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(jwk))
        .verify(
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(parts[2]).unwrap(),
        )
        .unwrap();
    decoded(parts[1])
}

#[test]
fn a_dpop_proof_goes_with_each_attempt_and_takes_the_servers_nonce() {
    let (key, _) = SigningKey::generate_p256().unwrap();
    let jwk = key.public_jwk().unwrap();
    let nonce = [
        ("dpop-nonce", "n1"),
        ("www-authenticate", "DPoP error=\"use_dpop_nonce\""),
    ];
    let world = world(
        Auth::bearer("token-1").dpop(&Dpop::new(key)),
        [
            answer_with(401, &nonce, "{}"),
            answer_with(200, &[("dpop-nonce", "n2")], "{}"),
            answer(200),
        ],
    );
    world
        .clock
        .block_on(world.client.get("/x?q=1").send())
        .unwrap();
    world.clock.block_on(world.client.get("/x").send()).unwrap();
    let requests = world.transport.requests();
    assert_eq!(requests.len(), 3);
    let claims: Vec<_> = requests
        .iter()
        .map(|seen| {
            assert_eq!(text(&seen.headers, "authorization"), "DPoP token-1");
            claims(text(&seen.headers, "dpop"), &jwk)
        })
        .collect();
    assert_eq!(claims[0]["htu"], "https://api.example/x");
    assert_eq!(claims[0]["htm"], "GET");
    assert_eq!(
        claims[0]["ath"],
        gatewright::engine::signing::sha256_base64url(b"token-1")
    );
    let nonces: Vec<_> = claims
        .iter()
        .map(|claims| claims["nonce"].clone())
        .collect();
    assert_eq!(nonces, [Value::Null, "n1".into(), "n2".into()]);
    assert_ne!(claims[0]["jti"], claims[1]["jti"]);
}

#[test]
fn a_fixed_token_that_is_refused_is_not_sent_again() {
    // Some servers give a nonce with every answer. It would not make a token good that is not.
    let refusals: [&[(&str, &str)]; 3] = [
        &[],
        &[("www-authenticate", "DPoP error=\"invalid_token\"")],
        &[
            ("dpop-nonce", "n1"),
            ("www-authenticate", "DPoP error=\"invalid_token\""),
        ],
    ];
    for refusal in refusals {
        let (key, _) = SigningKey::generate_p256().unwrap();
        let world = world(
            Auth::bearer("token-1").dpop(&Dpop::new(key)),
            [answer_with(401, refusal, "{}"), answer(200)],
        );
        let mut supposed = Hypothetical::answer(401);
        for (name, value) in refusal {
            supposed = supposed.header(name, value);
        }
        let explained = world.client.explain(supposed).unwrap();
        assert_ne!(explained.decision, Plan::RefreshToken, "{refusal:?}");
        let sent = world.client.get("/x").send();
        let error = world.clock.block_on(sent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{refusal:?}");
        assert_eq!(error.attempts().len(), 1, "{refusal:?}");
        assert_eq!(world.transport.requests().len(), 1, "{refusal:?}");
    }
}

#[test]
fn a_server_that_wants_the_nonce_for_ever_is_asked_twice() {
    let (key, _) = SigningKey::generate_p256().unwrap();
    let nonce = |n| {
        answer_with(
            401,
            &[
                ("dpop-nonce", n),
                ("www-authenticate", "DPoP error=\"use_dpop_nonce\""),
            ],
            "{}",
        )
    };
    let world = world(
        Auth::bearer("token-1").dpop(&Dpop::new(key)),
        [nonce("a"), nonce("b"), nonce("c")],
    );
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(world.transport.requests().len(), 2);
}

#[test]
fn calls_use_the_credential_that_they_name() {
    let (clock, transport) = (
        VirtualClock::new(7),
        Scripted::new((0..4).map(|_| answer(200))),
    );
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(transport.clone())
        .auth(Auth::bearer("canary-default"))
        .credential("admin", Auth::api_key("x-api-key", "canary-admin").unwrap())
        .credential(
            "partner",
            Auth::signed(HmacScheme::new("p", "canary-partner")),
        )
        .build()
        .unwrap();
    for request in [
        client.get("/x"),
        client.get("/x").credential("admin"),
        client.get("/x").credential("partner"),
        client.get("/x").without_credential(),
    ] {
        clock.block_on(request.send()).unwrap();
    }
    let shown: Vec<_> = transport
        .requests()
        .iter()
        .map(|seen| {
            let authorization = text(&seen.headers, "authorization");
            let scheme = authorization.split(' ').next().unwrap().to_owned();
            (scheme, text(&seen.headers, "x-api-key").to_owned())
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("Bearer".to_owned(), String::new()),
            (String::new(), "canary-admin".to_owned()),
            ("HMAC-SHA256".to_owned(), String::new()),
            (String::new(), String::new()),
        ]
    );
    let error = clock
        .block_on(client.get("/canary-admin").credential("nobody").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(!format!("{error:?} {client:?}").contains("canary"));
    let twice = Client::builder("https://api.example")
        .credential("a", Auth::none())
        .credential("a", Auth::none());
    let error = twice.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
}

#[test]
fn credentials_have_numbers_of_their_own() {
    let one = Auth::bearer("one");
    assert_eq!(one.partition(), Auth::bearer("one").partition());
    assert_ne!(one.partition(), Auth::bearer("two").partition());
    let fetched = || Auth::token(|| async { Err("never".into()) });
    let source = fetched();
    assert_eq!(source.partition(), source.clone().partition());
    assert_ne!(source.partition(), fetched().partition());
    let signed = |key: &str| Auth::bearer("one").and_signed(HmacScheme::new(key, "s"));
    assert_ne!(signed("a").partition(), signed("b").partition());
    assert_ne!(signed("a").partition(), one.partition());
}
