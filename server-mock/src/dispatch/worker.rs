//! A worker: takes jobs under a lease, makes their requests, reports, and only then lets go of the job.
//!
//! | A job is | Leaves by | To |
//! |---|---|---|
//! | taken | the request ended, well or not | to be reported |
//! | taken, to be reported | a third of the lease | the same, its lease extended |
//! | to be reported | the bus took the report | acknowledged |
//! | to be reported | the bus is away | to be reported again |
//! | taken, to be reported | the worker was told to stop, and its grace is over | left to another worker |
//!
//! A worker that is killed leaves its jobs to the next one, when their leases end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, watch};

use super::job::{Came, Job, Report};
use super::{WORKERS, jobs, reports};
use crate::bus::{Bus, BusError, Lease, Message};
use crate::client::Client;
use crate::webhooks;

/// How long one look for jobs lasts.
const LOOK: Duration = Duration::from_secs(1);
/// Pauses while the bus is away: from, to.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];
/// How long a worker that was told to stop goes on with what it has begun.
const GRACE: Duration = Duration::from_secs(5);
/// What is kept of a text that says why there was no answer.
const MAX_ERROR_CHARS: usize = 500;

/// How a worker works.
#[derive(Clone)]
pub(crate) struct Work {
    /// Shown beside its attempts.
    pub(crate) name: String,
    /// Requests at the same time.
    pub(crate) at_once: usize,
    /// The lease of a job.
    pub(crate) lease: Duration,
    /// For addresses that are `https:`.
    pub(crate) client: Client,
}

/// Works until told to stop, then ends the requests it has begun.
pub(crate) async fn work(bus: Arc<dyn Bus>, work: Work, mut stop: watch::Receiver<bool>) {
    let jobs = jobs(work.lease);
    let places = Arc::new(Semaphore::new(work.at_once));
    let work = Arc::new(work);
    let mut pause = PAUSES[0];
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let free = 1 + places.available_permits();
        let taken = tokio::select! {
            taken = bus.take(&jobs, WORKERS, free, LOOK) => taken,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        drop(place);
        match taken {
            Ok(leases) => {
                pause = PAUSES[0];
                for lease in leases {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                        return;
                    };
                    let (bus, work, stop) = (Arc::clone(&bus), Arc::clone(&work), stop.clone());
                    tokio::spawn(async move {
                        finish(&*bus, &work, lease, stop).await;
                        drop(place);
                    });
                }
            }
            Err(_) => {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stop.wait_for(|stop| *stop) => break,
                }
                pause = (pause * 2).min(PAUSES[1]);
            }
        }
    }
    // Every request that was begun gives its place back when it has been reported.
    let all = u32::try_from(work.at_once).unwrap_or(u32::MAX);
    // An error means that nobody has a place.
    let _ = places.acquire_many(all).await;
}

/// One job, from its request to its acknowledgement.
async fn finish(bus: &dyn Bus, work: &Work, lease: Lease, mut stop: watch::Receiver<bool>) {
    let reported = async {
        let Some(report) = attempt(work, &lease).await else {
            return;
        };
        let mut pause = PAUSES[0];
        // What is refused was never a report and will not become one.
        while let Err(BusError::Away(_) | BusError::Full { .. }) =
            bus.publish(&reports(), report.clone()).await
        {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES[1]);
        }
    };
    let kept = async {
        loop {
            tokio::time::sleep(work.lease / 3).await;
            // Tried again where it fails; where the lease is lost, the report is still true.
            let _ = lease.held.extend().await;
        }
    };
    let told_to_hurry = async {
        // An error means that nobody is left who could tell.
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = reported => {}
        () = kept => {}
        // Another worker makes the request again, at once where the bus hears of it.
        () = told_to_hurry => {
            let _ = lease.held.nack(Duration::ZERO).await;
            return;
        }
    }
    for _ in 0..3 {
        if !matches!(lease.held.ack().await, Err(BusError::Away(_))) {
            return;
        }
        tokio::time::sleep(PAUSES[0]).await;
    }
    // The job comes again and its report is a duplicate: the request is made once more, which at-least-once allows.
}

/// Makes the request. `None` for what is no job: it is done with.
async fn attempt(work: &Work, lease: &Lease) -> Option<Message> {
    let job: Job = serde_json::from_slice(&lease.message.payload).ok()?;
    let begun = Instant::now();
    let result = match job.post() {
        Ok(post) => webhooks::post(&post, &job.own_ports, &work.client).await,
        Err(error) => Err(error.into()),
    };
    let report = Report {
        worker: work.name.clone(),
        taken: lease.taken,
        result: result
            .as_ref()
            .map(Came::of)
            .map_err(|error| error.why.chars().take(MAX_ERROR_CHARS).collect()),
        tls: result.as_ref().err().and_then(|error| error.tls),
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        job: job.id,
    };
    let payload = serde_json::to_vec(&report).ok()?;
    Some(Message {
        // One report for each job that was published: of two workers that made the same request the first one counts.
        id: lease.message.id.clone(),
        key: None,
        payload: Bytes::from(payload),
    })
}
