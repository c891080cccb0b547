//! The task that ends a session's jobs when their time has come; it runs only while some are running.
//!
//! Requests for jobs, and whoever moves the clock, end what is due themselves; the task is for a clock that runs while
//! nobody asks, so that events and webhooks are on time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::world::{State, World};

/// How long to wait where events have no room, or the data file has failed.
const PAUSE: Duration = Duration::from_millis(250);

/// What the task has of a session.
#[derive(Default)]
pub(crate) struct JobEnds {
    /// Notified when the clock was moved, or a job has come that may end sooner.
    wake: Arc<Notify>,
    /// Whether the task runs; looked at and changed under the session's lock only.
    driven: AtomicBool,
}

impl JobEnds {
    /// What the session's clock has to wake.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }
}

/// Sees to it that running jobs end: after they were read from a file or a snapshot.
pub(crate) fn start(world: &Arc<World>) {
    start_in(world, &world.state());
}

/// The same under the session's lock.
pub(super) fn start_in(world: &Arc<World>, state: &State) {
    let ends = &world.job_ends;
    if state.due_jobs.first().is_none() || ends.driven.swap(true, Ordering::AcqRel) {
        ends.wake.notify_one();
        return;
    }
    let task = drive(Arc::downgrade(world), ends.wake());
    world.surroundings.spawn(task);
}

/// What the task does next.
enum Next {
    End,
    Sleep(Duration),
    /// Waits until what it has ended is on disk, by this epoch of the session's memory.
    Settle(u64),
    WaitForWake,
}

async fn drive(world: Weak<World>, wake: Arc<Notify>) {
    loop {
        // The session is held only for a moment: one that is dropped takes its jobs with it.
        let Some(session) = world.upgrade() else {
            return;
        };
        let sleep = match step(&session) {
            Next::End => return,
            Next::WaitForWake => None,
            Next::Sleep(time) => Some(time),
            Next::Settle(epoch) => {
                // What could not be written is running again in the memory that is read anew.
                if session.kept.settled(epoch).await.is_err() {
                    drop(session);
                    tokio::time::sleep(PAUSE).await;
                }
                continue;
            }
        };
        drop(session);
        match sleep {
            None => wake.notified().await,
            Some(time) => {
                tokio::select! {
                    () = tokio::time::sleep(time) => {}
                    () = wake.notified() => {}
                }
            }
        }
    }
}

fn step(world: &Arc<World>) -> Next {
    let epoch = world.fresh_epoch();
    let mut state = world.state();
    let now_ns = world.clock.now_ns();
    if world.end_jobs_in(&mut state, now_ns) && world.kept.is_kept() {
        return Next::Settle(epoch);
    }
    match state.due_jobs.first() {
        None => {
            world.job_ends.driven.store(false, Ordering::Release);
            Next::End
        }
        // There is no room for its event.
        Some(end_ns) if end_ns <= now_ns => Next::Sleep(PAUSE),
        Some(_) if world.clock.is_frozen() => Next::WaitForWake,
        Some(end_ns) => Next::Sleep(Duration::from_nanos(end_ns - now_ns)),
    }
}
