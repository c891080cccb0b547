//! The log of a session's events: numbered without gaps, bounded, and kept with everything else that is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Notify;

use crate::durable::{Changes, Rows, Value};
use crate::stable_hash::stable_hash;

/// Events a session remembers, those that no relay waits for.
pub(super) const MAX_EVENTS: usize = 10_000;
/// Bytes of their data.
const MAX_BYTES: usize = 32 << 20;
/// Events that may wait for a relay; beyond it changes are refused, so that none is lost.
pub(super) const MAX_WAITING: usize = 100_000;
/// Names of relays a session remembers.
pub(super) const MAX_RELAYS: usize = 16;

/// The kinds of its rows.
pub(crate) const EVENT_KIND: &str = "event";
pub(crate) const RELAY_KIND: &str = "relay";

/// Something that happened.
#[derive(Debug)]
pub(crate) struct Event {
    /// Counts up from 1 in each session, without gaps.
    pub(crate) seq: u64,
    pub(super) hash: u64,
    /// Whose record it is about; none where it is about no record.
    pub(crate) tenant: Option<Box<str>>,
    /// Such as `contact.created`.
    pub(crate) kind: Box<str>,
    pub(crate) at_ns: u64,
    /// JSON, such as the record after the change.
    pub(crate) data: Bytes,
}

/// An event as its row has it; the number is the row's id.
#[derive(Serialize, Deserialize)]
struct KeptEvent<'a> {
    hash: u64,
    tenant: Option<Box<str>>,
    #[serde(rename = "type")]
    kind: Box<str>,
    at_ns: u64,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// How far a relay has come, as its row has it.
#[derive(Serialize, Deserialize)]
pub(super) struct Relay {
    /// The number of the last event it has handed on.
    pub(super) marked: u64,
    /// Tells this log from others of the same session, whose events have the same ids: those of an earlier life without a
    /// data file, before a reset, or after a snapshot that was put back.
    pub(super) log: Box<str>,
}

/// The events of a session.
#[derive(Default)]
pub(crate) struct EventLog {
    events: VecDeque<Arc<Event>>,
    last: u64,
    bytes: usize,
    pub(super) relays: BTreeMap<Box<str>, Relay>,
    /// Which log it is: another after a reset.
    life: u64,
    closed: bool,
    changed: Arc<Notify>,
}

impl EventLog {
    /// Adds an event.
    pub(crate) fn publish(
        &mut self,
        changes: &mut Changes,
        seed: u64,
        tenant: Option<&str>,
        kind: &str,
        data: Bytes,
        at_ns: u64,
    ) -> Arc<Event> {
        let seq = self.last + 1;
        let event = Arc::new(Event {
            seq,
            hash: stable_hash(&[b"event", &seed.to_le_bytes(), &seq.to_le_bytes()]),
            tenant: tenant.map(Into::into),
            kind: kind.into(),
            at_ns,
            data,
        });
        if changes.is_kept() {
            event.with_row(|row| changes.put(EVENT_KIND, &row_id(seq), row));
        }
        self.push(Arc::clone(&event));
        self.trim(changes);
        self.changed.notify_waiters();
        event
    }

    fn push(&mut self, event: Arc<Event>) {
        self.last = event.seq;
        self.bytes += event.data.len();
        self.events.push_back(event);
    }

    /// Forgets the oldest events that are too many and that no relay waits for.
    pub(super) fn trim(&mut self, changes: &mut Changes) {
        let relayed = self.relays.values().map(|relay| relay.marked).min();
        let relayed = relayed.unwrap_or(u64::MAX);
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            match self.events.front() {
                Some(oldest) if oldest.seq <= relayed && oldest.seq < self.last => {
                    self.bytes -= oldest.data.len();
                    changes.delete(EVENT_KIND, &row_id(oldest.seq));
                    self.events.pop_front();
                }
                _ => return,
            }
        }
    }

    /// Whether another event may be added without losing one that a relay waits for.
    pub(crate) fn has_room(&self) -> bool {
        self.relays.is_empty() || self.events.len() < MAX_WAITING
    }

    /// The number of the last event; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the oldest event that is still there, or of the next one.
    pub(crate) fn oldest(&self) -> u64 {
        self.events.front().map_or(self.last + 1, |event| event.seq)
    }

    /// The events after the one numbered `seq`, oldest first.
    pub(crate) fn after(&self, seq: u64) -> impl Iterator<Item = &Arc<Event>> {
        let skip = seq.saturating_add(1).saturating_sub(self.oldest());
        self.events
            .iter()
            .skip(usize::try_from(skip).unwrap_or(usize::MAX))
    }

    /// The event of this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Event>> {
        let hash = u64::from_str_radix(id.strip_prefix("evt_")?, 16).ok()?;
        let found = self.events.iter().rev().find(|event| event.hash == hash)?;
        (found.id() == id).then_some(found)
    }

    /// Tells one log from the next after a reset.
    pub(crate) fn life(&self) -> u64 {
        self.life
    }

    /// Whether the session was dropped or forgotten.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Notified after each event, each reset, and the end.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// The log of the session after a reset. Whoever reads this one notices.
    pub(crate) fn after_reset(&self) -> Self {
        self.changed.notify_waiters();
        Self {
            life: self.life + 1,
            changed: Arc::clone(&self.changed),
            ..Self::default()
        }
    }

    /// Whoever reads it comes to an end.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.changed.notify_waiters();
    }

    /// Takes a row in; events come in order.
    pub(crate) fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        if kind == RELAY_KIND {
            self.relays.insert(id.into(), value.read()?);
            return Ok(());
        }
        let seq: u64 = id.parse().map_err(|_| "its id is no number".to_owned())?;
        if !self.events.is_empty() && seq != self.last + 1 {
            return Err(format!("got event {seq} when expecting {}", self.last + 1));
        }
        let kept: KeptEvent<'_> = value.read_borrowed()?;
        self.push(Arc::new(Event {
            seq,
            hash: kept.hash,
            tenant: kept.tenant,
            kind: kept.kind,
            at_ns: kept.at_ns,
            data: Bytes::copy_from_slice(kept.data.get().as_bytes()),
        }));
        Ok(())
    }

    pub(crate) fn rows(&self, out: &mut Rows) {
        for event in &self.events {
            event.with_row(|row| out.put(EVENT_KIND, &row_id(event.seq), row));
        }
        for (name, relay) in &self.relays {
            out.put(RELAY_KIND, name, relay);
        }
    }
}

impl Event {
    fn with_row(&self, write: impl FnOnce(&KeptEvent<'_>)) {
        let text = std::str::from_utf8(&self.data).unwrap_or("null");
        let data = serde_json::from_str(text).unwrap_or(RawValue::NULL);
        write(&KeptEvent {
            hash: self.hash,
            tenant: self.tenant.clone(),
            kind: self.kind.clone(),
            at_ns: self.at_ns,
            data,
        });
    }
}

/// In the order of the numbers.
fn row_id(seq: u64) -> String {
    format!("{seq:020}")
}
