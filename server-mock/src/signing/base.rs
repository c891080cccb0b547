//! The text that a message signature is made of: a line for each covered component (RFC 9421, section 2).

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Flaw;
use super::fields::{Covered, Item};
use crate::call::Call;

/// What `@query-param` leaves as it is: the set of application/x-www-form-urlencoded (section 2.2.8).
const QUERY_PARAM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// A component of a request.
pub(super) enum Component<'a> {
    Derived(&'a str),
    Field(&'a str),
    QueryParam(&'a str),
}

impl<'a> Component<'a> {
    /// One that may be asked for: without parameters.
    pub(super) fn required(text: &'a str) -> Option<Self> {
        Self::of(text, &[])
    }

    fn of(name: &'a str, parameters: &'a [(&str, Item)]) -> Option<Self> {
        match (name, parameters) {
            ("@query-param", [("name", Item::Text(name))]) => Some(Self::QueryParam(name)),
            (
                "@method" | "@target-uri" | "@authority" | "@scheme" | "@request-target" | "@path"
                | "@query",
                [],
            ) => Some(Self::Derived(name)),
            (name, []) => {
                let lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
                (lower && http::HeaderName::try_from(name).is_ok()).then_some(Self::Field(name))
            }
            _ => None,
        }
    }

    fn value(&self, request: &Request<'_>) -> Option<String> {
        let authority = || {
            let host = request.host.to_ascii_lowercase();
            host.strip_suffix(":80").map(Into::into).unwrap_or(host)
        };
        let target = || match request.query {
            Some(query) => format!("{}?{query}", request.path),
            None => request.path.to_owned(),
        };
        Some(match self {
            Self::Derived("@method") => request.method.to_owned(),
            Self::Derived("@target-uri") => format!("http://{}{}", authority(), target()),
            Self::Derived("@authority") => authority(),
            Self::Derived("@scheme") => "http".to_owned(),
            Self::Derived("@request-target") => target(),
            Self::Derived("@path") => request.path.to_owned(),
            Self::Derived("@query") => format!("?{}", request.query.unwrap_or_default()),
            Self::Derived(_) => return None,
            Self::QueryParam(wanted) => {
                let encode = |text: &str| utf8_percent_encode(text, QUERY_PARAM).to_string();
                let mut values = url::form_urlencoded::parse(request.query?.as_bytes())
                    .filter(|(name, _)| encode(name) == *wanted)
                    .map(|(_, value)| encode(&value));
                let only = values.next()?;
                // One that is there twice cannot be signed.
                values.next().is_none().then_some(only)?
            }
            Self::Field(name) => {
                let values: Vec<&str> = request
                    .headers
                    .get_all(*name)
                    .iter()
                    .map(|value| value.to_str().ok().map(str::trim))
                    .collect::<Option<_>>()?;
                (!values.is_empty()).then(|| values.join(", "))?
            }
        })
    }
}

/// What a base is made of.
pub(super) struct Request<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    headers: &'a HeaderMap,
}

impl<'a> Request<'a> {
    pub(super) fn of(call: &'a Call) -> Option<Self> {
        Some(Self {
            method: call.parts.method.as_str(),
            host: std::str::from_utf8(call.header("host")?).ok()?,
            path: call.path(),
            query: call.parts.uri.query(),
            headers: &call.parts.headers,
        })
    }

    /// The text that was signed.
    pub(super) fn base(&self, covered: &Covered<'_>) -> Result<String, Flaw> {
        let mut base = String::new();
        for (at, (written, name, parameters)) in covered.items.iter().enumerate() {
            let twice = covered
                .items
                .iter()
                .take(at)
                .any(|(other, ..)| other == written);
            let component = Component::of(name, parameters).filter(|_| !twice);
            let value = component.ok_or(Flaw::Malformed)?.value(self);
            // A component that is not there was not signed with this request.
            let value = value.ok_or(Flaw::Invalid)?;
            base.push_str(&format!("{written}: {value}\n"));
        }
        base.push_str(&format!("\"@signature-params\": {}", covered.written));
        Ok(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::fields::{bytes_of, first_list};
    use crate::signing::settings::SigningOptions;

    /// The request of RFC 9421, appendix B.2, signed as in its sections B.2.5 and B.2.6.
    #[test]
    fn the_signatures_of_rfc_9421_appendix_b() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "example.com"),
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let request = Request {
            method: "POST",
            host: "example.com",
            path: "/foo",
            query: Some("param=Value&Pet=dog"),
            headers: &headers,
        };
        for (input, signature) in [
            (
                r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
                "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
            ),
            (
                r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
                "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
            ),
        ] {
            let (label, covered) = first_list(input).unwrap();
            let Some((_, Item::Text(keyid))) = covered.parameters.last() else {
                panic!("no keyid");
            };
            let key = SigningOptions::default().key(keyid).unwrap();
            let base = request.base(&covered).unwrap();
            let signature = bytes_of(signature, label).unwrap();
            assert!(key.is_signed(base.as_bytes(), &signature), "{keyid}");
            assert!(!key.is_signed(format!("{base} ").as_bytes(), &signature));
        }
    }

    #[test]
    fn components_that_are_twice_there_or_not_at_all_are_refused() {
        let headers = HeaderMap::new();
        let request = Request {
            method: "GET",
            host: "Example.com:80",
            path: "/a",
            query: Some("id=a%20b&x=1&x=2"),
            headers: &headers,
        };
        let base = |input: &str| request.base(&first_list(input).unwrap().1);
        assert_eq!(
            base(r#"s=("@target-uri" "@query-param";name="id")"#).unwrap(),
            "\"@target-uri\": http://example.com/a?id=a%20b&x=1&x=2\n\"@query-param\";name=\"id\": a%20b\n\
             \"@signature-params\": (\"@target-uri\" \"@query-param\";name=\"id\")"
        );
        for (input, flaw) in [
            (r#"s=("@method" "@method")"#, Flaw::Malformed),
            (r#"s=("@status")"#, Flaw::Malformed),
            (r#"s=("date";sf)"#, Flaw::Malformed),
            (r#"s=("Date")"#, Flaw::Malformed),
            (r#"s=("date")"#, Flaw::Invalid),
            (r#"s=("@query-param";name="x")"#, Flaw::Invalid),
        ] {
            assert_eq!(base(input).unwrap_err(), flaw, "{input}");
        }
    }
}
