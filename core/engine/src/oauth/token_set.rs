//! What a token store keeps, and whether it still serves.

use std::time::Duration;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::redact::Secret;
use crate::time::UnixMillis;

/// A stored token with less life than this is renewed rather than used: the request has to arrive, too.
const LEAST_LIFE: Duration = Duration::from_secs(2);

/// Tokens as the server gave them. `Debug` shows none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenSet {
    /// The token for requests.
    pub access_token: Secret,
    /// `Bearer` or `DPoP`.
    pub token_type: String,
    /// When the access token expires by the wall clock; `None`: the server did not say.
    pub expires_at: Option<UnixMillis>,
    /// How long it lives from the moment it was given.
    pub lifetime: Option<Duration>,
    /// What gets the next access token.
    pub refresh_token: Option<Secret>,
    /// The scopes it has, where the server said so.
    pub scope: Option<String>,
    /// The ID token of OpenID Connect. Its signature is not checked here: do not trust it for more than showing a name.
    pub id_token: Option<Secret>,
}

/// The text is no stored token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSetError;

impl std::fmt::Display for TokenSetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what is stored is no token set of version 1")
    }
}

impl std::error::Error for TokenSetError {}

impl TokenSet {
    /// A set with an access token alone.
    #[must_use]
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            token_type: "Bearer".to_owned(),
            expires_at: None,
            lifetime: None,
            refresh_token: None,
            scope: None,
            id_token: None,
        }
    }

    /// A set with a refresh token alone, from which the first access token comes.
    #[must_use]
    pub fn of_refresh_token(refresh_token: impl Into<Secret>) -> Self {
        Self {
            refresh_token: Some(refresh_token.into()),
            ..Self::new("")
        }
    }

    /// As JSON, for a store: `{"version":1,"access_token",…,"expires_at_ms"}`. It has the tokens in it.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        let text = |value: &str| Value::String(value.to_owned());
        let mut members = Map::new();
        members.insert("version".to_owned(), 1.into());
        members.insert("access_token".to_owned(), text(self.access_token.expose()));
        members.insert("token_type".to_owned(), text(&self.token_type));
        if let Some(UnixMillis(at)) = self.expires_at {
            members.insert("expires_at_ms".to_owned(), at.into());
        }
        for (name, secret) in [
            ("refresh_token", &self.refresh_token),
            ("id_token", &self.id_token),
        ] {
            if let Some(secret) = secret {
                members.insert(name.to_owned(), text(secret.expose()));
            }
        }
        if let Some(scope) = &self.scope {
            members.insert("scope".to_owned(), text(scope));
        }
        Zeroizing::new(Value::Object(members).to_string())
    }

    /// Reads what [`TokenSet::to_json`] wrote.
    ///
    /// # Errors
    /// Where it is something else. What it is is not shown.
    pub fn from_json(json: &str) -> Result<Self, TokenSetError> {
        let value: Value = serde_json::from_str(json).map_err(|_| TokenSetError)?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if value.get("version").and_then(Value::as_u64) != Some(1) {
            return Err(TokenSetError);
        }
        Ok(Self {
            access_token: text("access_token").ok_or(TokenSetError)?.into(),
            token_type: text("token_type").unwrap_or("Bearer").to_owned(),
            expires_at: value
                .get("expires_at_ms")
                .and_then(Value::as_i64)
                .map(UnixMillis),
            lifetime: None,
            refresh_token: text("refresh_token").map(Secret::from),
            scope: text("scope").map(str::to_owned),
            id_token: text("id_token").map(Secret::from),
        })
    }

    /// How long the access token is still good at `now`; `None`: not any more. A token without an expiry is good until the
    /// server refuses it.
    #[must_use]
    pub fn life_left(&self, now: UnixMillis) -> Option<Option<Duration>> {
        if self.access_token.expose().is_empty() {
            return None;
        }
        let Some(UnixMillis(at)) = self.expires_at else {
            return Some(None);
        };
        let left = u64::try_from(at.saturating_sub(now.0)).ok()?;
        let left = Duration::from_millis(left);
        (left > Duration::ZERO).then_some(Some(left))
    }
}

/// What to do with what the store has.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The stored access token is good: use it for so long.
    Use(Secret, Option<Duration>),
    /// Renew it with this refresh token.
    Refresh(Secret),
    /// Nothing serves any more.
    Nothing,
}

/// Chooses. `known` is the access token that the asker has already and wants to be rid of: refused by the server, or about to expire.
///
/// | The store has | Choice |
/// |---|---|
/// | an access token other than the known one, which has some life left | use it: another process renewed it (`another_process_has_renewed_it`) |
/// | else a refresh token | refresh (`an_expired_or_known_token_is_renewed`) |
/// | else nothing that serves | nothing |
#[must_use]
pub fn choose(stored: Option<&TokenSet>, known: Option<&Secret>, now: UnixMillis) -> Choice {
    let Some(stored) = stored else {
        return Choice::Nothing;
    };
    let is_known = known.is_some_and(|known| known.expose() == stored.access_token.expose());
    if !is_known
        && let Some(left) = stored.life_left(now)
        && left.is_none_or(|left| left > LEAST_LIFE)
    {
        return Choice::Use(stored.access_token.clone(), left);
    }
    match &stored.refresh_token {
        Some(refresh_token) => Choice::Refresh(refresh_token.clone()),
        None => Choice::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(access: &str, expires_at: i64, refresh: Option<&str>) -> TokenSet {
        TokenSet {
            expires_at: Some(UnixMillis(expires_at)),
            refresh_token: refresh.map(Secret::from),
            ..TokenSet::new(access)
        }
    }

    #[test]
    fn json_keeps_everything_that_matters() {
        let before = TokenSet {
            scope: Some("a b".to_owned()),
            token_type: "DPoP".to_owned(),
            id_token: Some("i".into()),
            ..set("a\"1", 1_767_225_600_000, Some("r"))
        };
        let after = TokenSet::from_json(&before.to_json()).unwrap();
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        assert_eq!(after.access_token.expose(), "a\"1");
        assert_eq!(after.refresh_token.unwrap().expose(), "r");
        assert!(!format!("{before:?}").contains("a\"1"));
    }

    #[test]
    fn what_is_no_token_set_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"version":2,"access_token":"a"}"#,
            r#"{"version":1}"#,
        ] {
            assert_eq!(TokenSet::from_json(text).unwrap_err(), TokenSetError);
        }
    }

    #[test]
    fn another_process_has_renewed_it() {
        let stored = set("new", 60_000, Some("r"));
        let chosen = choose(Some(&stored), Some(&"old".into()), UnixMillis(0));
        assert!(matches!(chosen, Choice::Use(token, Some(left))
            if token.expose() == "new" && left == Duration::from_secs(60)));
    }

    #[test]
    fn an_expired_or_known_token_is_renewed() {
        let stored = set("old", 60_000, Some("r"));
        for (known, now) in [(Some("old"), 0), (None, 59_000), (None, i64::MAX)] {
            let known = known.map(Secret::from);
            let chosen = choose(Some(&stored), known.as_ref(), UnixMillis(now));
            assert!(matches!(chosen, Choice::Refresh(token) if token.expose() == "r"));
        }
        let seed = TokenSet::of_refresh_token("seed");
        assert!(matches!(
            choose(Some(&seed), None, UnixMillis(0)),
            Choice::Refresh(_)
        ));
    }

    #[test]
    fn without_a_refresh_token_nothing_is_left() {
        let stored = set("old", 1_000, None);
        assert!(matches!(
            choose(Some(&stored), None, UnixMillis(5_000)),
            Choice::Nothing
        ));
        assert!(matches!(choose(None, None, UnixMillis(0)), Choice::Nothing));
    }
}
