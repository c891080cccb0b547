//! The token endpoint and its kin: device authorization, introspection and revocation.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::call::Call;
use crate::clock::NS;
use crate::oauth::authorize::USER;
use crate::oauth::client_auth::authenticate;
use crate::oauth::device::user_code;
use crate::oauth::dpop::{ProofFault, nonce, proof};
use crate::oauth::form::Form;
use crate::oauth::jose::{SigningKey, encode};
use crate::oauth::settings::{DEVICE_GRANT, Dpop, OAuthClient, SCOPES};
use crate::oauth::tokens::{Grant, Issued, Known};
use crate::oauth::{DPOP_NONCE, OAuthError, put, uncached};
use crate::options::Options;
use crate::reply::Reply;
use crate::stable_hash::stable_hash;
use crate::world::State;

type Answer = Result<Reply, OAuthError>;

/// A token request on its way.
struct Request<'a> {
    form: &'a Form,
    client: &'a OAuthClient,
    provider: &'a str,
    options: &'a Options,
    /// The thumbprint of the key the client proved to hold.
    key: Option<String>,
    now_ns: u64,
}

/// The scopes asked for, or all the client may have.
pub(crate) fn scopes(form: &Form, client: &OAuthClient) -> Result<Vec<String>, OAuthError> {
    let Some(asked) = form.get("scope") else {
        let all = SCOPES.iter().filter(|scope| client.may_have(scope));
        return Ok(all.map(|scope| (*scope).to_owned()).collect());
    };
    let asked: Vec<String> = asked
        .split(' ')
        .filter(|s| !s.is_empty())
        .map(Into::into)
        .collect();
    match asked.iter().find(|scope| !client.may_have(scope)) {
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
    let request = Request {
        form: &form,
        client,
        provider,
        options: &options,
        key,
        now_ns,
    };
    let grant_type = form.need("grant_type")?;
    let known = [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        DEVICE_GRANT,
    ];
    if !known.contains(&grant_type) {
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
    let (issued, id_nonce) = match grant_type {
        "client_credentials" => (request.client_credentials(state)?, None),
        "authorization_code" => request.authorization_code(state)?,
        "refresh_token" => (request.refresh_token(state)?, None),
        _ => (request.device_code(state)?, None),
    };
    state.happened(call.op.name(), None, None);
    let mut body = json!({
        "access_token": issued.access,
        "token_type": if issued.grant.key.is_some() { "DPoP" } else { "Bearer" },
        "scope": issued.grant.scopes.join(" "),
    });
    if options.oauth.expires_in {
        put(
            &mut body,
            "expires_in",
            options.oauth.access_token_ttl_ms / 1_000,
        );
    }
    if let Some(refresh) = &issued.refresh {
        put(&mut body, "refresh_token", refresh.as_str());
    }
    if let Some(subject) = &issued.grant.subject
        && issued.grant.scopes.iter().any(|scope| scope == "openid")
        && let Some(key) = SigningKey::new(options.seed, state.oauth.rotations + 1)
    {
        let now_s = now_ns / NS;
        let mut claims = json!({
            "iss": issuer, "sub": subject, "aud": client.client_id, "iat": now_s, "exp": now_s + 3_600,
            "at_hash": encode(Sha256::digest(&issued.access).get(..16).unwrap_or_default()),
        });
        if let Some(nonce) = id_nonce {
            put(&mut claims, "nonce", nonce);
        }
        put(&mut body, "id_token", key.sign(&claims));
    }
    let reply = uncached(Reply::json(StatusCode::OK, &body)).committed();
    if options.oauth.dpop_nonce {
        return Ok(reply.with_text(DPOP_NONCE, fresh_nonce));
    }
    Ok(reply)
}

impl Request<'_> {
    fn issue(&self, state: &mut State, grant: Grant, family: Option<u64>) -> Issued {
        let family = family.filter(|_| self.client.may_use("refresh_token"));
        let seed = self.options.seed;
        state
            .oauth
            .tokens
            .issue(grant, family, &self.options.oauth, seed, self.now_ns)
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
            scopes: scopes(self.form, self.client)?,
            key: self.key.clone(),
        };
        Ok(self.issue(state, grant, None))
    }

    fn authorization_code(
        &self,
        state: &mut State,
    ) -> Result<(Issued, Option<String>), OAuthError> {
        let invalid = |what| Err(OAuthError::new("invalid_grant", what));
        let code = self.form.need("code")?;
        let Some(given) = state.oauth.codes.get_mut(code) else {
            return invalid("the code is not known");
        };
        if given.grant.client_id != self.client.client_id || given.grant.provider != self.provider {
            return invalid("the code was given to another client");
        }
        let family = given.family;
        if std::mem::replace(&mut given.used, true) {
            state.oauth.tokens.revoke_family(family);
            return invalid("the code was used before; all tokens that came of it are revoked");
        }
        let given = given.clone();
        if self.now_ns >= given.expires_ns {
            return invalid("the code has expired");
        }
        if self.form.get("redirect_uri") != Some(given.redirect_uri.as_str()) {
            return invalid("redirect_uri is not the one the code was sent to");
        }
        let verifier = self.form.need("code_verifier")?;
        let in_order = (43..=128).contains(&verifier.len())
            && verifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        if !in_order || encode(Sha256::digest(verifier)) != given.challenge {
            return invalid("code_verifier is not what code_challenge was made of");
        }
        if given.grant.key.is_some() && given.grant.key != self.key {
            return invalid("the proof is not of the key in dpop_jkt");
        }
        let grant = Grant {
            key: self.key.clone(),
            ..given.grant
        };
        Ok((self.issue(state, grant, Some(family)), given.nonce))
    }

    fn refresh_token(&self, state: &mut State) -> Result<Issued, OAuthError> {
        let invalid = |what| Err(OAuthError::new("invalid_grant", what));
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
                let asked = scopes(self.form, self.client)?;
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
            .refresh(token, narrowed, &self.options.oauth, seed, now_ns)
            .or_else(invalid)
    }

    fn device_code(&self, state: &mut State) -> Result<Issued, OAuthError> {
        let code = self.form.need("device_code")?;
        let polled = state
            .oauth
            .devices
            .poll(code, &self.client.client_id, self.now_ns);
        let grant = polled.map_err(|error| OAuthError::new(error, "see RFC 8628, section 3.5"))?;
        let family = state.oauth.tokens.family();
        let grant = Grant {
            key: self.key.clone(),
            ..grant
        };
        Ok(self.issue(state, grant, Some(family)))
    }
}

pub(crate) fn device_authorization(call: &Call, provider: &str, issuer: &str) -> Answer {
    let form = Form::of_body(call)?;
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
    if !client.may_use(DEVICE_GRANT) {
        let what = "the client may not use this grant";
        return Err(OAuthError::new("unauthorized_client", what));
    }
    let grant = Grant {
        provider: provider.into(),
        client_id: client.client_id.clone(),
        tenant: client.tenant().into(),
        tier: client.tier(),
        subject: Some(USER.into()),
        scopes: scopes(&form, client)?,
        key: None,
    };
    let device_code = state.oauth.tokens.secret("odc", options.seed);
    let user_code = user_code(stable_hash(&[b"user code", device_code.as_bytes()]));
    let spans = (options.oauth.device_interval_s, options.oauth.device_ttl_s);
    let now_ns = call.world.clock.now_ns();
    state
        .oauth
        .devices
        .add(device_code.clone(), user_code.clone(), grant, spans, now_ns);
    let body = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": format!("{issuer}/device"),
        "verification_uri_complete": format!("{issuer}/device?user_code={user_code}"),
        "expires_in": spans.1,
        "interval": spans.0,
    });
    Ok(uncached(Reply::json(StatusCode::OK, &body)))
}

pub(crate) fn introspect(call: &Call, issuer: &str) -> Answer {
    let form = Form::of_body(call)?;
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
    if client.is_public() {
        let what = "a public client may not ask";
        return Err(OAuthError::invalid_client(what, false));
    }
    let token = form.need("token")?;
    let now_ns = call.world.clock.now_ns();
    let body = match state.oauth.tokens.active(token, now_ns) {
        None => json!({ "active": false }),
        Some(known) => {
            let (grant, expires_ns) = match &known {
                Known::Access(access) => (&access.grant, access.expires_ns),
                Known::Refresh { grant, expires_ns } => (*grant, *expires_ns),
            };
            let mut body = json!({
                "active": true,
                "scope": grant.scopes.join(" "),
                "client_id": grant.client_id,
                "exp": expires_ns / NS,
                "iss": issuer,
                "tenant": grant.tenant,
            });
            if let Known::Access(access) = known {
                put(&mut body, "iat", access.issued_ns / NS);
                put(
                    &mut body,
                    "token_type",
                    if grant.key.is_some() {
                        "DPoP"
                    } else {
                        "Bearer"
                    },
                );
            }
            if let Some(subject) = &grant.subject {
                put(&mut body, "sub", subject.as_str());
            }
            if let Some(key) = &grant.key {
                put(&mut body, "cnf", json!({ "jkt": key }));
            }
            body
        }
    };
    Ok(uncached(Reply::json(StatusCode::OK, &body)))
}

/// 200 whether or not the token was known (RFC 7009, section 2.2).
pub(crate) fn revoke(call: &Call, issuer: &str) -> Answer {
    let form = Form::of_body(call)?;
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
    let revoked = state
        .oauth
        .tokens
        .revoke(form.need("token")?, &client.client_id);
    if revoked {
        state.happened(call.op.name(), None, None);
    }
    let reply = uncached(Reply::new(StatusCode::OK));
    Ok(if revoked { reply.committed() } else { reply })
}
