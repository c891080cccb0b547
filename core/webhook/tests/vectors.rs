//! Published vectors, and vectors computed with Python's `hmac` and with `cryptography` (OpenSSL).

use gatewright_webhook::{Algorithm, BodyBound, Scheme, Signer, Webhook};

/// The example of the Standard Webhooks reference libraries.
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const NOW: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const HMAC: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

/// The `v1a` signature in the specification's header example, with Svix's published key pair.
const SIGNING_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const ED25519: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

fn headers(signature: &str) -> [(&'static str, String); 3] {
    [
        ("webhook-id", ID.to_owned()),
        ("webhook-timestamp", NOW.to_string()),
        ("webhook-signature", signature.to_owned()),
    ]
}

#[test]
fn signs_and_verifies_the_published_v1_vector() {
    let signed = Signer::new([SECRET]).unwrap().sign(ID, NOW, BODY).unwrap();
    assert_eq!(
        signed.headers(),
        [
            ("webhook-id", ID),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", HMAC)
        ]
    );

    let verified = Webhook::new([SECRET])
        .unwrap()
        .verify(BODY, &headers(HMAC), NOW)
        .unwrap();
    assert_eq!(verified.scheme, Scheme::StandardWebhooks);
    assert_eq!(verified.algorithm, Algorithm::HmacSha256);
    assert_eq!(verified.key_index, 0);
    assert_eq!(verified.timestamp, Some(NOW));
    assert_eq!(verified.message_id.as_deref(), Some(ID));
    assert_eq!(verified.body_bound, BodyBound::Full);
    assert!(verified.timestamp_signed && verified.id_signed && !verified.url_bound);
}

#[test]
fn signs_and_verifies_the_published_v1a_vector() {
    let signed = Signer::new([SIGNING_KEY])
        .unwrap()
        .sign(ID, NOW, BODY)
        .unwrap();
    assert_eq!(signed.signature, ED25519);

    let verified = Webhook::new([PUBLIC_KEY])
        .unwrap()
        .verify(BODY, &headers(ED25519), NOW)
        .unwrap();
    assert_eq!(verified.algorithm, Algorithm::Ed25519);
}

#[test]
fn agrees_with_openssl_on_the_key_pairs_of_rfc_8032() {
    let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
    let body = br#"{"type":"contact.created"}"#;
    // RFC 8032, section 7.1, tests 1 to 3; signatures by OpenSSL.
    let pairs = [
        (
            "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==",
            "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "v1a,4ny2FhNoAyIFn4d0z3ProW0u46dYkaQ/Nz6GCqjRWVesje7/Lx5vYGuLoJRThHUBlnWSaiPaGHQO8meB4t40AQ==",
        ),
        (
            "whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs9QBfD6EOJWpK3CqdNG368nJgszy7ElozAzVXxKvRmDA==",
            "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
            "v1a,zs5dVi2ETzIYEt9wAZlGvs8O8t9yLQ1mLmGTqafW9pTS1cx+/59CJtpYGtdKa/kh0hhImlXdBvoWwALdi8GrDg==",
        ),
        (
            "whsk_xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPf8Uc2OYhiho42kftACMPBYCBbtE7ozA6xd65EVSJCAJQ==",
            "whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
            "v1a,x6MJvYvYmHn8iOC8e3HxaMkd8ynX+FcTijD504bu2/HcyHApuYzSqdCyq6b6gNxThqBpgnMC1f6ScohA6t8UDA==",
        ),
    ];
    for (signing, public, signature) in pairs {
        let signed = Signer::new([signing])
            .unwrap()
            .sign(id, 1_674_087_231, body)
            .unwrap();
        assert_eq!(signed.signature, signature);
        let webhook = Webhook::new([public]).unwrap();
        webhook
            .verify(body, &signed.headers(), 1_674_087_231)
            .unwrap();
    }
}

#[test]
fn agrees_with_python_on_secrets_and_bodies_of_every_length_that_matters() {
    use base64::Engine as _;
    // (body length, secret length, signature): byte i is `(7 i + length) mod 256` in the body and
    // `(5 i + length) mod 256` in the secret; lengths on both sides of a hash block.
    let rows = [
        (0, 24, "v1,P1hOPyBV4hIuRV5Nxa3DKg/oDqbG/jjRE11E73n3yNU="),
        (0, 32, "v1,fHIEJTakjncStu1tGeh39OIIOw1ZSfx6wxJBFz1MsRw="),
        (0, 64, "v1,dfveOgg1W2e1pUmPYYJcvcSXakcsrgcZkNHkQX1JfLw="),
        (1, 24, "v1,d51+YFyBVsH+K9CX0VUKJHOqwmXq9zJJnDFVUgZpRe8="),
        (1, 32, "v1,oUyOjAWGZn+e+kMWUoAddbKxLhWF2jYGwBHkIWAv3xo="),
        (1, 64, "v1,K15ooA3J3Xj3nnac51vTc4YPBWqe7F4L+ha4Vnw/yUg="),
        (36, 24, "v1,lMr6i/eIqWQoylHQK8cIsoeflr574iS2qXFtV29imo4="),
        (36, 32, "v1,IyPuWA/4g5gfFVqAUiPHEZwmXLP8Nbl7UGbOnG6lXUQ="),
        (36, 64, "v1,sTG1Ov4ZgBRa/g9NOAElQxzkilF9Ci7YT+KhNVyOF8Q="),
        (37, 24, "v1,bkqv9uKxh0srGpgmB2SYmfLc1Vm43rtygKv+mV3nTZU="),
        (37, 32, "v1,pDVbGG7IoKjnOfF/MPbmBBqQp/hFrQlgJwI34K1oK0A="),
        (37, 64, "v1,RBlSFdxh7nxUFfmt85YgA705kHdyDAOxKMga7u+9Uoo="),
        (45, 24, "v1,uEvRI+p5E+CLWnyJS0tp/7R5IJeOG9TB4q60ml+B2Xg="),
        (45, 32, "v1,nibQ8pgE/U0TCPoHx4Q1D9INbMsy6ZQmbvyNekchFs0="),
        (45, 64, "v1,qHXvkiemte906+e01X76Ny3DqbPw8T65A+IkFWcCajU="),
        (46, 24, "v1,XpTiRS5r6UfxvrRjzAxCyO2TPX0dGC/LHd+X7Tn8DyY="),
        (46, 32, "v1,smH8XhlosJdG0RY3X83Tn5inBgjZfjHhojzdwudfQnw="),
        (46, 64, "v1,diqMfjPRitevCFG4aQC3NjiLe7e+m38ZvIyRi/vZLzA="),
        (100, 24, "v1,BJtAhE8LbLd+EqFj/dcEUESCZbTJ9q7FaT2Slo8Baz4="),
        (100, 32, "v1,HZYfqTUfpRxaeWuVbdIQ739LFkCqQVTjSEMx2n/jQhI="),
        (100, 64, "v1,tV+sQBS++tJm+3TBrhOFZHOGIY7gha2JR9sjzmM+9Bk="),
        (1000, 24, "v1,b5u3QiugwN9V6Zz6lWmvadKe5Uf/vdoWcUHXX6Nbqxk="),
        (1000, 32, "v1,t27LqZWu6UnIbd8JnoQCTXTdbr7a370+W3qBw1XJUL0="),
        (1000, 64, "v1,HLrsKVnLyuWwvuVlnoaD+oFxV1QP/E8bSL+2lJJePgw="),
        (20000, 24, "v1,7MM1JUuublfUSC2SFFurChgYQcZF/gfuGHbh4ao/Vrc="),
        (20000, 32, "v1,JiR/vKxsMx+crpNvrym1C+QNQHrFYhUMmLNTxn0byWw="),
        (20000, 64, "v1,LCzhmlkX8YV6i57xm6Hzk6p5wp/zO6hK7YGLmYDk4J4="),
    ];
    let fill = |length: usize, step: usize| -> Vec<u8> {
        (0..length)
            .map(|i| ((i * step + length) % 256) as u8)
            .collect()
    };
    for (body_len, secret_len, signature) in rows {
        let body = fill(body_len, 7);
        let secret = base64::engine::general_purpose::STANDARD.encode(fill(secret_len, 5));
        let signed = Signer::new([format!("whsec_{secret}")])
            .unwrap()
            .sign("msg_1", NOW, &body)
            .unwrap();
        assert_eq!(
            signed.signature, signature,
            "body {body_len}, secret {secret_len}"
        );
    }
}

#[test]
fn a_rotation_is_signed_with_every_secret_and_verified_with_any() {
    let old = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZA==";
    let signed = Signer::new([old, SIGNING_KEY, SECRET])
        .unwrap()
        .sign(ID, NOW, BODY)
        .unwrap();
    let tokens: Vec<_> = signed.signature.split(' ').collect();
    assert_eq!(tokens.len(), 3);
    assert_eq!(tokens[1..], [ED25519, HMAC]);

    for (secrets, index, algorithm) in [
        (vec![SECRET], 0, Algorithm::HmacSha256),
        (vec![old], 0, Algorithm::HmacSha256),
        (vec![PUBLIC_KEY], 0, Algorithm::Ed25519),
        (vec![PUBLIC_KEY, SECRET], 0, Algorithm::Ed25519),
        (
            vec!["whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldw==", SECRET],
            1,
            Algorithm::HmacSha256,
        ),
    ] {
        let verified = Webhook::new(&secrets)
            .unwrap()
            .verify(BODY, &signed.headers(), NOW)
            .unwrap();
        assert_eq!(
            (verified.key_index, verified.algorithm),
            (index, algorithm),
            "{secrets:?}"
        );
    }
}
