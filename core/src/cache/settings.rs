//! The settings of a client's cache.

use std::time::Duration;

use gatewright_engine::ErrorKind;
use gatewright_engine::cache::{CacheMode, Rules};

use crate::Error;
use crate::client::ClientBuilder;
use crate::request::RequestBuilder;

/// The settings of a client's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct CacheSettings {
    rules: Rules,
}

impl CacheSettings {
    /// The default size, in bytes: 64 MiB.
    pub const DEFAULT_BYTES: u64 = 64 * 1024 * 1024;

    /// A cache in memory that takes at most `bytes`: bodies, headers, URLs, and 512 bytes for each answer. The least recently
    /// used goes first.
    pub const fn memory(bytes: u64) -> Self {
        Self {
            rules: Rules {
                max_bytes: bytes,
                max_entry_bytes: bytes / 8,
                heuristic: None,
                stale_if_error: None,
            },
        }
    }

    /// What one answer may take; larger ones are not stored. Default: an eighth of the whole.
    pub const fn max_entry_bytes(mut self, bytes: u64) -> Self {
        self.rules.max_entry_bytes = bytes;
        self
    }

    /// Where a server gives no lifetime but a `Last-Modified`, takes a tenth of the time since then for one, at most `longest`
    /// (RFC 9111, section 4.2.2). Default: no such guesses; the answer is validated each time.
    pub const fn heuristic_freshness(mut self, longest: Duration) -> Self {
        self.rules.heuristic = Some(longest);
        self
    }

    /// How long an answer may be used stale where the server cannot be reached or fails (500, 502, 503, 504), and neither it nor
    /// the request has a `stale-if-error`. Never against `must-revalidate` or `no-cache`. Default: not at all.
    pub const fn stale_if_error(mut self, longest: Duration) -> Self {
        self.rules.stale_if_error = Some(longest);
        self
    }

    pub(crate) fn checked(self) -> Result<Rules, Error> {
        if self.rules.max_bytes == 0 {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "`cache` has room for 0 bytes; give it some, or leave it off",
            ));
        }
        Ok(self.rules)
    }
}

impl Default for CacheSettings {
    /// In memory, 64 MiB.
    fn default() -> Self {
        Self::memory(Self::DEFAULT_BYTES)
    }
}

impl ClientBuilder {
    /// Keeps answers as their servers allow, and asks whether they still hold instead of fetching them again (RFC 9111).
    /// `None` for no cache, which is the default.
    pub fn cache(mut self, cache: impl Into<Option<CacheSettings>>) -> Self {
        self.cache = cache.into();
        self
    }
}

impl RequestBuilder {
    /// What this call asks of the client's cache, in the words of the Fetch standard. Without a cache only
    /// [`CacheMode::OnlyIfCached`] means something: the call fails with `not_cached`.
    pub fn cache_mode(mut self, mode: CacheMode) -> Self {
        self.cache_mode = mode;
        self
    }
}
