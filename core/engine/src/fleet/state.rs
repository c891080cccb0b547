//! What a process knows of the quota that it shares, as values for people: `client.state()`.

use std::time::Duration;

/// How a process has its part of a shared quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShareMode {
    /// Nothing was asked for yet.
    #[default]
    New,
    /// Through the store, as it should be.
    Shared,
    /// The store cannot be reached: this process keeps to its part, the quota divided by the processes last seen.
    Away,
    /// The store is back, and the others are waited for: this process still keeps to its part.
    Rejoining,
}

impl ShareMode {
    /// `new`, `shared`, `away` or `rejoining`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Shared => "shared",
            Self::Away => "away",
            Self::Rejoining => "rejoining",
        }
    }
}

/// What a process knows of a quota that it shares with others.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ShareState {
    /// The name under which it is shared.
    pub name: String,
    /// The quota, as in `600/min, burst 60`.
    pub quota: String,
    /// How this process has its part.
    pub mode: ShareMode,
    /// Processes that share it, this one included, as last seen; 0 where none was ever seen.
    pub processes: u32,
    /// Permits taken ahead and not used yet.
    pub held: u32,
    /// Calls that wait for a permit.
    pub queued: usize,
    /// Time until the pause is over that a server asked one of the processes for.
    pub paused_for: Option<Duration>,
    /// How long the store has been out of reach.
    pub away_for: Option<Duration>,
    /// Permits used so far.
    pub used: u64,
    /// Times the store was asked so far.
    pub round_trips: u64,
}
