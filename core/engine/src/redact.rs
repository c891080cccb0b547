//! What may never be shown: takes secrets out of URLs and of texts before anyone sees them.

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

/// What stands where a secret stood.
pub const HIDDEN: &str = "***";

/// A secret string: zeroed on drop, never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` in.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for the wire alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Query parameters whose values are never shown, beside the ones that a client configures.
const SENSITIVE: [&str; 14] = [
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth",
    "client_secret",
    "code",
    "id_token",
    "key",
    "password",
    "refresh_token",
    "secret",
    "signature",
    "token",
];

/// Knows the secrets of one client and takes them out of whatever is shown.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    parameters: Vec<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

impl Redactor {
    /// Knows `secrets`, and the query parameter `parameter` that carries one.
    #[must_use]
    pub fn new(secrets: Vec<Secret>, parameter: Option<String>) -> Self {
        // A very short "secret" would hide half of every text and protect nothing.
        let secrets = secrets
            .into_iter()
            .filter(|s| s.expose().len() >= 4)
            .collect();
        Self {
            secrets,
            parameters: parameter.into_iter().collect(),
        }
    }

    /// The same with one secret more, for a token that was fetched.
    #[must_use]
    pub fn with(&self, secret: &Secret) -> Self {
        let mut more = self.clone();
        if secret.expose().len() >= 4 {
            more.secrets.push(secret.clone());
        }
        more
    }

    /// The same with all that another one knows, for a client with several credentials.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut more = self.clone();
        more.secrets.extend(other.secrets.iter().cloned());
        more.parameters.extend(other.parameters.iter().cloned());
        more
    }

    /// `url` as it may be shown: no user, no password, no value of a parameter that carries a secret, no fragment.
    #[must_use]
    pub fn url(&self, url: &Url) -> String {
        let has_query = url.query().is_some_and(|q| !q.is_empty());
        // The usual case, without a copy of the URL's parts.
        if !has_query
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
        {
            return self.text(url.as_str());
        }
        let mut shown = url.clone();
        // Both fail only for URLs that cannot have a user at all.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.set_fragment(None);
        if has_query {
            shown.set_query(None);
            let mut text = shown.to_string();
            for (index, (name, value)) in url.query_pairs().enumerate() {
                text.push(if index == 0 { '?' } else { '&' });
                let pair: String = if self.hides(&name) {
                    format!("{name}={HIDDEN}")
                } else {
                    encode_pair(&name, &value)
                };
                text.push_str(&pair);
            }
            return self.text(&text);
        }
        self.text(shown.as_str())
    }

    /// `text` without the client's secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.secrets {
            if shown.contains(secret.expose()) {
                shown = shown.replace(secret.expose(), HIDDEN);
            }
        }
        shown
    }

    /// `bytes` without the client's secrets; `None` where there was nothing to take out.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut shown: Option<Vec<u8>> = None;
        for secret in &self.secrets {
            let needle = secret.expose().as_bytes();
            let current = shown.as_deref().unwrap_or(bytes);
            if find(current, needle).is_none() {
                continue;
            }
            let mut out = Vec::with_capacity(current.len());
            let mut rest = current;
            while let Some(at) = find(rest, needle) {
                let (before, after) = rest.split_at(at);
                out.extend_from_slice(before);
                out.extend_from_slice(HIDDEN.as_bytes());
                rest = after.get(needle.len()..).unwrap_or_default();
            }
            out.extend_from_slice(rest);
            shown = Some(out);
        }
        shown
    }

    fn hides(&self, name: &str) -> bool {
        self.parameters.iter().any(|known| known == name)
            || SENSITIVE.iter().any(|s| name.eq_ignore_ascii_case(s))
    }
}

fn encode_pair(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len().max(1))
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(vec![Secret::new("canary-secret")], Some("k".to_owned()))
    }

    #[test]
    fn urls_lose_users_parameters_and_fragments() {
        let url = Url::parse("https://me:pw@h.example/a?k=1&q=2&Api_Key=3#frag").unwrap();
        assert_eq!(
            redactor().url(&url),
            "https://h.example/a?k=***&q=2&Api_Key=***"
        );
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        let url = Url::parse("https://h.example/canary-secret/x?q=canary-secret").unwrap();
        assert_eq!(redactor().url(&url), "https://h.example/***/x?q=***");
        assert_eq!(redactor().text("bad key canary-secret."), "bad key ***.");
        assert_eq!(
            redactor().bytes(b"<canary-secret><canary-secret>").unwrap(),
            b"<***><***>"
        );
        assert_eq!(redactor().bytes(b"nothing"), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", Secret::new("canary-secret"), redactor());
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn two_redactors_know_what_both_know() {
        let both = redactor().and(&Redactor::new(
            vec!["other-secret".into()],
            Some("z".into()),
        ));
        let url = Url::parse("https://h.example/other-secret?k=1&z=2&q=canary-secret").unwrap();
        assert_eq!(both.url(&url), "https://h.example/***?k=***&z=***&q=***");
    }

    #[test]
    fn short_values_are_not_treated_as_secrets() {
        assert_eq!(
            Redactor::new(vec![Secret::new("a")], None).text("banana"),
            "banana"
        );
    }
}
