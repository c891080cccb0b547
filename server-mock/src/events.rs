//! Events: the outbox of a session. Every change of a record publishes one, in the transaction of the change.
//!
//! One log, from which all read: the webhooks' fan-out, `GET /v1/events`, its stream, and relays to other systems. What
//! is not in it did not happen; what is in it happened once.

mod api;
mod log;
mod operations;
mod relay;
mod stream;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::timestamp::rfc3339;
use crate::world::{State, World};

pub(crate) use api::respond;
pub(crate) use operations::{OPERATIONS, schemas};

pub(crate) use log::{EVENT_KIND, Event, EventLog, RELAY_KIND};

/// An operation on events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventOp {
    Get,
    List,
    Stream,
}

/// The largest event, as JSON.
pub(crate) const MAX_EVENT_BYTES: usize = 256 * 1024;

impl World {
    /// Publishes an event within the transaction of the change it tells of. `data` is JSON; without a tenant every
    /// tenant sees it. Answers how many webhook deliveries it makes, too.
    pub(crate) fn publish(
        self: &Arc<Self>,
        state: &mut State,
        tenant: Option<&str>,
        kind: &str,
        data: Bytes,
        now_ns: u64,
    ) -> (Arc<Event>, usize) {
        let seed = state.options.seed;
        let event = state
            .events
            .publish(&mut state.changes, seed, tenant, kind, data, now_ns);
        let deliveries = self.deliver_event(&mut state.changes, &event, now_ns);
        self.notice_event(state, &event, now_ns);
        self.surroundings.published.notify_waiters();
        (event, deliveries)
    }

    /// Publishes an event that tells of no record.
    pub(crate) fn announce(
        self: &Arc<Self>,
        tenant: Option<&str>,
        kind: &str,
        data: &Value,
    ) -> Result<(Arc<Event>, usize), String> {
        let data = data.to_string();
        if data.len() > MAX_EVENT_BYTES {
            return Err(format!(
                "an event has at most {MAX_EVENT_BYTES} bytes, got {}",
                data.len()
            ));
        }
        let mut state = self.state();
        let now_ns = self.clock.now_ns();
        Ok(self.publish(&mut state, tenant, kind, data.into(), now_ns))
    }
}

impl Event {
    /// `evt_0123456789abcdef`.
    pub(crate) fn id(&self) -> String {
        format!("evt_{:016x}", self.hash)
    }

    /// `{"id","type","timestamp","sequence","data"}`, as webhooks and the API say it.
    pub(crate) fn json(&self) -> Bytes {
        let mut text = Vec::with_capacity(self.data.len() + 160);
        let kind = Value::from(&*self.kind);
        let head = format!(
            r#"{{"id":"{}","type":{kind},"timestamp":"{}","sequence":{},"data":"#,
            self.id(),
            rfc3339(self.at_ns),
            self.seq
        );
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(&self.data);
        text.push(b'}');
        text.into()
    }
}
