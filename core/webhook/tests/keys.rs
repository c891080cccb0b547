//! Secrets: which are taken, which are refused when given, and that none is ever shown.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_webhook::{
    KeyErrorKind, Signer, Webhook, generate_key_pair, generate_secret, limits,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNING_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

fn verifying(secret: &str) -> Option<KeyErrorKind> {
    Webhook::new([secret]).err().map(|error| error.kind)
}

fn signing(secret: &str) -> Option<KeyErrorKind> {
    Signer::new([secret]).err().map(|error| error.kind)
}

fn secret(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}{}", STANDARD.encode(bytes))
}

#[test]
fn refuse_malformed_secrets_when_they_are_given() {
    for (text, kind) in [
        ("", KeyErrorKind::Empty),
        ("   ", KeyErrorKind::Empty),
        ("whsec_", KeyErrorKind::Empty),
        ("whpk_", KeyErrorKind::Empty),
        (
            " whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            KeyErrorKind::Whitespace,
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
            KeyErrorKind::Whitespace,
        ),
        (
            "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            KeyErrorKind::VersionPrefix,
        ),
        (
            "v1a,whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            KeyErrorKind::VersionPrefix,
        ),
        (
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            KeyErrorKind::UnknownPrefix,
        ),
        (
            "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            KeyErrorKind::UnknownPrefix,
        ),
        (
            "whsec-MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            KeyErrorKind::UnknownPrefix,
        ),
        ("sk_live_abc", KeyErrorKind::UnknownPrefix),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            KeyErrorKind::BadBase64,
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
            KeyErrorKind::BadBase64,
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8I LPZIo2LaLaSw",
            KeyErrorKind::BadBase64,
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8I-PZIo2LaLaS_",
            KeyErrorKind::BadBase64,
        ),
        (
            "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI",
            KeyErrorKind::BadBase64,
        ),
        (
            "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXJ=",
            KeyErrorKind::BadBase64,
        ),
        (
            "whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            KeyErrorKind::BadBase64,
        ),
        ("whsec_é", KeyErrorKind::BadBase64),
        ("whsec_\0", KeyErrorKind::BadBase64),
    ] {
        assert_eq!(verifying(text), Some(kind), "{text:?}");
        assert_eq!(signing(text), Some(kind), "{text:?}");
    }
}

#[test]
fn an_hmac_secret_has_24_to_64_bytes() {
    for (length, kind) in [
        (1, Some(KeyErrorKind::TooShort)),
        (23, Some(KeyErrorKind::TooShort)),
        (24, None),
        (64, None),
        (65, Some(KeyErrorKind::TooLong)),
        (4096, Some(KeyErrorKind::TooLong)),
    ] {
        let text = secret("whsec_", &vec![7; length]);
        assert_eq!(verifying(&text), kind, "{length}");
        assert_eq!(signing(&text), kind, "{length}");
    }
}

#[test]
fn each_kind_of_key_does_only_its_own_work() {
    assert_eq!(verifying(SECRET), None);
    assert_eq!(verifying(PUBLIC_KEY), None);
    assert_eq!(
        verifying(SIGNING_KEY),
        Some(KeyErrorKind::SigningKeyCannotVerify)
    );
    assert_eq!(signing(SECRET), None);
    assert_eq!(signing(SIGNING_KEY), None);
    assert_eq!(signing(PUBLIC_KEY), Some(KeyErrorKind::PublicKeyCannotSign));
}

#[test]
fn a_public_key_given_as_a_secret_beside_itself_is_refused() {
    let as_secret = PUBLIC_KEY.replace("whpk_", "whsec_");
    let error = Webhook::new([PUBLIC_KEY, as_secret.as_str()]).unwrap_err();
    assert_eq!(
        (error.kind, error.index),
        (KeyErrorKind::PublicKeyAsSecret, 1)
    );
}

#[test]
fn refuse_public_keys_that_prove_nothing() {
    assert_eq!(
        verifying(&secret("whpk_", &[1; 31])),
        Some(KeyErrorKind::TooShort)
    );
    assert_eq!(
        verifying(&secret("whpk_", &[1; 33])),
        Some(KeyErrorKind::TooLong)
    );
    assert_eq!(
        verifying(&secret("whpk_", &[2; 32])),
        Some(KeyErrorKind::BadPublicKey),
        "no point"
    );
    // Low order: the identity, the point of order 2, one of order 8.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut order_two = [0xff; 32];
    order_two[0] = 0xec;
    order_two[31] = 0x7f;
    let order_eight: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    for bytes in [identity, [0; 32], order_two, order_eight] {
        assert_eq!(
            verifying(&secret("whpk_", &bytes)),
            Some(KeyErrorKind::WeakPublicKey),
            "{bytes:?}"
        );
    }
    // y = 3 + p, a second encoding of y = 3.
    let mut three = [0; 32];
    three[0] = 3;
    assert_eq!(verifying(&secret("whpk_", &three)), None);
    let mut three_again = [0xff; 32];
    three_again[0] = 0xf0;
    three_again[31] = 0x7f;
    assert_eq!(
        verifying(&secret("whpk_", &three_again)),
        Some(KeyErrorKind::BadPublicKey)
    );
}

#[test]
fn a_signing_key_must_be_a_pair_that_belongs_together() {
    let mut pair = STANDARD
        .decode(SIGNING_KEY.strip_prefix("whsk_").unwrap())
        .unwrap();
    assert_eq!(
        signing(&secret("whsk_", &pair[..32])),
        Some(KeyErrorKind::TooShort),
        "a seed alone"
    );
    assert_eq!(
        signing(&secret("whsk_", &[0; 65])),
        Some(KeyErrorKind::TooLong)
    );
    pair[0] ^= 1;
    assert_eq!(
        signing(&secret("whsk_", &pair)),
        Some(KeyErrorKind::MismatchedPair)
    );
}

#[test]
fn a_list_of_secrets_has_1_to_16_and_the_error_names_the_wrong_one() {
    let none: [&str; 0] = [];
    assert_eq!(Webhook::new(none).unwrap_err().kind, KeyErrorKind::NoSecret);
    assert_eq!(Signer::new(none).unwrap_err().kind, KeyErrorKind::NoSecret);
    assert!(Webhook::new(vec![SECRET; limits::MAX_SECRETS]).is_ok());
    assert_eq!(
        Webhook::new(vec![SECRET; limits::MAX_SECRETS + 1])
            .unwrap_err()
            .kind,
        KeyErrorKind::TooManySecrets
    );

    let error = Webhook::new([SECRET, PUBLIC_KEY, "oops"]).unwrap_err();
    assert_eq!((error.kind, error.index), (KeyErrorKind::UnknownPrefix, 2));
}

#[test]
fn texts_of_key_errors_are_exact() {
    let text = |secrets: &[&str]| Webhook::new(secrets).unwrap_err().to_string();
    assert_eq!(text(&[]), "no webhook secret given: give at least one");
    assert_eq!(
        text(&[SECRET; 17]),
        "more than 16 webhook secrets given: remove retired ones"
    );
    assert_eq!(
        text(&[SECRET, ""]),
        "webhook secret [1]: is empty: is the environment variable set?"
    );
    assert_eq!(
        text(&[" x"]),
        "webhook secret [0]: has spaces or line ends around it: trim it"
    );
    assert_eq!(
        text(&["x"]),
        "webhook secret [0]: expected it to begin with whsec_, whpk_ or whsk_"
    );
    assert_eq!(
        text(&["v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]),
        "webhook secret [0]: begins with the version of a signature: remove everything before whsec_ or whpk_",
    );
    assert_eq!(
        text(&["whsec_!"]),
        "webhook secret [0]: what follows the prefix is not standard base64 with its padding: copy the whole secret again",
    );
    assert_eq!(
        text(&["whsec_AAAA"]),
        "webhook secret [0]: shorter than allowed: expected 24 to 64 bytes after whsec_, 32 after whpk_, 64 after whsk_",
    );
    assert_eq!(
        text(&[&secret("whsec_", &[0; 65])]),
        "webhook secret [0]: longer than allowed: expected 24 to 64 bytes after whsec_, 32 after whpk_, 64 after whsk_",
    );
    assert_eq!(
        text(&[SIGNING_KEY]),
        "webhook secret [0]: a whsk_ key signs and stays with the sender: verify with its whpk_ key",
    );
    assert_eq!(
        Signer::new([PUBLIC_KEY]).unwrap_err().to_string(),
        "webhook secret [0]: a whpk_ key only verifies: sign with the whsk_ key it belongs to",
    );
    assert_eq!(
        text(&[PUBLIC_KEY, &PUBLIC_KEY.replace("whpk_", "whsec_")]),
        "webhook secret [1]: the same bytes are also given as a whpk_ key, which is public: remove the whsec_ one",
    );
    assert_eq!(
        text(&[&secret("whpk_", &[0; 32])]),
        "webhook secret [0]: a public key of low order, under which anybody can sign: get another key from the sender",
    );
    assert_eq!(
        text(&[&secret("whpk_", &[2; 32])]),
        "webhook secret [0]: not an Ed25519 public key: copy the whole key again"
    );
    assert_eq!(
        Signer::new([secret("whsk_", &[1; 64])])
            .unwrap_err()
            .to_string(),
        "webhook secret [0]: its two halves do not belong together: expected the 32 byte seed, then its own public key",
    );
}

#[test]
fn every_kind_of_key_error_has_its_own_code() {
    let mut codes: Vec<_> = KeyErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 24);
}

#[test]
fn generated_secrets_sign_and_verify() {
    let random: Vec<u8> = (0..32).collect();
    let secret = generate_secret(&random).unwrap();
    assert_eq!(
        secret.expose(),
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    );
    assert_eq!(
        generate_secret(&random[..23]).unwrap_err().kind,
        KeyErrorKind::TooShort
    );
    assert_eq!(
        generate_secret(&[0; 65]).unwrap_err().kind,
        KeyErrorKind::TooLong
    );
    assert!(Webhook::new([generate_secret(&[9; 24]).unwrap().expose()]).is_ok());
    assert!(Webhook::new([generate_secret(&[9; 64]).unwrap().expose()]).is_ok());

    // RFC 8032, section 7.1, test 1.
    let seed: [u8; 32] = STANDARD
        .decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
        .unwrap()
        .try_into()
        .unwrap();
    let pair = generate_key_pair(&seed);
    assert_eq!(
        pair.public,
        "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    );
    let signed = Signer::new([pair.signing.expose()])
        .unwrap()
        .sign("msg_1", 1, b"x")
        .unwrap();
    assert!(
        Webhook::new([pair.public])
            .unwrap()
            .verify(b"x", &signed.headers(), 1)
            .is_ok()
    );
}

#[test]
fn no_secret_and_no_mac_is_in_any_debug_or_error_text() {
    let canary = "CANARYCANARYCANARYCANARYCANARYCA";
    let raw = STANDARD.decode(canary).unwrap();
    let text = format!("whsec_{canary}");
    let webhook = Webhook::new([text.as_str()]).unwrap();
    let signer = Signer::new([text.as_str(), SIGNING_KEY]).unwrap();
    let signed = signer.sign("msg_1", 1_614_265_330, b"{}").unwrap();
    let mac = signed
        .signature
        .split(' ')
        .next()
        .unwrap()
        .trim_start_matches("v1,")
        .to_owned();
    let tampered = webhook
        .verify(b"{ }", &signed.headers(), 1_614_265_330)
        .unwrap_err();
    let explained = webhook.explain(b"{ }", &signed.headers(), 1_614_265_330);
    let wrong = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,AAAA"),
    ];
    let explained_wrong = webhook.explain(b"{}", &wrong, 1_614_265_330);
    let shown = [
        format!("{webhook:?} {webhook:#?}"),
        format!("{signer:?} {signer:#?}"),
        format!("{signed:?}"),
        format!("{:?}", Webhook::builder().secret(&text)),
        format!(
            "{:?}",
            webhook.verifier(&signed.headers(), 1_614_265_330).unwrap()
        ),
        format!("{:?}", generate_secret(&raw).unwrap()),
        format!("{:?}", generate_key_pair(&[7; 32])),
        format!("{tampered:?} {tampered}"),
        format!("{explained:?} {explained}"),
        format!("{explained_wrong:?} {explained_wrong}"),
        format!("{:?}", Webhook::new([format!("{text}!")]).unwrap_err()),
        format!("{}", Webhook::new([format!(" {text}")]).unwrap_err()),
        format!("{}", Webhook::new([canary]).unwrap_err()),
    ];
    let seed = SIGNING_KEY.strip_prefix("whsk_").unwrap();
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers = format!("{raw:?}");
    let numbers = numbers.trim_matches(['[', ']']);
    for text in shown {
        for forbidden in ["CANARY", mac.as_str(), &seed[..16], hex.as_str(), numbers] {
            assert!(!text.contains(forbidden), "{forbidden} in {text}");
        }
    }
}

#[test]
fn everything_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Webhook>();
    shared::<Signer>();
    shared::<gatewright_webhook::Verifier>();
    shared::<gatewright_webhook::replay::MemoryReplayGuard>();
}
