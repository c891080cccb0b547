//! The token endpoint's answers (RFC 6749, sections 5.1 and 5.2).

use std::time::Duration;

use serde_json::Value;

use super::error::{OAuthError, OAuthErrorKind};
use super::token_set::TokenSet;
use crate::auth::Credential;
use crate::redact::Secret;
use crate::time::UnixMillis;

/// Lives longer than this are no lives but nonsense; they are cut.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// Reads the tokens out of an answer to a token request. `refresh_token` is the one that was sent: a server that does not rotate leaves it out.
///
/// # Errors
/// `Refused` with the server's `error`; `BadAnswer` where it is no token answer.
pub fn read_tokens(
    status: u16,
    body: &[u8],
    now: UnixMillis,
    refresh_token: Option<&Secret>,
) -> Result<TokenSet, OAuthError> {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    if status != 200 {
        return Err(refusal("the token endpoint", status, json.as_ref()));
    }
    let bad = |what: &str| {
        OAuthError::new(
            OAuthErrorKind::BadAnswer,
            format!("the token endpoint's answer {what}"),
        )
        .with_status(status)
    };
    let json = json.ok_or_else(|| bad("is no JSON"))?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    // Some servers answer 200 with an error.
    if text("error").is_some() && text("access_token").is_none() {
        return Err(refusal("the token endpoint", status, Some(&json)));
    }
    let access_token = text("access_token").ok_or_else(|| bad("has no access_token"))?;
    if Credential::Bearer(access_token.into()).check().is_err() {
        return Err(bad("has an access_token that no header can carry"));
    }
    let token_type = match text("token_type") {
        None => "Bearer",
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => "Bearer",
        Some(kind) if kind.eq_ignore_ascii_case("dpop") => "DPoP",
        Some(_) => return Err(bad("has a token_type that is neither Bearer nor DPoP")),
    };
    let lifetime = lifetime(json.get("expires_in"));
    let expires_at = lifetime.map(|lifetime| {
        let millis = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        UnixMillis(now.0.saturating_add(millis))
    });
    Ok(TokenSet {
        token_type: token_type.to_owned(),
        expires_at,
        lifetime,
        refresh_token: text("refresh_token")
            .filter(|text| !text.is_empty())
            .map(Secret::from)
            .or_else(|| refresh_token.cloned()),
        scope: text("scope").map(str::to_owned),
        id_token: text("id_token").map(Secret::from),
        ..TokenSet::new(access_token)
    })
}

/// Reads an answer to a revocation (RFC 7009, section 2.2): 200 also for a token that the server does not know.
///
/// # Errors
/// `Refused` with the server's `error`.
pub fn read_revocation(status: u16, body: &[u8]) -> Result<(), OAuthError> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    let json: Option<Value> = serde_json::from_slice(body).ok();
    Err(refusal("the revocation endpoint", status, json.as_ref()))
}

/// `expires_in`, which servers also write as text.
pub(super) fn lifetime(value: Option<&Value>) -> Option<Duration> {
    let seconds = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let lifetime = Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    Some(lifetime.unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE))
}

/// An error answer of `whom`.
pub(super) fn refusal(whom: &str, status: u16, json: Option<&Value>) -> OAuthError {
    let text = |name: &str| json?.get(name).and_then(Value::as_str);
    let what = format!("{whom} answered {status}");
    match text("error") {
        Some(code) => {
            let kind = match code {
                "access_denied" => OAuthErrorKind::Denied,
                "expired_token" => OAuthErrorKind::Expired,
                "temporarily_unavailable" => OAuthErrorKind::Unavailable,
                _ => OAuthErrorKind::Refused,
            };
            OAuthError::of_server(kind, what, code, text("error_description"), Some(status))
        }
        None => {
            let kind = match status {
                429 | 503 => OAuthErrorKind::Unavailable,
                400..=499 => OAuthErrorKind::Refused,
                _ => OAuthErrorKind::BadAnswer,
            };
            OAuthError::new(kind, what).with_status(status)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<TokenSet, OAuthError> {
        read_tokens(
            status,
            body.as_bytes(),
            UnixMillis(1_000),
            Some(&"sent".into()),
        )
    }

    #[test]
    fn tokens_are_read_with_their_life() {
        let tokens = read(
            200,
            r#"{"access_token":"a","token_type":"bearer","expires_in":"60","refresh_token":"r","scope":"x"}"#,
        )
        .unwrap();
        assert_eq!(tokens.expires_at, Some(UnixMillis(61_000)));
        assert_eq!(tokens.refresh_token.unwrap().expose(), "r");
        assert_eq!(
            (tokens.token_type.as_str(), tokens.scope.as_deref()),
            ("Bearer", Some("x"))
        );
    }

    #[test]
    fn a_server_that_does_not_rotate_leaves_the_refresh_token_as_it_was() {
        let tokens = read(200, r#"{"access_token":"a"}"#).unwrap();
        assert_eq!(tokens.refresh_token.unwrap().expose(), "sent");
        assert_eq!(tokens.expires_at, None);
    }

    #[test]
    fn refusals_have_the_servers_words() {
        let error = read(
            400,
            r#"{"error":"invalid_grant","error_description":"used before"}"#,
        )
        .unwrap_err();
        assert_eq!(
            (error.kind(), error.code(), error.status()),
            (OAuthErrorKind::Refused, Some("invalid_grant"), Some(400))
        );
        assert_eq!(
            error.to_string(),
            "the token endpoint answered 400: invalid_grant (used before)"
        );
        assert_eq!(
            read(200, r#"{"error":"bad_verification_code"}"#)
                .unwrap_err()
                .code(),
            Some("bad_verification_code")
        );
    }

    #[test]
    fn answers_that_are_none_are_told_without_being_shown() {
        for body in [
            "",
            "[]",
            "canary",
            r#"{"access_token":""}"#,
            r#"{"access_token":"canary\n"}"#,
            r#"{"access_token":"canary","token_type":"mac"}"#,
            r#"{"token":"canary"}"#,
        ] {
            let error = read(200, body).unwrap_err();
            assert_eq!(error.kind(), OAuthErrorKind::BadAnswer, "{body}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn absurd_lives_are_cut() {
        for seconds in ["1e300", "99999999999999999999"] {
            let tokens = read(
                200,
                &format!(r#"{{"access_token":"a","expires_in":{seconds}}}"#),
            );
            assert_eq!(tokens.unwrap().lifetime, Some(LONGEST_LIFE));
        }
        let tokens = read(200, r#"{"access_token":"a","expires_in":-5}"#).unwrap();
        assert_eq!(tokens.lifetime, Some(Duration::ZERO));
    }
}
