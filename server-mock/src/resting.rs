//! Sessions of a data file that have something to send and no place in memory: they go on when there is one.
//!
//! | A session of the file is | Leaves by | To |
//! |---|---|---|
//! | in memory | another needs its place; those with work are the last to give theirs | resting, if it has work; else only in the file |
//! | resting | a place that is free, or whose session is idle and has no work | in memory, where it goes on |
//! | resting | a request | the same |
//! | resting | it is forgotten | gone |
//!
//! As many are in memory as a gateway may have sessions. While all of these have work the others wait, without a request
//! being needed. Without a data file nobody rests: what makes room is gone.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::lock::lock;
use crate::world::{NoWorld, World, Worlds};

/// How often a place is looked for, in real time.
const LOOK: Duration = Duration::from_millis(100);

/// The names of sessions that rest.
#[derive(Default)]
pub(crate) struct Resting {
    names: Mutex<BTreeSet<Box<str>>>,
    changed: Notify,
}

impl Resting {
    pub(crate) fn add(&self, name: &str) {
        lock(&self.names).insert(name.into());
        self.changed.notify_one();
    }

    pub(crate) fn remove(&self, name: &str) {
        lock(&self.names).remove(name);
    }

    pub(crate) fn clear(&self) {
        lock(&self.names).clear();
    }

    fn first(&self) -> Option<Box<str>> {
        lock(&self.names).first().cloned()
    }
}

impl World {
    /// Whether it has something to do that needs no request: webhooks, notices, ends of jobs, events for the bus.
    pub(crate) fn has_work(&self) -> bool {
        let now_ns = self.clock.now_ns();
        let webhooks = {
            let outbox = self.webhooks.outbox();
            // What is due later on a clock that stands is not due by itself.
            !outbox.is_quiet(now_ns) || (!self.clock.is_frozen() && outbox.next_due().is_some())
        };
        // Nor does a job end by itself on such a clock.
        let jobs = !self.clock.is_frozen() && self.next_job_end().is_some();
        webhooks || jobs || self.notices.are_pending() || self.events_to_relay() > 0
    }
}

/// Gives places to those that rest, until the gateway stops.
pub(crate) async fn wake(worlds: Weak<Worlds>, mut stop: watch::Receiver<bool>) {
    let go_on = async {
        loop {
            let Some(all) = worlds.upgrade() else {
                return;
            };
            let Some(name) = all.resting().first() else {
                // The gateway holds it: it is told to stop before it is gone.
                all.resting().changed.notified().await;
                continue;
            };
            if all.has_place() {
                if let Err(NoWorld::Unreadable(trouble)) = all.world(&name) {
                    say_unreadable(&trouble.reason());
                }
                all.resting().remove(&name);
                tokio::task::yield_now().await;
            } else {
                drop(all);
                tokio::time::sleep(LOOK).await;
            }
        }
    };
    tokio::select! {
        () = go_on => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

fn say_unreadable(why: &str) {
    // There is nobody to tell that standard error is closed.
    let _ = writeln!(
        std::io::stderr(),
        "gatewright-gateway: a session that has something to send cannot be read from the data file: {why}"
    );
}
