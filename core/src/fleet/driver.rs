//! The thread that asks Redis, so that calls need not: whatever drives the calls may rest meanwhile, as Python's
//! synchronous client does between two of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatewright_engine::fleet::{Errand, Terms};
use gatewright_engine::{Instant, Random};

use super::member::{Desk, Member};
use super::store::Store;

/// The longest sleep: timers need not reach further.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Randomness for the times of probes; need not be hard to guess.
struct Noise;

impl Random for Noise {
    fn next_u64(&mut self) -> u64 {
        getrandom::u64().unwrap_or(u64::MAX / 2)
    }
}

/// Starts the thread. Where that cannot be, Redis counts as away.
pub(super) fn start(member: &Member, desk: &Arc<Desk>) {
    let started = Store::new(&member.config, &member.name, &member.terms).and_then(|store| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let driver = Driver {
            desk: Arc::clone(desk),
            store,
            terms: member.terms.clone(),
            name: member.name.clone(),
        };
        std::thread::Builder::new()
            .name("gatewright-quota".to_owned())
            .spawn(move || runtime.block_on(driver.run()))
            .map_err(|error| error.to_string())
    });
    if let Err(why) = started {
        tracing::warn!(target: "gatewright", quota = %member.name, "the shared quota cannot be used: {why}");
        desk.with(|state, now| {
            state.driver_sleeps = Instant::ORIGIN;
            state.share.on_away(now, &mut Noise)
        });
    }
}

struct Driver {
    desk: Arc<Desk>,
    store: Store,
    terms: Terms,
    name: String,
}

impl Driver {
    async fn run(mut self) {
        while !self.desk.closing.load(Ordering::Acquire) {
            let errand = self.desk.with(|state, now| {
                let errand = state.share.next(now);
                state.driver_sleeps = match &errand {
                    Errand::Sleep { until } => *until,
                    Errand::Ask(_) => Instant::ORIGIN,
                };
                errand
            });
            match errand {
                Errand::Sleep { until } => {
                    let sleep = until.since(self.desk.now()).min(LONGEST_SLEEP);
                    let _ = tokio::time::timeout(sleep, self.desk.notify.notified()).await;
                    self.desk
                        .with(|state, _| state.driver_sleeps = Instant::ORIGIN);
                }
                Errand::Ask(ask) => {
                    let (asked, answer) = {
                        let connected = self.store.connect().await;
                        let asked = self.desk.now();
                        match connected {
                            Ok(()) => (asked, self.store.ask(&ask).await),
                            Err(why) => (asked, Err(why)),
                        }
                    };
                    match answer {
                        Ok(grant) => self.on_answer(asked, &grant),
                        Err(why) => self.on_away(&why),
                    }
                }
            }
        }
        let ask = self.desk.with(|state, now| state.share.farewell(now));
        let _ = self.store.ask(&ask).await;
    }

    fn on_answer(&self, asked: Instant, grant: &gatewright_engine::fleet::Grant) {
        let was_away = self
            .desk
            .with(|state, now| state.share.on_answer(asked, now, grant));
        if was_away {
            tracing::info!(
                target: "gatewright",
                quota = %self.name,
                processes = grant.processes,
                "the shared quota is back: Redis answers again"
            );
        }
    }

    fn on_away(&self, why: &str) {
        let (newly, state) = self.desk.with(|state, now| {
            let newly = state.share.on_away(now, &mut Noise);
            (newly, state.share.state(now))
        });
        if newly {
            let processes = match state.processes {
                0 => self.terms.settings.assumed_processes,
                seen => seen,
            };
            tracing::warn!(
                target: "gatewright",
                quota = %self.name,
                processes,
                "the shared quota cannot reach Redis: {why}; this process takes 1/{processes} of {} until it can",
                state.quota
            );
        }
    }
}
