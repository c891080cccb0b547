//! The authorization endpoint, where the test user agrees, and the page where it decides about a device.

use http::header::LOCATION;
use http::{Method, StatusCode};

use crate::call::Call;
use crate::clock::MS;
use crate::oauth::device::Decision;
use crate::oauth::form::Form;
use crate::oauth::settings::{Consent, OAuthClient, OAuthOptions};
use crate::oauth::token::scopes;
use crate::oauth::tokens::Grant;
use crate::oauth::{OAuthError, escaped, page, uncached};
use crate::reply::Reply;

/// The one user there is.
pub(crate) const USER: &str = "us_000001";

/// An authorization code and what it was given for.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) expires_ns: u64,
    /// The family its tokens belong to; a code used twice revokes them (RFC 6749, section 4.1.2).
    pub(crate) family: u64,
    pub(crate) used: bool,
}

/// Sends the user back with a code, or with an error; a client or address that is not known gets a page instead.
pub(crate) fn authorize(call: &Call, provider: &str, issuer: &str) -> Reply {
    let form = match Form::of_query(call) {
        Ok(form) => form,
        Err(error) => return refused(&error.description),
    };
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = std::sync::Arc::clone(&state.options);
    let oauth_options = &options.oauth;
    let Some(client) = form
        .get("client_id")
        .and_then(|id| oauth_options.client(id))
    else {
        return refused("the client is not known");
    };
    let redirect_uri = match (form.get("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(uri), _) if client.may_redirect_to(uri) => uri.to_owned(),
        (None, [only]) => only.clone(),
        (None, _) => return refused("redirect_uri is missing"),
        (Some(_), _) => return refused("redirect_uri is none of those the client named"),
    };
    let back =
        |pairs: &[(&str, &str)]| redirect(&redirect_uri, pairs, &form, oauth_options, issuer);
    let decision = match (
        oauth_options.consent,
        form.get("decision"),
        &call.parts.method,
    ) {
        (Consent::Auto, ..) => Decision::Approved,
        (Consent::Deny, ..) => Decision::Denied,
        (Consent::Page, Some("approve"), &Method::POST) => Decision::Approved,
        (Consent::Page, Some(_), &Method::POST) => Decision::Denied,
        (Consent::Page, ..) => Decision::Pending,
    };
    let asked = match asked(&form, client) {
        Ok(asked) => asked,
        Err(error) => {
            return back(&[
                ("error", error.error),
                ("error_description", &error.description),
            ]);
        }
    };
    match decision {
        Decision::Pending => return consent_page(call, client),
        Decision::Denied => {
            return back(&[
                ("error", "access_denied"),
                ("error_description", "the user refused"),
            ]);
        }
        Decision::Approved => {}
    }
    let now_ns = call.world.clock.now_ns();
    let code = state.oauth.tokens.secret("oac", options.seed);
    let given = Code {
        grant: Grant {
            provider: provider.into(),
            client_id: client.client_id.clone(),
            tenant: client.tenant().into(),
            tier: client.tier(),
            subject: Some(USER.into()),
            scopes: asked.0,
            key: form.get("dpop_jkt").map(Into::into),
        },
        redirect_uri: redirect_uri.clone(),
        challenge: asked.1,
        nonce: form.get("nonce").map(Into::into),
        expires_ns: now_ns.saturating_add(oauth_options.code_ttl_ms.saturating_mul(MS)),
        family: state.oauth.tokens.family(),
        used: false,
    };
    state.oauth.codes.insert(code.clone(), given);
    back(&[("code", &code)])
}

/// The scopes and the challenge of a request that is in order.
fn asked(form: &Form, client: &OAuthClient) -> Result<(Vec<String>, String), OAuthError> {
    if form.need("response_type")? != "code" {
        let what = "response_type must be code";
        return Err(OAuthError::new("unsupported_response_type", what));
    }
    if !client.may_use("authorization_code") {
        let what = "the client may not use this grant";
        return Err(OAuthError::new("unauthorized_client", what));
    }
    let challenge = form.need("code_challenge")?;
    if form.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request(
            "code_challenge_method must be S256",
        ));
    }
    if challenge.len() != 43 {
        return Err(OAuthError::invalid_request(
            "code_challenge is no SHA-256 in base64url",
        ));
    }
    Ok((scopes(form, client)?, challenge.into()))
}

fn redirect(
    to: &str,
    pairs: &[(&str, &str)],
    form: &Form,
    options: &OAuthOptions,
    issuer: &str,
) -> Reply {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    if let Some(state) = form.get("state") {
        query.append_pair("state", state);
    }
    match options.iss.as_deref() {
        Some("") => {}
        iss => drop(query.append_pair("iss", iss.unwrap_or(issuer))),
    }
    let joint = if to.contains('?') { '&' } else { '?' };
    uncached(Reply::new(StatusCode::FOUND))
        .with_text(LOCATION, format!("{to}{joint}{}", query.finish()))
}

fn refused(why: &str) -> Reply {
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

/// `GET` shows a form for the code, `POST` with `user_code` and `decision` decides.
pub(crate) fn device_page(call: &Call) -> Reply {
    let asked = Form::of_query(call).unwrap_or_else(|_| Form::empty());
    if call.parts.method != Method::POST {
        let code = escaped(asked.get("user_code").unwrap_or_default());
        let body = format!(
            "<form method=\"post\"><input name=\"user_code\" value=\"{code}\">\
             <button name=\"decision\" value=\"approve\">Approve</button>\
             <button name=\"decision\" value=\"deny\">Deny</button></form>"
        );
        return page(StatusCode::OK, "Connect a device", &body);
    }
    let form = match Form::of_body(call) {
        Ok(form) => form,
        Err(error) => return refused(&error.description),
    };
    let decision = match form.get("decision") {
        Some("approve") => Decision::Approved,
        _ => Decision::Denied,
    };
    let code = form.get("user_code").unwrap_or_default();
    let now_ns = call.world.clock.now_ns();
    if call
        .world
        .state()
        .oauth
        .devices
        .decide(code, decision, now_ns)
    {
        page(StatusCode::OK, "Done", "<p>You may close this page.</p>")
    } else {
        refused("this code is not known, or was decided already")
    }
}
