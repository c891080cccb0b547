//! One isolated copy of all state: what `X-Mock-Session` selects.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use crate::client::Client;
use crate::clock::Clock;
use crate::dispatch::desk::Desk;
use crate::durable::{Changes, Kept, Row, Store, Trouble};
use crate::effects::EffectLog;
use crate::events::EventLog;
use crate::fault_rules::FaultRules;
use crate::files::Files;
use crate::idempotency::Keys;
use crate::integrations::Notices;
use crate::jobs::{DueJobs, JobEnds};
use crate::journal::Journal;
use crate::key::Tokens;
use crate::limiter::Limiter;
use crate::lock::lock;
use crate::log::Log;
use crate::logical::Seen;
use crate::login::Logins;
use crate::metrics::Metrics;
use crate::oauth::OAuth;
use crate::op::Kind;
use crate::options::Options;
use crate::otlp::Traces;
use crate::resource::{Collection, Collections};
use crate::resting::Resting;
use crate::shared_limits::{self, SharedLimits};
use crate::signing::Nonces;
use crate::stable_hash::stable_hash;
use crate::tier::Tier;
use crate::upstream::{Upstream, Upstreams};
use crate::usage::UsageLog;
use crate::webhooks::Webhooks;

/// Tenants one session may have.
const MAX_TENANTS: usize = 1_000;
/// Longest name of a session.
const MAX_NAME_BYTES: usize = 128;

/// What sessions need of the gateway they live in.
pub(crate) struct Surroundings {
    runtime: Option<Handle>,
    own_ports: Vec<u16>,
    journal_bytes: Arc<AtomicUsize>,
    usage_cells: Arc<AtomicUsize>,
    pub(crate) metrics: Metrics,
    pub(crate) log: Option<Log>,
    pub(crate) traces: Option<Traces>,
    stop: watch::Receiver<bool>,
    /// The data file, where there is one.
    store: Option<Arc<Store>>,
    /// Notified after each event of any session.
    pub(crate) published: Arc<Notify>,
    /// Where limits are counted, if not in memory.
    pub(crate) shared_limits: Option<Arc<SharedLimits>>,
    desk: Option<Arc<Desk>>,
    /// Asks others by TLS, and upstreams.
    pub(crate) client: Client,
    /// The upstreams of new sessions.
    first_upstreams: Vec<Upstream>,
}

impl Surroundings {
    /// Of the gateway that runs on this runtime and answers on these ports.
    pub(crate) fn new(own_ports: Vec<u16>, stop: watch::Receiver<bool>) -> Self {
        Self {
            runtime: Handle::try_current().ok(),
            own_ports,
            journal_bytes: Arc::default(),
            usage_cells: Arc::default(),
            metrics: Metrics::default(),
            log: None,
            traces: None,
            stop,
            store: None,
            published: Arc::default(),
            shared_limits: None,
            desk: None,
            client: Client::default(),
            first_upstreams: Vec::new(),
        }
    }

    /// With workers who send its webhooks.
    pub(crate) fn with_desk(mut self, desk: Option<Arc<Desk>>) -> Self {
        self.desk = desk;
        self
    }

    /// Where attempts are handed to workers; none where the gateway makes them itself.
    pub(crate) fn desk(&self) -> Option<&Arc<Desk>> {
        self.desk.as_ref()
    }

    /// With these upstreams in each new session.
    pub(crate) fn proxying(mut self, upstreams: Vec<Upstream>) -> Self {
        self.first_upstreams = upstreams;
        self
    }

    /// With this data file.
    pub(crate) fn keeping(mut self, store: Option<Arc<Store>>) -> Self {
        self.store = store;
        self
    }

    /// With a line in `log` and a span in `traces` for each request.
    pub(crate) fn observed_by(mut self, log: Option<Log>, traces: Option<Traces>) -> Self {
        self.log = log;
        self.traces = traces;
        self
    }

    #[cfg(test)]
    pub(crate) fn of_ports(own_ports: [u16; 2]) -> Self {
        Self::new(own_ports.to_vec(), watch::channel(false).1)
    }

    /// The data port, the admin port and those of regions.
    pub(crate) fn own_ports(&self) -> &[u16] {
        &self.own_ports
    }

    /// Runs a task on the gateway's runtime, whoever asks for it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
    }

    /// Completes when the gateway stops.
    pub(crate) async fn stopped(&self) {
        // An error means that the gateway is gone already.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}

/// Everything one session has.
pub(crate) struct World {
    pub(crate) name: Box<str>,
    pub(crate) clock: Clock,
    pub(crate) surroundings: Arc<Surroundings>,
    pub(crate) webhooks: Webhooks,
    pub(crate) upstreams: Upstreams,
    pub(crate) notices: Notices,
    pub(crate) job_ends: JobEnds,
    pub(crate) kept: Kept,
    pub(crate) usage: UsageLog,
    state: Mutex<State>,
    journal: Mutex<Journal>,
    used: AtomicU64,
}

/// What requests read and change, behind one lock that is held for microseconds.
pub(crate) struct State {
    pub(crate) options: Arc<Options>,
    pub(crate) tokens: Tokens,
    pub(crate) rules: FaultRules,
    pub(crate) attempts: Seen,
    pub(crate) keys: Keys,
    pub(crate) effects: EffectLog,
    pub(crate) events: EventLog,
    pub(crate) oauth: OAuth,
    pub(crate) logins: Logins,
    pub(crate) files: Files,
    pub(crate) due_jobs: DueJobs,
    pub(crate) nonces: Nonces,
    pub(crate) requests: u64,
    /// Which life of the session this is, where it was read from a file; else 0.
    pub(crate) life: u64,
    /// What this hold of the lock has changed of what is kept.
    pub(crate) changes: Changes,
    tenants: HashMap<Box<str>, Tenant>,
}

/// What one tenant owns.
pub(crate) struct Tenant {
    pub(crate) collections: Collections,
    limiters: Vec<(Tier, Limiter)>,
}

/// The session has as many tenants as it may have.
pub(crate) struct TooManyTenants;

/// The state of a session, locked. What is changed under one hold of the lock is one transaction of the data file.
pub(crate) struct StateGuard<'a> {
    state: MutexGuard<'a, State>,
    world: &'a World,
}

impl Deref for StateGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for StateGuard<'_> {
    fn drop(&mut self) {
        // Still locked: the order in the file is the order in memory.
        self.state.write_touched();
        self.world.kept.submit(&mut self.state.changes);
    }
}

impl World {
    /// The session as its data file has it, or new.
    fn open(name: &str, surroundings: Arc<Surroundings>) -> Result<Self, Trouble> {
        let wake = Arc::new(Notify::new());
        let journal = Journal::new(Instant::now(), Arc::clone(&surroundings.journal_bytes));
        let kept = Kept::new(name, surroundings.store.clone());
        let state = State::new(session_seed(name), kept.is_kept());
        let job_ends = JobEnds::default();
        let world = Self {
            name: name.into(),
            clock: Clock::new(Arc::clone(&wake)).waking(job_ends.wake()),
            webhooks: Webhooks::new(wake),
            upstreams: Upstreams::default(),
            notices: Notices::default(),
            job_ends,
            kept,
            usage: UsageLog::new(Arc::clone(&surroundings.usage_cells)),
            surroundings,
            state: Mutex::new(state),
            journal: Mutex::new(journal),
            used: AtomicU64::new(0),
        };
        let options = world.first_options();
        world.state().options = options.into();
        if world.kept.is_kept() {
            let (rows, life) = world.kept.open()?;
            let mut state = world.state();
            world.take(&mut state, &rows)?;
            state.life = life;
        }
        Ok(world)
    }

    /// Makes everything as it was when the session was new; only the journal's numbers go on.
    pub(crate) fn reset(&self) {
        self.forget_shared_limits();
        let mut state = self.state();
        self.kept.catch_up();
        let events = state.events.after_reset();
        *state = State {
            events,
            life: state.life,
            options: self.first_options().into(),
            ..State::new(session_seed(&self.name), self.kept.is_kept())
        };
        state.changes.clear();
        self.webhooks.reset();
        self.upstreams.reset();
        self.notices.reset();
        self.usage.reset();
        self.clock.reset();
        drop(state);
        self.journal().clear();
    }

    /// Counts that this process has asked a shared store about begin anew.
    fn forget_shared_limits(&self) {
        let Some(shared) = &self.surroundings.shared_limits else {
            return;
        };
        let mut state = self.state();
        shared.forget(state.tenants().flat_map(|(tenant, own)| {
            own.limiters().map(|(tier, limiter)| {
                limiter.place(&shared_limits::caller(&self.name, tenant, tier.name()))
            })
        }));
    }

    pub(crate) fn state(&self) -> StateGuard<'_> {
        let mut guard = StateGuard {
            state: lock(&self.state),
            world: self,
        };
        if self.kept.is_stale() {
            self.read_anew(&mut guard);
        }
        guard
    }

    /// One transaction of what is kept beside the state, such as under the lock of the webhooks.
    pub(crate) fn write(&self, change: impl FnOnce(&mut Changes)) {
        let mut changes = Changes::new(self.kept.is_kept());
        change(&mut changes);
        self.kept.submit(&mut changes);
    }

    /// The epoch of the session's memory, read anew if it has to be.
    pub(crate) fn fresh_epoch(&self) -> u64 {
        if self.kept.is_stale() {
            drop(self.state());
        }
        self.kept.epoch()
    }

    /// Writing failed: the memory is ahead of the file, and is made that of the file again.
    fn read_anew(&self, state: &mut State) {
        // Where the file cannot be read either, the session stays stale, and its answers are refused.
        if let Ok(rows) = self.kept.reload() {
            drop(std::mem::take(&mut state.changes));
            state.changes = Changes::new(true);
            self.forget(state);
            let _ = self.take(state, &rows);
        }
    }

    /// Makes the session what these rows say, in memory and on disk; all of it or, with the reason, nothing.
    pub(crate) fn become_rows(&self, rows: Vec<Row>) -> Result<(), Trouble> {
        let mut state = self.state();
        let before = self.rows(&state).list;
        self.forget(&mut state);
        if let Err(why) = self.take(&mut state, &rows) {
            self.forget(&mut state);
            self.take(&mut state, &before)?;
            return Err(why);
        }
        state.changes.clear();
        for row in rows {
            state.changes.restore(row);
        }
        let state = &mut *state;
        state.events.is_another(&mut state.changes);
        Ok(())
    }

    /// The options of a new session.
    pub(crate) fn first_options(&self) -> Options {
        let mut options = Options::new(session_seed(&self.name));
        options.upstreams = self.surroundings.first_upstreams.clone().into();
        options
    }

    /// Takes rows in, in order.
    fn take(&self, state: &mut State, rows: &[Row]) -> Result<(), Trouble> {
        for row in rows {
            self.take_row(state, row).map_err(|why| {
                let Row { kind, id, .. } = row;
                Trouble::Failed(format!("session {}, {kind} {id:?}: {why}", self.name))
            })?;
        }
        let taken = self.taken(state);
        taken.map_err(|why| Trouble::Failed(format!("session {}: {why}", self.name)))
    }

    /// The session is dropped or forgotten, while some may still hold it.
    fn leave(&self) {
        self.kept.leave();
        self.state().events.close();
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    /// When it was last used, as a count of all uses.
    pub(crate) fn last_use(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A task that waits for deliveries of this session notices that it is gone.
        self.clock.wake();
    }
}

fn session_seed(name: &str) -> u64 {
    stable_hash(&[b"session", name.as_bytes()])
}

impl State {
    fn new(seed: u64, kept: bool) -> Self {
        Self {
            options: Arc::new(Options::new(seed)),
            tokens: Tokens::new(kept),
            rules: FaultRules::new(kept),
            attempts: Seen::default(),
            keys: Keys::default(),
            effects: EffectLog::default(),
            events: EventLog::default(),
            oauth: OAuth::new(kept),
            logins: Logins::new(kept),
            files: Files::new(kept),
            due_jobs: DueJobs::default(),
            nonces: Nonces::default(),
            requests: 0,
            life: 0,
            changes: Changes::new(kept),
            tenants: HashMap::new(),
        }
    }

    /// The tenant, made with its seeded records when first seen.
    pub(crate) fn tenant(&mut self, name: &str) -> Result<&mut Tenant, TooManyTenants> {
        if !self.tenants.contains_key(name) {
            if self.tenants.len() >= MAX_TENANTS {
                return Err(TooManyTenants);
            }
            self.tenants.insert(name.into(), Tenant::new());
        }
        self.tenants.get_mut(name).ok_or(TooManyTenants)
    }

    /// The records of all tenants seen so far.
    pub(crate) fn collections(&self) -> impl Iterator<Item = (&str, Kind, &Collection)> {
        self.tenants.iter().flat_map(|(name, tenant)| {
            Kind::ALL.map(|kind| (&**name, kind, tenant.collections.of(kind)))
        })
    }

    /// Makes the records of all tenants as they were when first seen.
    pub(crate) fn forget_records(&mut self) {
        for tenant in self.tenants.values_mut() {
            tenant.collections = Collections::seeded();
        }
        self.due_jobs = DueJobs::default();
    }

    /// All tenants seen so far.
    pub(crate) fn tenants(&mut self) -> impl Iterator<Item = (&str, &mut Tenant)> {
        self.tenants
            .iter_mut()
            .map(|(name, tenant)| (&**name, tenant))
    }
}

impl Tenant {
    fn new() -> Self {
        Self {
            collections: Collections::seeded(),
            limiters: Vec::new(),
        }
    }

    /// What the tenant has used on `tier`; `None` where nothing is limited.
    pub(crate) fn limiter(&mut self, tier: Tier, options: &Options) -> Option<&mut Limiter> {
        let limits = options
            .limits
            .filter(|_| tier != Tier::Unlimited)
            .or(tier.limits())?;
        let (window, policies) = (options.window, &options.policies);
        let fresh = || Limiter::of(limits, window, Arc::clone(&policies.0));
        let at = match self.limiters.iter().position(|(of, _)| *of == tier) {
            Some(at) => at,
            None => {
                self.limiters.push((tier, fresh()));
                self.limiters.len() - 1
            }
        };
        let (_, limiter) = self.limiters.get_mut(at)?;
        if !limiter.is_for(limits, window, &policies.0) {
            *limiter = fresh();
        }
        Some(limiter)
    }

    /// The limits in use, by tier.
    pub(crate) fn limiters(&mut self) -> impl Iterator<Item = (Tier, &mut Limiter)> {
        self.limiters
            .iter_mut()
            .map(|(tier, limiter)| (*tier, limiter))
    }
}

/// All sessions of a gateway, bounded: the one unused longest is dropped for a new one.
pub(crate) struct Worlds {
    by_name: RwLock<HashMap<Box<str>, Arc<World>>>,
    most: usize,
    uses: AtomicU64,
    surroundings: Arc<Surroundings>,
    resting: Resting,
}

/// The session when a request names none.
pub(crate) const DEFAULT_SESSION: &str = "default";

/// Why there is no session of a name.
#[derive(Debug)]
pub(crate) enum NoWorld {
    /// No session can have this name.
    InvalidName,
    /// Its rows cannot be read.
    Unreadable(Trouble),
}

impl Worlds {
    pub(crate) fn new(most: usize, surroundings: Surroundings) -> Self {
        Self {
            by_name: RwLock::default(),
            most: most.max(1),
            uses: AtomicU64::new(0),
            surroundings: Arc::new(surroundings),
            resting: Resting::default(),
        }
    }

    /// Sessions with work that are not in memory.
    pub(crate) fn resting(&self) -> &Resting {
        &self.resting
    }

    /// Whether a session could be read without one that is in use or has work giving its place.
    pub(crate) fn has_place(&self) -> bool {
        let worlds = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        worlds.len() < self.most
            || worlds
                .values()
                .any(|world| Arc::strong_count(world) == 1 && !world.has_work())
    }

    /// The session `name`, made on first use.
    pub(crate) fn world(&self, name: &str) -> Result<Arc<World>, NoWorld> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        {
            let worlds = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(world) = worlds.get(name) {
                world.used.store(used, Ordering::Relaxed);
                return Ok(Arc::clone(world));
            }
        }
        if !is_session_name(name) {
            return Err(NoWorld::InvalidName);
        }
        let mut worlds = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(world) = worlds.get(name) {
            world.used.store(used, Ordering::Relaxed);
            return Ok(Arc::clone(world));
        }
        if worlds.len() >= self.most {
            // One in use right now (held by a request or a handle) is dropped only if all are.
            let oldest = worlds
                .values()
                .map(|world| {
                    (
                        Arc::strong_count(world) > 1,
                        world.kept.is_kept() && world.has_work(),
                        world.used.load(Ordering::Relaxed),
                        world,
                    )
                })
                .min_by_key(|(in_use, has_work, used, _)| (*in_use, *has_work, *used))
                .map(|(_, has_work, _, world)| (has_work, world.name.clone()));
            if let Some((has_work, name)) = oldest
                && let Some(oldest) = worlds.remove(&name)
            {
                // Its rows stay: it is read again when it is used again.
                oldest.leave();
                if has_work {
                    self.resting.add(&name);
                }
            }
        }
        let world = World::open(name, Arc::clone(&self.surroundings));
        let world = Arc::new(world.map_err(NoWorld::Unreadable)?);
        world.used.store(used, Ordering::Relaxed);
        worlds.insert(name.into(), Arc::clone(&world));
        self.resting.remove(name);
        // What a data file has pending goes on.
        crate::integrations::start(&world);
        crate::jobs::start(&world);
        drop(worlds);
        world.resume_webhooks();
        Ok(world)
    }

    /// Forgets a session; its next use makes a new one. Says whether it existed.
    pub(crate) fn forget(&self, name: &str) -> bool {
        let mut worlds = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let forgotten = worlds.remove(name);
        self.resting.remove(name);
        if let Some(world) = &forgotten {
            world.forget_shared_limits();
            world.leave();
        }
        // One that was dropped for a new one is only in the file.
        if let Some(store) = &self.surroundings.store {
            store.erase(Some(name));
        }
        forgotten.is_some()
    }

    /// Forgets all sessions and says how many there were.
    pub(crate) fn forget_all(&self) -> usize {
        let mut worlds = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let count = worlds.len();
        self.resting.clear();
        for (_, world) in worlds.drain() {
            world.forget_shared_limits();
            world.leave();
        }
        if let Some(store) = &self.surroundings.store {
            store.erase(None);
        }
        count
    }

    /// Waits until all that any session has written so far is on disk.
    pub(crate) async fn settled(&self) -> Result<(), Trouble> {
        match &self.surroundings.store {
            Some(store) => store.all_settled().await,
            None => Ok(()),
        }
    }

    /// The session `name` if it exists; looking is no use of it.
    pub(crate) fn existing(&self, name: &str) -> Option<Arc<World>> {
        let worlds = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        worlds.get(name).cloned()
    }

    /// What the journals of all sessions weigh.
    pub(crate) fn journal_bytes(&self) -> usize {
        self.surroundings.journal_bytes.load(Ordering::Relaxed)
    }

    /// What sessions share.
    pub(crate) fn surroundings(&self) -> &Arc<Surroundings> {
        &self.surroundings
    }

    /// Notified after each event of any session.
    pub(crate) fn published(&self) -> &Arc<Notify> {
        &self.surroundings.published
    }

    /// The sessions that exist, by name.
    pub(crate) fn all(&self) -> Vec<Arc<World>> {
        let worlds = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = worlds.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// 1 to 128 visible ASCII characters.
pub(crate) fn is_session_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worlds(most: usize) -> Worlds {
        Worlds::new(most, Surroundings::of_ports([1, 2]))
    }

    #[test]
    fn the_session_unused_longest_makes_room() {
        let worlds = worlds(3);
        for name in ["a", "b", "c", "a", "d"] {
            worlds.world(name).unwrap();
        }
        let names: Vec<_> = worlds
            .all()
            .iter()
            .map(|world| world.name.to_string())
            .collect();
        assert_eq!(names, ["a", "c", "d"]);
    }

    #[test]
    fn a_session_in_use_is_not_dropped_for_a_new_one() {
        let worlds = worlds(2);
        let held = worlds.world("held").unwrap();
        worlds.world("b").unwrap();
        worlds.world("c").unwrap();
        assert!(Arc::ptr_eq(&held, &worlds.world("held").unwrap()));
    }

    #[test]
    fn names_are_visible_ascii() {
        let worlds = worlds(2);
        for wrong in ["", "a b", "ü", &"x".repeat(129)] {
            assert!(worlds.world(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn tenants_are_bounded() {
        let mut state = State::new(1, false);
        for n in 0..MAX_TENANTS {
            assert!(state.tenant(&n.to_string()).is_ok());
        }
        assert!(state.tenant("one-more").is_err());
        assert!(state.tenant("0").is_ok());
    }
}
