//! A provider's own HMAC scheme: which text is signed, and which headers carry the signature. Every provider has another one, so both are
//! templates.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::digest::{HashAlgorithm, hex, hmac, sha256};
use super::template::{Template, TemplateError};
use super::{Signable, SignedBody, SigningError, authority, field};
use crate::redact::Secret;
use crate::time::UnixMillis;

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureText {
    /// Base64 with padding.
    #[default]
    Base64,
    /// Base64 for URLs, without padding.
    Base64Url,
    /// Hexadecimal in lower case.
    Hex,
}

impl SignatureText {
    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
            Self::Hex => hex(bytes),
        }
    }
}

/// The text that is signed where none is given.
const TEXT: &str = "{method}\n{path_and_query}\n{timestamp}\n{nonce}\n{body_sha256_base64}";
/// The header that carries the signature where none is given.
const AUTHORIZATION: &str = "HMAC-SHA256 keyid=\"{key_id}\", ts=\"{timestamp}\", nonce=\"{nonce}\", signature=\"{signature}\"";

/// The places of both templates. `{header:NAME}` is a header of the request.
const PLACES: [&str; 15] = [
    "method",
    "scheme",
    "host",
    "path",
    "query",
    "sorted_query",
    "path_and_query",
    "url",
    "timestamp",
    "timestamp_ms",
    "nonce",
    "key_id",
    "body_sha256",
    "body_sha256_base64",
    "body",
];

/// An HMAC scheme. `Debug` does not show its secret.
#[derive(Clone, Debug)]
pub struct HmacScheme {
    key_id: String,
    secret: Secret,
    algorithm: HashAlgorithm,
    encoding: SignatureText,
    text: Template,
    headers: Vec<(HeaderName, Template)>,
    unsigned_streams: Option<String>,
}

impl HmacScheme {
    /// A scheme with this key: SHA-256 in base64, over method, path and query, time, nonce and the body's digest, in `Authorization`.
    #[must_use]
    pub fn new(key_id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        // Both are templates, as the tests show.
        let of =
            |text: &str, in_header: bool| Template::new(text, |place| known(place, in_header)).ok();
        Self {
            key_id: key_id.into(),
            secret: secret.into(),
            algorithm: HashAlgorithm::Sha256,
            encoding: SignatureText::Base64,
            text: of(TEXT, false).unwrap_or(Template::empty()),
            headers: of(AUTHORIZATION, true)
                .map(|value| (http::header::AUTHORIZATION, value))
                .into_iter()
                .collect(),
            unsigned_streams: None,
        }
    }

    /// The hash. Default SHA-256.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: HashAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How the signature is written. Default base64.
    #[must_use]
    pub const fn encoding(mut self, encoding: SignatureText) -> Self {
        self.encoding = encoding;
        self
    }

    /// What stands for a streamed body's digest, such as `UNSIGNED-PAYLOAD`. Without it streams are refused where the body is signed.
    #[must_use]
    pub fn unsigned_streams(mut self, text: impl Into<String>) -> Self {
        self.unsigned_streams = Some(text.into());
        self
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// Where a place is not known.
    pub fn text(mut self, template: &str) -> Result<Self, TemplateError> {
        self.text = Template::new(template, |place| known(place, false))?;
        Ok(self)
    }

    /// The headers that carry the signature, in place of the default one. `{signature}` is a place of theirs.
    ///
    /// # Errors
    /// Where a place is not known.
    pub fn headers<'a>(
        mut self,
        headers: impl IntoIterator<Item = (HeaderName, &'a str)>,
    ) -> Result<Self, TemplateError> {
        self.headers = headers
            .into_iter()
            .map(|(name, value)| Ok((name, Template::new(value, |place| known(place, true))?)))
            .collect::<Result<_, TemplateError>>()?;
        Ok(self)
    }

    /// The key's name.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The secret, for redaction and to tell keys apart.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether the body is signed, so that a stream cannot be.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        let of_body = |place: &str| place.starts_with("body");
        self.unsigned_streams.is_none()
            && (self.text.has(of_body) || self.headers.iter().any(|(_, value)| value.has(of_body)))
    }

    /// Puts the signature onto `headers`, in place of what was there under its names.
    ///
    /// # Errors
    /// Where the body is a stream, or a value is none that a header can carry.
    pub fn sign(
        &self,
        request: &Signable<'_>,
        now: UnixMillis,
        nonce: &str,
        headers: &mut HeaderMap,
    ) -> Result<(), SigningError> {
        if self.needs_body() && matches!(request.body, SignedBody::Stream) {
            return Err(SigningError::StreamedBody);
        }
        let place = |name: &str| self.place(request, now, nonce, name);
        let text = Zeroizing::new(self.text.fill(place));
        let signature = hmac(
            self.algorithm,
            self.secret.expose().as_bytes(),
            text.as_bytes(),
        );
        let signature = self.encoding.encode(&signature);
        for (name, template) in &self.headers {
            let value = template.fill(|name| match name {
                "signature" => signature.clone(),
                name => place(name),
            });
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                SigningError::Setting(format!(
                    "the signature's header {name} would have a character that no header can carry"
                ))
            })?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        Ok(())
    }

    fn place(&self, request: &Signable<'_>, now: UnixMillis, nonce: &str, name: &str) -> String {
        let url = request.url;
        let body = |write: fn(&[u8]) -> String| match request.body {
            SignedBody::Bytes(bytes) => write(bytes),
            SignedBody::Stream => self.unsigned_streams.clone().unwrap_or_default(),
        };
        match name {
            "method" => request.method.as_str().to_owned(),
            "scheme" => url.scheme().to_owned(),
            "host" => authority(url),
            "path" => url.path().to_owned(),
            "query" => url.query().unwrap_or_default().to_owned(),
            "sorted_query" => {
                let mut pairs: Vec<&str> = url.query().unwrap_or_default().split('&').collect();
                pairs.sort_unstable();
                pairs.join("&")
            }
            "path_and_query" => path_and_query(url),
            "url" => {
                let mut url = url.clone();
                url.set_fragment(None);
                url.into()
            }
            "timestamp" => now.0.div_euclid(1000).to_string(),
            "timestamp_ms" => now.0.to_string(),
            "nonce" => nonce.to_owned(),
            "key_id" => self.key_id.clone(),
            "body_sha256" => body(|bytes| hex(&sha256(bytes))),
            "body_sha256_base64" => body(|bytes| STANDARD.encode(sha256(bytes))),
            "body" => body(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            name => name
                .strip_prefix("header:")
                .and_then(|name| field(request.headers, name))
                .unwrap_or_default(),
        }
    }
}

fn path_and_query(url: &url::Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

fn known(place: &str, in_header: bool) -> bool {
    PLACES.contains(&place)
        || (in_header && place == "signature")
        || place
            .strip_prefix("header:")
            .is_some_and(|name| HeaderName::try_from(name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use url::Url;

    fn signed(scheme: &HmacScheme, body: SignedBody<'_>) -> Result<HeaderMap, SigningError> {
        let url = Url::parse("https://API.example:8443/v1/a%20b?z=1&a=2").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-tenant", HeaderValue::from_static("acme"));
        let before = headers.clone();
        let request = Signable {
            method: &Method::POST,
            url: &url,
            headers: &before,
            body,
        };
        scheme.sign(&request, UnixMillis(1_618_884_473_999), "n1", &mut headers)?;
        Ok(headers)
    }

    #[test]
    fn the_default_scheme_signs_method_path_time_nonce_and_body() {
        let scheme = HmacScheme::new("k1", "canary-secret");
        let headers = signed(&scheme, SignedBody::Bytes(b"hi")).unwrap();
        let text =
            "POST\n/v1/a%20b?z=1&a=2\n1618884473\nn1\nj0NDRmSPa5bfid2pAcUXaxCm2Dlh3TwayItZstwyeqQ=";
        let expected = STANDARD.encode(hmac(
            HashAlgorithm::Sha256,
            b"canary-secret",
            text.as_bytes(),
        ));
        let value = &headers["authorization"];
        assert_eq!(
            value.to_str().unwrap(),
            format!(
                "HMAC-SHA256 keyid=\"k1\", ts=\"1618884473\", nonce=\"n1\", signature=\"{expected}\""
            )
        );
        assert!(value.is_sensitive());
        assert!(!format!("{scheme:?}").contains("canary"));
    }

    #[test]
    fn a_scheme_of_ones_own_is_a_template() {
        let scheme = HmacScheme::new("k1", "s")
            .algorithm(HashAlgorithm::Sha512)
            .encoding(SignatureText::Hex)
            .text("{host}|{sorted_query}|{timestamp_ms}|{header:x-tenant}|{body_sha256}")
            .unwrap()
            .headers([
                (HeaderName::from_static("x-sig"), "v1={signature}"),
                (HeaderName::from_static("x-ts"), "{timestamp_ms}"),
            ])
            .unwrap();
        let headers = signed(&scheme, SignedBody::Bytes(b"")).unwrap();
        let text = "api.example:8443|a=2&z=1|1618884473999|acme|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = hex(&hmac(HashAlgorithm::Sha512, b"s", text.as_bytes()));
        assert_eq!(headers["x-sig"], format!("v1={expected}"));
        assert_eq!(headers["x-ts"], "1618884473999");
        assert!(!headers.contains_key("authorization"));
    }

    #[test]
    fn a_stream_is_refused_unless_it_may_go_unsigned() {
        let scheme = HmacScheme::new("k1", "s");
        assert_eq!(
            signed(&scheme, SignedBody::Stream).unwrap_err(),
            SigningError::StreamedBody
        );
        let lax = scheme.unsigned_streams("UNSIGNED-PAYLOAD");
        assert!(signed(&lax, SignedBody::Stream).is_ok());
        let without_body = HmacScheme::new("k1", "s").text("{method}").unwrap();
        assert!(signed(&without_body, SignedBody::Stream).is_ok());
    }

    #[test]
    fn places_that_are_not_known_are_refused() {
        assert!(HmacScheme::new("k", "s").text("{signature}").is_err());
        assert!(HmacScheme::new("k", "s").text("{header:}").is_err());
        let name = HeaderName::from_static("x");
        assert!(
            HmacScheme::new("k", "s")
                .headers([(name, "{secret}")])
                .is_err()
        );
    }
}
