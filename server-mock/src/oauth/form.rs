//! The parameters of a request to the authorization server.

use crate::call::Call;
use crate::oauth::OAuthError;

/// Parameters of a form or a query; each may be there once (RFC 6749, section 3.2), empty ones count as absent.
#[derive(Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Of the body, which must be a form.
    pub(crate) fn of_body(call: &Call) -> Result<Self, OAuthError> {
        let content_type = call.header("content-type").unwrap_or_default();
        let content_type = String::from_utf8_lossy(content_type).to_ascii_lowercase();
        if content_type.split(';').next().map(str::trim)
            != Some("application/x-www-form-urlencoded")
        {
            return Err(OAuthError::invalid_request(
                "the content type must be application/x-www-form-urlencoded",
            ));
        }
        Self::parse(&call.upload.bytes)
    }

    /// Of the query.
    pub(crate) fn of_query(call: &Call) -> Result<Self, OAuthError> {
        Self::parse(call.parts.uri.query().unwrap_or_default().as_bytes())
    }

    /// Nothing.
    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    fn parse(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(OAuthError::invalid_request("a parameter is there twice"));
            }
            if !value.is_empty() {
                pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// With a parameter, in place of one of that name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.into(), value.into()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn need(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::invalid_request(&format!("{name} is missing")))
    }
}
