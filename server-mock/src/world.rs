//! One isolated copy of all state: what `X-Mock-Session` selects.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::effects::EffectLog;
use crate::fault_rules::FaultRules;
use crate::files::Files;
use crate::idempotency::Keys;
use crate::journal::Journal;
use crate::key::Tokens;
use crate::limiter::Limiter;
use crate::lock::lock;
use crate::logical::Seen;
use crate::oauth::OAuth;
use crate::op::Kind;
use crate::options::Options;
use crate::resource::Collection;
use crate::signing::Nonces;
use crate::stable_hash::stable_hash;
use crate::tier::Tier;
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
    stop: watch::Receiver<bool>,
}

impl Surroundings {
    /// Of the gateway that runs on this runtime and answers on these ports.
    pub(crate) fn new(own_ports: Vec<u16>, stop: watch::Receiver<bool>) -> Self {
        Self {
            runtime: Handle::try_current().ok(),
            own_ports,
            journal_bytes: Arc::default(),
            stop,
        }
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
    pub(crate) oauth: OAuth,
    pub(crate) files: Files,
    pub(crate) nonces: Nonces,
    pub(crate) requests: u64,
    tenants: HashMap<Box<str>, Tenant>,
}

/// What one tenant owns.
pub(crate) struct Tenant {
    contacts: Collection,
    users: Collection,
    limiters: Vec<(Tier, Limiter)>,
}

/// The session has as many tenants as it may have.
pub(crate) struct TooManyTenants;

impl World {
    fn new(name: &str, surroundings: Arc<Surroundings>) -> Self {
        let wake = Arc::new(Notify::new());
        let journal = Journal::new(Instant::now(), Arc::clone(&surroundings.journal_bytes));
        Self {
            name: name.into(),
            clock: Clock::new(Arc::clone(&wake)),
            webhooks: Webhooks::new(wake),
            surroundings,
            state: Mutex::new(State::new(session_seed(name))),
            journal: Mutex::new(journal),
            used: AtomicU64::new(0),
        }
    }

    /// Makes everything as it was when the session was new; only the journal's numbers go on.
    pub(crate) fn reset(&self) {
        *self.state() = State::new(session_seed(&self.name));
        self.journal().clear();
        self.webhooks.reset();
        self.clock.reset();
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
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
    fn new(seed: u64) -> Self {
        Self {
            options: Arc::new(Options::new(seed)),
            tokens: Tokens::default(),
            rules: FaultRules::default(),
            attempts: Seen::default(),
            keys: Keys::default(),
            effects: EffectLog::default(),
            oauth: OAuth::default(),
            files: Files::default(),
            nonces: Nonces::default(),
            requests: 0,
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
            contacts: Collection::seeded(Kind::Contacts),
            users: Collection::seeded(Kind::Users),
            limiters: Vec::new(),
        }
    }

    pub(crate) fn collection(&mut self, kind: Kind) -> &mut Collection {
        match kind {
            Kind::Contacts => &mut self.contacts,
            Kind::Users => &mut self.users,
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
}

/// The session when a request names none.
pub(crate) const DEFAULT_SESSION: &str = "default";

/// A name no session can have.
#[derive(Debug)]
pub(crate) struct InvalidName;

impl Worlds {
    pub(crate) fn new(most: usize, surroundings: Surroundings) -> Self {
        Self {
            by_name: RwLock::default(),
            most: most.max(1),
            uses: AtomicU64::new(0),
            surroundings: Arc::new(surroundings),
        }
    }

    /// The session `name`, made on first use.
    pub(crate) fn world(&self, name: &str) -> Result<Arc<World>, InvalidName> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        {
            let worlds = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(world) = worlds.get(name) {
                world.used.store(used, Ordering::Relaxed);
                return Ok(Arc::clone(world));
            }
        }
        if !is_session_name(name) {
            return Err(InvalidName);
        }
        let mut worlds = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if !worlds.contains_key(name) && worlds.len() >= self.most {
            // One in use right now (held by a request or a handle) is dropped only if all are.
            let oldest = worlds
                .values()
                .min_by_key(|world| {
                    (
                        Arc::strong_count(world) > 1,
                        world.used.load(Ordering::Relaxed),
                    )
                })
                .map(|world| world.name.clone());
            if let Some(oldest) = oldest {
                worlds.remove(&oldest);
            }
        }
        let world = worlds
            .entry(name.into())
            .or_insert_with(|| Arc::new(World::new(name, Arc::clone(&self.surroundings))));
        world.used.store(used, Ordering::Relaxed);
        Ok(Arc::clone(world))
    }

    /// Forgets a session; its next use makes a new one. Says whether it existed.
    pub(crate) fn forget(&self, name: &str) -> bool {
        let mut worlds = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        worlds.remove(name).is_some()
    }

    /// Forgets all sessions and says how many there were.
    pub(crate) fn forget_all(&self) -> usize {
        let mut worlds = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let count = worlds.len();
        worlds.clear();
        count
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
        let mut state = State::new(1);
        for n in 0..MAX_TENANTS {
            assert!(state.tenant(&n.to_string()).is_ok());
        }
        assert!(state.tenant("one-more").is_err());
        assert!(state.tenant("0").is_ok());
    }
}
