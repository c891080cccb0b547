//! What can be set for a session: header dialects, idempotency and auth strictness, sizes and limits.

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, RetryAfter};
use crate::tier::Limits;

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
    /// Entries the journal keeps; the oldest are dropped. Default: 100 000, 0 keeps none.
    pub journal_entries: usize,
    /// Seed of request ids and tokens. Default: derived from the session's name.
    pub seed: u64,
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
        let Self {
            dialect,
            retry_after,
            require_idempotency_key,
            auth,
            direct_pages,
            max_body_bytes,
            limits,
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
        set(journal_entries, change.journal_entries);
        set(seed, change.seed);
        Ok(())
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}
