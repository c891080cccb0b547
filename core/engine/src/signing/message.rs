//! HTTP Message Signatures (RFC 9421) of requests: the text that is signed, and the fields that carry the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::digest::{HashAlgorithm, content_digest};
use super::{Signable, SignedBody, SigningError, authority, field};

/// What stays as it is in `@query-param` (RFC 9421, section 2.2.8, which names the set of application/x-www-form-urlencoded).
const QUERY_PARAM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// A covered component (RFC 9421, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// `@method`.
    Method,
    /// `@target-uri`.
    TargetUri,
    /// `@authority`.
    Authority,
    /// `@scheme`.
    Scheme,
    /// `@request-target`.
    RequestTarget,
    /// `@path`.
    Path,
    /// `@query`.
    Query,
    /// `@query-param` with this name.
    QueryParam(String),
    /// A header. One that a request does not have is left out of its signature.
    Field(HeaderName),
}

impl Component {
    /// Reads a component as the RFC writes it: `@method`, `content-type`, `@query-param;name="id"`.
    ///
    /// # Errors
    /// The text that is none, to be shown.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text
                .chars()
                .take(60)
                .flat_map(char::escape_default)
                .collect();
            format!(
                "\"{shown}\" is no component of a request that can be signed (RFC 9421, section 2)"
            )
        };
        Ok(match text {
            "@method" => Self::Method,
            "@target-uri" => Self::TargetUri,
            "@authority" => Self::Authority,
            "@scheme" => Self::Scheme,
            "@request-target" => Self::RequestTarget,
            "@path" => Self::Path,
            "@query" => Self::Query,
            text => match text.strip_prefix("@query-param;name=\"") {
                Some(rest) => {
                    let name = rest.strip_suffix('"').ok_or_else(wrong)?;
                    let name = quoted(name).ok_or_else(wrong).map(|_| name)?;
                    Self::QueryParam(name.to_owned())
                }
                None => Self::Field(HeaderName::try_from(text).map_err(|_| wrong())?),
            },
        })
    }

    fn identifier(&self) -> String {
        match self {
            Self::Method => "\"@method\"".to_owned(),
            Self::TargetUri => "\"@target-uri\"".to_owned(),
            Self::Authority => "\"@authority\"".to_owned(),
            Self::Scheme => "\"@scheme\"".to_owned(),
            Self::RequestTarget => "\"@request-target\"".to_owned(),
            Self::Path => "\"@path\"".to_owned(),
            Self::Query => "\"@query\"".to_owned(),
            Self::QueryParam(name) => format!("\"@query-param\";name=\"{name}\""),
            Self::Field(name) => format!("\"{name}\""),
        }
    }

    fn value(&self, request: &Signable<'_>) -> Option<String> {
        let url = request.url;
        Some(match self {
            Self::Method => request.method.as_str().to_owned(),
            Self::TargetUri => {
                let mut url = url.clone();
                url.set_fragment(None);
                url.into()
            }
            Self::Authority => authority(url),
            Self::Scheme => url.scheme().to_owned(),
            Self::RequestTarget => match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            },
            Self::Path => url.path().to_owned(),
            Self::Query => format!("?{}", url.query().unwrap_or_default()),
            Self::QueryParam(name) => query_param(url, name)?,
            Self::Field(name) => field(request.headers, name.as_str())?,
        })
    }
}

/// The one value of a parameter; a parameter that is there twice cannot be signed (section 2.2.8).
fn query_param(url: &Url, encoded: &str) -> Option<String> {
    let encode = |text: &str| utf8_percent_encode(text, QUERY_PARAM).to_string();
    let mut values = url
        .query_pairs()
        .filter(|(name, _)| encode(name) == encoded);
    let first = values.next()?;
    values.next().is_none().then(|| encode(&first.1))
}

/// A text as a structured field's string (RFC 9651, section 4.1.6).
fn quoted(text: &str) -> Option<String> {
    let fits = text.bytes().all(|b| (0x20..0x7f).contains(&b));
    fits.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The parameters of one signature (RFC 9421, section 2.3), in the order in which they are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignatureParameters<'a> {
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// From when on it is not good any more.
    pub expires: Option<i64>,
    /// Which key.
    pub keyid: Option<&'a str>,
    /// Which algorithm.
    pub alg: Option<&'a str>,
    /// A text that is used once.
    pub nonce: Option<&'a str>,
    /// What it is for.
    pub tag: Option<&'a str>,
}

impl SignatureParameters<'_> {
    fn write(&self, out: &mut String) -> Result<(), SigningError> {
        for (name, number) in [("created", self.created), ("expires", self.expires)] {
            if let Some(number) = number {
                out.push_str(&format!(";{name}={number}"));
            }
        }
        for (name, text) in [
            ("keyid", self.keyid),
            ("alg", self.alg),
            ("nonce", self.nonce),
            ("tag", self.tag),
        ] {
            if let Some(text) = text {
                let text = quoted(text).ok_or_else(|| {
                    SigningError::Setting(format!(
                        "the signature's `{name}` has a character that it cannot carry"
                    ))
                })?;
                out.push_str(&format!(";{name}={text}"));
            }
        }
        Ok(())
    }
}

/// What is signed of requests.
#[derive(Clone, Debug)]
pub struct MessageSignature {
    /// The signature's name among others. Default `sig1`.
    pub label: String,
    /// What it covers. Default `@method`, `@target-uri`, `content-digest`.
    pub components: Vec<Component>,
    /// The hash of `Content-Digest`. Default SHA-256.
    pub digest: HashAlgorithm,
    /// Whether a streamed body goes without a digest, and the signature without it. Default: it is refused.
    pub unsigned_streams: bool,
}

impl Default for MessageSignature {
    fn default() -> Self {
        Self {
            label: "sig1".to_owned(),
            components: vec![
                Component::Method,
                Component::TargetUri,
                Component::Field(HeaderName::from_static("content-digest")),
            ],
            digest: HashAlgorithm::Sha256,
            unsigned_streams: false,
        }
    }
}

/// The fields that carry a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFields {
    /// `Signature-Input`.
    pub signature_input: String,
    /// The text to sign.
    pub base: String,
}

impl SignedFields {
    /// `Signature`.
    #[must_use]
    pub fn signature(label: &str, signature: &[u8]) -> String {
        format!("{label}=:{}:", STANDARD.encode(signature))
    }
}

impl MessageSignature {
    /// Whether the body's digest is covered.
    #[must_use]
    pub fn covers_body(&self) -> bool {
        self.components
            .iter()
            .any(|c| matches!(c, Component::Field(name) if name == "content-digest"))
    }

    /// The `Content-Digest` that the request needs before it is signed; `None`: none.
    ///
    /// # Errors
    /// Where the body is a stream and must not go unsigned.
    pub fn content_digest(&self, request: &Signable<'_>) -> Result<Option<String>, SigningError> {
        if !self.covers_body() || request.headers.contains_key("content-digest") {
            return Ok(None);
        }
        match request.body {
            SignedBody::Bytes(bytes) => Ok(Some(content_digest(self.digest, bytes))),
            SignedBody::Stream if self.unsigned_streams => Ok(None),
            SignedBody::Stream => Err(SigningError::StreamedBody),
        }
    }

    /// The text to sign, and the field that says how it was made (section 2.5). `Content-Digest` is on the request already.
    ///
    /// # Errors
    /// Where a parameter cannot be written.
    pub fn base(
        &self,
        request: &Signable<'_>,
        parameters: &SignatureParameters<'_>,
    ) -> Result<SignedFields, SigningError> {
        let mut base = String::new();
        let mut list = String::from("(");
        for component in &self.components {
            let Some(value) = component.value(request) else {
                continue;
            };
            let identifier = component.identifier();
            if list.len() > 1 {
                list.push(' ');
            }
            list.push_str(&identifier);
            base.push_str(&format!("{identifier}: {value}\n"));
        }
        list.push(')');
        parameters.write(&mut list)?;
        base.push_str(&format!("\"@signature-params\": {list}"));
        Ok(SignedFields {
            signature_input: format!("{}={list}", self.label),
            base,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::hmac;
    use http::{HeaderMap, HeaderValue, Method};

    /// RFC 9421, appendix B.2: `test-request`.
    fn base_of(components: &[&str], parameters: SignatureParameters<'_>) -> SignedFields {
        let url = Url::parse("https://example.com/foo?param=Value&Pet=dog").unwrap();
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
            headers.insert(name, HeaderValue::from_static(value));
        }
        let request = Signable {
            method: &Method::POST,
            url: &url,
            headers: &headers,
            body: SignedBody::Bytes(br#"{"hello": "world"}"#),
        };
        MessageSignature {
            label: "sig".to_owned(),
            components: components
                .iter()
                .map(|text| Component::parse(text).unwrap())
                .collect(),
            ..MessageSignature::default()
        }
        .base(&request, &parameters)
        .unwrap()
    }

    const CREATED: Option<i64> = Some(1_618_884_473);

    #[test]
    fn the_selective_base_is_that_of_b_2_2() {
        let fields = base_of(
            &["@authority", "content-digest", "@query-param;name=\"Pet\""],
            SignatureParameters {
                created: CREATED,
                keyid: Some("test-key-rsa-pss"),
                tag: Some("header-example"),
                ..SignatureParameters::default()
            },
        );
        assert_eq!(
            fields.base,
            "\"@authority\": example.com\n\
             \"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\n\
             \"@query-param\";name=\"Pet\": dog\n\
             \"@signature-params\": (\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");created=1618884473;keyid=\"test-key-rsa-pss\";tag=\"header-example\""
        );
    }

    #[test]
    fn the_hmac_of_b_2_5_is_that_of_the_rfc() {
        let fields = base_of(
            &["date", "@authority", "content-type"],
            SignatureParameters {
                created: CREATED,
                keyid: Some("test-shared-secret"),
                ..SignatureParameters::default()
            },
        );
        let key = STANDARD
            .decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
            .unwrap();
        let mac = hmac(HashAlgorithm::Sha256, &key, fields.base.as_bytes());
        assert_eq!(
            SignedFields::signature("sig-b25", &mac),
            "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"
        );
        assert_eq!(
            fields.signature_input,
            "sig=(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\""
        );
    }

    #[test]
    fn every_derived_component_is_that_of_section_2_2() {
        let fields = base_of(
            &[
                "@method",
                "@target-uri",
                "@scheme",
                "@request-target",
                "@path",
                "@query",
                "x-not-there",
            ],
            SignatureParameters::default(),
        );
        assert_eq!(
            fields.base,
            "\"@method\": POST\n\
             \"@target-uri\": https://example.com/foo?param=Value&Pet=dog\n\
             \"@scheme\": https\n\
             \"@request-target\": /foo?param=Value&Pet=dog\n\
             \"@path\": /foo\n\
             \"@query\": ?param=Value&Pet=dog\n\
             \"@signature-params\": (\"@method\" \"@target-uri\" \"@scheme\" \"@request-target\" \"@path\" \"@query\")"
        );
    }

    #[test]
    fn query_parameters_are_encoded_as_section_2_2_8_has_it() {
        let url = Url::parse(
            "https://www.example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&twice=1&twice=2",
        )
        .unwrap();
        for (name, value) in [
            ("var", Some("this%20is%20a%20big%0Amultiline%20value")),
            ("bar", Some("with%20plus%20whitespace")),
            ("fa%C3%A7ade%22%3A%20", Some("something")),
            ("twice", None),
            ("none", None),
        ] {
            assert_eq!(query_param(&url, name).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for bad in [
            "@status",
            "@query-param",
            "@query-param;name=\"a",
            "a b",
            "",
            "content-type;bs",
        ] {
            assert!(Component::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_that_no_parameter_can_carry_are_refused() {
        let mut out = String::new();
        let parameters = SignatureParameters {
            keyid: Some("k\u{e9}"),
            ..SignatureParameters::default()
        };
        assert!(parameters.write(&mut out).is_err());
        let parameters = SignatureParameters {
            keyid: Some("a\"b\\"),
            ..SignatureParameters::default()
        };
        parameters.write(&mut out).unwrap();
        assert!(out.ends_with(r#";keyid="a\"b\\""#), "{out}");
    }
}
