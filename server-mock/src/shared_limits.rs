//! Limits whose counts several gateway processes share: in a SQLite file, or in Redis.
//!
//! In memory (the default) a limiter counts by itself, under its session's lock; nothing here takes part in that. With a
//! store, a limiter says what it wants to know (`question.rs`), the store decides on its counts, all or nothing, and gives
//! them back, and the limiter makes waits and headers of them. So the stores cannot differ in anything but the counts.
//!
//! The store is asked within a deadline. While it cannot be reached, nobody waits for it:
//!
//! | State | A decision | Leaves by |
//! |---|---|---|
//! | there | is the store's, within the deadline | an error or a late answer: away |
//! | away | is at once that of the fail mode | a probe, sent every so often, is answered: there |
//!
//! Calls in progress have leases in the store (`leases.rs`), which end by themselves when a process died.
//! Why it is so: `docs/decisions/0041-limit-stores.md`.

mod admission;
mod leases;
mod look;
mod question;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod sqlite;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

pub(crate) use admission::{caller, decide};
pub(crate) use leases::Lease;
use leases::Leases;
pub(crate) use look::InProgressOfAll;
pub(crate) use question::{Answer, Line, Question};
use settings::At;
pub use settings::{LimitsFail, LimitsSettings};

use crate::lock::lock;

/// An answer of a store that is still to come; an error says in words what is wrong.
type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// The place of one call in the store: a name nobody else uses, and how long it lasts without being renewed.
#[derive(Clone, Debug)]
struct Claim {
    id: String,
    lasts: Duration,
}

/// Where counts are kept. Every method is one round trip; what calls it sees to its deadline.
trait Store: Send + Sync {
    /// Decides, and lets the places of calls that ended go first.
    fn decide<'a>(
        &'a self,
        question: &'a Question,
        claim: Option<&'a Claim>,
        ended: &'a [String],
    ) -> Pending<'a, Answer>;

    /// Lets the places of calls that ended go, and keeps those of others.
    fn tend<'a>(
        &'a self,
        place: &'a str,
        ended: &'a [String],
        running: &'a [Claim],
    ) -> Pending<'a, ()>;

    /// Forgets all counts of these callers.
    fn forget<'a>(&'a self, places: &'a [String]) -> Pending<'a, ()>;

    /// Finds out whether it could decide about this caller, making a connection where there is none.
    fn probe<'a>(&'a self, place: &'a str) -> Pending<'a, ()>;

    /// Something is wrong with the connection: the next probe makes another.
    fn disconnect(&self);
}

/// The store of limits cannot be asked, or did not answer within the deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAway(String);

impl fmt::Display for StoreAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of limits is away: {}", self.0)
    }
}

impl std::error::Error for StoreAway {}

/// A store of limits that several processes may use; clones are the same one.
///
/// Opened on a Tokio runtime, on which it lives. [`crate::Limiter::decide_in`] asks it.
#[derive(Clone)]
pub struct LimitStore(Arc<SharedLimits>);

impl fmt::Debug for LimitStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LimitStore").field(&self.0.state()).finish()
    }
}

impl LimitStore {
    /// Opens the store of these settings. A Redis that cannot be reached is no error: it is away.
    ///
    /// # Errors
    /// The file cannot be used, or the settings name no store but memory (`InvalidInput`).
    pub async fn open(settings: LimitsSettings) -> io::Result<Self> {
        match SharedLimits::open(settings).await? {
            Some(shared) => Ok(Self(shared)),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "memory is no store that can be shared; name sqlite:FILE or a Redis",
            )),
        }
    }

    pub(crate) fn shared(&self) -> &SharedLimits {
        &self.0
    }
}

/// How the store is doing, for the admin port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StoreState {
    /// `sqlite`, `redis` or `redis-cluster`.
    pub(crate) store: &'static str,
    pub(crate) fail: LimitsFail,
    pub(crate) away: bool,
    /// Decisions that the fail mode made so far.
    pub(crate) failed: u64,
    /// Times the store was lost so far.
    pub(crate) lost: u64,
}

/// A store, and whether it can be reached.
pub(crate) struct SharedLimits {
    store: Box<dyn Store>,
    settings: LimitsSettings,
    leases: Arc<Leases>,
    away: AtomicBool,
    failed: AtomicU64,
    lost: AtomicU64,
    /// Callers whose counts are to be forgotten before the next decision about them.
    stale: Mutex<HashSet<String>>,
    stale_count: AtomicUsize,
    this: Weak<Self>,
}

impl SharedLimits {
    /// The store of these settings; `None` for memory.
    pub(crate) async fn open(settings: LimitsSettings) -> io::Result<Option<Arc<Self>>> {
        let store: Box<dyn Store> = match &settings.at {
            At::Memory => return Ok(None),
            At::Sqlite(path) => Box::new(sqlite::Sqlite::open(path, settings.deadline)?),
            #[cfg(feature = "redis")]
            At::Redis(urls) => Box::new(redis::Redis::new(urls, settings.deadline)?),
        };
        Ok(Some(Self::with(store, settings).await))
    }

    async fn with(store: Box<dyn Store>, settings: LimitsSettings) -> Arc<Self> {
        let shared = Arc::new_cyclic(|this| Self {
            store,
            leases: Leases::new(settings.lease),
            settings,
            away: AtomicBool::new(false),
            failed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            stale: Mutex::default(),
            stale_count: AtomicUsize::new(0),
            this: Weak::clone(this),
        });
        if let Err(why) = shared.probe("start").await {
            shared.lose("start", &why);
        }
        leases::tend(&shared);
        shared
    }

    pub(crate) fn settings(&self) -> &LimitsSettings {
        &self.settings
    }

    pub(crate) fn state(&self) -> StoreState {
        StoreState {
            store: self.settings.at.kind(),
            fail: self.settings.fail,
            away: self.away.load(Ordering::Acquire),
            failed: self.failed.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }

    /// The store's decision, within the deadline.
    pub(crate) async fn decide(
        &self,
        question: &Question,
    ) -> Result<(Answer, Option<Lease>), StoreAway> {
        let answer = if self.away.load(Ordering::Acquire) {
            Err(StoreAway("no probe has been answered since".into()))
        } else {
            let deadline = self.settings.deadline;
            match timeout(deadline, self.asked(question)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(why)) => Err(self.lose(&question.place, &why)),
                Err(_) => Err(self.lose(&question.place, &late(deadline))),
            }
        };
        if answer.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn asked(&self, question: &Question) -> Result<(Answer, Option<Lease>), String> {
        let place = &question.place;
        if self.stale_count.load(Ordering::Acquire) > 0 && lock(&self.stale).contains(place) {
            self.store.forget(std::slice::from_ref(place)).await?;
            self.fresh(place);
        }
        let mut lease = question.most_at_once.map(|_| self.leases.begin(place));
        let claim = lease.as_ref().map(|lease| self.leases.claim(lease));
        let ended = self.leases.ended_at(place);
        let names = self.leases.names(&ended);
        let answer = (self.store)
            .decide(question, claim.as_ref(), &names)
            .await?;
        self.leases.let_go(place, &ended);
        if answer.tallies.len() != question.lines.len() {
            return Err("its answer is about other limits".into());
        }
        if !answer.admitted
            && let Some(lease) = lease.take()
        {
            lease.was_not_taken();
        }
        Ok((answer, lease))
    }

    /// The counts of these callers are to begin anew; no later decision sees the old ones.
    pub(crate) fn forget(&self, places: impl IntoIterator<Item = String>) {
        {
            let mut stale = lock(&self.stale);
            stale.extend(places);
            self.stale_count.store(stale.len(), Ordering::Release);
        }
        self.leases.wake();
    }

    fn fresh(&self, place: &str) {
        let mut stale = lock(&self.stale);
        stale.remove(place);
        self.stale_count.store(stale.len(), Ordering::Release);
    }

    async fn probe(&self, place: &str) -> Result<(), String> {
        // A connection takes several round trips.
        let patience = self.settings.deadline.saturating_mul(4);
        match timeout(patience, self.store.probe(place)).await {
            Ok(answered) => answered,
            Err(_) => Err(late(patience)),
        }
    }

    /// From here on the fail mode decides, until a probe about the same caller is answered.
    fn lose(&self, place: &str, why: &str) -> StoreAway {
        if !self.away.swap(true, Ordering::AcqRel) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.store.disconnect();
            let fail = self.settings.fail.word();
            say(format_args!(
                "the {} of limits is away, {fail} until it is back: {why}",
                self.settings.at.kind()
            ));
            let (this, place) = (Weak::clone(&self.this), place.to_owned());
            let pause = self
                .settings
                .deadline
                .clamp(Duration::from_millis(20), Duration::from_secs(1));
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(pause).await;
                    let Some(shared) = this.upgrade() else {
                        return;
                    };
                    if shared.probe(&place).await.is_ok() {
                        shared.away.store(false, Ordering::Release);
                        say(format_args!("the store of limits is back"));
                        shared.leases.wake();
                        return;
                    }
                    shared.store.disconnect();
                }
            });
        }
        StoreAway(why.into())
    }
}

impl Drop for SharedLimits {
    fn drop(&mut self) {
        // The task that tends leases notices that there is nothing more to tend.
        self.leases.wake();
    }
}

fn late(deadline: Duration) -> String {
    format!("no answer within {} ms", deadline.as_millis())
}

/// A line for whoever runs the gateway. Never with a URL, which may have a password.
fn say(what: fmt::Arguments<'_>) {
    // Nobody may be reading.
    let _ = writeln!(io::stderr(), "gatewright-gateway: {what}");
}
