//! Headers that an endpoint wants with its deliveries: bounded, and never one that the gateway or the signature needs.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::redact;

const MAX_HEADERS: usize = 16;
const MAX_NAME_BYTES: usize = 64;
const MAX_VALUE_CHARS: usize = 1_024;

/// Beginnings of names that belong to signatures, to HTTP's framing and to proxies.
const RESERVED_BEGINNINGS: [&str; 4] = ["webhook-", "svix-", "proxy-", "sec-"];
/// Names that do.
const RESERVED: [&str; 14] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// What is wrong with them: where, a code, and why.
pub(super) fn faults(headers: &BTreeMap<String, String>) -> Vec<(String, &'static str, String)> {
    if headers.len() > MAX_HEADERS {
        let detail = format!("an endpoint has at most {MAX_HEADERS} headers of its own");
        return vec![("headers".into(), "too_many", detail)];
    }
    let mut faults = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in headers {
        let at: String = name.chars().take(MAX_NAME_BYTES).collect();
        let mut add = |code, detail: String| faults.push((format!("headers/{at}"), code, detail));
        let lower = name.to_ascii_lowercase();
        if name.len() > MAX_NAME_BYTES || HeaderName::try_from(name.as_str()).is_err() {
            let detail = format!("a header's name is a token of at most {MAX_NAME_BYTES} bytes");
            add("invalid_header", detail);
        } else if is_reserved(&lower) {
            let detail = "this header is the gateway's own and cannot be set";
            add("reserved_header", detail.into());
        } else if seen.contains(&lower) {
            let detail = "this header is there twice; names are the same in any case";
            add("invalid_header", detail.into());
        }
        if value.chars().count() > MAX_VALUE_CHARS || HeaderValue::try_from(value.as_str()).is_err()
        {
            let detail = format!(
                "a header's value has at most {MAX_VALUE_CHARS} characters and no control characters"
            );
            add("invalid_header", detail);
        }
        seen.push(lower);
    }
    faults
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
        || RESERVED_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

/// With their names as they are compared.
pub(super) fn in_lower_case(headers: BTreeMap<String, String>) -> BTreeMap<String, String> {
    headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect()
}

/// As they go on the wire. Those that cannot are refused before.
pub(super) fn on_the_wire(headers: &BTreeMap<String, String>) -> Vec<(HeaderName, HeaderValue)> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name.as_str()).ok()?,
                HeaderValue::try_from(value.as_str()).ok()?,
            ))
        })
        .collect()
}

/// A value as it is shown: of what may be a credential only the last four characters.
pub(super) fn shown(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    let known = HeaderName::try_from(name.as_str())
        .ok()
        .zip(HeaderValue::try_from(value).ok())
        .and_then(|(name, value)| redact::header(&name, &value));
    match known {
        Some(redacted) => redacted,
        None if is_credential(&name) => redact::last_four(value),
        None => value.into(),
    }
}

/// A body that sets an endpoint's headers, as the journal keeps it: with values as they are shown. Nothing where there is nothing to hide;
/// of a body that says `headers` and cannot be read, all is hidden.
pub(crate) fn redacted(body: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"\"headers\"";
    // An escape may spell it otherwise.
    let may_have_some = body.windows(NAME.len()).any(|some| some == NAME) || body.contains(&b'\\');
    if !may_have_some {
        return None;
    }
    let Ok(mut settings) = serde_json::from_slice::<Value>(body) else {
        return Some(b"***".to_vec());
    };
    let mut hidden = false;
    let mut hide = |value: &mut Value, kept: Value| {
        hidden |= *value != kept;
        *value = kept;
    };
    match settings.get_mut("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(headers)) => {
            for (name, value) in headers {
                let kept = match &*value {
                    Value::String(text) => Value::String(shown(name, text)),
                    Value::Null => Value::Null,
                    _ => "***".into(),
                };
                hide(value, kept);
            }
        }
        Some(other) => hide(other, "***".into()),
    }
    // What is said twice is read once: the last one.
    hidden |= body
        .windows(NAME.len())
        .filter(|some| *some == NAME)
        .count()
        > 1;
    hidden.then(|| serde_json::to_vec(&settings).unwrap_or_else(|_| b"***".to_vec()))
}

fn is_credential(name: &str) -> bool {
    [
        "auth",
        "cookie",
        "key",
        "password",
        "secret",
        "session",
        "signature",
        "token",
    ]
    .iter()
    .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_gets_no_credential_of_a_body() {
        let kept =
            |body: &str| redacted(body.as_bytes()).map(|kept| String::from_utf8(kept).unwrap());
        let secret = "Bearer 0123456789abcdef";
        for body in [
            format!(
                "{{\"url\":\"http://a\",\"headers\":{{\"Authorization\":\"{secret}\",\"x-tenant\":\"acme\"}}}}"
            ),
            format!("{{\"h\\u0065aders\":{{\"x-api-token\":\"{secret}\"}}}}"),
            format!("{{\"headers\":{{\"cookie\":\"{secret}\"}},\"headers\":{{}}}}"),
            format!("{{\"headers\":[\"{secret}\"]}}"),
            format!("{{\"headers\":{{\"x-key\":{{\"a\":\"{secret}\"}}}}}}"),
            format!("{{\"headers\":{{\"authorization\":\"{secret}\""),
        ] {
            let kept = kept(&body).unwrap_or_else(|| panic!("{body}"));
            assert!(!kept.contains("0123456789ab"), "{kept}");
        }
        let plain = "{\"headers\":{\"x-tenant\":\"acme\"}}";
        for nothing in [
            plain,
            "{}",
            "",
            "{\"url\":\"http://a\"}",
            "{\"data\":\"\\n\"}",
        ] {
            assert_eq!(kept(nothing), None, "{nothing}");
        }
    }

    fn faults_of(headers: &[(&str, &str)]) -> Vec<(String, &'static str)> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        faults(&headers)
            .into_iter()
            .map(|(at, code, _)| (at, code))
            .collect()
    }

    #[test]
    fn what_the_gateway_sends_itself_cannot_be_set() {
        for name in [
            "Webhook-Id",
            "webhook-signature",
            "WEBHOOK-TIMESTAMP",
            "svix-id",
            "Host",
            "Content-Length",
            "Content-Type",
            "Transfer-Encoding",
            "Connection",
            "Proxy-Authorization",
            "User-Agent",
        ] {
            let at = format!("headers/{name}");
            assert_eq!(faults_of(&[(name, "x")]), [(at, "reserved_header")]);
        }
    }

    #[test]
    fn names_and_values_are_those_of_http_and_bounded() {
        assert!(faults_of(&[("X-Tenant", "acme"), ("authorization", "Bearer x")]).is_empty());
        let long = "x".repeat(MAX_VALUE_CHARS + 1);
        for (name, value) in [
            ("x y", "1"),
            ("", "1"),
            ("x:", "1"),
            ("x", "a\r\nwebhook-id: 1"),
            ("x", "\u{0}"),
            ("x", long.as_str()),
        ] {
            let found = faults_of(&[(name, value)]);
            assert_eq!(found, [(format!("headers/{name}"), "invalid_header")]);
        }
        assert_eq!(faults_of(&[("X-A", "1"), ("x-a", "2")]).len(), 1);
        let many: Vec<String> = (0..=MAX_HEADERS).map(|n| format!("x-{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        assert_eq!(faults_of(&many), [("headers".into(), "too_many")]);
    }

    #[test]
    fn credentials_are_shown_only_in_part() {
        assert_eq!(
            shown("Authorization", "Bearer abcdefghijkl"),
            "Bearer ***ijkl"
        );
        assert_eq!(shown("x-hook-token", "abcdefghijkl"), "***ijkl");
        assert_eq!(shown("x-hook-token", "short"), "***");
        assert_eq!(shown("x-tenant", "acme"), "acme");
    }
}
