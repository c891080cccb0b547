//! The task that sends a session's notices when they are due; it runs only while some are pending. One at a time for each session, in
//! their order as far as retries allow.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::settings::SINK;
use super::{DELAYS_MS, Integration, Notice, NoticeAttempt, NoticeState, Outcome, email, slack};
use crate::clock::MS;
use crate::world::World;

/// How often a clock that stands, or may be moved, is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// Starts the task unless it is running or has nothing to do.
pub(crate) fn start(world: &Arc<World>) {
    let mut inner = world.notices.inner();
    let has_work = inner
        .list
        .iter()
        .any(|notice| notice.state == NoticeState::Pending);
    if !has_work || std::mem::replace(&mut inner.driven, has_work) {
        world.notices.wake.notify_one();
        return;
    }
    drop(inner);
    let wake = Arc::clone(&world.notices.wake);
    world.surroundings.spawn(drive(Arc::downgrade(world), wake));
}

enum Next {
    End,
    Wait(Duration),
    Send { notice: Notice, life: u64 },
}

async fn drive(world: Weak<World>, wake: Arc<tokio::sync::Notify>) {
    loop {
        let Some(session) = world.upgrade() else {
            return;
        };
        match next(&session) {
            Next::End => return,
            Next::Wait(time) => {
                drop(session);
                tokio::select! {
                    () = tokio::time::sleep(time) => {}
                    () = wake.notified() => {}
                }
            }
            Next::Send { notice, life } => attempt(&session, notice, life).await,
        }
    }
}

fn next(world: &World) -> Next {
    let now_ms = world.clock.now_ns() / MS;
    let mut inner = world.notices.inner();
    let life = inner.life;
    let pending = inner
        .list
        .iter_mut()
        .filter(|notice| notice.state == NoticeState::Pending);
    let Some(notice) = pending.min_by_key(|notice| notice.next_attempt_ms) else {
        inner.driven = false;
        return Next::End;
    };
    let due_ms = notice.next_attempt_ms.unwrap_or(0);
    if due_ms > now_ms {
        return Next::Wait(Duration::from_millis(due_ms - now_ms).min(LOOK));
    }
    notice.state = NoticeState::Sending;
    Next::Send {
        notice: notice.clone(),
        life,
    }
}

async fn attempt(world: &Arc<World>, notice: Notice, life: u64) {
    let options = Arc::clone(&world.state().options);
    let integration = options
        .integrations
        .iter()
        .find(|known| known.name == notice.integration);
    let at_ms = world.clock.now_ns() / MS;
    let outcome = match integration {
        None => Outcome::Refused("its integration is gone".into()),
        Some(integration) => send(world, integration, &notice).await,
    };
    let now_ms = world.clock.now_ns() / MS;
    let mut inner = world.notices.inner();
    if inner.life != life {
        return;
    }
    let Some(known) = inner.list.iter_mut().find(|known| known.id == notice.id) else {
        return;
    };
    over(known, outcome, at_ms, now_ms);
    world.write(|changes| changes.put(super::NOTICE_KIND, &known.id, known));
}

async fn send(world: &World, integration: &Integration, notice: &Notice) -> Outcome {
    match (&integration.slack, &integration.email) {
        (Some(to), _) if to.url == SINK => Outcome::Sent(SINK.into()),
        (_, Some(to)) if to.smtp == SINK => Outcome::Sent(SINK.into()),
        (Some(to), _) => slack::send(&world.surroundings.client, to, notice).await,
        (_, Some(to)) => email::send(to, notice).await,
        (None, None) => Outcome::Refused("it has no channel".into()),
    }
}

fn over(notice: &mut Notice, outcome: Outcome, at_ms: u64, now_ms: u64) {
    let (state, next_attempt_ms, outcome) = match outcome {
        Outcome::Sent(said) => (NoticeState::Sent, None, said),
        Outcome::Refused(why) => (NoticeState::Failed, None, why),
        Outcome::Later { why, wait_ms } => match DELAYS_MS.get(notice.attempts.len()) {
            None => (NoticeState::Failed, None, why),
            Some(delay) => {
                let due = now_ms.saturating_add(wait_ms.unwrap_or(*delay));
                (NoticeState::Pending, Some(due), why)
            }
        },
    };
    notice.state = state;
    notice.next_attempt_ms = next_attempt_ms;
    notice.attempts.push(NoticeAttempt { at_ms, outcome });
}
