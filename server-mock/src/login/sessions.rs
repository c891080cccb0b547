//! Who is logged in, and the end of it.

use http::StatusCode;
use http::header::{ORIGIN, SET_COOKIE};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::clock::MS;
use crate::login::{Answer, cookies, problem, uncached};
use crate::oauth::form::Form;
use crate::reply::Reply;

/// Somebody who is logged in.
#[derive(Serialize, Deserialize)]
pub(super) struct LoginSession {
    pub(super) provider: String,
    /// The user's id at the provider.
    pub(super) subject: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    /// What only a page of this origin can know.
    pub(super) csrf: String,
    pub(super) created_ns: u64,
    pub(super) expires_ns: u64,
}

/// `GET /login/session`
pub(super) fn show(call: &Call) -> Answer {
    let now_ns = call.world.clock.now_ns();
    let state = call.world.state();
    let session = cookies::get(call, cookies::SESSION)
        .and_then(|id| state.logins.sessions.get(id))
        .filter(|session| now_ns < session.expires_ns);
    let Some(session) = session else {
        return Err(problem(
            StatusCode::UNAUTHORIZED,
            "no_session",
            "nobody is logged in with this browser, or the session has expired; begin at /login/{provider}",
        ));
    };
    Ok(uncached(Reply::json(
        StatusCode::OK,
        &json!({
            "provider": session.provider,
            "sub": session.subject,
            "name": session.name,
            "email": session.email,
            "csrf_token": session.csrf,
            "created_at_ms": session.created_ns / MS,
            "expires_at_ms": session.expires_ns / MS,
        }),
    )))
}

/// `POST /logout`, for pages of this origin alone: by `Origin`, and by the session's token in the form or the header.
pub(super) fn log_out(call: &Call) -> Answer {
    let foreign = |what: &str| {
        problem(
            StatusCode::FORBIDDEN,
            "csrf_mismatch",
            format!("{what}; send csrf_token of /login/session as X-CSRF-Token or in the form"),
        )
    };
    let origin = call.parts.headers.get(ORIGIN);
    if origin.is_some_and(|origin| origin.as_bytes() != call.origin().as_bytes()) {
        return Err(foreign("the request is from a page of another origin"));
    }
    let mut state = call.world.state();
    if let Some(id) = cookies::get(call, cookies::SESSION)
        && let Some(session) = state.logins.sessions.get(id)
    {
        let in_header = call
            .header("x-csrf-token")
            .map(|token| String::from_utf8_lossy(token).into_owned());
        let in_form = || {
            let form = Form::of_body(call).ok()?;
            form.get("csrf_token").map(String::from)
        };
        let token = in_header.or_else(in_form);
        if token.as_deref() != Some(session.csrf.as_str()) {
            return Err(foreign("the token of the session is missing or wrong"));
        }
        state.logins.ended(id);
    }
    let gone = cookies::set(call, cookies::SESSION, "", "/", 0);
    Ok(uncached(Reply::new(StatusCode::NO_CONTENT)).with_text(SET_COOKIE, gone))
}
