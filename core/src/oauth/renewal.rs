//! The next token: what the store has, else by refresh token, else by client credentials.
//!
//! | Step | What happens |
//! |---|---|
//! | 1 | the store is read; a token in it that is good, and another than the known one, is used |
//! | 2 | the store's lock is taken, and it is read again: another process may have refreshed meanwhile |
//! | 3 | the server is asked; a refresh whose outcome is unknown is not sent again here (RFC 9700, section 4.14.2) |
//! | 4 | what came is saved, and the lock given back |
//!
//! A crash before 3 loses nothing. A crash between the server's answer and 4 loses the token that was on its way, which nobody can help. A store
//! that cannot save leaves the token in memory, and is asked again the next time.

use std::sync::PoisonError;
use std::time::Duration;

use gatewright_engine::Instant;
use gatewright_engine::oauth::{
    Choice, Form, OAuthError, OAuthErrorKind, Repeatable, TokenSet, choose, read_tokens,
};
use gatewright_engine::redact::Secret;
use gatewright_engine::token::Token;

use super::endpoint::Endpoint;
use super::settings::{Grant, OAuth};
use crate::body::BoxError;
use crate::runtime::BoxFuture;
use crate::token_source::{Renew, Wire};
use crate::token_store::StoreLock;

/// How often a lock that somebody else holds is asked for.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// Renews the tokens of one `OAuth`.
pub(super) struct Renewal(pub(super) OAuth);

impl Renew for Renewal {
    fn renew(
        &self,
        wire: Wire,
        known: Option<Secret>,
    ) -> BoxFuture<'static, Result<Token, BoxError>> {
        let oauth = self.0.clone();
        Box::pin(async move { Ok(oauth.next_token(&wire, known.as_ref()).await?) })
    }
}

pub(super) fn store_failed(error: BoxError) -> OAuthError {
    // The store's own words: its author keeps secrets out of them.
    OAuthError::new(
        OAuthErrorKind::Store,
        format!("the token store failed: {error}"),
    )
}

impl OAuth {
    async fn next_token(&self, wire: &Wire, known: Option<&Secret>) -> Result<Token, OAuthError> {
        let deadline = wire.runtime.instant() + self.timeout;
        let now = || wire.runtime.now().wall;
        let stored = self.load().await?;
        if let Choice::Use(secret, expires_in) = choose(stored.as_ref(), known, now()) {
            return Ok(Token { secret, expires_in });
        }
        let lock = self.lock(wire, deadline).await?;
        let stored = self.load().await?;
        let tokens = match choose(stored.as_ref(), known, now()) {
            Choice::Use(secret, expires_in) => return Ok(Token { secret, expires_in }),
            Choice::Refresh(refresh_token) => self.by_refresh(wire, &refresh_token, deadline).await,
            Choice::Nothing => match (self.grant, &self.seed) {
                (Grant::ClientCredentials, _) => self.by_client_credentials(wire, deadline).await,
                (Grant::Login, Some(seed)) => self.by_refresh(wire, seed, deadline).await,
                (Grant::Login, None) => Err(OAuthError::new(
                    OAuthErrorKind::LoginNeeded,
                    "nobody is logged in",
                )),
            },
        }?;
        self.save(&tokens).await;
        drop(lock);
        Ok(Token {
            secret: tokens.access_token,
            expires_in: tokens.lifetime,
        })
    }

    async fn by_client_credentials(
        &self,
        wire: &Wire,
        deadline: Instant,
    ) -> Result<TokenSet, OAuthError> {
        let form = self.asking_for(Form::of_grant("client_credentials"));
        let mut tokens = self
            .exchange(wire, Repeatable::Yes, &form, None, &[], deadline)
            .await?;
        // RFC 6749, section 4.4.3: there should be none, and it would serve for nothing.
        tokens.refresh_token = None;
        Ok(tokens)
    }

    /// By the newest refresh token. Where the server refuses that, the one from the settings has its turn: somebody may have logged in anew and set it.
    async fn by_refresh(
        &self,
        wire: &Wire,
        refresh_token: &Secret,
        deadline: Instant,
    ) -> Result<TokenSet, OAuthError> {
        let tried = self.refreshed(wire, refresh_token, deadline).await;
        match (&tried, &self.seed) {
            (Err(error), Some(seed))
                if error.code() == Some("invalid_grant")
                    && seed.expose() != refresh_token.expose() =>
            {
                self.refreshed(wire, seed, deadline).await
            }
            _ => tried,
        }
    }

    async fn refreshed(
        &self,
        wire: &Wire,
        refresh_token: &Secret,
        deadline: Instant,
    ) -> Result<TokenSet, OAuthError> {
        let form = Form::of_grant("refresh_token").with("refresh_token", refresh_token.expose());
        let form = self.asking_for(form);
        self.exchange(
            wire,
            Repeatable::Once,
            &form,
            Some(refresh_token),
            &[refresh_token],
            deadline,
        )
        .await
    }

    fn asking_for(&self, form: Form) -> Form {
        let form = form
            .with_some("scope", Some(&self.scope()))
            .with_some("audience", self.audience.as_deref())
            .with_each("resource", &self.resources);
        self.parameters
            .iter()
            .fold(form, |form, (name, value)| form.with(name, value))
    }

    /// Sends a form to the token endpoint, and reads the tokens. What a server says of the secrets is left out of its error.
    pub(super) async fn exchange(
        &self,
        wire: &Wire,
        repeatable: Repeatable,
        form: &Form,
        refresh_token: Option<&Secret>,
        secrets: &[&Secret],
        deadline: Instant,
    ) -> Result<TokenSet, OAuthError> {
        let said = self
            .post(wire, Endpoint::Token, repeatable, form, deadline)
            .await?;
        let now = wire.runtime.now().wall;
        let tokens = read_tokens(said.status, &said.body, now, refresh_token)
            .map_err(|error| error.redacted(&self.redactor(secrets)))?;
        if self.dpop.is_some() && tokens.token_type != "DPoP" {
            return Err(OAuthError::new(
                OAuthErrorKind::BadAnswer,
                "the token endpoint gave a token that is not bound to the DPoP key",
            ));
        }
        Ok(tokens)
    }

    /// What the store has. What it could not take before comes first.
    async fn load(&self) -> Result<Option<TokenSet>, OAuthError> {
        let unsaved = self.unsaved().clone();
        if let Some(tokens) = unsaved {
            self.save(&tokens).await;
            return Ok(Some(tokens));
        }
        self.store.load().await.map_err(store_failed)
    }

    /// Saves tokens; they stay in memory where that fails.
    pub(super) async fn save(&self, tokens: &TokenSet) {
        let saved = self.store.save(tokens).await;
        if let Err(error) = &saved {
            tracing::warn!(target: "gatewright", "tokens are kept in memory alone: the token store failed: {error}");
        }
        *self.unsaved() = saved.is_err().then(|| tokens.clone());
    }

    pub(super) fn unsaved(&self) -> std::sync::MutexGuard<'_, Option<TokenSet>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the store's lock, however long others have it, up to the deadline.
    pub(super) async fn lock(
        &self,
        wire: &Wire,
        deadline: Instant,
    ) -> Result<StoreLock, OAuthError> {
        loop {
            if let Some(lock) = self.store.lock().await.map_err(store_failed)? {
                return Ok(lock);
            }
            let now = wire.runtime.instant();
            if now >= deadline {
                return Err(OAuthError::new(
                    OAuthErrorKind::Store,
                    "another process has held the token store's lock all the time",
                ));
            }
            // Spread, so that those who wait do not all come at once.
            let jitter = Duration::from_millis(wire.runtime.random() % 20);
            wire.runtime.sleep_until(now + LOCK_INTERVAL + jitter).await;
        }
    }
}
