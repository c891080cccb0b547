//! Every kind of header collection gives the same verdict.
#![allow(
    clippy::disallowed_types,
    reason = "a user's HashMap has its own hasher"
)]

use std::collections::{BTreeMap, HashMap};

use gatewright_webhook::{Headers, VerifyError, Webhook};

const NOW: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const FIELDS: [(&str, &str); 4] = [
    ("Content-Type", "application/json"),
    ("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    ("WEBHOOK-TIMESTAMP", "1614265330"),
    (
        "webhook-signature",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
];

fn verify<H: Headers + ?Sized>(headers: &H) -> Result<(), VerifyError> {
    let webhook = Webhook::new(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
        .map_err(|_| VerifyError::BadSignature)?;
    webhook.verify(BODY, headers, NOW).map(|_| ())
}

#[test]
fn pairs_and_maps_of_text_and_of_bytes_all_work() {
    assert_eq!(verify(&FIELDS), Ok(()));
    assert_eq!(verify(FIELDS.as_slice()), Ok(()));
    assert_eq!(verify(&FIELDS.to_vec()), Ok(()));
    assert_eq!(
        verify(&FIELDS.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))),
        Ok(())
    );
    assert_eq!(
        verify(&FIELDS.map(|(name, value)| (name.as_bytes(), value.as_bytes()))),
        Ok(())
    );
    assert_eq!(verify(&BTreeMap::from(FIELDS)), Ok(()));
    assert_eq!(verify(&HashMap::from(FIELDS)), Ok(()));
    assert_eq!(verify(&&FIELDS), Ok(()));
    let unsized_headers: &dyn Headers = &FIELDS;
    assert_eq!(verify(unsized_headers), Ok(()));
}

#[test]
fn a_map_that_holds_one_name_in_two_cases_is_noticed() {
    let mut map = BTreeMap::from(FIELDS);
    map.insert("webhook-id", "msg_other");
    assert_eq!(
        verify(&map),
        Err(VerifyError::RepeatedHeader {
            name: "webhook-id".into()
        })
    );
}

#[test]
fn names_are_compared_whole() {
    let mut fields = FIELDS;
    fields[1].0 = "x-webhook-id";
    assert_eq!(
        verify(&fields),
        Err(VerifyError::MissingHeader {
            name: "webhook-id".into()
        })
    );
    fields[1].0 = "webhook_id";
    assert_eq!(
        verify(&fields),
        Err(VerifyError::MissingHeader {
            name: "webhook-id".into()
        })
    );
}

#[cfg(feature = "http")]
#[test]
fn a_header_map_works_and_shows_repeated_fields() {
    let mut map = http::HeaderMap::new();
    for (name, value) in FIELDS {
        map.append(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            http::HeaderValue::from_static(value),
        );
    }
    assert_eq!(verify(&map), Ok(()));
    map.append(
        "webhook-timestamp",
        http::HeaderValue::from_static("1614265330"),
    );
    assert_eq!(
        verify(&map),
        Err(VerifyError::RepeatedHeader {
            name: "webhook-timestamp".into()
        })
    );
}
