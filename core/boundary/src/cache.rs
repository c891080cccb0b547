//! The cache of a client: its settings and modes from JSON, its state and what it did into JSON.

use gatewright::engine::cache::CacheState;
use gatewright::{CacheMode, CacheSettings, CacheStatus};

use crate::json;
use crate::members::{Member, shown_name};

/// Reads `true`, `false` or `{maxBytes, maxEntryBytes, staleIfErrorMs, heuristicFreshnessMs}`.
pub(crate) fn settings(member: &Member<'_>) -> Result<Option<CacheSettings>, String> {
    if let Ok(on) = member.flag() {
        return Ok(on.then(CacheSettings::default));
    }
    let parts = member
        .members()
        .map_err(|_| member.must_be("true, false or an object"))?;
    let (mut max_bytes, mut max_entry_bytes) = (CacheSettings::DEFAULT_BYTES, None);
    let (mut stale_if_error, mut heuristic) = (None, None);
    for part in parts {
        let name = part.name.clone();
        match &*name {
            "maxBytes" => max_bytes = part.called("cache.maxBytes").size()?,
            "maxEntryBytes" => max_entry_bytes = Some(part.called("cache.maxEntryBytes").size()?),
            "staleIfErrorMs" => {
                stale_if_error = Some(part.called("cache.staleIfError").duration()?);
            }
            "heuristicFreshnessMs" => {
                heuristic = Some(part.called("cache.heuristicFreshness").duration()?);
            }
            other => {
                return Err(format!(
                    "`cache` has a member \"{}\", which it does not know",
                    shown_name(other)
                ));
            }
        }
    }
    let mut settings = CacheSettings::memory(max_bytes);
    if let Some(bytes) = max_entry_bytes {
        settings = settings.max_entry_bytes(bytes);
    }
    if let Some(longest) = stale_if_error {
        settings = settings.stale_if_error(longest);
    }
    if let Some(longest) = heuristic {
        settings = settings.heuristic_freshness(longest);
    }
    Ok(Some(settings))
}

/// Reads a mode by its name in the Fetch standard.
pub(crate) fn mode(member: &Member<'_>) -> Result<CacheMode, String> {
    let named = member.text().ok();
    named
        .and_then(|name| CacheMode::from_name(&name))
        .ok_or_else(|| {
            let names: Vec<_> = CacheMode::ALL.iter().map(|mode| mode.as_str()).collect();
            member.must_be(&format!("one of {}", names.join(", ")))
        })
}

/// Writes how a call was answered, where the cache had a part in it.
pub(crate) fn status(out: &mut Vec<u8>, status: Option<CacheStatus>) {
    if let Some(status) = status {
        json::member(out, "cache");
        json::string(out, status.as_str());
    }
}

/// Writes what a cache holds, where there is one: `{entries, bytes, maxBytes, hits, revalidated, stale, misses, evicted}`.
pub(crate) fn state(out: &mut Vec<u8>, state: Option<&CacheState>) {
    let Some(state) = state else {
        return;
    };
    json::member(out, "cache");
    out.push(b'{');
    for (name, number) in [
        ("entries", u64::try_from(state.entries).unwrap_or(u64::MAX)),
        ("bytes", state.bytes),
        ("maxBytes", state.max_bytes),
        ("hits", state.hits),
        ("revalidated", state.revalidated),
        ("stale", state.stale),
        ("misses", state.misses),
        ("evicted", state.evicted),
    ] {
        json::member(out, name);
        json::number(out, number);
    }
    out.push(b'}');
}
