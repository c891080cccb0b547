//! "Log in with": the gateway as the client of an OAuth provider, its own ones or any other, with a session of its own.
//!
//! | Request | What happens |
//! |---|---|
//! | `GET /login/{provider}` | an attempt begins: `state`, `nonce` and PKCE are made, a cookie ties them to this browser, 302 to the provider |
//! | `GET /login/{provider}/callback` | the attempt ends, once: `state` and cookie, provider and `iss`, code, id token, userinfo; 303 with a session's cookie |
//! | `GET /login/session` | who is logged in, and the token that logging out needs |
//! | `POST /logout` | the session ends |
//!
//! | State of an attempt | Leaves by |
//! |---|---|
//! | begun | a callback with its `state` and its cookie, whatever comes of it; `attempt_ttl_ms` of the session's clock |
//! | gone | a second callback finds nothing: `login_state_mismatch` |
//!
//! Sources: RFC 6749 section 10.12 and RFC 9700 section 4.7 (`state`), RFC 9700 section 4.4 and RFC 9207 (mix-up), OpenID
//! Connect Core sections 3.1.3.7 and 5.3.2 (id token, userinfo), RFC 6265bis (cookies).

use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::bounded::Bounded;
use crate::call::Call;
use crate::durable::Touched;
use crate::problem::Problem;
use crate::reply::Reply;

mod begin;
mod callback;
mod cookies;
mod fetch;
mod id_token;
mod keep;
mod operations;
mod own_server;
mod plan;
mod sessions;
mod settings;

pub(crate) use keep::SESSION_KIND;
pub(crate) use operations::{OPERATIONS, schemas};
pub use settings::{LoginOptions, LoginProvider};

/// Attempts and sessions a session of the gateway remembers; the oldest make room.
const MAX_ATTEMPTS: usize = 1_000;
const MAX_SESSIONS: usize = 10_000;

/// An operation of the gateway's own login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginOp {
    Begin,
    Callback,
    Logout,
    Session,
}

/// Attempts to log in that are under way, and sessions of those who are logged in.
pub(crate) struct Logins {
    attempts: Bounded<String, begin::Attempt>,
    sessions: Bounded<String, sessions::LoginSession>,
    touched: Touched,
}

/// The operation a path means, what it is about, and the method it has.
pub(crate) fn op_at(path: &str) -> Option<(LoginOp, &str)> {
    if let Some(rest) = path.strip_prefix("/logout") {
        let session = rest
            .strip_prefix('~')
            .is_some_and(|name| !name.is_empty() && !name.contains('/'));
        return (rest.is_empty() || session).then_some((LoginOp::Logout, rest));
    }
    let rest = path.strip_prefix("/login/")?;
    match rest.split_once('/') {
        Some((provider, "callback")) => Some((LoginOp::Callback, provider)),
        Some(_) => None,
        None if rest.split('~').next() == Some("session") => Some((LoginOp::Session, rest)),
        None => Some((LoginOp::Begin, rest)),
    }
}

/// Answers an operation of the login.
pub(crate) async fn respond(call: &Call, op: LoginOp) -> Reply {
    let answer = match op {
        LoginOp::Begin => begin::begin(call).await,
        LoginOp::Callback => callback::callback(call).await,
        LoginOp::Logout => sessions::log_out(call),
        LoginOp::Session => sessions::show(call),
    };
    answer.unwrap_or_else(|problem| uncached(call.problem(*problem)))
}

type Answer = Result<Reply, Box<Problem>>;

/// A refusal with a stable code.
fn problem(status: StatusCode, code: &str, detail: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(status, code, detail))
}

/// What `/login/{provider}` is about, without the session behind it.
fn provider_name(call: &Call) -> &str {
    op_at(call.path()).map_or("", |(_, provider)| provider)
}

fn uncached(reply: Reply) -> Reply {
    reply.with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// Sends the browser on, with a cookie set.
fn redirect(status: StatusCode, to: &str, cookies: &[String]) -> Reply {
    let mut reply = uncached(Reply::new(status)).with_text(LOCATION, to);
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::try_from(cookie.as_str()) {
            reply.headers.append(SET_COOKIE, cookie);
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_operation_and_session() {
        assert_eq!(op_at("/login/google"), Some((LoginOp::Begin, "google")));
        assert_eq!(
            op_at("/login/google~s/callback"),
            Some((LoginOp::Callback, "google~s"))
        );
        assert_eq!(op_at("/login/session"), Some((LoginOp::Session, "session")));
        assert_eq!(op_at("/logout"), Some((LoginOp::Logout, "")));
        for path in [
            "/login",
            "/login/a/b",
            "/logouts",
            "/logout/x",
            "/logout~",
            "/v1/login/a",
        ] {
            assert_eq!(op_at(path), None, "{path}");
        }
    }
}
