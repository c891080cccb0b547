//! What the journal may show of credentials: never the secret, only its last four characters and a SHA-256.

use http::HeaderValue;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION};

/// The value of a header as the journal keeps it.
pub(crate) fn header(name: &HeaderName, value: &HeaderValue) -> Option<String> {
    if name == AUTHORIZATION || name == PROXY_AUTHORIZATION {
        let text = String::from_utf8_lossy(value.as_bytes());
        return Some(match text.trim().split_once(' ') {
            // Base64 shows whole characters of the password; nothing of it is kept.
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("basic") => format!("{scheme} ***"),
            Some((scheme, secret)) => format!("{scheme} {}", last_four(secret.trim())),
            None => last_four(&text),
        });
    }
    if name == "x-api-key" {
        return Some(last_four(String::from_utf8_lossy(value.as_bytes()).trim()));
    }
    if name == COOKIE {
        let text = String::from_utf8_lossy(value.as_bytes());
        let pairs: Vec<String> = text
            .split(';')
            .map(|pair| match pair.trim().split_once('=') {
                Some((name, secret)) => format!("{name}={}", last_four(secret)),
                None => "***".into(),
            })
            .collect();
        return Some(pairs.join("; "));
    }
    None
}

/// A query without the values of parameters that carry credentials.
pub(crate) fn query(query: &str) -> String {
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, secret)) if is_secret_parameter(name) => {
                format!("{name}={}", last_four(secret))
            }
            _ => pair.into(),
        })
        .collect::<Vec<String>>()
        .join("&")
}

/// A form sent to the authorization server, without what must stay secret; lengths change.
pub(crate) fn form(body: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(body)
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, secret)) if SECRET_FIELDS.contains(&name) || name.contains('%') => {
                format!("{name}={}", last_four(secret))
            }
            _ => pair.into(),
        })
        .collect::<Vec<String>>()
        .join("&")
        .into_bytes()
}

const SECRET_FIELDS: [&str; 8] = [
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "password",
    "refresh_token",
    "token",
];

fn is_secret_parameter(name: &str) -> bool {
    ["api_key", "access_token", "code", "token", "key"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
        || name.contains('%')
}

/// `***` and the last four characters, or only `***` when that would be half of the secret or more.
pub(crate) fn last_four(secret: &str) -> String {
    let chars = secret.chars().count();
    if chars <= 8 {
        return "***".into();
    }
    let tail: String = secret.chars().skip(chars - 4).collect();
    format!("***{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(name: &'static str, value: &str) -> Option<String> {
        header(&HeaderName::from_static(name), &value.parse().unwrap())
    }

    #[test]
    fn credentials_keep_at_most_four_characters() {
        let shown = |name, value| redacted(name, value).unwrap();
        assert_eq!(
            shown("authorization", "Bearer sk_test_pro_acme"),
            "Bearer ***acme"
        );
        assert_eq!(shown("authorization", "Basic c2tfdGVzdDpw"), "Basic ***");
        assert_eq!(shown("authorization", "short"), "***");
        assert_eq!(shown("x-api-key", "sk_test_pro_acme"), "***acme");
        assert_eq!(
            shown("cookie", "a=b; api_key=sk_test_pro_acme"),
            "a=***; api_key=***acme"
        );
        assert_eq!(redacted("accept", "*/*"), None);
    }

    #[test]
    fn forms_lose_their_secrets_only() {
        let shown = form(b"grant_type=refresh_token&refresh_token=ort_0123456789&client_id=a&client_secret=short");
        assert_eq!(
            String::from_utf8(shown).unwrap(),
            "grant_type=refresh_token&refresh_token=***6789&client_id=a&client_secret=***"
        );
    }

    #[test]
    fn queries_lose_their_keys_only() {
        assert_eq!(
            query("limit=5&api_key=sk_test_pro_acme"),
            "limit=5&api_key=***acme"
        );
        assert_eq!(query("API_KEY=x&a=1"), "API_KEY=***&a=1");
        assert_eq!(query("api%5Fkey=sk_test_pro_acme"), "api%5Fkey=***acme");
    }
}
