//! Who a client is: by secret in the header or the form, by a signed assertion, or by name alone (RFC 6749, section 2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::call::Call;
use crate::clock::{NS, real_now_ns};
use crate::oauth::form::Form;
use crate::oauth::jose::Jws;
use crate::oauth::settings::{AuthMethod, OAuthClient, OAuthOptions};
use crate::oauth::{OAuth, OAuthError};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Finds the client a request is from, or says why it is nobody's.
pub(crate) fn authenticate<'o>(
    call: &Call,
    form: &Form,
    oauth: &mut OAuth,
    options: &'o OAuthOptions,
    issuer: &str,
) -> Result<&'o OAuthClient, OAuthError> {
    let basic = call
        .parts
        .headers
        .get(AUTHORIZATION)
        .map(|value| basic(value.as_bytes()));
    let posted = form.get("client_secret");
    let assertion = form.get("client_assertion");
    if usize::from(basic.is_some())
        + usize::from(posted.is_some())
        + usize::from(assertion.is_some())
        > 1
    {
        return Err(OAuthError::invalid_request(
            "the client says who it is in more than one way",
        ));
    }
    let by_header = basic.is_some();
    let nobody = |what: &str| Err(OAuthError::invalid_client(what, by_header));
    if let Some(pair) = basic {
        let Some((id, secret)) = pair else {
            return nobody("the Authorization header is no Basic credential");
        };
        let known = options.client(&id);
        let good = known.filter(|client| {
            client.allows(AuthMethod::ClientSecretBasic)
                && client.client_secret.as_deref() == Some(secret.as_str())
        });
        if form.get("client_id").is_some_and(|other| other != id) {
            return nobody("client_id in the form is another client");
        }
        return match good {
            Some(client) => Ok(client),
            None if options.echo_secret => nobody(&format!("the secret {secret} is wrong")),
            None => nobody("the client or its secret is not known"),
        };
    }
    if let Some(assertion) = assertion {
        if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return nobody("client_assertion_type is not that of RFC 7523");
        }
        return by_assertion(call, form, assertion, oauth, options, issuer).or_else(nobody);
    }
    let Some(id) = form.get("client_id") else {
        return nobody("the client does not say who it is");
    };
    let known = options.client(id);
    let good = known.filter(|client| match posted {
        Some(secret) => {
            client.allows(AuthMethod::ClientSecretPost)
                && client.client_secret.as_deref() == Some(secret)
        }
        None => client.allows(AuthMethod::None),
    });
    match (good, posted) {
        (Some(client), _) => Ok(client),
        (None, Some(secret)) if options.echo_secret => {
            nobody(&format!("the secret {secret} is wrong"))
        }
        _ => nobody("the client or its secret is not known"),
    }
}

/// Id and secret, each form-decoded.
fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, rest) = std::str::from_utf8(value).ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        let text = percent_decode_str(&spaced).decode_utf8().ok()?;
        Some(text.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}

fn by_assertion<'o>(
    call: &Call,
    form: &Form,
    assertion: &str,
    oauth: &mut OAuth,
    options: &'o OAuthOptions,
    issuer: &str,
) -> Result<&'o OAuthClient, &'static str> {
    let jws = Jws::parse(assertion).ok_or("the assertion is no signed token")?;
    let id = jws.text("sub").ok_or("the assertion has no sub")?;
    if jws.text("iss") != Some(id) || form.get("client_id").is_some_and(|other| other != id) {
        return Err("iss, sub and client_id are not the same");
    }
    let client = options
        .client(id)
        .filter(|client| client.allows(AuthMethod::PrivateKeyJwt))
        .ok_or("the client may not use an assertion")?;
    let keys = client
        .jwks
        .as_ref()
        .and_then(|jwks| jwks.get("keys")?.as_array());
    if !keys.is_some_and(|keys| keys.iter().any(|key| jws.is_signed_by(key))) {
        return Err("the assertion is signed by none of the client's keys");
    }
    let own = [issuer.to_owned(), call.own_url()];
    let meant = match jws.claims.get("aud") {
        Some(Value::String(one)) => own.contains(one),
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .any(|one| own.iter().any(|own| own == one)),
        _ => false,
    };
    if !meant {
        return Err("aud is neither the issuer nor the token endpoint");
    }
    // The client's own clock is real time, whatever the session's shows.
    let now_ns = call.world.clock.now_ns().min(real_now_ns());
    if jws.number("exp").is_none_or(|exp| exp <= now_ns / NS) {
        return Err("the assertion has expired");
    }
    let once = format!(
        "{id} {}",
        jws.text("jti").ok_or("the assertion has no jti")?
    );
    if oauth.proofs.contains(&once) {
        return Err("the assertion was used before");
    }
    oauth.proofs.insert(once, ());
    Ok(client)
}
