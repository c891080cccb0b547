//! The task that sends a session's deliveries when they are due; it runs only while some are pending.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::delivery::Attempt;
use super::endpoint::Target;
use super::excerpt::{Excerpt, excerpt_of, shortened};
use super::outbox::Outgoing;
use super::sender::{self, Answer, Unanswered};
use crate::clock::MS;
use crate::dispatch::desk::{About, SentBy};
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
    let options = Arc::clone(&world.state().options);
    let now_ns = world.clock.now_ns();
    let mut outbox = world.webhooks.outbox();
    for outgoing in outbox.take_due(now_ns, &options.webhooks) {
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
    if world.kept.is_kept() && world.kept.settled(world.kept.epoch()).await.is_err() {
        // What was to be sent never came to be; the memory is that of the file again.
        drop(world.state());
        return;
    }
    let started = Instant::now();
    // A gateway that stops knows no more of the attempt.
    let Some(sent) = send(&world, &outgoing).await else {
        return;
    };
    let mut attempt = Attempt {
        at_ms: outgoing.at_ns / MS,
        status: None,
        error: None,
        tls_error: None,
        took_ms: sent
            .took_ms
            .unwrap_or_else(|| u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)),
        retry_after_ms: None,
        request: sent.request,
        response: None,
        by: sent.by,
    };
    let mut retry_after = None;
    match sent.result {
        Ok(answer) => {
            attempt.status = Some(answer.status);
            retry_after = answer.retry_after().map(str::to_owned);
            attempt.response = response_of(&answer, &outgoing.hidden);
        }
        Err(unanswered) => {
            attempt.error = Some(unanswered.why);
            attempt.tls_error = unanswered.tls;
        }
    }
    world.surroundings.metrics.webhook_attempt(attempt.status);
    let options = Arc::clone(&world.state().options);
    let now_ns = world.clock.now_ns();
    let told = {
        let mut outbox = world.webhooks.outbox();
        let told = outbox.attempted(
            &outgoing,
            attempt,
            retry_after.as_deref(),
            now_ns,
            &options.webhooks,
            options.seed,
        );
        world.keep(&mut outbox);
        told
    };
    if let Some(disabling) = told {
        world.tell_disabled(&disabling);
    }
    world.webhooks.wake.notify_one();
}

/// What was sent, and what came of it.
struct Sent {
    request: Option<Excerpt>,
    result: Result<Answer, Unanswered>,
    /// Of whoever made it elsewhere: who, and how long it took.
    by: Option<SentBy>,
    took_ms: Option<u64>,
}

impl Sent {
    fn here(request: Option<Excerpt>, result: Result<Answer, Unanswered>) -> Self {
        Self {
            request,
            result,
            by: None,
            took_ms: None,
        }
    }
}

/// Makes an attempt, or has a worker make it. `None`: the gateway stops.
async fn send(world: &World, outgoing: &Outgoing) -> Option<Sent> {
    let url = match &outgoing.target {
        Target::Address(url) => url,
        Target::Listener(listener) => {
            let answer = listener.send(outgoing).await.map(Answer::of);
            return Some(Sent::here(None, answer.map_err(Unanswered::from)));
        }
    };
    let post = match outgoing.post(url, outgoing.at_ns) {
        Ok(post) => post,
        Err(error) => return Some(Sent::here(None, Err(error.into()))),
    };
    let request = Some(request_of(&post, &outgoing.hidden));
    let own_ports = world.surroundings.own_ports();
    let Some(desk) = world.surroundings.desk() else {
        let client = &world.surroundings.client;
        let result = sender::post(&post, own_ports, client).await;
        return Some(Sent::here(request, result));
    };
    let about = About {
        session: &world.name,
        delivery: outgoing.name(),
        attempt: outgoing.attempt,
        own_ports,
    };
    let sign = || outgoing.post(url, world.clock.now_ns());
    let reported = desk.send(about, sign).await.ok()?;
    Some(Sent {
        request,
        result: reported.result,
        by: reported.by,
        took_ms: Some(reported.took_ms),
    })
}

fn request_of(post: &sender::Post, hidden: &[String]) -> Excerpt {
    let headers = post.headers.iter().filter_map(|(name, value)| {
        let name = http::HeaderName::try_from(name.as_str()).ok()?;
        Some((name, http::HeaderValue::try_from(value.as_str()).ok()?))
    });
    // The body is kept once, with the delivery.
    excerpt_of(shortened(&headers.collect(), hidden), b"", false, &[])
}

/// Nothing, where only the status is known.
fn response_of(answer: &Answer, hidden: &[String]) -> Option<Excerpt> {
    let is_bare = answer.headers.is_empty() && answer.body.is_empty();
    let headers = shortened(&answer.headers, hidden);
    (!is_bare).then(|| excerpt_of(headers, &answer.body, answer.goes_on, hidden))
}
