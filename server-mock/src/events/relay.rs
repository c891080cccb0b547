//! Relays: whoever hands events on to another system, such as a broker, reads the outbox by a cursor of its own.
//!
//! | An event is | For a relay | Leaves by |
//! |---|---|---|
//! | published | not seen: not on disk yet | the commit |
//! | on disk | waiting; read again until it is marked | `relayed` |
//! | marked | never read again, not after a restart either | |
//!
//! So each event is handed on at least once; its id is the same each time, by which the other side knows doubles.

use std::sync::Arc;

use super::log::{Event, MAX_RELAYS, RELAY_KIND};
use crate::durable::Trouble;
use crate::world::World;

#[allow(dead_code, reason = "the relays to brokers come with them")]
impl World {
    /// Up to `limit` events that the relay `name` has not marked, oldest first, all of them on disk. A relay that asks
    /// for the first time begins with the oldest event there is.
    pub(crate) async fn outbox_after(
        &self,
        name: &str,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, Trouble> {
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
                let begin = log.oldest() - 1;
                log.relays.insert(name.into(), begin);
                state.changes.put(RELAY_KIND, name, &begin);
            }
            let marked = log.relays.get(name).copied().unwrap_or(0);
            let waiting: Vec<_> = log.after(marked).take(limit).cloned().collect();
            (waiting, self.kept.epoch())
        };
        self.kept.settled(epoch).await?;
        Ok(waiting)
    }

    /// Marks all events up to the one numbered `seq`: the relay `name` has handed them on.
    pub(crate) fn relayed(&self, name: &str, seq: u64) {
        let mut guard = self.state();
        let state = &mut *guard;
        let seq = seq.min(state.events.last());
        let Some(marked) = state.events.relays.get_mut(name) else {
            return;
        };
        if *marked < seq {
            *marked = seq;
            state.changes.put(RELAY_KIND, name, &seq);
            state.events.trim(&mut state.changes);
        }
    }

    /// The relay `name` is no more: events no longer wait for it.
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
        let (store, _) = Store::open(&folder.join("data"), max_bytes).unwrap();
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

    fn numbers(events: &[Arc<Event>]) -> Vec<u64> {
        events.iter().map(|event| event.seq).collect()
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
        world.relayed("broker", 2);
        world.kept.settled(world.kept.epoch()).await.unwrap();
        store.close();

        let (store, world) = in_file(&file.0, 1 << 30);
        publish(&world, 1);
        let rest = world.outbox_after("broker", 10).await.unwrap();
        assert_eq!(numbers(&rest), [3, 4, 5, 6]);
        assert_eq!(rest[0].id(), first[2].id());
        assert_eq!(rest[0].json(), first[2].json());
        let other = world.outbox_after("other", 10).await.unwrap();
        assert_eq!(numbers(&other), [1, 2, 3, 4, 5, 6]);
        // What was never there cannot be marked.
        world.relayed("broker", 99);
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
        for name in ["fast", "slow"] {
            world.outbox_after(name, 1).await.unwrap();
        }
        publish(&world, MAX_EVENTS + 5);
        let last = world.state().events.last();
        world.relayed("fast", last);
        assert_eq!(world.state().events.oldest(), 1);
        world.relayed("slow", 3);
        assert_eq!(world.state().events.oldest(), 4);
        world.forget_relay("slow");
        assert_eq!(world.state().events.oldest(), 6);
    }

    #[tokio::test]
    async fn there_is_no_room_for_events_that_nobody_relays() {
        let world = in_memory();
        publish(&world, 10);
        assert!(world.state().events.has_room());
        world.outbox_after("broker", 1).await.unwrap();
        publish(&world, MAX_WAITING - 10);
        assert!(!world.state().events.has_room());
        world.relayed("broker", 50);
        assert!(world.state().events.has_room());
        let relays = world.state().events.relays.len();
        for number in relays..MAX_RELAYS {
            let name = number.to_string();
            world.outbox_after(&name, 1).await.unwrap();
        }
        assert!(world.outbox_after("one-more", 1).await.is_err());
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
        let waiting: Vec<_> = world.state().events.after(0).cloned().collect();
        store.close();
        let (store, world) = in_file(&file.0, 1 << 30);
        let again = world.outbox_after("broker", 5_000).await.unwrap();
        assert_eq!(
            (numbers(&again), again.len() as u64),
            (numbers(&waiting), kept)
        );
        store.close();
    }
}
