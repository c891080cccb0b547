//! How an answer of the token endpoint is written: JSON, or as GitHub does it, a form and errors with status 200.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::call::Call;
use crate::oauth::profile::Profile;
use crate::oauth::{OAuthError, OAuthOp, uncached};
use crate::reply::Reply;

const FORM: HeaderValue =
    HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
const TROUBLE: &str = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/";

/// What was asked for.
pub(crate) fn given(profile: &Profile, call: &Call, body: &Value) -> Reply {
    if profile.form_answers && !wants_json(call) {
        let members = body.as_object().into_iter().flatten();
        let pairs = members.map(|(name, value)| match value {
            Value::String(text) => (name.as_str(), text.clone()),
            other => (name.as_str(), other.to_string()),
        });
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        return uncached(Reply::new(StatusCode::OK))
            .with(CONTENT_TYPE, FORM)
            .with_body(bytes::Bytes::from(form));
    }
    uncached(Reply::json(StatusCode::OK, body))
}

/// Why it was refused.
pub(crate) fn refused(profile: &Profile, call: &Call, op: OAuthOp, error: &OAuthError) -> Reply {
    let of_tokens = matches!(op, OAuthOp::Token | OAuthOp::DeviceAuthorization);
    if profile.form_answers && of_tokens {
        let name = at_github(error);
        let body = json!({
            "error": name,
            "error_description": error.plain_description(),
            "error_uri": format!("{TROUBLE}#{}", name.replace('_', "-")),
        });
        return given(profile, call, &body);
    }
    let mut reply = error.reply();
    if profile.is_google && op == OAuthOp::Token {
        reply.status = match error.error {
            "authorization_pending" => StatusCode::PRECONDITION_REQUIRED,
            "access_denied" | "slow_down" => StatusCode::FORBIDDEN,
            _ => reply.status,
        };
    }
    reply
}

/// What GitHub calls an error.
fn at_github(error: &OAuthError) -> &'static str {
    match (error.at_github, error.error) {
        (Some(name), _) => name,
        (None, "invalid_client") => "incorrect_client_credentials",
        (None, "invalid_grant") => "bad_verification_code",
        (None, other) => other,
    }
}

fn wants_json(call: &Call) -> bool {
    let accept = call.header("accept").unwrap_or_default();
    String::from_utf8_lossy(accept).contains("json")
}
