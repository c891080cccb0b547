//! What a user takes part in: logging in by a browser (RFC 6749, section 4.1, with PKCE) or on another device (RFC 8628), and logging out.

use std::fmt;
use std::time::Duration;

use gatewright_engine::oauth::{
    AuthorizationRequest, DeviceAuthorization, DevicePoll, DeviceStep, ExpectedRedirect, Form,
    OAuthError, OAuthErrorKind, Pkce, PushBack, Repeatable, TokenSet, read_device_authorization,
    read_redirect, read_revocation,
};
use gatewright_engine::redact::Secret;
use url::Url;

use super::endpoint::{Endpoint, config};
use super::into_error;
use super::renewal::store_failed;
use super::settings::OAuth;
use crate::Error;
use crate::client::Client;
use crate::signing::fresh_text;
use crate::token_source::Wire;

/// OAuth over the connections and clocks of a client.
#[derive(Clone, Debug)]
pub struct OAuthFlow {
    oauth: OAuth,
    wire: Wire,
}

impl OAuth {
    /// These settings over the connections and clocks of `client`. Tokens of a login are kept in the store of these settings, from where a client
    /// with `Auth::oauth` of the same settings takes them.
    #[must_use]
    pub fn over(&self, client: &Client) -> OAuthFlow {
        OAuthFlow {
            oauth: self.clone(),
            wire: Wire {
                transport: client.inner.transport.clone(),
                runtime: client.inner.runtime.clone(),
            },
        }
    }
}

impl OAuthFlow {
    fn deadline(&self) -> gatewright_engine::Instant {
        self.wire.runtime.instant() + self.oauth.timeout
    }

    fn check(&self) -> Result<(), Error> {
        self.oauth
            .check()
            .map_err(|wrong| into_error(config(wrong)))
    }

    /// Begins a login by a browser. Send the user to [`Login::url`]; what they come back with to `redirect_uri` goes into [`Login::finish`].
    ///
    /// # Errors
    /// `invalid_config` where the server's authorization endpoint is not known, or the server has no PKCE; `token` where its metadata cannot be read.
    pub async fn authorization(&self, redirect_uri: &str) -> Result<Login, Error> {
        self.check()?;
        self.begin(redirect_uri).await.map_err(into_error)
    }

    async fn begin(&self, redirect_uri: &str) -> Result<Login, OAuthError> {
        let oauth = &self.oauth;
        if Url::parse(redirect_uri).is_err() {
            return Err(config("the redirect URI is no URL"));
        }
        let metadata = oauth.metadata(&self.wire, self.deadline()).await?;
        if metadata.pkce_s256 == Some(false) {
            return Err(config(
                "the server does not know PKCE with S256, without which a login is not safe",
            ));
        }
        let endpoint = oauth.endpoint(&metadata, Endpoint::Authorization)?;
        let random = || fresh_text().map_err(|why| config(why.to_string()));
        let (state, pkce) = (random()?, Pkce::from_verifier(random()?));
        let jkt = oauth
            .dpop
            .as_ref()
            .and_then(crate::signing::Dpop::thumbprint);
        let url = AuthorizationRequest {
            endpoint: &endpoint,
            client_id: &oauth.client_id,
            redirect_uri,
            scope: Some(&oauth.scope()),
            state: &state,
            pkce: &pkce,
            audience: oauth.audience.as_deref(),
            resources: &oauth.resources,
            dpop_jkt: jkt.as_deref(),
            parameters: &oauth.parameters,
        }
        .url();
        Ok(Login {
            flow: self.clone(),
            url,
            redirect_uri: redirect_uri.to_owned(),
            expected: ExpectedRedirect {
                state,
                issuer: oauth.issuer.clone(),
                issuer_is_sent: metadata.iss_parameter,
            },
            pkce,
        })
    }

    /// Begins a login on another device. Show [`DeviceLogin::user_code`] and [`DeviceLogin::verification_uri`], then [`DeviceLogin::wait`].
    ///
    /// # Errors
    /// `invalid_config` where the endpoint is not known; `token` where the server refuses or cannot be asked.
    pub async fn device(&self) -> Result<DeviceLogin, Error> {
        self.check()?;
        let oauth = &self.oauth;
        let form = oauth
            .parameters
            .iter()
            .fold(Form::new(), |form, (name, value)| form.with(name, value))
            .with_some("scope", Some(&oauth.scope()))
            .with_some("audience", oauth.audience.as_deref())
            .with_each("resource", &oauth.resources);
        let said = oauth
            .post(
                &self.wire,
                Endpoint::Device,
                Repeatable::Yes,
                &form,
                self.deadline(),
            )
            .await
            .map_err(into_error)?;
        let authorization = read_device_authorization(said.status, &said.body)
            .map_err(|error| into_error(error.redacted(&oauth.redactor(&[]))))?;
        Ok(DeviceLogin {
            poll: DevicePoll::new(&authorization, self.wire.runtime.instant()),
            authorization,
            flow: self.clone(),
        })
    }

    /// Logs out: revokes the refresh token (else the access token), and forgets both. They are forgotten even where the server cannot be asked.
    ///
    /// # Errors
    /// `token` where the server refuses or cannot be asked; `invalid_config` where it has no revocation endpoint.
    pub async fn revoke(&self) -> Result<(), Error> {
        self.check()?;
        self.take_back().await.map_err(into_error)
    }

    async fn take_back(&self) -> Result<(), OAuthError> {
        let oauth = &self.oauth;
        let lock = oauth.lock(&self.wire, self.deadline()).await?;
        let stored = oauth.store.load().await.map_err(store_failed)?;
        *oauth.unsaved() = None;
        oauth.store.clear().await.map_err(store_failed)?;
        drop(lock);
        let Some(tokens) = stored else {
            return Ok(());
        };
        let (token, hint) = match &tokens.refresh_token {
            Some(refresh_token) => (refresh_token, "refresh_token"),
            None => (&tokens.access_token, "access_token"),
        };
        let form = Form::new()
            .with("token", token.expose())
            .with("token_type_hint", hint);
        let said = oauth
            .post(
                &self.wire,
                Endpoint::Revocation,
                Repeatable::Yes,
                &form,
                self.deadline(),
            )
            .await?;
        read_revocation(said.status, &said.body)
            .map_err(|error| error.redacted(&oauth.redactor(&[token])))
    }

    /// Keeps the tokens of a login.
    async fn keep(&self, tokens: &TokenSet) -> Result<(), OAuthError> {
        let lock = self.oauth.lock(&self.wire, self.deadline()).await?;
        self.oauth.save(tokens).await;
        drop(lock);
        Ok(())
    }
}

/// A login that was begun. `Debug` does not show its secrets.
pub struct Login {
    flow: OAuthFlow,
    url: Url,
    redirect_uri: String,
    expected: ExpectedRedirect,
    pkce: Pkce,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// Where the user's browser goes.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    #[cfg(feature = "native")]
    pub(super) fn runtime(&self) -> std::sync::Arc<dyn crate::runtime::Runtime> {
        self.flow.wire.runtime.clone()
    }

    /// Reads the URL with which the user came back; no code is exchanged yet.
    pub(super) fn read(&self, redirect: &Url) -> Result<Secret, PushBack> {
        read_redirect(redirect, &self.expected)
    }

    /// Ends the login with the URL with which the user came back. The code is exchanged, and the tokens are kept in the store.
    ///
    /// # Errors
    /// `token` where the redirect is not that of this login, or the server refuses; `outcome_unknown` where the connection broke after the code
    /// was sent, which is not sent again: a code is good for one use.
    pub async fn finish(self, redirect: &str) -> Result<TokenSet, Error> {
        let wrong = OAuthError::new(OAuthErrorKind::WrongRedirect, "the redirect is no URL");
        let url = Url::parse(redirect).map_err(|_| into_error(wrong))?;
        let code = self
            .read(&url)
            .map_err(|refused| into_error(refused.into_error()))?;
        self.exchange(&code).await.map_err(into_error)
    }

    pub(super) async fn exchange(&self, code: &Secret) -> Result<TokenSet, OAuthError> {
        let oauth = &self.flow.oauth;
        let form = Form::of_grant("authorization_code")
            .with("code", code.expose())
            .with("redirect_uri", &self.redirect_uri)
            .with("code_verifier", self.pkce.verifier().expose())
            .with_each("resource", &oauth.resources);
        let tokens = oauth
            .exchange(
                &self.flow.wire,
                Repeatable::Once,
                &form,
                None,
                &[code, self.pkce.verifier()],
                self.flow.deadline(),
            )
            .await?;
        self.flow.keep(&tokens).await?;
        Ok(tokens)
    }
}

/// A login on another device that was begun. `Debug` does not show its codes.
#[derive(Debug)]
pub struct DeviceLogin {
    flow: OAuthFlow,
    authorization: DeviceAuthorization,
    poll: DevicePoll,
}

impl DeviceLogin {
    /// What the user types in there.
    #[must_use]
    pub fn user_code(&self) -> &str {
        self.authorization.user_code.expose()
    }

    /// Where the user goes.
    #[must_use]
    pub const fn verification_uri(&self) -> &Url {
        &self.authorization.verification_uri
    }

    /// The same with the code in it, for a QR code.
    #[must_use]
    pub const fn verification_uri_complete(&self) -> Option<&Url> {
        self.authorization.verification_uri_complete.as_ref()
    }

    /// How long the user has.
    #[must_use]
    pub const fn expires_in(&self) -> Duration {
        self.authorization.expires_in
    }

    /// Waits until the user has decided. The server is asked as often as it wants; the tokens are kept in the store.
    ///
    /// # Errors
    /// `token`: the user refused, the code expired, or the server refuses.
    pub async fn wait(mut self) -> Result<TokenSet, Error> {
        self.decided().await.map_err(into_error)
    }

    async fn decided(&mut self) -> Result<TokenSet, OAuthError> {
        let (flow, runtime) = (self.flow.clone(), self.flow.wire.runtime.clone());
        let device_code = self.authorization.device_code.clone();
        let form = Form::of_grant("urn:ietf:params:oauth:grant-type:device_code")
            .with("device_code", device_code.expose());
        loop {
            match self.poll.next(runtime.instant()) {
                DeviceStep::Wait(until) => {
                    runtime.sleep_until(until).await;
                    continue;
                }
                DeviceStep::Expired => {
                    return Err(OAuthError::new(
                        OAuthErrorKind::Expired,
                        "nobody has logged in with the code in time",
                    ));
                }
                DeviceStep::Ask => {}
            }
            // Asked at most once: the next turn is the repetition.
            let asked = flow
                .oauth
                .exchange(
                    &flow.wire,
                    Repeatable::Once,
                    &form,
                    None,
                    &[&device_code],
                    flow.deadline(),
                )
                .await;
            let now = runtime.instant();
            match asked {
                Ok(tokens) => {
                    flow.keep(&tokens).await?;
                    return Ok(tokens);
                }
                Err(error) => match (error.code(), error.kind()) {
                    (Some("authorization_pending"), _) => self.poll.on_pending(now),
                    (Some("slow_down"), _) => self.poll.on_slow_down(now),
                    (_, OAuthErrorKind::Unavailable | OAuthErrorKind::OutcomeUnknown) => {
                        self.poll.on_no_answer(now, None);
                    }
                    _ => return Err(error),
                },
            }
        }
    }
}
