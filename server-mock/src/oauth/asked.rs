//! What an authorization request asks for: scopes, PKCE, `prompt` and `max_age`, in the query or pushed before (RFC 9126).

use http::StatusCode;
use serde_json::json;

use crate::call::Call;
use crate::clock::NS;
use crate::oauth::client_auth::authenticate;
use crate::oauth::form::Form;
use crate::oauth::id_token::Login;
use crate::oauth::profile::Profile;
use crate::oauth::settings::{Consent, OAuthClient, OAuthOptions, Pkce};
use crate::oauth::token::scopes;
use crate::oauth::{OAuth, OAuthError, uncached};
use crate::reply::Reply;

/// Life of a pushed request in seconds.
const PUSHED_TTL_S: u64 = 60;
const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

/// A request that is in order.
pub(crate) struct Asked {
    pub(crate) scopes: Vec<String>,
    /// The SHA-256 of the code verifier; none where PKCE is not needed.
    pub(crate) challenge: Option<String>,
    pub(crate) login: Login,
    /// Whether a refresh token was asked for in Google's way.
    pub(crate) offline: bool,
    prompt: Vec<String>,
}

/// A request that was pushed.
pub(crate) struct Pushed {
    form: Form,
    client_id: String,
    expires_ns: u64,
}

impl Asked {
    pub(crate) fn read(
        form: &Form,
        client: &OAuthClient,
        profile: &Profile,
        options: &OAuthOptions,
    ) -> Result<Self, OAuthError> {
        let response_type = form.get("response_type");
        // GitHub has no response_type.
        if !(response_type == Some("code") || profile.form_answers && response_type.is_none()) {
            form.need("response_type")?;
            let what = "response_type must be code";
            return Err(OAuthError::new("unsupported_response_type", what));
        }
        if !client.may_use("authorization_code") {
            let what = "the client may not use this grant";
            return Err(OAuthError::new("unauthorized_client", what));
        }
        let prompt: Vec<String> = form
            .get("prompt")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(Into::into)
            .collect();
        if prompt.len() > 1 && prompt.iter().any(|word| word == "none") {
            let what = "prompt=none stands alone";
            return Err(OAuthError::invalid_request(what));
        }
        Ok(Self {
            scopes: scopes(form, client, profile)?,
            challenge: challenge(form, profile, options.pkce)?,
            login: Login {
                nonce: form.get("nonce").map(Into::into),
                auth_time_s: None,
            },
            offline: form.get("access_type") == Some("offline"),
            prompt,
        })
    }

    /// Whether the request says this word in `prompt`.
    pub(crate) fn prompts(&self, word: &str) -> bool {
        self.prompt.iter().any(|known| known == word)
    }

    /// Logs the test user in, where it has to be (OpenID Connect Core, section 3.1.2.1).
    pub(crate) fn log_in(
        &mut self,
        form: &Form,
        oauth: &mut OAuth,
        options: &OAuthOptions,
        now_ns: u64,
    ) -> Result<(), OAuthError> {
        let max_age: Option<u64> = match form.get("max_age").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_)) => {
                let what = "max_age must be a number of seconds";
                return Err(OAuthError::invalid_request(what));
            }
        };
        let since_ns = match oauth.logged_in_ns {
            Some(since_ns) => since_ns,
            None => oauth.logged_in(now_ns),
        };
        let too_old = max_age.is_some_and(|age| {
            age == 0 || now_ns.saturating_sub(since_ns) > age.saturating_mul(NS)
        });
        let anew = !options.logged_in || too_old || self.prompts("login");
        if self.prompts("none") {
            if anew {
                let what = "the user has to log in, and prompt=none forbids to ask";
                return Err(OAuthError::new("login_required", what));
            }
            if options.consent == Consent::Page {
                let what = "the user has to agree, and prompt=none forbids to ask";
                return Err(OAuthError::new("consent_required", what));
            }
        }
        if anew {
            oauth.logged_in(now_ns);
        }
        let told = max_age.is_some() || self.prompts("login");
        let since_ns = if anew { now_ns } else { since_ns };
        self.login.auth_time_s = told.then_some(since_ns / NS);
        Ok(())
    }
}

/// The challenge of PKCE: S256 alone, because `plain` protects from nobody who can read the request.
fn challenge(form: &Form, profile: &Profile, pkce: Pkce) -> Result<Option<String>, OAuthError> {
    let needed = pkce == Pkce::Required || profile.needs_pkce;
    let method = form.get("code_challenge_method");
    if !needed && form.get("code_challenge").is_none() && method.is_none() {
        return Ok(None);
    }
    let challenge = form.need("code_challenge")?;
    if method != Some("S256") {
        let what = "code_challenge_method must be S256";
        return Err(OAuthError::invalid_request(what));
    }
    if challenge.len() != 43 {
        let what = "code_challenge is no SHA-256 in base64url";
        return Err(OAuthError::invalid_request(what));
    }
    Ok(Some(challenge.into()))
}

/// Keeps a request for later and gives it a name (RFC 9126).
pub(crate) fn push(call: &Call, provider: &str, issuer: &str) -> Result<Reply, OAuthError> {
    let form = Form::of_body(call)?;
    let profile = Profile::of(provider);
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = std::sync::Arc::clone(&state.options);
    let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
    if form.get("request_uri").is_some() {
        let what = "request_uri cannot be pushed";
        return Err(OAuthError::invalid_request(what));
    }
    if !form
        .get("redirect_uri")
        .is_some_and(|uri| super::authorize::may_redirect(call, provider, client, uri))
    {
        let what = "redirect_uri is none of those the client named";
        return Err(OAuthError::invalid_request(what));
    }
    Asked::read(&form, client, profile, &options.oauth)?;
    let name = state.oauth.tokens.secret(PUSHED, options.seed);
    let pushed = Pushed {
        client_id: client.client_id.clone(),
        form,
        expires_ns: call.world.clock.now_ns().saturating_add(PUSHED_TTL_S * NS),
    };
    state.oauth.pushed.insert(name.clone(), pushed);
    let body = json!({ "request_uri": name, "expires_in": PUSHED_TTL_S });
    Ok(uncached(Reply::json(StatusCode::CREATED, &body)))
}

/// The request itself, or the one that was pushed under its `request_uri`; why there is none.
pub(crate) fn pushed_or(form: Form, oauth: &OAuth, now_ns: u64) -> Result<Form, &'static str> {
    let Some(name) = form.get("request_uri") else {
        return Ok(form);
    };
    let pushed = oauth.pushed.get(name).filter(|pushed| {
        form.get("client_id") == Some(pushed.client_id.as_str()) && now_ns < pushed.expires_ns
    });
    pushed
        .map(|pushed| pushed.form.clone().with("client_id", &pushed.client_id))
        .ok_or("request_uri is not known, or has expired")
}
