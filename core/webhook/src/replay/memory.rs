//! A replay guard in memory, bounded by entries; for one process.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{ReplayGuard, ReplayKey, Reservation, Reserve, Settled, seconds};

/// How many outdated entries one call clears away at most, so that no call takes long.
const SWEEP: usize = 64;

/// Remembers messages in memory: bounded, shared between threads, gone with the process.
///
/// When it is full, the entries done longest ago make room, but only those older than
/// [`replay_window`](Self::replay_window): nobody without the secret can send these again, since
/// their timestamps are too old by now. If there are none, the answer is [`Reserve::Full`].
pub struct MemoryReplayGuard {
    entries: NonZeroUsize,
    /// Seconds, as the next two.
    retention: i64,
    lease: i64,
    replay_window: i64,
    store: Mutex<Store>,
}

impl MemoryReplayGuard {
    /// At most 100 000 messages (about 20 MB), retention 4 days, lease 5 minutes, replay window 10 minutes.
    #[must_use]
    pub fn new() -> Self {
        const ENTRIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99_999);
        Self {
            entries: ENTRIES,
            retention: 4 * 24 * 60 * 60,
            lease: 5 * 60,
            replay_window: 10 * 60,
            store: Mutex::default(),
        }
    }

    /// The most messages remembered. Default 100 000.
    #[must_use]
    pub fn entries(mut self, entries: NonZeroUsize) -> Self {
        self.entries = entries;
        self
    }

    /// How long a handled message is remembered; at least the sender's whole retry span. Default
    /// 4 days, since the specification's example schedule ends after 76 hours.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = seconds(retention);
        self
    }

    /// How long a handler may take before it is taken for crashed. Default 5 minutes.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = seconds(lease);
        self
    }

    /// How long a handled message is never forgotten, however full the store is: at least the past
    /// and the future tolerance of the verifier together. Default 10 minutes.
    #[must_use]
    pub fn replay_window(mut self, window: Duration) -> Self {
        self.replay_window = seconds(window);
        self
    }

    /// How many messages are remembered now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // Nothing inside panics between two changes that belong together.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, reservation: &Reservation, now: i64, done: bool) -> Settled {
        let mut store = self.lock();
        let held = store.entries.get(reservation.key()).is_some_and(|entry| {
            entry.state == State::Held && entry.token == reservation.token() && entry.until > now
        });
        if !held {
            return Settled::Lost;
        }
        store.remove(reservation.key());
        if done {
            let until = now.saturating_add(self.retention.max(self.replay_window));
            store.insert(
                *reservation.key(),
                Entry {
                    state: State::Done,
                    until,
                    token: reservation.token(),
                },
            );
        }
        Settled::Settled
    }
}

impl Default for MemoryReplayGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayGuard for MemoryReplayGuard {
    type Error = Infallible;

    fn reserve(&self, key: &ReplayKey, now: i64) -> Result<Reserve, Infallible> {
        let mut store = self.lock();
        store.sweep(now);
        if let Some(entry) = store.entries.get(key) {
            if entry.until > now {
                return Ok(match entry.state {
                    State::Held => Reserve::InProgress { until: entry.until },
                    State::Done => Reserve::AlreadyDone,
                });
            }
            store.remove(key);
        }
        if store.entries.len() >= self.entries.get() {
            // What was done at or before `now - replay_window` ends at or before this:
            let end = now
                .saturating_sub(self.replay_window)
                .saturating_add(self.retention.max(self.replay_window));
            if !store.forget_first(State::Done, end) {
                return Ok(Reserve::Full);
            }
        }
        store.last_token = store.last_token.wrapping_add(1);
        let token = store.last_token;
        store.insert(
            *key,
            Entry {
                state: State::Held,
                until: now.saturating_add(self.lease),
                token,
            },
        );
        Ok(Reserve::New(Reservation::new(*key, token)))
    }

    fn commit(&self, reservation: Reservation, now: i64) -> Result<Settled, Infallible> {
        Ok(self.settle(&reservation, now, true))
    }

    fn release(&self, reservation: Reservation, now: i64) -> Result<Settled, Infallible> {
        Ok(self.settle(&reservation, now, false))
    }
}

impl fmt::Debug for MemoryReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayGuard")
            .field("entries", &self.entries)
            .field("retention", &self.retention)
            .field("lease", &self.lease)
            .field("replay_window", &self.replay_window)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Held,
    Done,
}

#[derive(Clone, Copy)]
struct Entry {
    state: State,
    /// End of the lease or of the retention, unix seconds.
    until: i64,
    token: u64,
}

#[derive(Default)]
struct Store {
    entries: BTreeMap<ReplayKey, Entry>,
    /// The same entries by state and end: the first of each state ends first.
    by_end: BTreeMap<(State, i64, u64), ReplayKey>,
    last_token: u64,
}

impl Store {
    fn insert(&mut self, key: ReplayKey, entry: Entry) {
        self.by_end
            .insert((entry.state, entry.until, entry.token), key);
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &ReplayKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_end.remove(&(entry.state, entry.until, entry.token));
        }
    }

    /// Forgets some of what has ended by `now`.
    fn sweep(&mut self, now: i64) {
        for state in [State::Held, State::Done] {
            for _ in 0..SWEEP {
                if !self.forget_first(state, now) {
                    break;
                }
            }
        }
    }

    /// Forgets the entry of `state` that ends first, if it does by `ended_by`.
    fn forget_first(&mut self, state: State, ended_by: i64) -> bool {
        let first = self
            .by_end
            .range((state, i64::MIN, 0)..=(state, ended_by, u64::MAX))
            .next();
        let Some((_, key)) = first else { return false };
        let key = *key;
        self.remove(&key);
        true
    }
}
