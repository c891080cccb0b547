//! What can go wrong with OAuth: the server's own words where it spoke, without control characters and without secrets.

use std::fmt;

use crate::redact::Redactor;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OAuthErrorKind {
    /// The server refused, and said why: see [`OAuthError::code`].
    Refused,
    /// Nothing was processed: no connection, or the server was unavailable.
    Unavailable,
    /// It may or may not have taken effect, and repeating it could use a one-time code or token twice.
    OutcomeUnknown,
    /// What came is not what the RFCs say.
    BadAnswer,
    /// A redirect that does not belong to the login that was begun, or whose issuer is another.
    WrongRedirect,
    /// The user refused.
    Denied,
    /// The login was not finished in time.
    Expired,
    /// There is no token, and nothing to get one with: somebody has to log in.
    LoginNeeded,
    /// The token store failed.
    Store,
    /// A setting is wrong or missing.
    Config,
}

/// A failure of OAuth. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    kind: OAuthErrorKind,
    what: String,
    code: Option<String>,
    description: Option<String>,
    status: Option<u16>,
}

impl OAuthError {
    /// A failure in our own words.
    #[must_use]
    pub fn new(kind: OAuthErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            code: None,
            description: None,
            status: None,
        }
    }

    /// A failure in the server's words: `error` and `error_description` (RFC 6749, section 5.2).
    #[must_use]
    pub fn of_server(
        kind: OAuthErrorKind,
        what: impl Into<String>,
        code: &str,
        description: Option<&str>,
        status: Option<u16>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            code: Some(one_line(64, code)),
            description: description.map(|text| one_line(300, text)),
            status,
        }
    }

    /// The same with the answer's status.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> OAuthErrorKind {
        self.kind
    }

    /// The server's `error`, such as `invalid_grant`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The server's `error_description`.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The answer's status, where there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// The same without the secrets that `redactor` knows: a server may have echoed one.
    #[must_use]
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        self.what = redactor.text(&self.what);
        self.code = self.code.map(|text| redactor.text(&text));
        self.description = self.description.map(|text| redactor.text(&text));
        self
    }

    /// What to do next, in words.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match (self.kind, self.code.as_deref()) {
            (_, Some("invalid_grant")) => {
                "log in again: the code or refresh token is not good any more"
            }
            (_, Some("invalid_client")) => {
                "check client id and secret, and how the server wants them (`client_auth`)"
            }
            (_, Some("invalid_scope")) => "ask for scopes that this client may have",
            (_, Some("unauthorized_client" | "unsupported_grant_type")) => {
                "allow this grant for the client at the server"
            }
            (_, Some("invalid_target")) => "check `audience` and `resource`",
            (OAuthErrorKind::Unavailable, _) => "try again later, or look at the OAuth server",
            (OAuthErrorKind::OutcomeUnknown, _) => {
                "try once more; if the server then refuses the code or refresh token, log in again"
            }
            (OAuthErrorKind::WrongRedirect, _) => {
                "begin the login anew; if it goes on, somebody interferes with it"
            }
            (OAuthErrorKind::Denied | OAuthErrorKind::Expired, _) => "begin the login anew",
            (OAuthErrorKind::LoginNeeded, _) => {
                "log in (authorization code or device), and try again"
            }
            (OAuthErrorKind::Store, _) => "look at the token store's own error",
            (OAuthErrorKind::Config, _) => "change the setting",
            (OAuthErrorKind::Refused | OAuthErrorKind::BadAnswer, _) => {
                "look at the OAuth server's settings for this client"
            }
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(code) = &self.code {
            write!(f, ": {code}")?;
        }
        if let Some(description) = &self.description {
            write!(f, " ({description})")?;
        }
        Ok(())
    }
}

impl std::error::Error for OAuthError {}

/// At most so many characters on one line.
fn one_line(most: usize, text: &str) -> String {
    text.chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_one_line_and_lose_secrets() {
        let error = OAuthError::of_server(
            OAuthErrorKind::Refused,
            "the token endpoint refused",
            "invalid_client\r\nx",
            Some("secret canary-secret\nis wrong"),
            Some(401),
        );
        let redactor = Redactor::new(vec!["canary-secret".into()], None);
        let shown = error.redacted(&redactor).to_string();
        assert_eq!(
            shown,
            "the token endpoint refused: invalid_client  x (secret *** is wrong)"
        );
    }
}
