//! The end of a login: everything the provider says is checked before anybody is logged in.
//!
//! Order: `state` and cookie (both or nothing, so that a forged callback does not end a login), the attempt's provider
//! and `iss` (before the code goes anywhere: mix-up), the provider's error, the code, the id token, the userinfo.

use http::StatusCode;
use serde_json::Value;

use crate::call::Call;
use crate::clock::{MS, NS, real_now_ns};
use crate::login::begin::{Attempt, secret};
use crate::login::fetch::Fetch;
use crate::login::plan::{Plan, failed};
use crate::login::sessions::LoginSession;
use crate::login::{Answer, cookies, id_token, problem, provider_name, redirect};
use crate::oauth::form::Form;
use crate::problem::Problem;

type Checked<T> = Result<T, Box<Problem>>;

pub(super) async fn callback(call: &Call) -> Answer {
    let form = Form::of_query(call).map_err(|_| mismatch("the query has a parameter twice"))?;
    let (name, attempt) = attempt(call, &form)?;
    let plan = &attempt.plan;
    check_origin(call, &form, plan)?;
    if let Some(error) = form.get("error") {
        let error: String = error
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .take(64)
            .collect();
        return Err(problem(
            StatusCode::FORBIDDEN,
            "login_refused",
            format!("the provider refused: {error}"),
        ));
    }
    let code = form
        .get("code")
        .ok_or_else(|| failed("it sent the browser back without a code"))?;
    let person = person(call, &attempt, code).await?;
    let now_ns = call.world.clock.now_ns();
    let mut guard = call.world.state();
    let state = &mut *guard;
    let (id, csrf) = (secret(state, plan.own)?, secret(state, plan.own)?);
    let ttl_ms = state.options.login.session_ttl_ms;
    // Whoever was logged in with this browser is not any more: a session begins anew with each login.
    if let Some(old) = cookies::get(call, cookies::SESSION) {
        state.logins.ended(old);
    }
    let session = LoginSession {
        provider: plan.provider.split('~').next().unwrap_or_default().into(),
        subject: person.subject,
        name: person.name,
        email: person.email,
        csrf,
        created_ns: now_ns,
        expires_ns: now_ns.saturating_add(ttl_ms.saturating_mul(MS)),
    };
    state.logins.begun(&id, session);
    let cookies = [
        cookies::set(call, cookies::SESSION, &id, "/", ttl_ms.div_ceil(1_000)),
        cookies::set(call, &cookies::of_attempt(&name), "", "/login", 0),
    ];
    // 303: whatever came before, the browser goes on with GET.
    Ok(redirect(
        StatusCode::SEE_OTHER,
        &attempt.return_to,
        &cookies,
    ))
}

fn mismatch(what: &str) -> Box<Problem> {
    problem(
        StatusCode::BAD_REQUEST,
        "login_state_mismatch",
        format!("{what}; begin again at /login/{{provider}} with this browser"),
    )
}

/// The attempt this callback ends: the one of its `state`, if this browser began it. It is gone afterwards.
fn attempt(call: &Call, form: &Form) -> Checked<(String, Attempt)> {
    let name = form
        .get("state")
        .ok_or_else(|| mismatch("there is no state"))?;
    let now_ns = call.world.clock.now_ns();
    let mut state = call.world.state();
    let known = state
        .logins
        .attempts
        .get(name)
        .ok_or_else(|| mismatch("the state is not of a login that is under way"))?;
    let cookie = cookies::get(call, &cookies::of_attempt(name));
    if cookie != Some(known.browser.as_str()) {
        return Err(mismatch("the login was begun by another browser"));
    }
    let attempt = state
        .logins
        .attempts
        .remove(name)
        .ok_or_else(|| mismatch("the state was used before"))?;
    if now_ns >= attempt.expires_ns {
        return Err(problem(
            StatusCode::BAD_REQUEST,
            "login_expired",
            "the login took too long; begin again at /login/{provider}",
        ));
    }
    Ok((name.into(), attempt))
}

/// Whether the answer is from whom the user was sent to (RFC 9207, RFC 9700 section 4.4).
fn check_origin(call: &Call, form: &Form, plan: &Plan) -> Checked<()> {
    let other = |what: &str| {
        problem(
            StatusCode::BAD_REQUEST,
            "login_issuer_mismatch",
            format!("{what}; nothing was sent to anybody"),
        )
    };
    if provider_name(call) != plan.provider {
        return Err(other("the answer came to the address of another provider"));
    }
    match (form.get("iss"), plan.issuer.as_deref()) {
        (Some(iss), Some(issuer)) if iss == issuer => Ok(()),
        (None, _) if !plan.says_iss => Ok(()),
        (None, _) => Err(other(
            "the provider promised to say iss, and the answer has none",
        )),
        (Some(_), _) => Err(other("iss is not the provider the user was sent to")),
    }
}

/// Who the user is.
pub(super) struct Person {
    subject: String,
    name: Option<String>,
    email: Option<String>,
}

/// Exchanges the code and finds out whose it is.
async fn person(call: &Call, attempt: &Attempt, code: &str) -> Checked<Person> {
    let plan = &attempt.plan;
    let client = &call.world.surroundings.client;
    let mut exchange = Fetch::form(
        &plan.token_endpoint,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &attempt.redirect_uri),
            ("code_verifier", &attempt.verifier),
        ],
    );
    exchange = match &plan.client_secret {
        Some(secret) if !plan.secret_in_form => exchange.basic(&plan.client_id, secret),
        Some(secret) => exchange
            .and("client_id", &plan.client_id)
            .and("client_secret", secret),
        None => exchange.and("client_id", &plan.client_id),
    };
    let tokens = exchange
        .json(&plan.peer, client)
        .await
        .map_err(|why| failed(&format!("its token endpoint: {why}")))?;
    let text = |name: &str| tokens.get(name).and_then(Value::as_str);
    let access = text("access_token").ok_or_else(|| failed("it gave no access token"))?;
    let mut claims = Value::Null;
    if let (Some(issuer), Some(jwks_uri)) = (&plan.issuer, &plan.jwks_uri) {
        let token = text("id_token").ok_or_else(|| failed("it gave no id token"))?;
        let jwks = Fetch::get(jwks_uri)
            .json(&plan.peer, client)
            .await
            .map_err(|why| failed(&format!("its keys: {why}")))?;
        let now_ns = if plan.own {
            call.world.clock.now_ns()
        } else {
            real_now_ns()
        };
        let expected = id_token::Expected {
            issuer,
            client_id: &plan.client_id,
            nonce: plan.repeats_nonce.then_some(attempt.nonce.as_str()),
            access_token: access,
            now_s: now_ns / NS,
        };
        claims = id_token::claims(token, &jwks, &expected).map_err(|why| {
            problem(
                StatusCode::BAD_GATEWAY,
                "login_id_token_invalid",
                format!("the provider's id token is not good: {why}"),
            )
        })?;
    }
    let info = match &plan.userinfo_endpoint {
        None => Value::Null,
        Some(endpoint) => Fetch::get(endpoint)
            .bearer(access)
            .json(&plan.peer, client)
            .await
            .map_err(|why| failed(&format!("its userinfo endpoint: {why}")))?,
    };
    read(&claims, &info)
}

/// The id token says who it is; the userinfo may say more of the same user (OpenID Connect Core, section 5.3.2).
fn read(claims: &Value, info: &Value) -> Checked<Person> {
    // X wraps it.
    let info = info.get("data").unwrap_or(info);
    let id = |from: &Value| {
        ["sub", "id"].iter().find_map(|name| match from.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    };
    let subject = match (id(claims), id(info)) {
        (Some(claimed), Some(told)) if claimed != told => {
            return Err(failed("its id token and its userinfo are of two users"));
        }
        (Some(subject), _) | (None, Some(subject)) => subject,
        (None, None) => return Err(failed("it does not say who the user is")),
    };
    let text = |names: &[&str]| {
        let of = |from: &Value| {
            let mut found = names.iter().filter_map(|name| from.get(name)?.as_str());
            found.next().map(String::from)
        };
        of(info).or_else(|| of(claims))
    };
    Ok(Person {
        subject,
        name: text(&["name", "login", "username"]),
        email: text(&["email", "confirmed_email"]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_user_is_read_in_every_form_and_must_be_one() {
        let read = |claims: Value, info: Value| read(&claims, &info).ok().map(|who| who.subject);
        assert_eq!(read(json!(null), json!({"id": 7})).as_deref(), Some("7"));
        assert_eq!(
            read(json!(null), json!({"data": {"id": "8"}})).as_deref(),
            Some("8")
        );
        assert_eq!(
            read(json!({"sub": "a"}), json!({"sub": "a"})).as_deref(),
            Some("a")
        );
        assert_eq!(read(json!({"sub": "a"}), json!({"sub": "b"})), None);
        assert_eq!(read(json!({}), json!({"name": "x"})), None);
    }
}
