//! API keys that need no set-up, tokens made by the admin port, and who a caller is.
//!
//! `sk_test_{tier}_{tenant}` with an optional `_revoked`, `_expired` or `_readonly`; `tok_...` for minted tokens.

use std::collections::{HashMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use serde::{Deserialize, Serialize};

use crate::api_version::pinned;
use crate::durable::{Keeps, Name, Touched, Value, Written};
use crate::signing::Flaw;
use crate::stable_hash::{mix, stable_hash};
use crate::tier::Tier;

/// Minted tokens a session remembers; the oldest are forgotten.
const MAX_TOKENS: usize = 10_000;
/// The longest key looked at.
const MAX_KEY_BYTES: usize = 512;

const ALL_SCOPES: [&str; 11] = [
    "contacts:read",
    "contacts:write",
    "events:read",
    "jobs:read",
    "jobs:write",
    "projects:read",
    "projects:write",
    "users:read",
    "users:write",
    "webhooks:read",
    "webhooks:write",
];
const READ_SCOPES: [&str; 6] = [
    "contacts:read",
    "events:read",
    "jobs:read",
    "projects:read",
    "users:read",
    "webhooks:read",
];

/// Who a caller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) tenant: String,
    pub(crate) tier: Tier,
    pub(crate) readonly: bool,
    /// The scopes of an access token; a key has those of its kind.
    pub(crate) granted: Option<Vec<String>>,
}

/// Why a caller is nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unauthorized {
    Expired,
    Missing,
    /// A token bound to a key came with a proof that is none, or an unbound one with a proof.
    ProofInvalid,
    /// A token bound to a key came without a proof.
    ProofMissing,
    /// The proof needs the server's nonce.
    ProofNonce,
    Revoked,
    Signature(Flaw),
    TokenExpired,
    TokenRevoked,
    TokenUnknown,
    Unknown,
}

/// A short-lived bearer token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Token {
    /// What goes after `Bearer`.
    pub token: String,
    /// When it ends, in milliseconds of the session's clock since the Unix epoch.
    pub expires_at_ms: u64,
}

/// The kind of the rows of tokens; the id is the token.
pub(crate) const TOKEN_KIND: &str = "token";

/// The tokens of a session.
#[derive(Default)]
pub(crate) struct Tokens {
    by_text: HashMap<String, Minted>,
    order: VecDeque<String>,
    minted: u64,
    touched: Touched,
}

/// What a token is good for, as its row has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Minted {
    number: u64,
    #[serde(flatten)]
    identity: Identity,
    expires_ns: u64,
}

impl Identity {
    pub(crate) fn anonymous() -> Self {
        Self {
            tenant: "anonymous".into(),
            tier: Tier::Unlimited,
            readonly: false,
            granted: None,
        }
    }

    pub(crate) fn scopes(&self) -> Vec<&str> {
        match &self.granted {
            Some(granted) => granted.iter().map(String::as_str).collect(),
            None if self.readonly => READ_SCOPES.to_vec(),
            None => ALL_SCOPES.to_vec(),
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        match &self.granted {
            Some(granted) => granted.iter().any(|known| known == scope),
            None if self.readonly => READ_SCOPES.contains(&scope),
            None => ALL_SCOPES.contains(&scope),
        }
    }
}

impl Tokens {
    /// No tokens. With `kept` what changes is noted for the data file.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            touched: Touched::new(kept),
            ..Self::default()
        }
    }

    /// Makes a token that ends at `expires_ns`.
    pub(crate) fn mint(&mut self, identity: Identity, expires_ns: u64, seed: u64) -> Token {
        self.minted += 1;
        let high = stable_hash(&[b"token", &seed.to_le_bytes(), &self.minted.to_le_bytes()]);
        let token = format!("tok_{high:016x}{:016x}", mix(high));
        if self.order.len() >= MAX_TOKENS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_text.remove(&oldest);
            self.touched.note(TOKEN_KIND, &oldest);
        }
        self.order.push_back(token.clone());
        self.touched.note(TOKEN_KIND, &token);
        let minted = Minted {
            number: self.minted,
            identity,
            expires_ns,
        };
        self.by_text.insert(token.clone(), minted);
        Token {
            token,
            expires_at_ms: expires_ns / crate::clock::MS,
        }
    }

    /// Finds out who holds `key`.
    pub(crate) fn identify(&self, key: &str, now_ns: u64) -> Result<Identity, Unauthorized> {
        if key.starts_with("tok_") {
            return match self.by_text.get(key) {
                Some(minted) if now_ns < minted.expires_ns => Ok(minted.identity.clone()),
                Some(_) => Err(Unauthorized::TokenExpired),
                None => Err(Unauthorized::Unknown),
            };
        }
        parse_key(key)
    }
}

impl Keeps for Tokens {
    fn touched(&mut self) -> Vec<Name> {
        self.touched.take()
    }

    fn names(&self) -> Vec<Name> {
        let names = self.order.iter();
        names
            .map(|token| (TOKEN_KIND, token.as_str().into()))
            .collect()
    }

    fn row(&self, _kind: &str, id: &str) -> Option<Written> {
        self.by_text.get(id).map(Value::of)
    }

    fn take(&mut self, _kind: &str, id: &str, value: &Value) -> Result<(), String> {
        let minted: Minted = value.read()?;
        self.minted = self.minted.max(minted.number);
        if self.by_text.insert(id.into(), minted).is_none() {
            self.order.push_back(id.into());
        }
        Ok(())
    }

    fn taken(&mut self) -> Result<(), String> {
        let by_text = &self.by_text;
        let number = |token: &String| by_text.get(token).map(|minted| minted.number);
        self.order.make_contiguous().sort_by_key(number);
        if self.order.len() > MAX_TOKENS {
            return Err(format!("a session has at most {MAX_TOKENS} tokens"));
        }
        Ok(())
    }
}

/// Reads a key that needs no set-up.
fn parse_key(key: &str) -> Result<Identity, Unauthorized> {
    let key = pinned(key).map_or(key, |(key, _)| key);
    let (tier, rest) = key
        .strip_prefix("sk_test_")
        .and_then(|rest| rest.split_once('_'))
        .ok_or(Unauthorized::Unknown)?;
    let tier = Tier::from_name(tier).ok_or(Unauthorized::Unknown)?;
    let (tenant, verdict, readonly) = if let Some(tenant) = rest.strip_suffix("_revoked") {
        (tenant, Err(Unauthorized::Revoked), false)
    } else if let Some(tenant) = rest.strip_suffix("_expired") {
        (tenant, Err(Unauthorized::Expired), false)
    } else if let Some(tenant) = rest.strip_suffix("_readonly") {
        (tenant, Ok(()), true)
    } else {
        (rest, Ok(()), false)
    };
    if !is_tenant(tenant) {
        return Err(Unauthorized::Unknown);
    }
    verdict.map(|()| Identity {
        tenant: tenant.into(),
        tier,
        readonly,
        granted: None,
    })
}

/// A tenant's name: 1 to 64 letters, digits, `-` or `_`.
pub(crate) fn is_tenant(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Finds the credential in a request: `Authorization` (Bearer or Basic), `X-API-Key`, `?api_key=`, cookie `api_key`.
/// The first of these that is present counts; `Some("")` is a credential that cannot be read.
pub(crate) fn credential(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return Some(bound(authorization(value.as_bytes()).unwrap_or_default()));
    }
    if let Some(value) = headers.get("x-api-key") {
        return Some(bound(value.to_str().unwrap_or_default().trim().to_owned()));
    }
    if let Some(query) = query
        && let Some((_, key)) =
            url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "api_key")
    {
        return Some(bound(key.into_owned()));
    }
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix("api_key="))
        .map(|key| bound(key.trim_matches('"').to_owned()))
}

fn authorization(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, rest) = text.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop") {
        return Some(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        return Some(decoded.split_once(':')?.0.to_owned());
    }
    None
}

fn bound(key: String) -> String {
    if key.len() > MAX_KEY_BYTES {
        String::new()
    } else {
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn keys_say_tier_tenant_and_state() {
        let identity = parse_key("sk_test_pro_acme_eu").unwrap();
        assert_eq!(
            (identity.tenant.as_str(), identity.tier),
            ("acme_eu", Tier::Pro)
        );
        assert!(parse_key("sk_test_free_acme_readonly").unwrap().readonly);
        assert_eq!(
            parse_key("sk_test_free_acme_revoked"),
            Err(Unauthorized::Revoked)
        );
        assert_eq!(
            parse_key("sk_test_free_acme_expired"),
            Err(Unauthorized::Expired)
        );
        for wrong in [
            "",
            "sk_test_",
            "sk_test_gold_acme",
            "sk_live_pro_acme",
            "sk_test_pro_",
            "sk_test_pro__revoked ",
            "sk_test_pro_a/b",
        ] {
            assert_eq!(parse_key(wrong), Err(Unauthorized::Unknown), "{wrong:?}");
        }
    }

    #[test]
    fn credentials_are_found_in_all_five_places() {
        let key = Some("sk_test_pro_acme".to_owned());
        let empty = HeaderMap::new();
        assert_eq!(
            credential(&headers("authorization", "Bearer sk_test_pro_acme"), None),
            key
        );
        assert_eq!(
            credential(&headers("authorization", "bearer  sk_test_pro_acme"), None),
            key
        );
        let basic = format!("Basic {}", STANDARD.encode("sk_test_pro_acme:"));
        assert_eq!(credential(&headers("authorization", &basic), None), key);
        assert_eq!(
            credential(&headers("x-api-key", "sk_test_pro_acme"), None),
            key
        );
        assert_eq!(
            credential(&empty, Some("a=1&api_key=sk_test_pro_acme")),
            key
        );
        assert_eq!(
            credential(&headers("cookie", "a=b; api_key=sk_test_pro_acme"), None),
            key
        );
        assert_eq!(credential(&empty, Some("limit=3")), None);
    }

    #[test]
    fn unreadable_credentials_are_not_missing() {
        assert_eq!(
            credential(&headers("authorization", "Digest x"), None),
            Some(String::new())
        );
        assert_eq!(
            credential(&headers("authorization", "Basic !"), None),
            Some(String::new())
        );
    }

    #[test]
    fn tokens_end_on_the_clock() {
        let mut tokens = Tokens::default();
        let token = tokens.mint(Identity::anonymous(), 100, 1).token;
        assert!(tokens.identify(&token, 99).is_ok());
        assert_eq!(
            tokens.identify(&token, 100),
            Err(Unauthorized::TokenExpired)
        );
        assert_eq!(tokens.identify("tok_00", 0), Err(Unauthorized::Unknown));
    }

    #[test]
    fn the_oldest_tokens_are_forgotten() {
        let mut tokens = Tokens::default();
        let first = tokens.mint(Identity::anonymous(), 100, 1).token;
        for _ in 0..MAX_TOKENS {
            tokens.mint(Identity::anonymous(), 100, 1);
        }
        assert_eq!(tokens.by_text.len(), MAX_TOKENS);
        assert_eq!(tokens.identify(&first, 0), Err(Unauthorized::Unknown));
    }
}
