//! What clients and servers ask about tokens afterwards: introspection (RFC 7662) and revocation (RFC 7009).

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use crate::call::Call;
use crate::clock::NS;
use crate::oauth::client_auth::authenticate;
use crate::oauth::form::Form;
use crate::oauth::profile::Profile;
use crate::oauth::token::Answer;
use crate::oauth::tokens::Known;
use crate::oauth::{OAuthError, put, uncached};
use crate::reply::Reply;

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

/// 200 whether or not the token was known (RFC 7009, section 2.2); Google knows no client and says what it does not know.
pub(crate) fn revoke(call: &Call, provider: &str, issuer: &str) -> Answer {
    let profile = Profile::of(provider);
    let in_query = Form::of_query(call)?;
    let form = if profile.is_google && in_query.get("token").is_some() {
        in_query
    } else {
        Form::of_body(call)?
    };
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let token = form.need("token")?;
    let revoked = if profile.is_google {
        if !state.oauth.tokens.revoke_of_anyone(token) {
            return Err(OAuthError::new("invalid_token", "the token is not known"));
        }
        true
    } else {
        let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
        state.oauth.tokens.revoke(token, &client.client_id)
    };
    if revoked {
        state.happened(call.op.name(), None, None);
    }
    let reply = uncached(Reply::new(StatusCode::OK));
    Ok(if revoked { reply.committed() } else { reply })
}
