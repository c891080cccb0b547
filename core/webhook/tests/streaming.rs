//! A body taken in chunks gets the verdict of the whole.

use gatewright_webhook::{Algorithm, Signer, VerifyError, Webhook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI=";
const SIGNING_KEY: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const NOW: i64 = 1_614_265_330;

#[test]
fn any_chunking_gives_the_verdict_of_the_whole() {
    let body: Vec<u8> = (0..1000_u32).map(|i| (i % 251) as u8).collect();
    for (secrets, known) in [
        (vec![SECRET], vec![OTHER_SECRET, SECRET]),
        (vec![SIGNING_KEY], vec![PUBLIC_KEY, SECRET]),
        (vec![SIGNING_KEY, SECRET], vec![SECRET, PUBLIC_KEY]),
        (vec![SECRET], vec![OTHER_SECRET, PUBLIC_KEY]),
    ] {
        let signed = Signer::new(secrets)
            .unwrap()
            .sign("msg_1", NOW, &body)
            .unwrap();
        let webhook = Webhook::new(known).unwrap();
        let whole = webhook.verify(&body, &signed.headers(), NOW);
        for size in [1, 3, 55, 63, 64, 65, 500, 999, 1000, 2000] {
            let mut verifier = webhook.verifier(&signed.headers(), NOW).unwrap();
            for chunk in body.chunks(size) {
                verifier.update(chunk).unwrap();
                verifier.update(b"").unwrap();
            }
            assert_eq!(verifier.finish(), whole, "chunks of {size}");
        }
        let mut reordered = webhook.verifier(&signed.headers(), NOW).unwrap();
        reordered.update(&body[500..]).unwrap();
        reordered.update(&body[..500]).unwrap();
        assert_eq!(reordered.finish(), Err(VerifyError::BadSignature));
    }
}

#[test]
fn an_empty_body_needs_no_chunk() {
    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"")
        .unwrap();
    let verified = Webhook::new([SECRET])
        .unwrap()
        .verifier(&signed.headers(), NOW)
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(verified.algorithm, Algorithm::HmacSha256);
}

#[test]
fn headers_that_cannot_be_right_are_refused_before_the_body() {
    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"x")
        .unwrap();
    let webhook = Webhook::new([SECRET]).unwrap();
    assert_eq!(
        webhook.verifier(&signed.headers(), NOW + 301).unwrap_err(),
        VerifyError::TooOld {
            name: "webhook-timestamp".into(),
            by: 301,
            tolerance: 300
        },
    );
    assert_eq!(
        webhook.verifier(&signed.headers()[1..], NOW).unwrap_err(),
        VerifyError::MissingHeader {
            name: "webhook-id".into()
        },
    );
}

#[test]
fn the_cap_stops_a_stream_for_good() {
    let signed = Signer::new([SECRET])
        .unwrap()
        .sign("msg_1", NOW, b"0123456789")
        .unwrap();
    let webhook = Webhook::builder()
        .secret(SECRET)
        .max_body(10)
        .build()
        .unwrap();
    let too_large = VerifyError::BodyTooLarge { max: 10 };

    let mut verifier = webhook.verifier(&signed.headers(), NOW).unwrap();
    verifier.update(b"0123456789").unwrap();
    assert!(verifier.finish().is_ok());

    let mut verifier = webhook.verifier(&signed.headers(), NOW).unwrap();
    verifier.update(b"012345678").unwrap();
    assert_eq!(verifier.update(b"9x"), Err(too_large.clone()));
    // A chunk that would have fitted does not mend it.
    assert_eq!(verifier.update(b"9"), Err(too_large.clone()));
    assert_eq!(verifier.finish(), Err(too_large));
}

#[test]
fn a_list_without_a_usable_token_fails_only_at_the_end() {
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v2,abc"),
    ];
    let mut verifier = Webhook::new([SECRET, PUBLIC_KEY])
        .unwrap()
        .verifier(&headers, NOW)
        .unwrap();
    verifier.update(b"x").unwrap();
    assert_eq!(verifier.finish(), Err(VerifyError::BadSignature));
}
