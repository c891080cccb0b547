//! The authorization endpoint, where the test user agrees or refuses.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::clock::MS;
use crate::oauth::asked::{Asked, pushed_or};
use crate::oauth::device::Decision;
use crate::oauth::form::Form;
use crate::oauth::id_token::Login;
use crate::oauth::identity::USER;
use crate::oauth::profile::Profile;
use crate::oauth::settings::{Consent, LOGIN_CLIENT, OAuthClient};
use crate::oauth::tokens::Grant;
use crate::oauth::{OAuthError, escaped, page, uncached};
use crate::reply::Reply;

/// An authorization code and what it was given for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) login: Login,
    /// Whether Google would give a refresh token for it.
    pub(crate) refreshable: bool,
    pub(crate) expires_ns: u64,
    /// The family its tokens belong to; a code used twice revokes them (RFC 6749, section 4.1.2).
    pub(crate) family: u64,
    pub(crate) used: bool,
}

/// Sends the user back with a code, or with an error; a client or address that is not known gets a page instead.
pub(crate) fn authorize(call: &Call, provider: &str, issuer: &str) -> Reply {
    let asked_in_query = match Form::of_query(call) {
        Ok(form) => form,
        Err(error) => return refused(&error.description),
    };
    let decided = asked_in_query.get("decision").map(str::to_owned);
    let now_ns = call.world.clock.now_ns();
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = std::sync::Arc::clone(&state.options);
    let oauth_options = &options.oauth;
    let pushed_as = asked_in_query.get("request_uri").map(str::to_owned);
    let form = match pushed_or(asked_in_query, &state.oauth, now_ns) {
        Ok(form) => form,
        Err(why) => return refused(why),
    };
    let profile = Profile::of(provider);
    let Some(client) = form
        .get("client_id")
        .and_then(|id| oauth_options.client(id))
    else {
        return refused("the client is not known");
    };
    let says_iss = profile.says_iss;
    let back_to = |uri: &str, pairs: &[(&str, &str)]| {
        let iss = says_iss.then_some(oauth_options.iss.as_deref().unwrap_or(issuer));
        redirect(uri, pairs, &form, iss.filter(|iss| !iss.is_empty()))
    };
    let redirect_uri = match (form.get("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(uri), _) if may_redirect(call, provider, client, uri) => uri.to_owned(),
        (None, [only]) => only.clone(),
        // GitHub tells the client at the address it registered.
        (Some(_), [first, ..]) if profile.form_answers => {
            return back_to(
                first,
                &[
                    ("error", "redirect_uri_mismatch"),
                    (
                        "error_description",
                        "The redirect_uri MUST match the registered callback URL for this application.",
                    ),
                ],
            );
        }
        (None, [first, ..]) if profile.form_answers => first.clone(),
        (None, _) => return refused("redirect_uri is missing"),
        (Some(_), _) => return refused("redirect_uri is none of those the client named"),
    };
    let back = |pairs: &[(&str, &str)]| back_to(&redirect_uri, pairs);
    let fault = |error: &OAuthError| {
        let description = error.plain_description();
        back(&[("error", error.error), ("error_description", &description)])
    };
    let decision = match (
        oauth_options.consent,
        decided.as_deref(),
        &call.parts.method,
    ) {
        (Consent::Auto, ..) => Decision::Approved,
        (Consent::Deny, ..) => Decision::Denied,
        (Consent::Page, Some("approve"), &Method::POST) => Decision::Approved,
        (Consent::Page, Some(_), &Method::POST) => Decision::Denied,
        (Consent::Page, ..) => Decision::Pending,
    };
    let asked = Asked::read(&form, client, profile, oauth_options).and_then(|mut asked| {
        asked.log_in(&form, &mut state.oauth, oauth_options, now_ns)?;
        Ok(asked)
    });
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return fault(&error),
    };
    match decision {
        Decision::Pending => return consent_page(call, client),
        Decision::Denied => {
            return fault(&OAuthError::new("access_denied", "the user refused"));
        }
        Decision::Approved => {}
    }
    // The user is asked the first time, and where the client wants it so.
    let consent = format!("{} {}", profile.name, client.client_id);
    let known = state.oauth.consents.contains(&consent);
    let was_asked = !known || asked.prompts("consent");
    state.oauth.agreed(consent);
    let code = state.oauth.tokens.secret("oac_", options.seed);
    let given = Code {
        grant: Grant {
            provider: provider.into(),
            client_id: client.client_id.clone(),
            tenant: client.tenant().into(),
            tier: client.tier(),
            subject: Some(USER.into()),
            scopes: asked.scopes,
            key: form.get("dpop_jkt").map(Into::into),
        },
        redirect_uri: redirect_uri.clone(),
        challenge: asked.challenge,
        login: asked.login,
        refreshable: asked.offline && was_asked,
        expires_ns: now_ns.saturating_add(oauth_options.code_ttl_ms.saturating_mul(MS)),
        family: state.oauth.tokens.family(),
        used: false,
    };
    if let Some(name) = pushed_as {
        state.oauth.pushed.remove(&name);
    }
    state.oauth.gave(&code, given);
    back(&[("code", &code)])
}

/// Whether a client may have the user sent there; the gateway's own login to where the gateway itself is reached.
pub(crate) fn may_redirect(call: &Call, provider: &str, client: &OAuthClient, uri: &str) -> bool {
    client.may_redirect_to(uri)
        || client.client_id == LOGIN_CLIENT
            && uri == format!("{}/login/{provider}/callback", call.origin())
}

fn redirect(to: &str, pairs: &[(&str, &str)], form: &Form, iss: Option<&str>) -> Reply {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    if let Some(state) = form.get("state") {
        query.append_pair("state", state);
    }
    if let Some(iss) = iss {
        query.append_pair("iss", iss);
    }
    let joint = if to.contains('?') { '&' } else { '?' };
    uncached(Reply::new(StatusCode::FOUND))
        .with_text(LOCATION, format!("{to}{joint}{}", query.finish()))
}

pub(crate) fn refused(why: &str) -> Reply {
    let text = format!("<p>{}</p>", escaped(why));
    page(
        StatusCode::BAD_REQUEST,
        "This request cannot be granted",
        &text,
    )
}

fn consent_page(call: &Call, client: &OAuthClient) -> Reply {
    let query = call.parts.uri.query().unwrap_or_default();
    let button = |decision: &str, text: &str| {
        format!(
            "<form method=\"post\" action=\"?{}&amp;decision={decision}\"><button>{text}</button></form>",
            escaped(query)
        )
    };
    let body = format!(
        "<p>{} asks for access.</p>{}{}",
        escaped(&client.client_id),
        button("approve", "Approve"),
        button("deny", "Deny")
    );
    page(StatusCode::OK, "Test User, do you agree?", &body)
}
