//! Webhooks by workers: one attempt of a delivery is one job on the bus.
//!
//! The outbox of a session decides as ever, on its own clock: what is sent, when it is tried again, when it is given up. Only
//! the sending leaves the process: the [`desk`] publishes a job and waits for its report; a [`worker`], in this process or in
//! any other, takes the job under a lease, makes the request, and reports.
//!
//! | An attempt is | Leaves by | To |
//! |---|---|---|
//! | waiting | the bus took its job | on the bus |
//! | waiting | the bus is away or full | waiting: nothing is lost, and no attempt is used up |
//! | on the bus | a worker took it | leased |
//! | on the bus, leased | nothing is heard of it for long, though later ones were reported | on the bus once more: a broker that died lost it |
//! | leased | the worker's report | done: the session's outbox notes the attempt |
//! | leased | its worker died, the lease ends | on the bus, for another worker |
//!
//! So a request is made at least once for each attempt, and more than once only where a worker or a broker died after it was made.

pub(crate) mod desk;
pub(crate) mod job;
mod relay;
pub(crate) mod worker;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::watch;

use crate::bus::{Bus, Topic};
use crate::bus_options::{BusOptions, inner_work};
use crate::client::Client;
use crate::world::Worlds;
use desk::Desk;

/// How long a job belongs to the worker that took it; a worker at work extends it.
pub(crate) const LEASE: Duration = Duration::from_secs(5);
/// Jobs and reports the bus holds.
const MAX_JOBS: u64 = 10_000;

/// The group of jobs that workers take.
pub(crate) const WORKERS: &str = "workers";
/// The group of reports that the gateway takes.
pub(crate) const GATEWAY: &str = "gateway";

/// Jobs on their way to workers.
pub(crate) fn jobs(lease: Duration) -> Topic {
    Topic {
        name: "jobs".into(),
        groups: vec![WORKERS.into()],
        lease,
        most: MAX_JOBS,
    }
}

/// Reports on their way back.
pub(crate) fn reports() -> Topic {
    Topic {
        name: "reports".into(),
        groups: vec![GATEWAY.into()],
        lease: LEASE,
        most: MAX_JOBS,
    }
}

/// The bus of a gateway that is about to start.
pub(crate) struct Dispatch {
    bus: Arc<dyn Bus>,
    options: BusOptions,
    life: String,
}

impl Dispatch {
    /// Opens the bus: what is wrong with it is said before the gateway answers.
    pub(crate) fn open(options: &BusOptions) -> io::Result<Self> {
        let mut random = [0; 8];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| io::Error::other("the system has no randomness for the ids of jobs"))?;
        Ok(Self {
            bus: options.open()?,
            options: options.clone(),
            life: format!("{:016x}", u64::from_le_bytes(random)),
        })
    }

    /// Starts the workers of this process and the taking of reports, until `stop`.
    pub(crate) fn start(self, stop: &watch::Receiver<bool>, client: &Client) -> Arc<Desk> {
        let lease = self.options.lease;
        for number in 0..self.options.workers {
            let work = inner_work(number, lease, client);
            tokio::spawn(worker::work(Arc::clone(&self.bus), work, stop.clone()));
        }
        let desk = Arc::new(Desk::new(self.bus, lease, self.life));
        tokio::spawn(Arc::clone(&desk).take_reports(stop.clone()));
        desk
    }
}

/// Starts publishing events for the groups that were asked for, if any.
pub(crate) fn start_relay(
    desk: &Arc<Desk>,
    groups: &[String],
    worlds: &Arc<Worlds>,
    stop: &watch::Receiver<bool>,
) {
    if groups.is_empty() {
        return;
    }
    let relaying = relay::relay(
        Arc::downgrade(worlds),
        Arc::clone(worlds.published()),
        Arc::clone(desk),
        relay::events(groups),
        stop.clone(),
    );
    tokio::spawn(relaying);
}
