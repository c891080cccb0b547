//! How requests prove who they are: a credential that goes onto them as it is, a token that is fetched, a signature, or several of these.

use std::sync::Arc;

use gatewright_engine::ErrorKind;
use gatewright_engine::auth::{Credential, partition_of};
use gatewright_engine::redact::{Redactor, Secret};
use http::{HeaderMap, HeaderName, StatusCode};
use url::Url;

use crate::Error;
use crate::body::Body;
use crate::signing::SignRequest;
use crate::token_source::{Callback, FetchToken, Renew, TokenSource};

/// How requests prove who they are. `Debug` shows no secret. Clones share their tokens.
#[derive(Clone, Debug)]
pub struct Auth {
    pub(crate) credential: Credential,
    pub(crate) source: Option<Arc<TokenSource>>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    /// What is wrong with it, to be said when the client is built.
    pub(crate) wrong: Option<String>,
}

impl Auth {
    const fn of(credential: Credential) -> Self {
        Self {
            credential,
            source: None,
            signer: None,
            wrong: None,
        }
    }

    /// Tokens from `renew`.
    pub(crate) fn renewed_by(credential: Credential, renew: impl Renew) -> Self {
        Self {
            source: Some(Arc::new(TokenSource::new(renew))),
            ..Self::of(credential)
        }
    }

    /// Something that [`Auth::check`] is to refuse.
    pub(crate) fn wrong(what: String) -> Self {
        Self {
            wrong: Some(what),
            ..Self::of(Credential::None)
        }
    }

    /// No credential.
    #[must_use]
    pub const fn none() -> Self {
        Self::of(Credential::None)
    }

    /// An API key in the header `name`, such as `x-api-key`.
    ///
    /// # Errors
    /// `invalid_config` where `name` is no header name.
    pub fn api_key(name: &str, key: impl Into<Secret>) -> Result<Self, Error> {
        let name = HeaderName::try_from(name).map_err(|_| {
            Error::new(
                ErrorKind::InvalidConfig,
                format!("{name:?} is no header name for an API key"),
            )
        })?;
        Ok(Self::of(Credential::ApiKeyHeader {
            name,
            key: key.into(),
        }))
    }

    /// An API key in the query parameter `name`. It is redacted from every URL shown.
    #[must_use]
    pub fn api_key_query(name: impl Into<String>, key: impl Into<Secret>) -> Self {
        Self::of(Credential::ApiKeyQuery {
            name: name.into(),
            key: key.into(),
        })
    }

    /// An API key in the cookie `name`.
    #[must_use]
    pub fn api_key_cookie(name: impl Into<String>, key: impl Into<Secret>) -> Self {
        Self::of(Credential::ApiKeyCookie {
            name: name.into(),
            key: key.into(),
        })
    }

    /// `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::of(Credential::Bearer(token.into()))
    }

    /// `Authorization: Basic …`.
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::of(Credential::Basic {
            user: user.into(),
            password: password.into(),
        })
    }

    /// A bearer token that `fetch` fetches: before the first request, ahead of its expiry, and once more after a 401.
    /// One fetch is under way at a time, however many requests wait for it.
    pub fn token(fetch: impl FetchToken) -> Self {
        Self::renewed_by(Credential::Token, Callback(fetch))
    }

    /// Requests that are signed by a signer, and nothing else.
    #[must_use]
    pub fn signed(signer: impl SignRequest) -> Self {
        Self::none().and_signed(signer)
    }

    /// The same credential, and a signature beside it. It is made anew for each attempt, after the credential was put on.
    #[must_use]
    pub fn and_signed(mut self, signer: impl SignRequest) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// A number that tells this credential from others, without telling what it is: quotas and cached answers are kept apart by it. Static
    /// credentials have the same number wherever they are the same; fetched tokens have one for each source, for the life of the process.
    #[must_use]
    pub fn partition(&self) -> u64 {
        if self.source.is_none() && self.signer.is_none() {
            return self.credential.partition();
        }
        let source = self.source.as_ref().map_or(0, |source| source.number());
        let signer = self.signer.as_ref().map(|signer| signer.identity());
        partition_of([
            &*self.credential.partition().to_string(),
            &*source.to_string(),
            &*signer.unwrap_or_default(),
        ])
    }

    /// Knows the secrets of this credential, but for fetched tokens.
    pub(crate) fn redactor(&self) -> Redactor {
        let redactor = self.credential.redactor();
        match &self.signer {
            Some(signer) => redactor.and(&Redactor::new(signer.secrets(), None)),
            None => redactor,
        }
    }

    /// Checks the credential.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let invalid = |why: String| Error::new(ErrorKind::InvalidConfig, format!("`auth`: {why}"));
        if let Some(wrong) = &self.wrong {
            return Err(invalid(wrong.clone()));
        }
        self.credential
            .check()
            .map_err(|why| invalid(why.to_string()))?;
        match &self.signer {
            Some(signer) => signer.check().map_err(|why| invalid(why.to_string())),
            None => Ok(()),
        }
    }

    /// Whether a request with this body can be sent at all.
    pub(crate) fn check_body(&self, body: &Body) -> Result<(), Error> {
        let streamed = matches!(body, Body::Once { .. } | Body::Replayable { .. });
        match &self.signer {
            Some(signer) if streamed && signer.needs_body() => Err(Error::new(
                ErrorKind::InvalidRequest,
                gatewright_engine::signing::SigningError::StreamedBody.to_string(),
            )),
            _ => Ok(()),
        }
    }

    /// Whether a 401 may be worth another attempt, with something new.
    pub(crate) fn can_learn(&self) -> bool {
        self.source.is_some() || self.signer.as_ref().is_some_and(|signer| signer.learns())
    }

    /// Whether this answer, should it be a 401, would be worth another attempt. Changes nothing.
    pub(crate) fn would_learn(&self, url: &Url, status: StatusCode, headers: &HeaderMap) -> bool {
        let signer = self.signer.as_ref();
        self.source.is_some()
            || signer.is_some_and(|signer| signer.would_learn(url, status, headers))
    }
}
