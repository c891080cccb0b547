//! The token endpoint.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::call::Call;
use crate::clock::NS;
use crate::oauth::client_auth::authenticate;
use crate::oauth::dpop::{ProofFault, nonce, proof};
use crate::oauth::form::Form;
use crate::oauth::id_token::{Login, id_token};
use crate::oauth::jose::encode;
use crate::oauth::keep::CODE;
use crate::oauth::profile::{Profile, Refresh, github, google};
use crate::oauth::settings::{Dpop, OAuthClient, SCOPES};
use crate::oauth::tokens::{Grant, Issued, Lives};
use crate::oauth::{DPOP_NONCE, OAuthError, answer, put};
use crate::options::Options;
use crate::reply::Reply;
use crate::world::State;

pub(crate) type Answer = Result<Reply, OAuthError>;

/// A token request on its way.
struct Request<'a> {
    form: &'a Form,
    client: &'a OAuthClient,
    provider: &'a str,
    profile: &'static Profile,
    lives: Lives,
    options: &'a Options,
    /// The thumbprint of the key the client proved to hold.
    key: Option<String>,
    now_ns: u64,
}

/// The scopes asked for, or all the client may have.
pub(crate) fn scopes(
    form: &Form,
    client: &OAuthClient,
    profile: &Profile,
) -> Result<Vec<String>, OAuthError> {
    let Some(asked) = form.get("scope") else {
        let all = SCOPES
            .iter()
            .filter(|scope| client.may_have(scope, profile));
        return Ok(all.map(|scope| (*scope).to_owned()).collect());
    };
    // GitHub takes commas too.
    let asked: Vec<String> = asked
        .split(|c| c == ' ' || c == ',' && profile.form_answers)
        .filter(|s| !s.is_empty())
        .map(Into::into)
        .collect();
    match asked.iter().find(|scope| !client.may_have(scope, profile)) {
        Some(_) => Err(OAuthError::new(
            "invalid_scope",
            "a scope is not known, or not for this client",
        )),
        None => Ok(asked),
    }
}

pub(crate) async fn token(call: &Call, provider: &str, issuer: &str) -> Answer {
    let delay = call.world.state().options.oauth.token_delay_ms;
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let form = Form::of_body(call)?;
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let now_ns = call.world.clock.now_ns();
    let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
    let fresh_nonce = nonce(options.seed, now_ns);
    let key = if options.oauth.dpop == Dpop::Off {
        None
    } else {
        let needs_nonce = options.oauth.dpop_nonce;
        match proof(call, &mut state.oauth, options.seed, needs_nonce, None) {
            Ok(key) => key,
            Err(ProofFault::Invalid(what)) => {
                return Err(OAuthError::new("invalid_dpop_proof", what));
            }
            Err(ProofFault::Nonce) => {
                let error =
                    OAuthError::new("use_dpop_nonce", "the proof needs the nonce of DPoP-Nonce");
                return Ok(error.reply().with_text(DPOP_NONCE, fresh_nonce));
            }
        }
    };
    if key.is_none() && options.oauth.dpop == Dpop::Required {
        return Err(OAuthError::new(
            "invalid_dpop_proof",
            "there is no DPoP header",
        ));
    }
    let profile = Profile::of(provider);
    let lives = Lives::of(profile, &options.oauth, &client.client_id);
    let request = Request {
        form: &form,
        client,
        provider,
        profile,
        lives,
        options: &options,
        key,
        now_ns,
    };
    // GitHub's exchange of a code has no grant_type.
    let grant_type = match form.get("grant_type") {
        None if profile.form_answers => "authorization_code",
        _ => form.need("grant_type")?,
    };
    if !profile.grants.contains(&grant_type) {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            "this grant_type is not known here",
        ));
    }
    if !client.may_use(grant_type) {
        return Err(OAuthError::new(
            "unauthorized_client",
            "the client may not use this grant",
        ));
    }
    let (issued, login) = match grant_type {
        "client_credentials" => (request.client_credentials(state)?, Login::default()),
        "authorization_code" => request.authorization_code(state)?,
        "refresh_token" => (request.refresh_token(state)?, Login::default()),
        _ => (request.device_code(state)?, Login::default()),
    };
    state.happened(call.op.name(), None, None);
    let mut body = request.body(state, &issued, grant_type == "refresh_token");
    let of = (issuer, issued.access.as_str());
    if let Some(id_token) = id_token(
        profile,
        &state.oauth,
        &options,
        of,
        &issued.grant,
        &login,
        now_ns,
    ) {
        put(&mut body, "id_token", id_token);
    }
    let reply = answer::given(profile, call, &body).committed();
    if options.oauth.dpop_nonce {
        return Ok(reply.with_text(DPOP_NONCE, fresh_nonce));
    }
    Ok(reply)
}

impl Request<'_> {
    /// What was issued, in the words of RFC 6749, section 5.1.
    fn body(&self, state: &State, issued: &Issued, refreshed: bool) -> serde_json::Value {
        let grant = &issued.grant;
        let mut body = json!({
            "access_token": issued.access,
            "token_type": if grant.key.is_some() { "DPoP" } else { self.profile.token_type },
            "scope": said(self.profile, &grant.scopes),
        });
        if let Some(ttl_ms) = self.lives.access_ttl_ms
            && self.options.oauth.expires_in
        {
            put(&mut body, "expires_in", ttl_ms / 1_000);
        }
        let repeats = !refreshed || self.profile.repeats_refresh_token;
        if let Some(refresh) = issued.refresh.as_ref().filter(|_| repeats) {
            put(&mut body, "refresh_token", refresh.as_str());
            if self.profile.refresh_ttl_s.is_some()
                && let Some(expires_ns) = state.oauth.tokens.refresh_expires_ns(refresh)
            {
                let left_s = expires_ns.saturating_sub(self.now_ns) / NS;
                put(&mut body, "refresh_token_expires_in", left_s);
            }
        }
        body
    }

    /// Whether the provider gives a refresh token with this grant.
    fn is_refreshable(&self, grant: &Grant, asked_offline: bool) -> bool {
        self.client.may_use("refresh_token")
            && match self.profile.refresh {
                Refresh::Always => true,
                Refresh::AskedOffline => asked_offline,
                Refresh::Apps => github::is_app(&grant.client_id),
                Refresh::Scope(scope) => grant.scopes.iter().any(|known| known == scope),
            }
    }

    fn issue(&self, state: &mut State, grant: Grant, family: Option<u64>, offline: bool) -> Issued {
        let refreshable = self.is_refreshable(&grant, offline);
        let seed = self.options.seed;
        let of_family = (family, refreshable);
        let tokens = &mut state.oauth.tokens;
        tokens.issue(grant, of_family, self.lives, seed, self.now_ns)
    }

    fn client_credentials(&self, state: &mut State) -> Result<Issued, OAuthError> {
        if self.client.is_public() {
            return Err(OAuthError::new(
                "unauthorized_client",
                "a public client has no credentials of its own",
            ));
        }
        let grant = Grant {
            provider: self.provider.into(),
            client_id: self.client.client_id.clone(),
            tenant: self.client.tenant().into(),
            tier: self.client.tier(),
            subject: None,
            scopes: scopes(self.form, self.client, self.profile)?,
            key: self.key.clone(),
        };
        Ok(self.issue(state, grant, None, false))
    }

    fn authorization_code(&self, state: &mut State) -> Result<(Issued, Login), OAuthError> {
        let invalid = |what| Err(OAuthError::new("invalid_grant", what));
        let code = self.form.need("code")?;
        let Some(given) = state.oauth.codes.get_mut(code) else {
            return invalid("the code is not known");
        };
        if given.grant.client_id != self.client.client_id || given.grant.provider != self.provider {
            return invalid("the code was given to another client");
        }
        let family = given.family;
        state.oauth.touched.note(CODE, code);
        if std::mem::replace(&mut given.used, true) {
            state.oauth.tokens.revoke_family(family);
            return invalid("the code was used before; all tokens that came of it are revoked");
        }
        let given = given.clone();
        if self.now_ns >= given.expires_ns {
            return invalid("the code has expired");
        }
        let redirect_uri = self.form.get("redirect_uri");
        // GitHub does not insist on it.
        let left_out = redirect_uri.is_none() && self.profile.form_answers;
        if !left_out && redirect_uri != Some(given.redirect_uri.as_str()) {
            let what = "redirect_uri is not the one the code was sent to";
            return Err(OAuthError::new("invalid_grant", what).at_github("redirect_uri_mismatch"));
        }
        self.check_verifier(given.challenge.as_deref())?;
        if given.grant.key.is_some() && given.grant.key != self.key {
            return invalid("the proof is not of the key in dpop_jkt");
        }
        let grant = Grant {
            key: self.key.clone(),
            ..given.grant
        };
        let issued = self.issue(state, grant, Some(family), given.refreshable);
        Ok((issued, given.login))
    }

    /// The verifier has to be what the challenge was made of; where there was no challenge there is no verifier either
    /// (RFC 9700, section 4.8.2).
    fn check_verifier(&self, challenge: Option<&str>) -> Result<(), OAuthError> {
        let Some(challenge) = challenge else {
            return match self.form.get("code_verifier") {
                None => Ok(()),
                Some(_) => {
                    let what = "there is a code_verifier, but was no code_challenge";
                    Err(OAuthError::new("invalid_grant", what))
                }
            };
        };
        let verifier = self.form.need("code_verifier")?;
        let in_order = (43..=128).contains(&verifier.len())
            && verifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        if !in_order || encode(Sha256::digest(verifier)) != challenge {
            let what = "code_verifier is not what code_challenge was made of";
            return Err(OAuthError::new("invalid_grant", what));
        }
        Ok(())
    }

    fn refresh_token(&self, state: &mut State) -> Result<Issued, OAuthError> {
        let invalid =
            |what| Err(OAuthError::new("invalid_grant", what).at_github("bad_refresh_token"));
        let token = self.form.need("refresh_token")?;
        let Some(grant) = state.oauth.tokens.refresh_grant(token) else {
            return invalid("the refresh token is not known");
        };
        if grant.client_id != self.client.client_id || grant.provider != self.provider {
            return invalid("the refresh token was given to another client");
        }
        if grant.key.is_some() && grant.key != self.key {
            return invalid("the proof is not of the key the refresh token is bound to");
        }
        let narrowed = match self.form.get("scope") {
            None => None,
            Some(_) => {
                let asked = scopes(self.form, self.client, self.profile)?;
                if asked.iter().any(|scope| !grant.scopes.contains(scope)) {
                    return Err(OAuthError::new(
                        "invalid_scope",
                        "the user did not grant a scope",
                    ));
                }
                Some(asked)
            }
        };
        let (seed, now_ns) = (self.options.seed, self.now_ns);
        state
            .oauth
            .tokens
            .refresh(token, narrowed, self.lives, seed, now_ns)
            .or_else(invalid)
    }

    fn device_code(&self, state: &mut State) -> Result<Issued, OAuthError> {
        let code = self.form.need("device_code")?;
        let polled = state
            .oauth
            .devices
            .poll(code, &self.client.client_id, self.now_ns);
        let grant = polled.map_err(|error| {
            let told = OAuthError::new(error, "see RFC 8628, section 3.5");
            if error == "invalid_grant" {
                told.at_github("incorrect_device_code")
            } else {
                told
            }
        })?;
        let family = state.oauth.tokens.family();
        let grant = Grant {
            key: self.key.clone(),
            ..grant
        };
        Ok(self.issue(state, grant, Some(family), true))
    }
}

/// The scopes as a token answer has them.
fn said(profile: &Profile, scopes: &[String]) -> String {
    let full = |scope: &String| match scope.as_str() {
        "email" if profile.is_google => google::EMAIL.to_owned(),
        "profile" if profile.is_google => google::PROFILE_SCOPE.to_owned(),
        other => other.to_owned(),
    };
    let scopes: Vec<String> = scopes.iter().map(full).collect();
    scopes.join(profile.scope_separator)
}
