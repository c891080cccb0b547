//! Which server, which client, which grant.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright_engine::auth::Credential;
use gatewright_engine::oauth::{Metadata, TokenSet, check_endpoint, metadata_urls};
use gatewright_engine::redact::Secret;

use super::renewal::Renewal;
use crate::auth::Auth;
use crate::request::checked_header;
use crate::signing::{Dpop, SigningKey};
use crate::token_store::{MemoryStore, TokenStore};

/// A token endpoint that does not answer within this is given up.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How tokens come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grant {
    /// Somebody logs in, see [`OAuth::over`]; from then on by refresh token.
    #[default]
    Login,
    /// The client speaks for itself (RFC 6749, section 4.4).
    ClientCredentials,
}

/// How the client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`: the header `Authorization: Basic`. The default where there is a secret.
    Basic,
    /// `client_secret_post`: the secret in the form.
    Post,
    /// A public client: its id alone. The default where there is no secret.
    None,
    /// `private_key_jwt`: a signed assertion (RFC 7523). The default where there is a key.
    PrivateKeyJwt,
}

/// The settings of OAuth. `Debug` shows no secret. Clones share their token store, and what they learned of the server.
#[derive(Clone, Debug)]
pub struct OAuth {
    pub(super) client_id: String,
    pub(super) secret: Option<Secret>,
    pub(super) key: Option<Arc<SigningKey>>,
    pub(super) key_id: Option<String>,
    pub(super) client_auth: Option<ClientAuth>,
    pub(super) grant: Grant,
    pub(super) issuer: Option<String>,
    pub(super) token_url: Option<String>,
    pub(super) authorization_url: Option<String>,
    pub(super) device_url: Option<String>,
    pub(super) revocation_url: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Option<String>,
    pub(super) resources: Vec<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) seed: Option<Secret>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) dpop: Option<Dpop>,
    pub(super) allow_http: bool,
    pub(super) timeout: Duration,
    /// The server's metadata, once they were read.
    pub(super) metadata: Arc<Mutex<Option<Arc<Metadata>>>>,
    /// Tokens that the store could not take: they are not to be lost while this process lives.
    pub(super) unsaved: Arc<Mutex<Option<TokenSet>>>,
}

impl OAuth {
    /// A client of this id, for whom somebody logs in. Give it an [`issuer`](Self::issuer), or its endpoints one by one.
    #[must_use]
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            secret: None,
            key: None,
            key_id: None,
            client_auth: None,
            grant: Grant::Login,
            issuer: None,
            token_url: None,
            authorization_url: None,
            device_url: None,
            revocation_url: None,
            scopes: Vec::new(),
            audience: None,
            resources: Vec::new(),
            parameters: Vec::new(),
            headers: Vec::new(),
            seed: None,
            store: Arc::new(MemoryStore::new()),
            dpop: None,
            allow_http: false,
            timeout: TIMEOUT,
            metadata: Arc::default(),
            unsaved: Arc::default(),
        }
    }

    /// Client credentials from this token endpoint.
    #[must_use]
    pub fn client_credentials(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<Secret>,
    ) -> Self {
        Self::new(client_id)
            .token_url(token_url)
            .client_secret(client_secret)
            .grant(Grant::ClientCredentials)
    }

    /// Access tokens by this refresh token. A server that rotates gives another one with each; a [`store`](Self::store) keeps it for the next run.
    #[must_use]
    pub fn refresh(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        refresh_token: impl Into<Secret>,
    ) -> Self {
        Self::new(client_id)
            .token_url(token_url)
            .refresh_token(refresh_token)
    }

    /// The server's issuer: its endpoints are read from its metadata (RFC 8414, or OpenID Connect Discovery) when they are first needed.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The token endpoint. Wins over the metadata, as the other endpoints do.
    #[must_use]
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// The authorization endpoint, where users log in.
    #[must_use]
    pub fn authorization_url(mut self, url: impl Into<String>) -> Self {
        self.authorization_url = Some(url.into());
        self
    }

    /// The device authorization endpoint (RFC 8628).
    #[must_use]
    pub fn device_authorization_url(mut self, url: impl Into<String>) -> Self {
        self.device_url = Some(url.into());
        self
    }

    /// The revocation endpoint (RFC 7009).
    #[must_use]
    pub fn revocation_url(mut self, url: impl Into<String>) -> Self {
        self.revocation_url = Some(url.into());
        self
    }

    /// The client's secret. Default none: a public client.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// The client's key for `private_key_jwt`, and its name where the server knows several.
    #[must_use]
    pub fn client_key(mut self, key: SigningKey, key_id: Option<&str>) -> Self {
        self.key = Some(Arc::new(key));
        self.key_id = key_id.map(str::to_owned);
        self
    }

    /// How the client proves who it is. Default: see [`ClientAuth`].
    #[must_use]
    pub const fn client_auth(mut self, how: ClientAuth) -> Self {
        self.client_auth = Some(how);
        self
    }

    /// How tokens come. Default [`Grant::Login`].
    #[must_use]
    pub const fn grant(mut self, grant: Grant) -> Self {
        self.grant = grant;
        self
    }

    /// The scopes that are asked for. Default none: what the server gives.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// For whom the token is to be, as many servers want it. Default none.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// A resource for which the token is to be (RFC 8707). May be called more than once.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// A further parameter of requests to the server, such as `prompt`. May be called more than once.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// A header of requests to the OAuth server. The client's own headers do not go there. May be called more than once.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A refresh token to begin with, where the store has none.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.seed = Some(token.into());
        self
    }

    /// Where tokens are kept. Default: in memory.
    #[must_use]
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Binds tokens to a key (RFC 9449). Refresh tokens of public clients are bound, too: keep the key as long as them.
    #[must_use]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// Allows a server that is reached by plain http, for a network of one's own. Default false: loopback only.
    #[must_use]
    pub const fn allow_http(mut self, yes: bool) -> Self {
        self.allow_http = yes;
        self
    }

    /// How long getting a token may take, over all its attempts. Default 30 s.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What is wrong with the settings.
    pub(super) fn check(&self) -> Result<(), String> {
        let shown = |text: &str| text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if self.client_id.is_empty() || !shown(&self.client_id) {
            return Err("`client_id` is empty, or has a character that it cannot have".to_owned());
        }
        if self
            .secret
            .as_ref()
            .is_some_and(|secret| secret.expose().is_empty())
        {
            return Err("`client_secret` is empty; is its environment variable set?".to_owned());
        }
        if self.timeout.is_zero() {
            return Err("the timeout of OAuth is zero".to_owned());
        }
        if let Some(issuer) = &self.issuer {
            metadata_urls(issuer, self.allow_http).map_err(|why| why.to_string())?;
        } else if self.token_url.is_none() {
            return Err("OAuth has neither an `issuer` nor a `token_url`".to_owned());
        }
        for (name, url) in [
            ("`token_url`", &self.token_url),
            ("`authorization_url`", &self.authorization_url),
            ("`device_authorization_url`", &self.device_url),
            ("`revocation_url`", &self.revocation_url),
        ] {
            if let Some(url) = url {
                check_endpoint(name, url, self.allow_http).map_err(|why| why.to_string())?;
            }
        }
        for (name, value) in &self.headers {
            checked_header(name, value).map_err(|why| why.what().to_owned())?;
        }
        match self.proof() {
            ClientAuth::Basic | ClientAuth::Post if self.secret.is_none() => {
                Err("`client_auth` wants a `client_secret`".to_owned())
            }
            ClientAuth::PrivateKeyJwt if self.key.is_none() => {
                Err("`client_auth` wants a `client_key`".to_owned())
            }
            ClientAuth::None if self.grant == Grant::ClientCredentials => {
                Err("client credentials want a `client_secret` or a `client_key`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// How the client proves who it is.
    pub(super) fn proof(&self) -> ClientAuth {
        self.client_auth.unwrap_or(if self.key.is_some() {
            ClientAuth::PrivateKeyJwt
        } else if self.secret.is_some() {
            ClientAuth::Basic
        } else {
            ClientAuth::None
        })
    }

    pub(super) fn scope(&self) -> String {
        self.scopes.join(" ")
    }
}

impl Auth {
    /// A token by OAuth 2: fetched before the first request, renewed ahead of its expiry, and once more after a 401. However many requests wait,
    /// one fetch is under way.
    #[must_use]
    pub fn oauth(oauth: OAuth) -> Self {
        if let Err(wrong) = oauth.check() {
            return Self::wrong(wrong);
        }
        let dpop = oauth.dpop.clone();
        match dpop {
            Some(dpop) => Self::renewed_by(Credential::DpopToken, Renewal(oauth)).and_signed(dpop),
            None => Self::renewed_by(Credential::Token, Renewal(oauth)),
        }
    }
}
