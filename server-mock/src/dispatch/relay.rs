//! Publishes every event of every session on the bus, for consumer groups outside of the gateway: what has been committed, in each
//! session's order, at least once.
//!
//! | An event is | Leaves by | To |
//! |---|---|---|
//! | in the outbox of its session | the bus took it | marked: it need not be kept for the relay |
//! | in the outbox | the bus is away, or a group is full | in the outbox; changes are refused when that is full |
//! | in the outbox | the bus will never take it: larger than its server allows | marked, and counted as refused |
//!
//! A relay that dies between the two publishes the event again, under the same id, which the bus knows. The id is that of the
//! event with the session and its log before it: after a reset, or in another life without a data file, an event of the same
//! id is another event.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::{Notify, watch};

use crate::bus::{BusError, Message, Topic};
use crate::dispatch::desk::Desk;
use crate::events::Event;
use crate::world::{World, Worlds};

/// The relay's name in each session's outbox.
const NAME: &str = "bus";
/// Events taken from an outbox at once.
const AT_ONCE: usize = 100;
/// Events a group may have before it.
const MAX_EVENTS: u64 = 100_000;
/// How long an event belongs to a consumer that took it.
const LEASE: Duration = Duration::from_secs(30);
/// Pauses while the bus does not take any: from, to.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

/// The topic events are published on.
pub(crate) fn events(groups: &[String]) -> Topic {
    Topic {
        name: "events".into(),
        groups: groups.to_vec(),
        lease: LEASE,
        most: MAX_EVENTS,
    }
}

/// Hands events on until the gateway stops.
pub(crate) async fn relay(
    worlds: Weak<Worlds>,
    published: Arc<Notify>,
    desk: Arc<Desk>,
    topic: Topic,
    mut stop: watch::Receiver<bool>,
) {
    // From the start, so that none is a count too.
    desk.relay();
    let go_on = async {
        loop {
            let more = published.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            let Some(all) = worlds.upgrade().map(|worlds| worlds.all()) else {
                return;
            };
            for world in all {
                hand_on(&world, &desk, &topic).await;
            }
            more.await;
        }
    };
    tokio::select! {
        () = go_on => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// All events of a session that wait now.
async fn hand_on(world: &Arc<World>, desk: &Desk, topic: &Topic) {
    let mut pause = PAUSES[0];
    // A session whose file cannot be written has no events that are certain; the next event looks again.
    while let Ok(waiting) = world.outbox_after(NAME, AT_ONCE).await
        && !waiting.events.is_empty()
    {
        let mut last = None;
        for event in &waiting.events {
            let Some(message) = message(world, &waiting.log, event) else {
                last = Some(event.seq);
                continue;
            };
            match desk.bus().publish(topic, message).await {
                Err(BusError::Away(_) | BusError::Full { .. }) => break,
                Err(BusError::Refused(_) | BusError::LeaseLost) => {
                    desk.relay().refused.fetch_add(1, Ordering::Relaxed);
                }
                Ok(_) => {
                    desk.relay().relayed.fetch_add(1, Ordering::Relaxed);
                }
            }
            last = Some(event.seq);
        }
        match last {
            Some(seq) => {
                world.relayed(NAME, &waiting.log, seq);
                pause = PAUSES[0];
            }
            None => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES[1]);
            }
        }
    }
}

/// `{"session","tenant","event"}`, in order within its session.
fn message(world: &World, log: &str, event: &Event) -> Option<Message> {
    let text = String::from_utf8(event.json().into()).ok()?;
    let payload = json!({
        "session": &*world.name,
        "tenant": event.tenant.as_deref(),
        "event": RawValue::from_string(text).ok()?,
    });
    Some(Message {
        id: format!("{}/{log}/{}", world.name, event.id()),
        key: Some(world.name.to_string()),
        payload: Bytes::from(payload.to_string()),
    })
}
