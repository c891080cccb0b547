//! Signed tokens in compact form (RFC 7515): client assertions (RFC 7523) and DPoP proofs (RFC 9449). A public key is its JWK (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;

use super::digest::sha256_base64url;

/// What is signed of a token: header and claims.
#[must_use]
pub fn unsigned_jws(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The token with its signature.
#[must_use]
pub fn jws(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The thumbprint of a public key (RFC 7638). `jwk` has the required members alone.
#[must_use]
pub fn jwk_thumbprint(jwk: &Value) -> String {
    // Section 3.3: members in the order of their names, which a map of JSON may or may not keep.
    let mut members: Vec<_> = jwk.as_object().into_iter().flatten().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    sha256_base64url(format!("{{{}}}", members.join(",")).as_bytes())
}

/// A URL as DPoP names it: without query and fragment (RFC 9449, section 4.2).
#[must_use]
pub fn dpop_target(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// The parts of a DPoP proof (RFC 9449, section 4.2).
#[derive(Clone, Copy, Debug)]
pub struct DpopProof<'a> {
    /// The algorithm's name, such as `ES256`.
    pub alg: &'a str,
    /// The public key.
    pub jwk: &'a Value,
    /// A name that no other proof has.
    pub jti: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's URL.
    pub url: &'a Url,
    /// Seconds since 1970.
    pub iat: i64,
    /// The access token that goes along; none at the token endpoint.
    pub access_token: Option<&'a str>,
    /// The server's nonce.
    pub nonce: Option<&'a str>,
}

impl DpopProof<'_> {
    /// What is signed.
    #[must_use]
    pub fn unsigned(&self) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk });
        let mut claims = json!({
            "jti": self.jti,
            "htm": self.method,
            "htu": dpop_target(self.url),
            "iat": self.iat,
        });
        if let Some(claims) = claims.as_object_mut() {
            if let Some(token) = self.access_token {
                claims.insert("ath".to_owned(), sha256_base64url(token.as_bytes()).into());
            }
            if let Some(nonce) = self.nonce {
                claims.insert("nonce".to_owned(), nonce.into());
            }
        }
        unsigned_jws(&header, &claims)
    }
}

/// The parts of a client assertion (RFC 7523, section 3; OpenID Connect Core, section 9).
#[derive(Clone, Copy, Debug)]
pub struct ClientAssertion<'a> {
    /// The algorithm's name, such as `ES256`.
    pub alg: &'a str,
    /// Which key, where the server knows several.
    pub kid: Option<&'a str>,
    /// The client's id: issuer and subject.
    pub client_id: &'a str,
    /// For whom it is: the issuer, or the token endpoint where that is not known.
    pub audience: &'a str,
    /// A name that no other assertion has.
    pub jti: &'a str,
    /// Seconds since 1970.
    pub iat: i64,
    /// How many seconds it is good.
    pub lifetime: i64,
}

impl ClientAssertion<'_> {
    /// What is signed.
    #[must_use]
    pub fn unsigned(&self) -> String {
        let mut header = json!({ "typ": "JWT", "alg": self.alg });
        if let (Some(header), Some(kid)) = (header.as_object_mut(), self.kid) {
            header.insert("kid".to_owned(), kid.into());
        }
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": self.jti,
            "iat": self.iat,
            "exp": self.iat.saturating_add(self.lifetime),
        });
        unsigned_jws(&header, &claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        // The key of RFC 9449, section 4.1, and its thumbprint in section 6.1.
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        });
        assert_eq!(
            jwk_thumbprint(&jwk),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        );
    }

    #[test]
    fn a_proof_has_what_rfc_9449_asks_for() {
        let url = Url::parse("https://resource.example.org/protectedresource?q=1#x").unwrap();
        let proof = DpopProof {
            alg: "ES256",
            jwk: &json!({"kty": "EC"}),
            jti: "e1j3V_bKic8-LAEB",
            method: "GET",
            url: &url,
            iat: 1_562_262_618,
            access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            nonce: Some("n"),
        };
        let unsigned = proof.unsigned();
        let (header, claims) = unsigned.split_once('.').unwrap();
        assert_eq!(
            decoded(header),
            json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC"}})
        );
        // `ath` is that of section 7.1.
        assert_eq!(
            decoded(claims),
            json!({
                "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": "https://resource.example.org/protectedresource",
                "iat": 1_562_262_618, "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo", "nonce": "n",
            })
        );
    }

    #[test]
    fn an_assertion_is_for_one_audience_and_a_short_time() {
        let unsigned = ClientAssertion {
            alg: "ES256",
            kid: Some("k"),
            client_id: "app",
            audience: "https://as.example/token",
            jti: "j",
            iat: 100,
            lifetime: 60,
        }
        .unsigned();
        let (header, claims) = unsigned.split_once('.').unwrap();
        assert_eq!(
            decoded(header),
            json!({"typ": "JWT", "alg": "ES256", "kid": "k"})
        );
        assert_eq!(
            decoded(claims),
            json!({"iss": "app", "sub": "app", "aud": "https://as.example/token", "jti": "j", "iat": 100, "exp": 160})
        );
    }
}
