//! How a pacer behaves, with its defaults.

use std::time::Duration;

use super::LocalQuota;

/// How a pacer behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacingSettings {
    /// Whether to learn from the server's headers and to pause when told to. Default: `true`. Where `false`, only
    /// `local` holds calls back.
    pub enabled: bool,
    /// Quotas of one's own, kept beside the server's; a call takes from each of them. Default: none.
    pub local: Vec<LocalQuota>,
    /// Calls that may wait; more are refused. Default: 10 000.
    pub max_queue: usize,
    /// How long the answer to the first call is waited for before a second one goes, and again before a fourth, an
    /// eighth and so on. Default: 150 ms.
    pub scout: Duration,
}

impl Default for PacingSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            local: Vec::new(),
            max_queue: 10_000,
            scout: Duration::from_millis(150),
        }
    }
}
