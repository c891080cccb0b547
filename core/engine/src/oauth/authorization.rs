//! The authorization code flow with PKCE: the URL to which a user is sent, and what comes back by redirect.
//!
//! | The redirect has | Outcome |
//! |---|---|
//! | another `state`, or none, or two | not ours: [`PushBack::NotOurs`], the login goes on (`a_redirect_with_another_state_is_not_ours`) |
//! | another `iss` than the server's, or none where the server promised one | wrong (`a_redirect_of_another_issuer_is_refused`) |
//! | `error` | refused or denied (`a_refusal_is_told_in_the_servers_words`) |
//! | `code` | the code (`a_good_redirect_gives_its_code`) |

use subtle::ConstantTimeEq as _;
use url::Url;

use super::error::{OAuthError, OAuthErrorKind};
use super::pkce::Pkce;
use crate::redact::Secret;

/// What is asked of the user's consent (RFC 6749, section 4.1.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// The authorization endpoint.
    pub endpoint: &'a Url,
    /// The client's id.
    pub client_id: &'a str,
    /// Where the user comes back to.
    pub redirect_uri: &'a str,
    /// Scopes, separated by spaces.
    pub scope: Option<&'a str>,
    /// Ties the redirect to this login.
    pub state: &'a Secret,
    /// Ties the code to this login.
    pub pkce: &'a Pkce,
    /// For whom the token is to be (not standardised, but widely used).
    pub audience: Option<&'a str>,
    /// For which resources the token is to be (RFC 8707).
    pub resources: &'a [String],
    /// The thumbprint of the DPoP key, to which the code is then bound (RFC 9449, section 10).
    pub dpop_jkt: Option<&'a str>,
    /// Other parameters, such as `prompt`.
    pub parameters: &'a [(String, String)],
}

impl AuthorizationRequest<'_> {
    /// The URL to which the user's browser goes.
    #[must_use]
    pub fn url(&self) -> Url {
        let mut url = self.endpoint.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", self.client_id)
                .append_pair("redirect_uri", self.redirect_uri)
                .append_pair("state", self.state.expose())
                .append_pair("code_challenge", self.pkce.challenge())
                .append_pair("code_challenge_method", "S256");
            for (name, value) in [
                ("scope", self.scope),
                ("audience", self.audience),
                ("dpop_jkt", self.dpop_jkt),
            ] {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    query.append_pair(name, value);
                }
            }
            for resource in self.resources {
                query.append_pair("resource", resource);
            }
            for (name, value) in self.parameters {
                query.append_pair(name, value);
            }
        }
        url
    }
}

/// What the redirect of a login must be like.
#[derive(Clone, Debug)]
pub struct ExpectedRedirect {
    /// The `state` that was sent.
    pub state: Secret,
    /// The server's issuer, where it is known.
    pub issuer: Option<String>,
    /// Whether the server promised to send `iss` (`authorization_response_iss_parameter_supported`, RFC 9207).
    pub issuer_is_sent: bool,
}

/// Why a redirect brings no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushBack {
    /// It does not belong to this login: whoever waits goes on waiting.
    NotOurs(OAuthError),
    /// The login has failed.
    Failed(OAuthError),
}

impl PushBack {
    /// The error, either way.
    #[must_use]
    pub fn into_error(self) -> OAuthError {
        match self {
            Self::NotOurs(error) | Self::Failed(error) => error,
        }
    }
}

/// Reads the URL to which the user came back. `state` and `iss` are compared in constant time, and before all else.
///
/// # Errors
/// See [`PushBack`].
pub fn read_redirect(url: &Url, expected: &ExpectedRedirect) -> Result<Secret, PushBack> {
    let wrong = |what: &str| OAuthError::new(OAuthErrorKind::WrongRedirect, what);
    let one = |name: &str| -> Result<Option<String>, OAuthError> {
        let mut found = url.query_pairs().filter(|(n, _)| n == name);
        let first = found.next().map(|(_, value)| value.into_owned());
        match found.next() {
            None => Ok(first),
            Some(_) => Err(wrong("the redirect has a parameter twice")),
        }
    };
    let state = one("state").map_err(PushBack::NotOurs)?.unwrap_or_default();
    if !same(&state, expected.state.expose()) {
        return Err(PushBack::NotOurs(wrong(
            "the redirect does not belong to this login: its state is another",
        )));
    }
    let failed = PushBack::Failed;
    let issuer = one("iss").map_err(failed)?;
    match (&issuer, &expected.issuer) {
        (Some(given), Some(known)) if !same(given, known) => {
            return Err(failed(wrong(
                "the redirect comes from another server than the one that was asked (iss)",
            )));
        }
        (None, _) if expected.issuer_is_sent => {
            return Err(failed(wrong(
                "the redirect names no issuer (iss), which this server promised to send",
            )));
        }
        _ => {}
    }
    if let Some(code) = one("error").map_err(failed)? {
        let kind = match code.as_str() {
            "access_denied" => OAuthErrorKind::Denied,
            "temporarily_unavailable" => OAuthErrorKind::Unavailable,
            _ => OAuthErrorKind::Refused,
        };
        let description = one("error_description").map_err(failed)?;
        return Err(failed(OAuthError::of_server(
            kind,
            "the login was refused",
            &code,
            description.as_deref(),
            None,
        )));
    }
    match one("code").map_err(failed)? {
        Some(code) if !code.is_empty() => Ok(Secret::new(code)),
        _ => Err(failed(wrong(
            "the redirect has neither a code nor an error",
        ))),
    }
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> ExpectedRedirect {
        ExpectedRedirect {
            state: "canary-state".into(),
            issuer: Some("https://as.example".to_owned()),
            issuer_is_sent: true,
        }
    }

    fn read(query: &str) -> Result<Secret, PushBack> {
        let url = Url::parse(&format!("http://127.0.0.1:1/callback?{query}")).unwrap();
        read_redirect(&url, &expected())
    }

    const ISS: &str = "iss=https%3A%2F%2Fas.example";

    #[test]
    fn the_url_has_everything_and_keeps_the_endpoints_own_query() {
        let endpoint = Url::parse("https://as.example/authorize?tenant=1").unwrap();
        let pkce = Pkce::from_verifier("v".into());
        let url = AuthorizationRequest {
            endpoint: &endpoint,
            client_id: "app",
            redirect_uri: "http://127.0.0.1:1/callback",
            scope: Some("a b"),
            state: &"s".into(),
            pkce: &pkce,
            audience: None,
            resources: &[
                "https://api.example".to_owned(),
                "https://b.example".to_owned(),
            ],
            dpop_jkt: None,
            parameters: &[("prompt".to_owned(), "login".to_owned())],
        }
        .url();
        assert_eq!(
            url.query().unwrap(),
            format!(
                "tenant=1&response_type=code&client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback&state=s\
                 &code_challenge={}&code_challenge_method=S256&scope=a+b&resource=https%3A%2F%2Fapi.example\
                 &resource=https%3A%2F%2Fb.example&prompt=login",
                pkce.challenge()
            )
        );
    }

    #[test]
    fn a_good_redirect_gives_its_code() {
        let code = read(&format!("code=c%201&state=canary-state&{ISS}")).unwrap();
        assert_eq!(code.expose(), "c 1");
    }

    #[test]
    fn a_redirect_with_another_state_is_not_ours() {
        for query in [
            format!("code=c&state=other&{ISS}"),
            format!("code=c&{ISS}"),
            format!("code=c&state=canary-state&state=canary-state&{ISS}"),
            format!("error=access_denied&{ISS}"),
            String::new(),
        ] {
            let Err(PushBack::NotOurs(error)) = read(&query) else {
                panic!("{query}")
            };
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_redirect_of_another_issuer_is_refused() {
        for query in [
            "code=c&state=canary-state&iss=https%3A%2F%2Fevil.example",
            "code=c&state=canary-state",
            "error=access_denied&state=canary-state&iss=https%3A%2F%2Fevil.example",
        ] {
            let Err(PushBack::Failed(error)) = read(query) else {
                panic!("{query}")
            };
            assert_eq!(error.kind(), OAuthErrorKind::WrongRedirect);
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let query =
            format!("error=access_denied&error_description=not+today&state=canary-state&{ISS}");
        let error = read(&query).unwrap_err().into_error();
        assert_eq!(error.kind(), OAuthErrorKind::Denied);
        assert_eq!(
            error.to_string(),
            "the login was refused: access_denied (not today)"
        );
    }

    #[test]
    fn a_redirect_with_nothing_in_it_is_wrong() {
        for query in [
            format!("state=canary-state&{ISS}"),
            format!("code=&state=canary-state&{ISS}"),
            format!("code=a&code=b&state=canary-state&{ISS}"),
        ] {
            assert!(matches!(read(&query), Err(PushBack::Failed(_))), "{query}");
        }
    }
}
