//! The task that sends a session's deliveries when they are due; it runs only while some are pending.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::endpoint::Target;
use super::outbox::{Attempt, Outgoing};
use super::sender::{self, Answer};
use crate::clock::MS;
use crate::dispatch::desk::{About, Reported};
use crate::world::World;

/// Starts the task unless it is running.
pub(super) fn start(world: &Arc<World>) {
    {
        let mut outbox = world.webhooks.outbox();
        if outbox.driven || outbox.next_due().is_none() {
            return;
        }
        outbox.driven = true;
    }
    let wake = Arc::clone(&world.webhooks.wake);
    world.surroundings.spawn(drive(Arc::downgrade(world), wake));
}

/// What the task does next.
enum Next {
    End,
    Sleep(Duration),
    WaitForWake,
}

async fn drive(world: Weak<World>, wake: Arc<Notify>) {
    loop {
        // The session is held only for a moment: one that is dropped takes its deliveries with it.
        let Some(session) = world.upgrade() else {
            return;
        };
        let next = step(&session);
        drop(session);
        match next {
            Next::End => return,
            Next::WaitForWake => wake.notified().await,
            Next::Sleep(time) => {
                tokio::select! {
                    () = tokio::time::sleep(time) => {}
                    () = wake.notified() => {}
                }
            }
        }
    }
}

fn step(world: &Arc<World>) -> Next {
    let now_ns = world.clock.now_ns();
    let mut outbox = world.webhooks.outbox();
    for outgoing in outbox.take_due(now_ns) {
        world
            .surroundings
            .spawn(attempt(Arc::clone(world), outgoing));
    }
    if outbox.is_quiet(now_ns) {
        world.webhooks.quiet.notify_waiters();
    }
    match outbox.next_due() {
        None if outbox.is_quiet(now_ns) => {
            outbox.driven = false;
            Next::End
        }
        // All places are taken, or the clock stands: an attempt that ends or the clock wakes the task.
        None => Next::WaitForWake,
        Some(due_ns) if due_ns <= now_ns || world.clock.is_frozen() => Next::WaitForWake,
        Some(due_ns) => Next::Sleep(Duration::from_nanos(due_ns - now_ns)),
    }
}

async fn attempt(world: Arc<World>, outgoing: Outgoing) {
    let started = Instant::now();
    // A gateway that stops knows no more of the attempt.
    let Some(sent) = send(&world, &outgoing).await else {
        return;
    };
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, error) = match sent.result {
        Ok(answer) => (Some(answer.status), None),
        Err(error) => (None, Some(error)),
    };
    world.surroundings.metrics.webhook_attempt(status);
    let attempt = Attempt {
        at_ms: outgoing.at_ns / MS,
        status,
        error,
        took_ms: sent.by.as_ref().map_or(took_ms, |_| sent.took_ms),
        by: sent.by,
    };
    let seed = world.state().options.seed;
    let now_ns = world.clock.now_ns();
    world
        .webhooks
        .outbox()
        .attempted(&outgoing, attempt, now_ns, seed);
    world.webhooks.wake.notify_one();
}

/// Makes an attempt, or has a worker make it. `None`: the gateway stops.
async fn send(world: &World, outgoing: &Outgoing) -> Option<Reported> {
    let url = match &outgoing.target {
        Target::Address(url) => url,
        Target::Listener(listener) => {
            return Some(Reported::here(
                listener.send(outgoing).await.map(Answer::of),
            ));
        }
    };
    let own_ports = world.surroundings.own_ports();
    let Some(desk) = world.surroundings.desk() else {
        let answer = match outgoing.post(url) {
            Ok(post) => sender::post(&post, own_ports).await,
            Err(error) => Err(error),
        };
        return Some(Reported::here(answer));
    };
    let about = About {
        session: &world.name,
        delivery: outgoing.name(),
        attempt: outgoing.attempt,
        own_ports,
    };
    desk.send(about, || outgoing.post(url)).await.ok()
}
