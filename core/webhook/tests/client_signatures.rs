//! What the client signs by HTTP Message Signatures (`gatewright_engine::signing`) is what is verified here: two codes, one RFC.

#![allow(clippy::unwrap_used, reason = "what is prepared must work")]

use gatewright_engine::signing::{
    Component, HashAlgorithm, MessageSignature, Signable, SignatureParameters, SignedBody,
    SignedFields, hmac,
};
use gatewright_webhook::{BodyBound, Received, Scheme, Webhook};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

const SECRET: &[u8; 32] = b"a secret of thirty-two bytes ok!";
const NOW: i64 = 1_700_000_000;

/// The headers of a request as the client sends it.
fn signed(signature: &MessageSignature, method: &Method, url: &Url, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let digest = signature.content_digest(&Signable {
        method,
        url,
        headers: &headers,
        body: SignedBody::Bytes(body),
    });
    if let Some(digest) = digest.unwrap() {
        headers.insert("content-digest", digest.parse().unwrap());
    }
    let parameters = SignatureParameters {
        created: Some(NOW),
        expires: Some(NOW + 60),
        keyid: Some("a \"key\" \\ "),
        alg: Some("hmac-sha256"),
        nonce: Some("n"),
        tag: Some("t"),
    };
    let request = Signable {
        method,
        url,
        headers: &headers,
        body: SignedBody::Bytes(body),
    };
    let fields = signature.base(&request, &parameters).unwrap();
    let mac = hmac(HashAlgorithm::Sha256, SECRET, fields.base.as_bytes());
    let value = SignedFields::signature(&signature.label, &mac);
    headers.insert(
        HeaderName::from_static("signature-input"),
        fields.signature_input.parse().unwrap(),
    );
    headers.insert(HeaderName::from_static("signature"), value.parse().unwrap());
    headers
}

#[test]
fn what_the_client_signs_verifies() {
    let secret = {
        use base64::Engine as _;
        format!(
            "whsec_{}",
            base64::engine::general_purpose::STANDARD.encode(SECRET)
        )
    };
    let every: Vec<Component> = [
        "@method",
        "@target-uri",
        "@authority",
        "@scheme",
        "@request-target",
        "@path",
        "@query",
        "content-type",
        "content-digest",
    ]
    .iter()
    .map(|text| Component::parse(text).unwrap())
    .collect();
    let parameter = Component::parse("@query-param;name=\"q\"").unwrap();
    let mut played = 0;
    for url in [
        "https://example.com",
        "https://EXAMPLE.com:443/a/./b?q=1%20x&z",
        "http://127.0.0.1:8080/p%C3%A4th?q=caf%C3%A9+x*~",
        "https://xn--bcher-kva.example/?q=",
    ] {
        let url = Url::parse(url).unwrap();
        for (method, body, digest) in [
            (Method::POST, &br#"{"a":1}"#[..], HashAlgorithm::Sha256),
            (Method::PUT, b"", HashAlgorithm::Sha512),
        ] {
            let mut components = every.clone();
            if url.query().is_some_and(|query| query.contains("q=")) {
                components.push(parameter.clone());
            }
            for components in [MessageSignature::default().components, components] {
                let signature = MessageSignature {
                    components,
                    digest,
                    ..MessageSignature::default()
                };
                let headers = signed(&signature, &method, &url, body);
                let headers: Vec<(String, Vec<u8>)> = headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                    .collect();
                let webhook = Webhook::builder()
                    .scheme(Scheme::HttpSignature)
                    .secret(&secret)
                    .key_ids(["a \"key\" \\ "])
                    .components(["content-digest", "@method", "@target-uri"])
                    .build()
                    .unwrap();
                let received = Received::new(body, &headers)
                    .url(url.as_str())
                    .method(method.as_str());
                let verified = webhook.verify_request(&received, NOW).unwrap();
                assert_eq!(verified.body_bound, BodyBound::Full);
                assert!(verified.url_bound);
                let late = webhook.verify_request(&received, NOW + 61).unwrap_err();
                assert_eq!(late.code(), "too_old");
                let other = received.method("DELETE");
                assert_eq!(
                    webhook.verify_request(&other, NOW).unwrap_err().code(),
                    "bad_signature"
                );
                played += 1;
            }
        }
    }
    assert_eq!(played, 16);
}
