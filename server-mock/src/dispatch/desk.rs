//! The gateway's side: publishes the jobs of its sessions, and gives each report to whoever waits for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use super::job::{Came, Job, Report};
use super::{GATEWAY, jobs, reports};
use crate::bus::link::LinkState;
use crate::bus::{Bus, BusError, Lease, Message, Topic};
use crate::lock::lock;
use crate::webhooks::{Answer, Post, Unanswered};

/// How many leases, and the time of the request, a report may take once a later job was reported: then the job or its report
/// was lost by a broker that died, and the job is published anew. So many times that, if no later job was reported.
const LATE_LEASES: u32 = 4;
const LATER_TIMES: u32 = 10;
/// Reports taken at once.
const AT_ONCE: usize = 64;
/// How long one look for reports lasts.
const LOOK: Duration = Duration::from_secs(1);
/// Pauses while the bus is away: from, to.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

/// Where attempts are handed to workers.
pub(crate) struct Desk {
    bus: Arc<dyn Bus>,
    jobs: Topic,
    reports: Topic,
    /// Before the number in every job's id: two lives of a gateway do not mix up their jobs.
    life: String,
    last: AtomicU64,
    waiting: Mutex<HashMap<String, oneshot::Sender<Report>>>,
    /// The highest number of a job that was reported.
    newest: AtomicU64,
    counts: Counts,
    /// Of events, where they are published too.
    relay: OnceLock<RelayCounts>,
}

/// What became of events.
#[derive(Default)]
pub(crate) struct RelayCounts {
    pub(crate) relayed: AtomicU64,
    pub(crate) refused: AtomicU64,
}

#[derive(Default)]
struct Counts {
    unsent: AtomicU64,
    in_flight: AtomicU64,
    published: AtomicU64,
    reported: AtomicU64,
    repeated: AtomicU64,
    asked_again: AtomicU64,
    unknown: AtomicU64,
}

/// The bus and what is on it, as the admin port shows it.
#[derive(Debug, Serialize)]
pub(crate) struct DeskState {
    #[serde(flatten)]
    pub(crate) link: LinkState,
    /// Attempts whose job the bus has not taken yet.
    pub(crate) unsent: u64,
    /// Attempts whose job is on the bus or with a worker.
    pub(crate) in_flight: u64,
    /// Jobs that the bus took.
    pub(crate) published: u64,
    /// Attempts that were reported.
    pub(crate) reported: u64,
    /// Attempts that had been begun by a worker that was lost.
    pub(crate) repeated: u64,
    /// Jobs that were published anew, because a broker had lost them or their reports.
    pub(crate) asked_again: u64,
    /// Reports nobody waits for: of an earlier life of this gateway, or of another that uses the same name.
    pub(crate) unknown: u64,
    /// Events that the bus took, in this life of the gateway; nothing where events are not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) relayed: Option<u64>,
    /// Events that the bus will never take, such as those larger than its server allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<u64>,
}

/// What an attempt is about, for whoever looks into the bus.
pub(crate) struct About<'a> {
    pub(crate) session: &'a str,
    pub(crate) delivery: String,
    pub(crate) attempt: usize,
    pub(crate) own_ports: &'a [u16],
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) result: Result<Answer, Unanswered>,
    /// Real milliseconds it took the worker.
    pub(crate) took_ms: u64,
    /// Who made it, where it was a worker.
    pub(crate) by: Option<SentBy>,
}

/// The worker that made an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SentBy {
    /// The worker's name.
    pub worker: String,
    /// Workers that had taken it before and were lost: each may have made the request too.
    pub lost: u64,
}

/// The gateway stops: nothing more is known of the attempt.
#[derive(Debug)]
pub(crate) struct Stopped;

/// One more, until it is dropped.
struct Counted<'a>(&'a AtomicU64);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Nobody waits for the report any more.
struct Waiting<'a> {
    desk: &'a Desk,
    job: &'a str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.desk.waiting).remove(self.job);
    }
}

impl Desk {
    pub(crate) fn new(bus: Arc<dyn Bus>, lease: Duration, life: String) -> Self {
        Self {
            bus,
            jobs: jobs(lease),
            reports: reports(),
            life,
            last: AtomicU64::new(0),
            waiting: Mutex::default(),
            newest: AtomicU64::new(0),
            counts: Counts::default(),
            relay: OnceLock::new(),
        }
    }

    /// Events are published too; they are counted here.
    pub(crate) fn relay(&self) -> &RelayCounts {
        self.relay.get_or_init(RelayCounts::default)
    }

    pub(crate) fn bus(&self) -> &Arc<dyn Bus> {
        &self.bus
    }

    pub(crate) fn state(&self) -> DeskState {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        DeskState {
            link: self.bus.link().state(),
            unsent: count(&self.counts.unsent),
            in_flight: count(&self.counts.in_flight),
            published: count(&self.counts.published),
            reported: count(&self.counts.reported),
            repeated: count(&self.counts.repeated),
            asked_again: count(&self.counts.asked_again),
            unknown: count(&self.counts.unknown),
            relayed: self.relay.get().map(|relay| count(&relay.relayed)),
            refused: self.relay.get().map(|relay| count(&relay.refused)),
        }
    }

    /// Has one attempt made by a worker. Waits for as long as the bus is away and no worker is there; ends with the gateway.
    pub(crate) async fn send(
        &self,
        about: About<'_>,
        post: impl Fn() -> Result<Post, String>,
    ) -> Result<Reported, Stopped> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", self.life);
        let (report, mut reported) = oneshot::channel();
        lock(&self.waiting).insert(id.clone(), report);
        let _waiting = Waiting {
            desk: self,
            job: &id,
        };
        let mut time = 0_u32;
        loop {
            // A name of its own each time: the bus may remember one whose job it has lost.
            let name = match time {
                0 => id.clone(),
                again => format!("{id}-{again}"),
            };
            let late = match self.publish(name, &id, &about, &post).await {
                Ok(timeout) => self.jobs.lease * LATE_LEASES + timeout,
                Err(error) => {
                    return Ok(Reported {
                        result: Err(error.into()),
                        took_ms: 0,
                        by: None,
                    });
                }
            };
            let _in_flight = Counted::new(&self.counts.in_flight);
            let lost = async {
                for _ in 0..LATER_TIMES {
                    tokio::time::sleep(late).await;
                    if self.newest.load(Ordering::Relaxed) > number {
                        return;
                    }
                }
            };
            tokio::select! {
                report = &mut reported => {
                    let report = report.map_err(|_| Stopped)?;
                    return Ok(Reported {
                        result: report.result.map(Came::answer).map_err(|why| Unanswered {
                            why,
                            tls: report.tls,
                        }),
                        took_ms: report.took_ms,
                        by: Some(SentBy {
                            worker: report.worker,
                            lost: report.taken.saturating_sub(1),
                        }),
                    });
                }
                () = lost => {}
            }
            time = time.saturating_add(1);
            self.counts.asked_again.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns when the bus has the job: how long its request may take; or the reason, where there is none to make.
    async fn publish(
        &self,
        name: String,
        id: &str,
        about: &About<'_>,
        post: &impl Fn() -> Result<Post, String>,
    ) -> Result<Duration, String> {
        let _unsent = Counted::new(&self.counts.unsent);
        let mut pause = PAUSES[0];
        loop {
            // Made anew each time: the signature says when it was made.
            let job = Job {
                id: id.to_owned(),
                session: about.session.to_owned(),
                delivery: about.delivery.clone(),
                attempt: about.attempt,
                url: String::new(),
                headers: Vec::new(),
                body: String::new(),
                timeout_ms: 0,
                connect_timeout_ms: 0,
                own_ports: about.own_ports.to_vec(),
            };
            let request = post()?;
            let job =
                serde_json::to_vec(&job.carry(&request)).map_err(|error| error.to_string())?;
            let message = Message {
                id: name.clone(),
                key: None,
                payload: Bytes::from(job),
            };
            match self.bus.publish(&self.jobs, message).await {
                Ok(_) => {
                    self.counts.published.fetch_add(1, Ordering::Relaxed);
                    return Ok(Duration::from_millis(request.timeout_ms));
                }
                Err(BusError::Refused(why)) => return Err(why),
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES[1]);
        }
    }

    /// Takes reports until the gateway stops.
    pub(crate) async fn take_reports(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut pause = PAUSES[0];
        loop {
            let taken = tokio::select! {
                taken = self.bus.take(&self.reports, GATEWAY, AT_ONCE, LOOK) => taken,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match taken {
                Ok(leases) => {
                    pause = PAUSES[0];
                    join_all(leases.iter().map(|lease| self.hand_over(lease))).await;
                }
                Err(_) => {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.wait_for(|stop| *stop) => return,
                    }
                    pause = (pause * 2).min(PAUSES[1]);
                }
            }
        }
    }

    /// The number of a job of this desk.
    fn number(&self, job: &str) -> Option<u64> {
        job.strip_prefix(&self.life)?
            .strip_prefix('-')?
            .parse()
            .ok()
    }

    async fn hand_over(&self, lease: &Lease) {
        if let Ok(report) = serde_json::from_slice::<Report>(&lease.message.payload) {
            let repeated = report.taken > 1;
            if let Some(number) = self.number(&report.job) {
                self.newest.fetch_max(number, Ordering::Relaxed);
            }
            let waits = lock(&self.waiting).remove(&report.job);
            if waits.is_some_and(|waits| waits.send(report).is_ok()) {
                self.counts.reported.fetch_add(1, Ordering::Relaxed);
                self.counts
                    .repeated
                    .fetch_add(u64::from(repeated), Ordering::Relaxed);
            } else if lease.taken == 1 {
                self.counts.unknown.fetch_add(1, Ordering::Relaxed);
            }
        }
        // One that is not acknowledged comes again, and nobody waits for it then.
        let _ = lease.held.ack().await;
    }
}
