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
