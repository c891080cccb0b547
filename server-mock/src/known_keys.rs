//! What a key that needs no set-up does, in words and as data: for `gatewright-gateway keys` and for the curious.

use serde::Serialize;

use crate::key::{Identity, Tokens, Unauthorized};
use crate::tier::{Limits, Tier};

/// What calls with a key get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KnownKey {
    /// The key, as it goes after `Bearer`.
    pub key: String,
    /// Who it belongs to; none where the gateway does not say.
    pub tenant: Option<String>,
    /// The tier whose limits hold; none where the gateway does not say.
    pub tier: Option<Tier>,
    /// The limits of that tier; none for `unlimited` and for a key that lets nobody in.
    pub limits: Option<Limits>,
    /// What it may do; empty where it lets nobody in.
    pub scopes: Vec<String>,
    /// The status of every call below `/v1` that is refused for the key; none where it lets its holder in.
    pub refused_with: Option<u16>,
    /// What it does, as a sentence.
    pub does: String,
}

impl KnownKey {
    /// What the gateway makes of a key such as `sk_test_pro_acme`. Minted tokens (`tok_…`, `oat_…`) are known to the
    /// session that made them only; of those, as of anything else that is no such key, it is said that it gets 401.
    pub fn of(key: &str) -> Self {
        match Tokens::default().identify(key, 0) {
            Ok(identity) => Self::good(key, &identity),
            Err(why) => Self::refused(key, why),
        }
    }

    fn good(key: &str, identity: &Identity) -> Self {
        let limits = identity.tier.limits();
        let rate = match limits {
            Some(limits) => in_words(&limits),
            None => "no limits and no limit headers".into(),
        };
        let does = if identity.readonly {
            format!("reads; writes get 403 insufficient_scope; {rate}")
        } else {
            rate
        };
        Self {
            key: key.into(),
            tenant: Some(identity.tenant.clone()),
            tier: Some(identity.tier),
            limits,
            scopes: identity.scopes().into_iter().map(Into::into).collect(),
            refused_with: None,
            does,
        }
    }

    fn refused(key: &str, why: Unauthorized) -> Self {
        let code = match why {
            Unauthorized::Revoked => "key_revoked",
            Unauthorized::Expired => "key_expired",
            _ if key.is_empty() => "missing_credentials",
            _ => "invalid_api_key",
        };
        let does = match why {
            Unauthorized::Revoked | Unauthorized::Expired => {
                format!("every call gets 401 {code}; retrying cannot help")
            }
            _ if key.starts_with("tok_") || key.starts_with("oat_") => {
                "a token is known only to the session of the gateway that made it; elsewhere 401"
                    .into()
            }
            _ => format!("401 {code}: keys look like sk_test_TIER_TENANT"),
        };
        Self {
            key: key.into(),
            tenant: None,
            tier: None,
            limits: None,
            scopes: Vec::new(),
            refused_with: Some(401),
            does,
        }
    }
}

/// `60 calls per 60 s, 10 at once after a rest, 1000 a day, 2 in progress`.
fn in_words(limits: &Limits) -> String {
    let seconds = limits.period_ms / 1_000;
    let mut text = format!(
        "{} calls per {seconds} s, {} at once after a rest",
        limits.count, limits.burst
    );
    if let Some(day) = limits.per_day {
        text.push_str(&format!(", {day} a day"));
    }
    if let Some(concurrency) = limits.concurrency {
        text.push_str(&format!(", {concurrency} in progress"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_does() {
        let free = KnownKey::of("sk_test_free_acme");
        assert_eq!(
            free.does,
            "60 calls per 60 s, 10 at once after a rest, 1000 a day, 2 in progress"
        );
        let readonly = KnownKey::of("sk_test_unlimited_acme_readonly");
        assert_eq!(
            readonly.does,
            "reads; writes get 403 insufficient_scope; no limits and no limit headers"
        );
        assert!(readonly.scopes.iter().all(|scope| scope.ends_with(":read")));
        let revoked = KnownKey::of("sk_test_pro_acme_revoked");
        assert_eq!(revoked.refused_with, Some(401));
        assert!(revoked.does.contains("key_revoked"), "{}", revoked.does);
        assert!(
            KnownKey::of("sk_live_x")
                .does
                .contains("sk_test_TIER_TENANT")
        );
    }
}
