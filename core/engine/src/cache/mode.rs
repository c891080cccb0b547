//! What a call asks of the cache, how it was answered, and what the cache holds.

use std::fmt;

/// What a call asks of the cache: the modes of the Fetch standard, by the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CacheMode {
    /// As HTTP has it: fresh answers are used, stale ones are validated.
    #[default]
    Default,
    /// `no-store`: as if there were no cache. Nothing is looked up, nothing is stored.
    NoStore,
    /// `reload`: to the server, unconditionally. The answer is stored.
    Reload,
    /// `no-cache`: what is stored is validated first, however fresh, unless the server calls it `immutable`.
    NoCache,
    /// `force-cache`: what is stored is used, however stale; else to the server.
    ForceCache,
    /// `only-if-cached`: what is stored is used, however stale; else the call fails with `not_cached`.
    OnlyIfCached,
}

impl CacheMode {
    /// Every mode.
    pub const ALL: [Self; 6] = [
        Self::Default,
        Self::NoStore,
        Self::Reload,
        Self::NoCache,
        Self::ForceCache,
        Self::OnlyIfCached,
    ];

    /// Its name in the Fetch standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::NoStore => "no-store",
            Self::Reload => "reload",
            Self::NoCache => "no-cache",
            Self::ForceCache => "force-cache",
            Self::OnlyIfCached => "only-if-cached",
        }
    }

    /// The mode of this name, `None` for none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

impl fmt::Display for CacheMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a call was answered by a client with a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheStatus {
    /// From the cache; nothing was sent.
    Hit,
    /// From the cache, after the server said that it has not changed (304).
    Revalidated,
    /// From the cache though stale: within `stale-while-revalidate` or `stale-if-error`, or because the call asked for it.
    Stale,
    /// By the server.
    Miss,
}

impl CacheStatus {
    /// `hit`, `revalidated`, `stale` or `miss`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Revalidated => "revalidated",
            Self::Stale => "stale",
            Self::Miss => "miss",
        }
    }

    /// Whether the body came from the cache.
    #[must_use]
    pub const fn from_cache(self) -> bool {
        !matches!(self, Self::Miss)
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a cache holds, and what it did since its client was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheState {
    /// Answers that are stored.
    pub entries: usize,
    /// What they take: bodies, headers, URLs and an allowance for each.
    pub bytes: u64,
    /// The most that they may take.
    pub max_bytes: u64,
    /// Calls that were answered without the server.
    pub hits: u64,
    /// Calls that were answered from the cache after a 304.
    pub revalidated: u64,
    /// Calls that were answered from the cache though it was stale.
    pub stale: u64,
    /// Calls that the server answered.
    pub misses: u64,
    /// Answers that had to go to make room.
    pub evicted: u64,
}

impl CacheState {
    /// Counts a call that was answered so.
    pub fn count(&mut self, status: CacheStatus) {
        let counter = match status {
            CacheStatus::Hit => &mut self.hits,
            CacheStatus::Revalidated => &mut self.revalidated,
            CacheStatus::Stale => &mut self.stale,
            CacheStatus::Miss => &mut self.misses,
        };
        *counter = counter.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_the_names_of_fetch() {
        for mode in CacheMode::ALL {
            assert_eq!(CacheMode::from_name(mode.as_str()), Some(mode));
        }
        for other in ["", "Default", "no_store", "only-if-Cached"] {
            assert_eq!(CacheMode::from_name(other), None, "{other}");
        }
    }
}
