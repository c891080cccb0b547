//! What can be set for a session: header dialects, idempotency and auth strictness, sizes and limits.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dialect::{Dialect, RetryAfter};
use crate::header_rules::{HeaderRule, MAX_HEADER_RULES};
use crate::integrations::{self, Integration};
use crate::login::LoginOptions;
use crate::meter::Window;
use crate::oauth::OAuthOptions;
use crate::policy::{MAX_POLICIES, Policy};
use crate::signing::SigningOptions;
use crate::tier::Limits;
use crate::upstream::{self, Upstream};
use crate::webhooks::WebhookOptions;

/// The options of a session and their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Options {
    /// How limit headers are written. Default: `draft10`.
    pub dialect: Dialect,
    /// How a wait is written. Default: `seconds`.
    pub retry_after: RetryAfter,
    /// Whether POST and PATCH on resources answer 400 without an `Idempotency-Key`. Default: false.
    pub require_idempotency_key: bool,
    /// Whether `/v1` asks for a key. Default: `required`.
    pub auth: Auth,
    /// Whether all that pages of other origins ask for arrives, as often as they ask. A browser repeats by itself what breaks
    /// on a connection that it had used before, and keeps answers; so here each answer to a page closes its connection and
    /// says `Cache-Control: no-store`, and no preflight is remembered. A preflight names no session: for those it is what the
    /// session `default` has. Default: false.
    pub direct_pages: bool,
    /// Largest request body read, in bytes; larger ones get 413. Default: 16 MiB.
    pub max_body_bytes: u64,
    /// Limits that replace those of every tier but `unlimited`. Default: none.
    pub limits: Option<Limits>,
    /// How the tiers' limits come back. Default: `rolling`.
    pub window: Window,
    /// Limits beside those of the tiers, `unlimited` excepted. Default: none.
    pub policies: Shared<Policy>,
    /// Whether headers of draft 10 carry `pk`, the partition key. Default: false.
    pub partition_keys: bool,
    /// Whether headers of draft 10 always name the concurrency limit. Default: only where it refused the call.
    pub announce_concurrency: bool,
    /// Headers that answers get, lose or have changed. Default: none.
    pub response_headers: Shared<HeaderRule>,
    /// Whether records say `Last-Modified` and heed the conditions that go with it. Default: false.
    pub last_modified: bool,
    /// The gateway's own "log in with".
    pub login: LoginOptions,
    /// Whether changes of records get 428 unless they say by `If-Match` or `If-Unmodified-Since` what they change. Default:
    /// false.
    pub require_if_match: bool,
    /// The authorization server.
    pub oauth: OAuthOptions,
    /// Whether and with which keys signatures of requests are checked.
    pub signing: SigningOptions,
    /// Who is told of events in Slack or by e-mail. Default: nobody.
    pub integrations: Shared<Integration>,
    /// Real servers behind `/upstream/{name}`. Default: those that the gateway was started with.
    pub upstreams: Shared<Upstream>,
    /// How webhooks are delivered.
    pub webhooks: WebhookOptions,
    /// Entries the journal keeps; the oldest are dropped. Default: 100 000, 0 keeps none.
    pub journal_entries: usize,
    /// Seed of request ids and tokens. Default: derived from the session's name.
    pub seed: u64,
}

/// A list that copies of the options share.
#[derive(Debug, PartialEq, Eq)]
pub struct Shared<T>(pub(crate) Arc<[T]>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(list: Vec<T>) -> Self {
        Self(list.into())
    }
}

impl<T> std::ops::Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

/// Whether `/v1` asks for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Auth {
    /// Callers without credentials are the tenant `anonymous` on tier `unlimited`; wrong ones still get 401.
    Off,
    /// No credentials, 401.
    Required,
}

/// A change to some of the options; what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OptionsChange {
    /// See [`Options::dialect`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// See [`Options::retry_after`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// See [`Options::require_idempotency_key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_idempotency_key: Option<bool>,
    /// See [`Options::auth`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// See [`Options::direct_pages`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_pages: Option<bool>,
    /// See [`Options::max_body_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body_bytes: Option<u64>,
    /// See [`Options::limits`]. `null` in JSON returns to the tiers' own limits.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub limits: Option<Option<Limits>>,
    /// See [`Options::window`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// See [`Options::policies`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Shared<Policy>>,
    /// See [`Options::partition_keys`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_keys: Option<bool>,
    /// See [`Options::announce_concurrency`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce_concurrency: Option<bool>,
    /// See [`Options::response_headers`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_headers: Option<Shared<HeaderRule>>,
    /// See [`Options::last_modified`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<bool>,
    /// See [`Options::login`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginOptions>,
    /// See [`Options::require_if_match`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_if_match: Option<bool>,
    /// See [`Options::oauth`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OAuthOptions>,
    /// See [`Options::signing`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<SigningOptions>,
    /// See [`Options::integrations`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrations: Option<Shared<Integration>>,
    /// See [`Options::upstreams`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstreams: Option<Shared<Upstream>>,
    /// See [`Options::webhooks`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<WebhookOptions>,
    /// See [`Options::journal_entries`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_entries: Option<usize>,
    /// See [`Options::seed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// Tells `null` (`Some(None)`) from absent (`None`).
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// The largest body a session may ask for: 256 MiB.
pub(crate) const MAX_BODY_BYTES: u64 = 256 * 1024 * 1024;
/// The longest journal a session may ask for.
pub(crate) const MAX_JOURNAL_ENTRIES: usize = 1_000_000;

impl Options {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dialect: Dialect::Draft10,
            retry_after: RetryAfter::Seconds,
            require_idempotency_key: false,
            auth: Auth::Required,
            direct_pages: false,
            max_body_bytes: 16 * 1024 * 1024,
            limits: None,
            window: Window::Rolling,
            policies: Shared::default(),
            partition_keys: false,
            announce_concurrency: false,
            response_headers: Shared::default(),
            last_modified: false,
            login: LoginOptions::default(),
            require_if_match: false,
            oauth: OAuthOptions::default(),
            signing: SigningOptions::default(),
            integrations: Shared::default(),
            upstreams: Shared::default(),
            webhooks: WebhookOptions::default(),
            journal_entries: 100_000,
            seed,
        }
    }

    /// Applies a change whole or, with the reason, not at all.
    pub(crate) fn change(&mut self, change: OptionsChange) -> Result<(), String> {
        if let Some(bytes) = change.max_body_bytes
            && bytes > MAX_BODY_BYTES
        {
            return Err(format!(
                "max_body_bytes must be at most {MAX_BODY_BYTES}, got {bytes}"
            ));
        }
        if let Some(entries) = change.journal_entries
            && entries > MAX_JOURNAL_ENTRIES
        {
            return Err(format!(
                "journal_entries must be at most {MAX_JOURNAL_ENTRIES}, got {entries}"
            ));
        }
        if let Some(fault) = change.limits.flatten().and_then(|limits| limits.fault()) {
            return Err(format!("limits: {fault}"));
        }
        if let Some(policies) = &change.policies {
            check_policies(policies)?;
        }
        if let Some(rules) = &change.response_headers {
            if rules.len() > MAX_HEADER_RULES {
                return Err(format!(
                    "response_headers: a session has at most {MAX_HEADER_RULES} rules"
                ));
            }
            for rule in rules.iter() {
                rule.check()
                    .map_err(|fault| format!("response_headers: {fault}"))?;
            }
        }
        if let Some(login) = &change.login {
            login.check().map_err(|fault| format!("login: {fault}"))?;
        }
        if let Some(oauth) = &change.oauth {
            oauth.check().map_err(|fault| format!("oauth: {fault}"))?;
        }
        if let Some(signing) = &change.signing {
            signing
                .check()
                .map_err(|fault| format!("signing: {fault}"))?;
        }
        if let Some(integrations) = &change.integrations {
            integrations::check_all(integrations)
                .map_err(|fault| format!("integrations: {fault}"))?;
        }
        if let Some(upstreams) = &change.upstreams {
            upstream::check_all(upstreams).map_err(|fault| format!("upstreams: {fault}"))?;
        }
        if let Some(webhooks) = &change.webhooks {
            webhooks
                .check()
                .map_err(|fault| format!("webhooks: {fault}"))?;
        }
        let Self {
            dialect,
            retry_after,
            require_idempotency_key,
            auth,
            direct_pages,
            max_body_bytes,
            limits,
            window,
            policies,
            partition_keys,
            announce_concurrency,
            response_headers,
            last_modified,
            login,
            require_if_match,
            oauth,
            signing,
            integrations,
            upstreams,
            webhooks,
            journal_entries,
            seed,
        } = self;
        set(dialect, change.dialect);
        set(retry_after, change.retry_after);
        set(require_idempotency_key, change.require_idempotency_key);
        set(auth, change.auth);
        set(direct_pages, change.direct_pages);
        set(max_body_bytes, change.max_body_bytes);
        set(limits, change.limits);
        set(window, change.window);
        set(policies, change.policies);
        set(partition_keys, change.partition_keys);
        set(announce_concurrency, change.announce_concurrency);
        set(response_headers, change.response_headers);
        set(last_modified, change.last_modified);
        set(login, change.login);
        set(require_if_match, change.require_if_match);
        set(oauth, change.oauth);
        set(signing, change.signing);
        set(integrations, change.integrations);
        set(upstreams, change.upstreams);
        set(webhooks, change.webhooks);
        set(journal_entries, change.journal_entries);
        set(seed, change.seed);
        Ok(())
    }
}

fn check_policies(policies: &[Policy]) -> Result<(), String> {
    if policies.len() > MAX_POLICIES {
        return Err(format!("a session has at most {MAX_POLICIES} policies"));
    }
    for (at, policy) in policies.iter().enumerate() {
        if let Some(fault) = policy.fault() {
            return Err(format!("policies: {fault}"));
        }
        if policies
            .iter()
            .take(at)
            .any(|other| other.name == policy.name)
        {
            return Err(format!("policies: {} is there twice", policy.name));
        }
    }
    Ok(())
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}
