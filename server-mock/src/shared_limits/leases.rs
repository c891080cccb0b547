//! The places of calls in progress in a shared store. A place is a lease: it ends by itself when nobody renews it, so that
//! a process that died holds none.
//!
//! | State | Known by | Leaves by |
//! |---|---|---|
//! | running | `running`; renewed every third of its time | the call ends: ended |
//! | ended | `ended`; the next question about the same caller lets it go, or the tender within milliseconds | the store has let it go |
//!
//! A place whose claim got no answer is ended too: nobody knows whether the store has it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{Claim, SharedLimits};
use crate::clock::real_now_ns;
use crate::lock::lock;
use crate::stable_hash::stable_hash;

/// How long the next question has to take ended places with it before they are let go by themselves.
const SETTLE: Duration = Duration::from_millis(2);

/// The places of this process.
pub(super) struct Leases {
    process: u64,
    next: AtomicU64,
    lasts: Duration,
    running: Mutex<HashMap<u64, Running>>,
    ended: Mutex<HashMap<Arc<str>, Vec<u64>>>,
    wake: Notify,
}

struct Running {
    place: Arc<str>,
    renewed: Instant,
}

/// A place of a call in progress; dropped, it is let go.
pub(crate) struct Lease {
    leases: Arc<Leases>,
    place: Arc<str>,
    number: u64,
    taken: bool,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("place", &self.place)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Lease {
    /// The store did not give it.
    pub(super) fn was_not_taken(mut self) {
        self.taken = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.leases.running).remove(&self.number);
        if self.taken {
            lock(&self.leases.ended)
                .entry(Arc::clone(&self.place))
                .or_default()
                .push(self.number);
            self.leases.wake();
        }
    }
}

impl Leases {
    pub(super) fn new(lasts: Duration) -> Arc<Self> {
        let address = std::ptr::from_ref(&lasts).addr();
        let process = stable_hash(&[
            &std::process::id().to_le_bytes(),
            &real_now_ns().to_le_bytes(),
            &address.to_le_bytes(),
        ]);
        Arc::new(Self {
            process,
            next: AtomicU64::new(0),
            lasts,
            running: Mutex::default(),
            ended: Mutex::default(),
            wake: Notify::new(),
        })
    }

    pub(super) fn begin(self: &Arc<Self>, place: &str) -> Lease {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place: Arc<str> = place.into();
        let running = Running {
            place: Arc::clone(&place),
            renewed: Instant::now(),
        };
        lock(&self.running).insert(number, running);
        Lease {
            leases: Arc::clone(self),
            place,
            number,
            taken: true,
        }
    }

    pub(super) fn claim(&self, lease: &Lease) -> Claim {
        self.claim_of(lease.number)
    }

    fn claim_of(&self, number: u64) -> Claim {
        Claim {
            id: self.name(number),
            lasts: self.lasts,
        }
    }

    fn name(&self, number: u64) -> String {
        format!("{:016x}-{number:x}", self.process)
    }

    pub(super) fn names(&self, numbers: &[u64]) -> Vec<String> {
        numbers.iter().map(|number| self.name(*number)).collect()
    }

    /// The places at this caller that are to be let go.
    pub(super) fn ended_at(&self, place: &str) -> Vec<u64> {
        lock(&self.ended).get(place).cloned().unwrap_or_default()
    }

    /// The store has let them go.
    pub(super) fn let_go(&self, place: &str, gone: &[u64]) {
        if gone.is_empty() {
            return;
        }
        let mut ended = lock(&self.ended);
        if let Some(left) = ended.get_mut(place) {
            left.retain(|number| !gone.contains(number));
            if left.is_empty() {
                ended.remove(place);
            }
        }
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Running places that have not been renewed for a third of their time, by caller.
    fn due(&self) -> HashMap<Arc<str>, Vec<u64>> {
        let mut due: HashMap<Arc<str>, Vec<u64>> = HashMap::new();
        for (number, running) in lock(&self.running).iter_mut() {
            if running.renewed.elapsed() >= self.lasts / 3 {
                due.entry(Arc::clone(&running.place))
                    .or_default()
                    .push(*number);
            }
        }
        due
    }

    /// The store has renewed them; those that ended meanwhile are to be let go once more.
    fn renewed(&self, place: &Arc<str>, numbers: &[u64]) {
        let mut running = lock(&self.running);
        for number in numbers {
            if let Some(running) = running.get_mut(number) {
                running.renewed = Instant::now();
            } else {
                lock(&self.ended)
                    .entry(Arc::clone(place))
                    .or_default()
                    .push(*number);
            }
        }
    }
}

/// Lets ended places go and renews the others, for as long as the limits are there.
pub(super) fn tend(shared: &Arc<SharedLimits>) {
    let (this, leases) = (Arc::downgrade(shared), Arc::clone(&shared.leases));
    tokio::spawn(async move {
        loop {
            let beat = (leases.lasts / 6).max(Duration::from_millis(10));
            // Whether woken or not, there may be something to renew.
            let _ = timeout(beat, leases.wake.notified()).await;
            tokio::time::sleep(SETTLE).await;
            let Some(shared) = this.upgrade() else {
                return;
            };
            if shared.state().away {
                continue;
            }
            if let Err((place, why)) = round(&shared).await {
                shared.lose(&place, &why);
            }
        }
    });
}

async fn round(shared: &SharedLimits) -> Result<(), (String, String)> {
    let leases = &shared.leases;
    let stale: Vec<String> = lock(&shared.stale).iter().cloned().collect();
    for place in stale {
        let forgotten = shared.store.forget(std::slice::from_ref(&place));
        bounded(shared, &place, forgotten).await?;
        shared.fresh(&place);
    }
    let ended: Vec<(Arc<str>, Vec<u64>)> = lock(&leases.ended)
        .iter()
        .map(|(place, numbers)| (Arc::clone(place), numbers.clone()))
        .collect();
    for (place, numbers) in ended {
        let names = leases.names(&numbers);
        let done = shared.store.tend(&place, &names, &[]);
        bounded(shared, &place, done).await?;
        leases.let_go(&place, &numbers);
    }
    for (place, numbers) in leases.due() {
        let claims: Vec<Claim> = numbers
            .iter()
            .map(|number| leases.claim_of(*number))
            .collect();
        let done = shared.store.tend(&place, &[], &claims);
        bounded(shared, &place, done).await?;
        leases.renewed(&place, &numbers);
    }
    Ok(())
}

async fn bounded(
    shared: &SharedLimits,
    place: &str,
    done: super::Pending<'_, ()>,
) -> Result<(), (String, String)> {
    let deadline = shared.settings.deadline;
    match timeout(deadline, done).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err((place.into(), why)),
        Err(_) => Err((place.into(), super::late(deadline))),
    }
}
