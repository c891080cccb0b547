//! The check of an id token (OpenID Connect Core, section 3.1.3.7).

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::oauth::jose::{Jws, encode};

/// What an id token must be.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    /// None of a provider that repeats none.
    pub(super) nonce: Option<&'a str>,
    pub(super) access_token: &'a str,
    pub(super) now_s: u64,
}

/// Clocks may differ by so much.
const LEEWAY_S: u64 = 60;
/// What an id token may be signed with; `none` and secrets are not among it.
const ALGORITHMS: [&str; 5] = ["ES256", "EdDSA", "Ed25519", "PS256", "RS256"];

/// The claims of a token that is good, or what is wrong with it.
pub(super) fn claims(
    token: &str,
    jwks: &Value,
    expected: &Expected<'_>,
) -> Result<Value, &'static str> {
    let jws = Jws::parse(token).ok_or("it is no signed token")?;
    let head = |name: &str| jws.header.get(name).and_then(Value::as_str);
    if !head("alg").is_some_and(|alg| ALGORITHMS.contains(&alg)) {
        return Err("its algorithm is not accepted");
    }
    if jws.header.contains_key("crit") {
        return Err("it has a critical header that is not known");
    }
    let keys = jwks.get("keys").and_then(Value::as_array);
    let mut of_its_name = keys
        .into_iter()
        .flatten()
        .filter(|key| {
            head("kid").is_none() || key.get("kid").and_then(Value::as_str) == head("kid")
        })
        .filter(|key| key.get("use").is_none_or(|used| used == "sig"));
    if !of_its_name.any(|key| jws.is_signed_by(key)) {
        return Err("none of the provider's keys signed it");
    }
    if jws.text("iss") != Some(expected.issuer) {
        return Err("iss is another issuer");
    }
    let for_client = match jws.claims.get("aud") {
        Some(Value::String(one)) => one == expected.client_id,
        Some(Value::Array(many)) => {
            many.iter()
                .any(|one| one.as_str() == Some(expected.client_id))
                && (many.len() == 1 || jws.text("azp") == Some(expected.client_id))
        }
        _ => false,
    };
    if !for_client || jws.text("azp").is_some_and(|azp| azp != expected.client_id) {
        return Err("it is for another client");
    }
    let number = |name: &str| jws.number(name).ok_or("exp or iat is missing");
    if expected.now_s >= number("exp")?.saturating_add(LEEWAY_S) {
        return Err("it has expired");
    }
    if number("iat")? > expected.now_s.saturating_add(LEEWAY_S) {
        return Err("it is from the future");
    }
    if expected.nonce.is_some() && jws.text("nonce") != expected.nonce {
        return Err("nonce is not the one of this login");
    }
    let hash = Sha256::digest(expected.access_token);
    let hash = encode(hash.get(..16).unwrap_or_default());
    if jws.claims.contains_key("at_hash") && jws.text("at_hash") != Some(hash.as_str()) {
        return Err("at_hash is of another access token");
    }
    if jws.text("sub").is_none_or(str::is_empty) {
        return Err("it has no sub");
    }
    Ok(Value::Object(jws.claims))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::settings::IdTokenAlg;
    use crate::oauth::signing_key::SigningKey;

    const ISSUER: &str = "https://login.example";

    fn good() -> Value {
        let hash = Sha256::digest("at");
        json!({
            "iss": ISSUER, "aud": "c", "sub": "u", "exp": 1_100, "iat": 1_000, "nonce": "n",
            "at_hash": encode(&hash[..16]),
        })
    }

    fn checked(claims: &Value, number: u32) -> Result<Value, &'static str> {
        let key = SigningKey::new(IdTokenAlg::EdDsa, 1, number).unwrap();
        let known = SigningKey::new(IdTokenAlg::EdDsa, 1, 1).unwrap();
        let expected = Expected {
            issuer: ISSUER,
            client_id: "c",
            nonce: Some("n"),
            access_token: "at",
            now_s: 1_050,
        };
        super::claims(
            &key.sign(claims).unwrap(),
            &json!({"keys": [known.jwk()]}),
            &expected,
        )
    }

    #[test]
    fn a_good_one_is_good_and_one_wrong_thing_is_enough() {
        assert_eq!(checked(&good(), 1).unwrap()["sub"], "u");
        assert!(checked(&good(), 2).is_err());
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("aud", json!("other")),
            ("aud", json!(["c", "other"])),
            ("azp", json!("other")),
            ("exp", json!(900)),
            ("exp", json!(null)),
            ("iat", json!(2_000)),
            ("nonce", json!("other")),
            ("nonce", json!(null)),
            ("at_hash", json!("other")),
            ("sub", json!("")),
        ] {
            let mut bad = good();
            bad[name] = value;
            assert!(checked(&bad, 1).is_err(), "{name}");
        }
        let mut two = good();
        two["aud"] = json!(["c", "other"]);
        two["azp"] = json!("c");
        assert!(checked(&two, 1).is_ok());
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        let part = |value: Value| encode(value.to_string());
        let none = format!("{}.{}.", part(json!({"alg": "none"})), part(good()));
        let expected = Expected {
            issuer: ISSUER,
            client_id: "c",
            nonce: Some("n"),
            access_token: "at",
            now_s: 1_050,
        };
        assert_eq!(
            super::claims(&none, &json!({"keys": []}), &expected),
            Err("its algorithm is not accepted")
        );
    }
}
