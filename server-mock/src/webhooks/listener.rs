//! An endpoint without an address: its deliveries go out on one connection that the receiver opened, and their results come back by number.
//!
//! For developers whose machine nobody can reach: no tunnel is needed, and nothing is lost.
//!
//! | A delivery is | Leaves by | To |
//! |---|---|---|
//! | held back in the outbox, due or not | somebody connects, it is due | parked under the next number (`what_happens_while_nobody_listens_waits`) |
//! | parked | written to the connection | parked, until its result comes; a new connection that has not seen it gets it again (`a_listener_that_comes_back_gets_what_it_missed`) |
//! | parked | its result | an attempt that was answered, or failed (`results_are_the_attempts`) |
//! | parked | no result in time | an attempt that failed; the outbox tries again (`without_a_result_the_attempt_has_failed`) |
//!
//! A second connection takes the place of the first, which ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::outbox::Outgoing;
use crate::lock::lock;

/// The address of an endpoint that listens.
pub(crate) const LISTEN: &str = "listen:";

/// The connection's side and the outbox's side of one endpoint that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    state: Mutex<State>,
    changed: Notify,
    /// Real time a result may take.
    patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers connections; the newest counts.
    connections: u64,
    connected: bool,
    closed: bool,
    last: u64,
    parked: BTreeMap<u64, Parked>,
}

#[derive(Debug)]
struct Parked {
    message: Bytes,
    result: oneshot::Sender<Result<u16, String>>,
}

impl Listener {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            patience,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether deliveries have where to go.
    pub(crate) fn is_connected(&self) -> bool {
        self.state().connected
    }

    /// Hands one attempt to whoever listens, and waits for its result: the status of the answer, or why there is none.
    pub(super) async fn send(&self, outgoing: &Outgoing) -> Result<u16, String> {
        let signed = outgoing.signed(outgoing.at_ns)?;
        let own = outgoing.headers.iter();
        let own = own.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let headers: Vec<(&str, &str)> = [("content-type", "application/json")]
            .into_iter()
            .chain(signed.headers())
            .chain(own)
            .collect();
        let (result, answer) = oneshot::channel();
        let seq = {
            let mut state = self.state();
            state.last += 1;
            let seq = state.last;
            let message = json!({
                "seq": seq,
                "delivery": outgoing.name(),
                "attempt": outgoing.attempt,
                "event": signed.id,
                "type": outgoing.message.kind,
                "headers": headers,
                "body": STANDARD.encode(&outgoing.message.payload),
            });
            let message = message.to_string().into();
            state.parked.insert(seq, Parked { message, result });
            seq
        };
        self.changed.notify_waiters();
        match timeout(self.patience, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the endpoint was removed".into()),
            Err(_) => {
                self.state().parked.remove(&seq);
                Err(format!("no result within {} ms", self.patience.as_millis()))
            }
        }
    }

    /// The result of the delivery of this number. `false`: there is none, or it has had its result.
    pub(crate) fn settle(&self, seq: u64, result: Result<u16, String>) -> bool {
        let parked = self.state().parked.remove(&seq);
        parked.is_some_and(|parked| parked.result.send(result).is_ok())
    }

    /// Opens the connection that counts from now on, for what comes after the number `seen`.
    pub(crate) fn connect(self: &Arc<Self>, seen: u64) -> Connection {
        let mut state = self.state();
        state.connections += 1;
        state.connected = true;
        let number = state.connections;
        drop(state);
        self.changed.notify_waiters();
        Connection {
            listener: Arc::clone(self),
            number,
            seen,
        }
    }

    /// The endpoint is gone: what is parked fails, and the connection ends.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.parked.clear();
        drop(state);
        self.changed.notify_waiters();
    }
}

/// What a connection gets next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A delivery: its number, and what is written.
    Delivery(u64, Bytes),
    /// The endpoint is gone.
    Removed,
    /// Another connection took this one's place.
    Replaced,
}

/// One connection of a listener.
#[derive(Debug)]
pub(crate) struct Connection {
    listener: Arc<Listener>,
    number: u64,
    seen: u64,
}

impl Connection {
    /// Waits for the next delivery, or the end.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let changed = self.listener.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let state = self.listener.state();
                if state.closed {
                    return Next::Removed;
                }
                if state.connections != self.number {
                    return Next::Replaced;
                }
                let after = self.seen.saturating_add(1);
                if let Some((seq, parked)) = state.parked.range(after..).next() {
                    self.seen = *seq;
                    return Next::Delivery(*seq, parked.message.clone());
                }
            }
            changed.await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.listener.state();
        if state.connections == self.number {
            state.connected = false;
        }
    }
}
