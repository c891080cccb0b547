//! Project Wycheproof's vectors (`tests/wycheproof/`, trimmed by `trim.py`): our verdict on each, and why, where it is not theirs.

use std::collections::BTreeMap;

use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// One test: in which group it is, and what it says.
struct Test<'v> {
    group: &'v Value,
    id: u64,
    result: &'v str,
    flags: Vec<&'v str>,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Plays a set. `verdict` says whether we accept a test; `stricter` names the reason where we refuse what they accept, so that each
/// of those is on purpose. Nothing that they call invalid may pass. How many are accepted, and refused for which reason, is counted.
#[track_caller]
fn play(
    json: &str,
    verdict: impl Fn(&Test<'_>) -> bool,
    stricter: impl Fn(&Test<'_>) -> Option<&'static str>,
) -> BTreeMap<&'static str, usize> {
    let set: Value = serde_json::from_str(json).unwrap();
    let mut counts = BTreeMap::new();
    for group in set["groups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let text = |at: usize| test[at].as_str().unwrap();
            let own_key = if text(4).is_empty() {
                group["key"].as_str().unwrap()
            } else {
                text(4)
            };
            let test = Test {
                group,
                id: test[0].as_u64().unwrap(),
                result: text(1),
                flags: test[2]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|flag| flag.as_str().unwrap())
                    .collect(),
                key: bytes(own_key),
                message: bytes(text(5)),
                signature: bytes(text(6)),
            };
            let id = test.id;
            let counted = match (verdict(&test), test.result) {
                (true, "valid" | "acceptable") => "accepted",
                (false, "invalid") => "refused",
                (false, _) => stricter(&test).unwrap_or_else(|| {
                    panic!(
                        "test {id} is {}, and we refuse it without a reason",
                        test.result
                    )
                }),
                (true, result) => panic!("test {id} is {result}, and we accept it"),
            };
            *counts.entry(counted).or_default() += 1;
        }
    }
    counts
}

fn never(_: &Test<'_>) -> Option<&'static str> {
    None
}

mod macs {
    use hmac::{KeyInit as _, Mac as _};

    use super::*;
    use crate::base64;
    use crate::{Signer, Webhook};

    /// A tag that is cut off is good enough for some protocols, and for no webhook.
    fn cut_off(test: &Test<'_>, whole: u64) -> Option<&'static str> {
        (test.group["tagSize"].as_u64().unwrap() < whole).then_some("cut off")
    }

    fn with<M: hmac::Mac + hmac::KeyInit>(test: &Test<'_>) -> bool {
        let mut mac = <M as hmac::KeyInit>::new_from_slice(&test.key).unwrap();
        mac.update(&test.message);
        mac.verify_slice(&test.signature).is_ok()
    }

    #[test]
    fn hmacs_are_those_of_wycheproof() {
        let sha1 = play(
            include_str!("../tests/wycheproof/hmac_sha1.json"),
            with::<hmac::Hmac<Sha1>>,
            |test| cut_off(test, 160),
        );
        let sha256 = play(
            include_str!("../tests/wycheproof/hmac_sha256.json"),
            with::<hmac::Hmac<Sha256>>,
            |test| cut_off(test, 256),
        );
        let sha512 = play(
            include_str!("../tests/wycheproof/hmac_sha512.json"),
            with::<hmac::Hmac<Sha512>>,
            |test| cut_off(test, 512),
        );
        for counts in [&sha1, &sha256, &sha512] {
            assert_eq!(counts["accepted"] + counts["cut off"], 66, "{counts:?}");
        }
        assert_eq!(
            (sha1["refused"], sha256["refused"], sha512["refused"]),
            (104, 108, 108)
        );
    }

    /// The same through the door that users take: the keys that Standard Webhooks allows, the message as a body.
    #[test]
    fn webhooks_are_signed_with_that_hmac() {
        let played = std::cell::Cell::new(0);
        let signs = |test: &Test<'_>| {
            let mut secret = String::from("whsec_");
            base64::encode_into(&test.key, &mut secret);
            if let (Ok(signer), Ok(webhook)) = (Signer::new([&secret]), Webhook::new([&secret])) {
                let signed = signer.sign("m", 1, &test.message).unwrap();
                webhook.verify(&test.message, &signed.headers(), 1).unwrap();
                let mut mac = hmac::Hmac::<Sha256>::new_from_slice(&test.key).unwrap();
                mac.update(b"m.1.");
                mac.update(&test.message);
                let mut expected = String::from("v1,");
                base64::encode_into(&mac.finalize().into_bytes(), &mut expected);
                assert_eq!(signed.headers()[2].1, expected);
                played.set(played.get() + 1);
            }
            with::<hmac::Hmac<Sha256>>(test)
        };
        play(
            include_str!("../tests/wycheproof/hmac_sha256.json"),
            signs,
            |test| cut_off(test, 256),
        );
        assert_eq!(played.get(), 162);
    }
}

mod ed25519 {
    use super::*;
    use crate::ed25519_key::PublicKey;

    #[test]
    fn ed25519_is_that_of_wycheproof() {
        let verify = |test: &Test<'_>| {
            let raw = test.key.last_chunk::<32>().unwrap();
            let Ok(key) = PublicKey::new(raw) else {
                return false;
            };
            let Ok(signature) = <[u8; 64]>::try_from(test.signature.as_slice()) else {
                return false;
            };
            let whole = key.verify(&[&test.message], &signature);
            // The same in one piece and as a stream.
            let stream = key.start(&signature).is_some_and(|mut running| {
                for byte in &test.message {
                    running.update([*byte]);
                }
                running.finalize_and_verify().is_ok()
            });
            assert_eq!(whole, stream, "test {}", test.id);
            whole
        };
        let counts = play(
            include_str!("../tests/wycheproof/ed25519.json"),
            verify,
            never,
        );
        assert_eq!((counts["accepted"], counts["refused"]), (88, 63));
    }
}

#[cfg(feature = "asymmetric")]
mod asymmetric {
    use super::*;
    use crate::asymmetric::{PublicKey, public_key};

    #[test]
    fn ecdsa_in_der_is_that_of_wycheproof() {
        let verify = |test: &Test<'_>| match public_key(&test.key) {
            Some(PublicKey::Ecdsa(key)) => {
                key.verify(&Sha256::digest(&test.message).into(), &test.signature)
            }
            _ => panic!("test {}: the key is not read", test.id),
        };
        let counts = play(
            include_str!("../tests/wycheproof/ecdsa_p256_der.json"),
            verify,
            never,
        );
        assert_eq!((counts["accepted"], counts["refused"]), (174, 310));
    }

    #[test]
    fn ecdsa_of_fixed_length_is_that_of_wycheproof() {
        let verify = |test: &Test<'_>| match public_key(&test.key) {
            Some(PublicKey::Ecdsa(key)) => key
                .of_fixed_length()
                .verify(&Sha256::digest(&test.message).into(), &test.signature),
            _ => panic!("test {}: the key is not read", test.id),
        };
        let counts = play(
            include_str!("../tests/wycheproof/ecdsa_p256_fixed.json"),
            verify,
            never,
        );
        assert_eq!((counts["accepted"], counts["refused"]), (173, 89));
    }

    #[test]
    fn pkcs1_with_sha256_is_that_of_wycheproof() {
        let counts = play(
            include_str!("../tests/wycheproof/rsa_pkcs1_sha256.json"),
            |test| match public_key(&test.key) {
                Some(PublicKey::Rsa(key)) => {
                    key.verify_pkcs1_sha256(&Sha256::digest(&test.message).into(), &test.signature)
                }
                _ => panic!("test {}: the key is not read", test.id),
            },
            // DigestInfo without its NULL: RFC 8017, appendix A.2.4, says that it shall be there.
            |test| {
                test.flags
                    .contains(&"MissingNull")
                    .then_some("without NULL")
            },
        );
        assert_eq!(
            (
                counts["accepted"],
                counts["without NULL"],
                counts["refused"]
            ),
            (9, 1, 249)
        );
    }

    #[test]
    fn pkcs1_with_sha1_is_that_of_wycheproof() {
        let verify = |test: &Test<'_>| match public_key(&test.key) {
            Some(PublicKey::Rsa(key)) => {
                let digest = Sha1::digest(&test.message).into();
                // A set of valid ones: what is changed in them must not be.
                for at in 0..test.signature.len() {
                    let mut other = test.signature.clone();
                    other[at] ^= 1 << (at % 8);
                    assert!(at % 16 != 0 || !key.verify_pkcs1_sha1(&digest, &other));
                }
                let mut other = digest;
                other[0] ^= 1;
                assert!(!key.verify_pkcs1_sha1(&other, &test.signature));
                assert!(!key.verify_pkcs1_sha1(&digest, &test.signature[1..]));
                key.verify_pkcs1_sha1(&digest, &test.signature)
            }
            _ => false,
        };
        let counts = play(
            include_str!("../tests/wycheproof/rsa_pkcs1_sha1.json"),
            verify,
            never,
        );
        assert_eq!(counts["accepted"], 8);
        let counts = play(
            include_str!("../tests/wycheproof/rsa_pkcs1_sha1_small.json"),
            verify,
            // 1024 bits: no key of that size is read.
            |test| test.flags.contains(&"SmallModulus").then_some("too small"),
        );
        assert_eq!(counts["too small"], 8);
    }

    #[test]
    fn pss_with_sha512_is_that_of_wycheproof() {
        let verify = |test: &Test<'_>| match public_key(&test.key) {
            Some(PublicKey::Rsa(key)) => {
                key.verify_pss_sha512(&Sha512::digest(&test.message).into(), &test.signature)
            }
            _ => panic!("test {}: the key is not read", test.id),
        };
        let counts = play(
            include_str!("../tests/wycheproof/rsa_pss_sha512.json"),
            verify,
            never,
        );
        assert_eq!((counts["accepted"], counts["refused"]), (132, 47));
        let counts = play(
            include_str!("../tests/wycheproof/rsa_pss_sha512_salts.json"),
            verify,
            // RFC 9421, section 3.3.1: the salt has 64 bytes.
            |test| (test.group["sLen"] != 64).then_some("another salt"),
        );
        assert_eq!((counts["accepted"], counts["another salt"]), (1, 5));
    }
}
