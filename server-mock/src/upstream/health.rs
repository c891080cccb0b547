//! Looks from time to time, on the session's clock, whether an upstream is there. One task for each upstream that has a check, from its
//! first use until its settings change or the session is gone.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{HealthCheck, Upstream};
use crate::clock::MS;
use crate::world::World;

/// How often a clock that stands, or was moved, is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// Starts the checks of an upstream, unless they run.
pub(crate) fn watch(world: &Arc<World>, settings: &Upstream) {
    let Some(check) = &settings.health else {
        return;
    };
    let starts = world.upstreams.with(settings, |running| {
        !std::mem::replace(&mut running.is_checked, true)
    });
    if starts {
        let task = checks(Arc::downgrade(world), settings.clone(), check.clone());
        world.surroundings.spawn(task);
    }
}

async fn checks(world: Weak<World>, settings: Upstream, check: HealthCheck) {
    let mut due_ns = 0;
    loop {
        let Some(session) = world.upgrade() else {
            return;
        };
        if !is_still_set(&session, &settings) {
            return;
        }
        let now_ns = session.clock.now_ns();
        if now_ns < due_ns {
            drop(session);
            let left = Duration::from_nanos(due_ns - now_ns);
            tokio::time::sleep(left.min(LOOK)).await;
            continue;
        }
        let client = session.surroundings.client.pooled().cloned();
        drop(session);
        let found = match client {
            Ok(client) => ask(&client, &settings, &check).await,
            Err(why) => Err(why),
        };
        let Some(session) = world.upgrade() else {
            return;
        };
        note(&session, &settings, now_ns, found);
        due_ns = now_ns.saturating_add(check.every_ms.saturating_mul(MS));
    }
}

/// Whether the session's options still have it, and what is known of it was not forgotten.
fn is_still_set(world: &World, settings: &Upstream) -> bool {
    let options = Arc::clone(&world.state().options);
    options.upstreams.contains(settings)
        && world.upstreams.with(settings, |running| running.is_checked)
}

/// The status of a good answer, or what was wrong.
async fn ask(
    client: &reqwest::Client,
    settings: &Upstream,
    check: &HealthCheck,
) -> Result<String, String> {
    let url = settings.url_of(check.path.get(1..).unwrap_or_default(), None)?;
    let timeout = Duration::from_millis(settings.timeout_ms);
    let asked = tokio::time::timeout(
        timeout,
        client.get(url).headers(settings.own_headers()).send(),
    )
    .await;
    match asked {
        Err(_) => Err(format!("no answer within {} ms", settings.timeout_ms)),
        Ok(Err(error)) if error.is_connect() => Err("it cannot be connected to".into()),
        Ok(Err(_)) => Err("the connection was lost".into()),
        Ok(Ok(answer)) if answer.status().is_success() => Ok(answer.status().as_u16().to_string()),
        Ok(Ok(answer)) => Err(format!("it answered {}", answer.status().as_u16())),
    }
}

fn note(world: &World, settings: &Upstream, now_ns: u64, found: Result<String, String>) {
    world.upstreams.with(settings, |running| {
        running.checked_at_ns = now_ns;
        running.failed_checks = Some(match &found {
            Ok(_) => 0,
            Err(_) => running.failed_checks.unwrap_or(0).saturating_add(1),
        });
        running.last_check = Some(found.unwrap_or_else(|why| why));
    });
}
