//! How a credential goes onto a request. Credentials are put on anew for each attempt.

use base64::Engine as _;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::redact::{Redactor, Secret};

/// A credential. Its secret is checked when it is made, so that applying it cannot fail.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// No credential.
    None,
    /// An API key in a header.
    ApiKeyHeader {
        /// The header's name, such as `x-api-key`.
        name: HeaderName,
        /// The key.
        key: Secret,
    },
    /// An API key in a query parameter. It is redacted from every URL shown.
    ApiKeyQuery {
        /// The parameter's name, such as `api_key`.
        name: String,
        /// The key.
        key: Secret,
    },
    /// An API key in a cookie.
    ApiKeyCookie {
        /// The cookie's name.
        name: String,
        /// The key.
        key: Secret,
    },
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(Secret),
    /// `Authorization: Basic …` (RFC 7617), UTF-8.
    Basic {
        /// The user; may not contain a colon.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token that is fetched: by a callback, or by OAuth.
    Token,
    /// `Authorization: DPoP …` (RFC 9449, section 7.1), beside which goes a proof.
    Dpop(Secret),
    /// As [`Credential::Dpop`], with a token that is fetched.
    DpopToken,
}

/// Why a credential cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The secret is empty.
    Empty,
    /// The secret has a character that a header cannot carry, such as a newline.
    NotSendable,
    /// The name of the header, parameter or cookie is not one.
    BadName,
    /// A user name with a colon (RFC 7617, section 2).
    ColonInUser,
}

impl std::fmt::Display for CredentialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "the credential is empty; is its environment variable set?",
            Self::NotSendable => {
                "the credential has a character that no HTTP header can carry (a newline or a space at its end?); \
                 strip it where you read it"
            }
            Self::BadName => "that is no name for a header, parameter or cookie",
            Self::ColonInUser => "a user name for basic auth may not contain a colon",
        })
    }
}

impl std::error::Error for CredentialError {}

impl Credential {
    /// Checks the credential, so that [`Credential::apply`] cannot fail later.
    ///
    /// # Errors
    /// Says what is wrong with it, without showing it.
    pub fn check(&self) -> Result<(), CredentialError> {
        let visible = |secret: &Secret| match secret.expose() {
            "" => Err(CredentialError::Empty),
            text if text.bytes().all(|b| (0x21..0x7f).contains(&b)) => Ok(()),
            _ => Err(CredentialError::NotSendable),
        };
        let token = |name: &str| {
            let fits = !name.is_empty() && HeaderName::try_from(name).is_ok();
            if fits {
                Ok(())
            } else {
                Err(CredentialError::BadName)
            }
        };
        match self {
            Self::None | Self::Token | Self::DpopToken => Ok(()),
            Self::ApiKeyHeader { key, .. } | Self::Bearer(key) | Self::Dpop(key) => visible(key),
            Self::ApiKeyQuery { name, key } => {
                if name.is_empty() {
                    return Err(CredentialError::BadName);
                }
                if key.expose().is_empty() {
                    Err(CredentialError::Empty)
                } else {
                    Ok(())
                }
            }
            Self::ApiKeyCookie { name, key } => {
                token(name)?;
                visible(key)?;
                // RFC 6265, section 4.1.1: what would end the cookie's value.
                let ends = key.expose().contains([';', ',', '"', '\\']);
                if ends {
                    Err(CredentialError::NotSendable)
                } else {
                    Ok(())
                }
            }
            Self::Basic { user, .. } => {
                if user.contains(':') {
                    Err(CredentialError::ColonInUser)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Puts the credential onto a request. `token`: what the callback fetched, for [`Credential::Token`].
    /// A header that the caller set on the request stays as it is.
    pub fn apply(&self, token: Option<&Secret>, headers: &mut HeaderMap, url: &mut Url) {
        match self {
            Self::None => {}
            Self::ApiKeyHeader { name, key } => put(headers, name.clone(), "", key.expose()),
            Self::ApiKeyQuery { name, key } => {
                if !url.query_pairs().any(|(n, _)| n == name.as_str()) {
                    url.query_pairs_mut().append_pair(name, key.expose());
                }
            }
            Self::ApiKeyCookie { name, key } => {
                let cookie = format!("{name}={}", key.expose());
                let value = match headers.get(COOKIE).and_then(|v| v.to_str().ok()) {
                    Some(present) => format!("{present}; {cookie}"),
                    None => cookie,
                };
                headers.remove(COOKIE);
                put(headers, COOKIE, "", &value);
            }
            Self::Bearer(secret) => put(headers, AUTHORIZATION, "Bearer ", secret.expose()),
            Self::Dpop(secret) => put(headers, AUTHORIZATION, "DPoP ", secret.expose()),
            Self::Token | Self::DpopToken => {
                if let Some(secret) = token {
                    let scheme = if matches!(self, Self::Token) {
                        "Bearer "
                    } else {
                        "DPoP "
                    };
                    put(headers, AUTHORIZATION, scheme, secret.expose());
                }
            }
            Self::Basic { user, password } => {
                let pair = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
                put(headers, AUTHORIZATION, "Basic ", &encoded);
            }
        }
    }

    /// A redactor that knows this credential.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        match self {
            Self::None | Self::Token | Self::DpopToken => Redactor::default(),
            Self::ApiKeyHeader { key, .. }
            | Self::ApiKeyCookie { key, .. }
            | Self::Bearer(key)
            | Self::Dpop(key) => Redactor::new(vec![key.clone()], None),
            Self::ApiKeyQuery { name, key } => Redactor::new(vec![key.clone()], Some(name.clone())),
            Self::Basic { user, password } => {
                let pair = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
                Redactor::new(vec![password.clone(), Secret::new(encoded)], None)
            }
        }
    }

    /// Tells credentials apart, so that their quotas and cached answers are kept apart. Not reversible, and the same for the same
    /// credential. All fetched tokens are one here: their sources are told apart by the driver.
    #[must_use]
    pub fn partition(&self) -> u64 {
        let parts: [&str; 3] = match self {
            Self::None => ["none", "", ""],
            Self::ApiKeyHeader { name, key } => ["header", name.as_str(), key.expose()],
            Self::ApiKeyQuery { name, key } => ["query", name, key.expose()],
            Self::ApiKeyCookie { name, key } => ["cookie", name, key.expose()],
            Self::Bearer(key) => ["bearer", "", key.expose()],
            Self::Basic { user, password } => ["basic", user, password.expose()],
            Self::Token => ["token", "", ""],
            Self::Dpop(key) => ["dpop", "", key.expose()],
            Self::DpopToken => ["dpop-token", "", ""],
        };
        partition_of(parts)
    }
}

/// A number that tells texts apart: 64 bits of the SHA-256 over all of them. One credential of a client could otherwise be made
/// to read what was cached for another.
#[must_use]
pub fn partition_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        // Lengths in between, so that no two lists of texts are one text.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn put(headers: &mut HeaderMap, name: HeaderName, prefix: &str, secret: &str) {
    if headers.contains_key(&name) {
        return;
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(prefix.len() + secret.len()));
    bytes.extend_from_slice(prefix.as_bytes());
    bytes.extend_from_slice(secret.as_bytes());
    // `check` ran before: a value that fails here was never accepted.
    if let Ok(mut value) = HeaderValue::from_bytes(&bytes) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(credential: &Credential) -> (HeaderMap, Url) {
        let (mut headers, mut url) = (
            HeaderMap::new(),
            Url::parse("https://h.example/a?x=1").unwrap(),
        );
        credential.check().unwrap();
        credential.apply(Some(&"tok".into()), &mut headers, &mut url);
        (headers, url)
    }

    #[test]
    fn each_credential_goes_where_it_belongs() {
        let bearer = applied(&Credential::Bearer("k".into())).0;
        assert_eq!(bearer[AUTHORIZATION], "Bearer k");
        assert!(bearer[AUTHORIZATION].is_sensitive());
        assert_eq!(applied(&Credential::Token).0[AUTHORIZATION], "Bearer tok");
        assert_eq!(applied(&Credential::DpopToken).0[AUTHORIZATION], "DPoP tok");
        assert_eq!(
            applied(&Credential::Dpop("k".into())).0[AUTHORIZATION],
            "DPoP k"
        );
        let basic = Credential::Basic {
            user: "Aladdin".into(),
            password: "open sesame".into(),
        };
        assert_eq!(
            applied(&basic).0[AUTHORIZATION],
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        let header = Credential::ApiKeyHeader {
            name: HeaderName::from_static("x-api-key"),
            key: "k".into(),
        };
        assert_eq!(applied(&header).0["x-api-key"], "k");
        let query = Credential::ApiKeyQuery {
            name: "api_key".into(),
            key: "k&1".into(),
        };
        assert_eq!(
            applied(&query).1.as_str(),
            "https://h.example/a?x=1&api_key=k%261"
        );
        let cookie = Credential::ApiKeyCookie {
            name: "sid".into(),
            key: "k".into(),
        };
        assert_eq!(applied(&cookie).0[COOKIE], "sid=k");
    }

    #[test]
    fn a_header_of_the_callers_own_wins() {
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("mine"))]);
        let mut url = Url::parse("https://h.example").unwrap();
        Credential::Bearer("k".into()).apply(None, &mut headers, &mut url);
        assert_eq!(headers[AUTHORIZATION], "mine");
    }

    #[test]
    fn secrets_that_cannot_be_sent_are_refused_without_being_shown() {
        let check = |key: &str| Credential::Bearer(key.into()).check();
        assert_eq!(check(""), Err(CredentialError::Empty));
        assert_eq!(check("canary\n"), Err(CredentialError::NotSendable));
        assert_eq!(check("canary é"), Err(CredentialError::NotSendable));
        assert!(!CredentialError::NotSendable.to_string().contains("canary"));
    }

    #[test]
    fn credentials_are_told_apart() {
        let a = Credential::Bearer("one".into()).partition();
        assert_ne!(a, Credential::Bearer("two".into()).partition());
        assert_eq!(a, Credential::Bearer("one".into()).partition());
        assert_ne!(partition_of(["ab", "c"]), partition_of(["a", "bc"]));
    }
}
