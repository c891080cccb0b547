//! The replay guard in memory, for the host language: each message is handled once.

use std::num::NonZeroUsize;
use std::time::Duration;

use gatewright_webhook::json_members::members;
use gatewright_webhook::replay::{
    MemoryReplayGuard, ReplayGuard, ReplayKey, Reservation, Reserve, Settled,
};

use super::answer::{failed, time};
use super::settings::whole;

/// Remembers messages in memory, bounded, for one process.
#[derive(Debug)]
pub struct HostReplayGuard(MemoryReplayGuard);

impl HostReplayGuard {
    /// A guard. `settings` is a JSON object with any of `entries` (the most messages remembered, default 100 000), and `retention` (4 days),
    /// `lease` (5 minutes), `replayWindow` (10 minutes) in milliseconds; what [`MemoryReplayGuard`] says of each holds.
    ///
    /// # Errors
    /// The error as JSON, `{"code", "message"}`.
    pub fn open(settings: &str) -> Result<Self, String> {
        let wrong = || failed("bad_setting", "the settings must be a JSON object");
        let [entries, retention, lease, window] =
            members(settings, ["entries", "retention", "lease", "replayWindow"])
                .ok_or_else(wrong)?;
        let mut guard = MemoryReplayGuard::new();
        if let Some(entries) = whole("entries", entries)? {
            let entries = usize::try_from(entries).unwrap_or(usize::MAX);
            let none = || failed("bad_setting", "`entries` must be 1 or more");
            guard = guard.entries(NonZeroUsize::new(entries).ok_or_else(none)?);
        }
        if let Some(retention) = whole("retention", retention)? {
            guard = guard.retention(Duration::from_millis(retention));
        }
        if let Some(lease) = whole("lease", lease)? {
            guard = guard.lease(Duration::from_millis(lease));
        }
        if let Some(window) = whole("replayWindow", window)? {
            guard = guard.replay_window(Duration::from_millis(window));
        }
        Ok(Self(guard))
    }

    /// Asks for a message by its key, 64 hexadecimal digits: `new` and a token in the next line, `in_progress` and when it ends (unix
    /// seconds) in the next line, `already_done`, or `full`; or the error as JSON.
    #[must_use]
    pub fn reserve(&self, key: &str, now_seconds: f64) -> String {
        let reserved = asked(key, now_seconds).map(|(key, now)| {
            let Ok(reserve) = self.0.reserve(&key, now);
            match reserve {
                Reserve::New(reservation) => format!("new\n{}", reservation.token()),
                Reserve::InProgress { until } => format!("in_progress\n{until}"),
                Reserve::AlreadyDone => "already_done".to_owned(),
                Reserve::Full => "full".to_owned(),
            }
        });
        reserved.unwrap_or_else(|error| error)
    }

    /// The handler of a message succeeded: `settled`, or `lost` where its lease had ended; or the error as JSON.
    #[must_use]
    pub fn commit(&self, key: &str, token: &str, now_seconds: f64) -> String {
        settled(key, token, now_seconds, |reservation, now| {
            let Ok(settled) = self.0.commit(reservation, now);
            settled
        })
    }

    /// The handler of a message failed, so that it may be tried again at once: as [`commit`](Self::commit).
    #[must_use]
    pub fn release(&self, key: &str, token: &str, now_seconds: f64) -> String {
        settled(key, token, now_seconds, |reservation, now| {
            let Ok(settled) = self.0.release(reservation, now);
            settled
        })
    }
}

fn asked(key: &str, now_seconds: f64) -> Result<(ReplayKey, i64), String> {
    let wrong = |_| failed("bad_replay_key", "a replay key has 64 hexadecimal digits");
    Ok((key.parse().map_err(wrong)?, time(now_seconds)?))
}

fn settled(
    key: &str,
    token: &str,
    now_seconds: f64,
    settle: impl FnOnce(Reservation, i64) -> Settled,
) -> String {
    let (key, now) = match asked(key, now_seconds) {
        Ok(asked) => asked,
        Err(error) => return error,
    };
    let Ok(token) = token.parse() else {
        return failed("bad_token", "the token must be that of a reservation");
    };
    match settle(Reservation::new(key, token), now) {
        Settled::Settled => "settled",
        Settled::Lost => "lost",
    }
    .to_owned()
}
