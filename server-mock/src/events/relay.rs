//! Relays: whoever hands events on to another system, such as a broker, reads the outbox by a cursor of its own.
//!
//! | An event is | For a relay | Leaves by |
//! |---|---|---|
//! | published | not seen: not on disk yet | the commit |
//! | on disk | waiting; read again until it is marked | `relayed` |
//! | marked | never read again, not after a restart either | |
//!
//! So each event is handed on at least once; its id and that of its log are the same each time, by which the other side knows
//! doubles.

use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};

use super::log::{Event, EventLog, MAX_RELAYS, RELAY_KIND, Relay};
use crate::clock::real_now_ns;
use crate::durable::{Changes, Trouble};
use crate::world::World;

/// What waits for a relay.
pub(crate) struct Waiting {
    /// The name of the log: events of another log may have the same ids.
    pub(crate) log: Box<str>,
    /// Oldest first.
    pub(crate) events: Vec<Arc<Event>>,
}

/// A name that no other log has.
fn fresh_log() -> Box<str> {
    let mut random = [0; 8];
    let number = match SystemRandom::new().fill(&mut random) {
        Ok(()) => u64::from_le_bytes(random),
        Err(_) => real_now_ns(),
    };
    format!("{number:016x}").into()
}

impl EventLog {
    /// The log is no longer what its relays have handed on, such as after a snapshot was put back.
    pub(crate) fn is_another(&mut self, changes: &mut Changes) {
        for (name, relay) in &mut self.relays {
            relay.log = fresh_log();
            changes.put(RELAY_KIND, name, relay);
        }
    }
}

impl World {
    /// Up to `limit` events that the relay `name` has not marked, oldest first, all of them on disk. A relay that asks
    /// for the first time begins with the oldest event there is.
    pub(crate) async fn outbox_after(&self, name: &str, limit: usize) -> Result<Waiting, Trouble> {
        let (waiting, epoch) = {
            let mut guard = self.state();
            let state = &mut *guard;
            let log = &mut state.events;
            if !log.relays.contains_key(name) {
                if log.relays.len() >= MAX_RELAYS {
                    return Err(Trouble::Failed(format!(
                        "a session has at most {MAX_RELAYS} relays"
                    )));
                }
                let relay = Relay {
                    marked: log.oldest().saturating_sub(1),
                    log: fresh_log(),
                };
                state.changes.put(RELAY_KIND, name, &relay);
                log.relays.insert(name.into(), relay);
            }
            let relay = log.relays.get(name).ok_or(Trouble::Gone)?;
            let waiting = Waiting {
                log: relay.log.clone(),
                events: log.after(relay.marked).take(limit).cloned().collect(),
            };
            (waiting, self.kept.epoch())
        };
        self.kept.settled(epoch).await?;
        Ok(waiting)
    }

    /// Marks all events of the log up to the one numbered `seq`: the relay `name` has handed them on.
    pub(crate) fn relayed(&self, name: &str, log: &str, seq: u64) {
        let mut guard = self.state();
        let state = &mut *guard;
        let seq = seq.min(state.events.last());
        let Some(relay) = state.events.relays.get_mut(name) else {
            return;
        };
        if *relay.log == *log && relay.marked < seq {
            relay.marked = seq;
            state.changes.put(RELAY_KIND, name, relay);
            state.events.trim(&mut state.changes);
        }
    }

    /// Events that some relay has not marked.
    pub(crate) fn events_to_relay(&self) -> u64 {
        let state = self.state();
        let relays = state.events.relays.values();
        let marked = relays.map(|relay| relay.marked).min();
        marked.map_or(0, |marked| state.events.last().saturating_sub(marked))
    }

    /// The relay `name` is no more: events no longer wait for it.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "a relay is taken away by hand, when there is a way to"
        )
    )]
    pub(crate) fn forget_relay(&self, name: &str) {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.events.relays.remove(name).is_some() {
            state.changes.delete(RELAY_KIND, name);
            state.events.trim(&mut state.changes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::Store;
    use crate::events::log::{MAX_EVENTS, MAX_WAITING};
    use crate::world::{Surroundings, Worlds};
    use std::path::{Path, PathBuf};

    /// A data file of one's own, gone with the test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> Self {
            let name = format!("gatewright-relay-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            // What another run may have left.
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn in_memory() -> Arc<World> {
        let worlds = Worlds::new(1, Surroundings::of_ports([1, 2]));
        worlds.world("default").unwrap()
    }

    fn in_file(folder: &Path, max_bytes: u64) -> (Arc<Store>, Arc<World>) {
        let (store, _) = Store::open(&folder.join("data"), max_bytes, 1).unwrap();
        let surroundings = Surroundings::of_ports([1, 2]).keeping(Some(Arc::clone(&store)));
        let world = Worlds::new(1, surroundings).world("default").unwrap();
        (store, world)
    }

    fn publish(world: &Arc<World>, count: usize) {
        for _ in 0..count {
            let mut state = world.state();
            world.publish(&mut state, Some("acme"), "contact.created", "{}".into(), 1);
        }
    }

    fn numbers(waiting: &Waiting) -> Vec<u64> {
        waiting.events.iter().map(|event| event.seq).collect()
    }

    #[tokio::test]
    async fn an_event_is_relayed_until_it_is_marked_across_restarts() {
        let file = File::new("marks");
        let (store, world) = in_file(&file.0, 1 << 30);
        publish(&world, 5);
        let first = world.outbox_after("broker", 3).await.unwrap();
        assert_eq!(numbers(&first), [1, 2, 3]);
        assert_eq!(
            numbers(&world.outbox_after("broker", 2).await.unwrap()),
            [1, 2]
        );
        world.relayed("broker", &first.log, 2);
        world.kept.settled(world.kept.epoch()).await.unwrap();
        store.close();

        let (store, world) = in_file(&file.0, 1 << 30);
        publish(&world, 1);
        let rest = world.outbox_after("broker", 10).await.unwrap();
        assert_eq!(numbers(&rest), [3, 4, 5, 6]);
        assert_eq!(rest.log, first.log);
        assert_eq!(rest.events[0].id(), first.events[2].id());
        assert_eq!(rest.events[0].json(), first.events[2].json());
        let other = world.outbox_after("other", 10).await.unwrap();
        assert_eq!(numbers(&other), [1, 2, 3, 4, 5, 6]);
        // What was never there cannot be marked.
        world.relayed("broker", &rest.log, 99);
        publish(&world, 1);
        assert_eq!(
            numbers(&world.outbox_after("broker", 10).await.unwrap()),
            [7]
        );
        store.close();
    }

    #[tokio::test]
    async fn events_wait_for_the_slowest_relay_and_no_longer() {
        let world = in_memory();
        let fast = world.outbox_after("fast", 1).await.unwrap().log;
        let slow = world.outbox_after("slow", 1).await.unwrap().log;
        publish(&world, MAX_EVENTS + 5);
        let last = world.state().events.last();
        world.relayed("fast", &fast, last);
        assert_eq!(world.state().events.oldest(), 1);
        world.relayed("slow", &slow, 3);
        assert_eq!(world.state().events.oldest(), 4);
        world.forget_relay("slow");
        assert_eq!(world.state().events.oldest(), 6);
    }

    #[tokio::test]
    async fn there_is_no_room_for_events_that_nobody_relays() {
        let world = in_memory();
        publish(&world, 10);
        assert!(world.state().events.has_room());
        let log = world.outbox_after("broker", 1).await.unwrap().log;
        publish(&world, MAX_WAITING - 10);
        assert!(!world.state().events.has_room());
        world.relayed("broker", &log, 50);
        assert!(world.state().events.has_room());
        let relays = world.state().events.relays.len();
        for number in relays..MAX_RELAYS {
            let name = number.to_string();
            world.outbox_after(&name, 1).await.unwrap();
        }
        assert!(world.outbox_after("one-more", 1).await.is_err());
    }

    #[tokio::test]
    async fn a_log_that_begins_anew_is_another_though_its_events_have_the_same_ids() {
        let world = in_memory();
        publish(&world, 3);
        let snapshot = world.snapshot().unwrap();
        let first = world.outbox_after("broker", 10).await.unwrap();
        world.reset();
        publish(&world, 3);
        let second = world.outbox_after("broker", 10).await.unwrap();
        assert_eq!(first.events[0].id(), second.events[0].id());
        assert_ne!(first.log, second.log);
        // What was handed on of the one is not handed on of the other.
        world.relayed("broker", &first.log, 3);
        assert_eq!(
            numbers(&world.outbox_after("broker", 10).await.unwrap()),
            [1, 2, 3]
        );
        world.restore(snapshot.as_bytes()).unwrap();
        let third = world.outbox_after("broker", 10).await.unwrap();
        let snapshot = world.snapshot().unwrap();
        world.relayed("broker", &third.log, 3);
        world.restore(snapshot.as_bytes()).unwrap();
        let fourth = world.outbox_after("broker", 10).await.unwrap();
        assert_eq!(numbers(&fourth), [1, 2, 3]);
        let logs = [second.log, third.log, fourth.log];
        assert!(logs[0] != logs[1] && logs[1] != logs[2], "{logs:?}");
    }

    #[tokio::test]
    async fn what_the_file_refused_is_not_relayed() {
        let file = File::new("full");
        let (store, world) = in_file(&file.0, 1);
        let mut refused = false;
        for _ in 0..2_000 {
            publish(&world, 1);
            let epoch = world.kept.epoch();
            refused |= world.kept.settled(epoch).await.is_err();
            if refused {
                break;
            }
        }
        assert!(refused);
        let kept = world.state().events.last();
        let waiting: Vec<u64> = world
            .state()
            .events
            .after(0)
            .map(|event| event.seq)
            .collect();
        store.close();
        let (store, world) = in_file(&file.0, 1 << 30);
        let again = world.outbox_after("broker", 5_000).await.unwrap();
        assert_eq!(
            (numbers(&again), again.events.len() as u64),
            (waiting, kept)
        );
        store.close();
    }
}
