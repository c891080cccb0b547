//! Webhooks of a session: events go to the endpoints that subscribed, signed, retried, and on the session's clock.

mod driver;
mod endpoint;
mod listener;
mod outbox;
mod sender;
mod target;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::durable::Changes;
use crate::lock::lock;
use crate::stable_hash::stable_hash;
use crate::timestamp::rfc3339;
use crate::world::World;

pub(crate) use endpoint::NewEndpoint;
pub use endpoint::{Disabled, Endpoint};
pub(crate) use listener::{Connection, Next};
use outbox::Outbox;
pub use outbox::{Attempt, Delivery, DeliveryState};
pub(crate) use sender::{Answer, Post, post};

/// The largest event, as JSON.
const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// The endpoints and deliveries of a session, and what wakes the task that sends.
pub(crate) struct Webhooks {
    outbox: Mutex<Outbox>,
    /// Endpoints there are, read without the lock by every change of a record.
    endpoints: AtomicUsize,
    /// Wakes the sending task: something is due, was sent, or the clock has moved.
    wake: Arc<Notify>,
    /// Tells those who wait that nothing is due and nothing is being sent.
    quiet: Notify,
}

/// Something that happened, as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) payload: Bytes,
}

impl Webhooks {
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self {
            outbox: Mutex::default(),
            endpoints: AtomicUsize::new(0),
            wake,
            quiet: Notify::new(),
        }
    }

    pub(crate) fn reset(&self) {
        self.outbox().reset();
        self.endpoints.store(0, Ordering::Release);
        self.quiet.notify_waiters();
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        lock(&self.outbox)
    }
}

impl World {
    /// Queues an event of the log for the endpoints that want it, and answers for how many.
    pub(crate) fn deliver_event(
        self: &Arc<Self>,
        _changes: &mut Changes,
        event: &crate::events::Event,
        now_ns: u64,
    ) -> usize {
        if self.webhooks.endpoints.load(Ordering::Acquire) == 0 {
            return 0;
        }
        let event = Arc::new(Event {
            id: event.id(),
            kind: event.kind.to_string(),
            payload: event.json(),
        });
        let queued = self.webhooks.outbox().publish(&event, now_ns);
        self.webhooks.wake.notify_one();
        driver::start(self);
        queued
    }

    /// Subscribes an endpoint.
    pub(crate) fn add_endpoint(self: &Arc<Self>, new: NewEndpoint) -> Result<Endpoint, String> {
        let seed = self.state().options.seed;
        let mut outbox = self.webhooks.outbox();
        let endpoint = outbox.add_endpoint(new, seed, &self.surroundings)?;
        self.webhooks
            .endpoints
            .store(outbox.endpoint_count(), Ordering::Release);
        Ok(endpoint)
    }

    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.webhooks.outbox().endpoints()
    }

    /// Forgets an endpoint; what is still to be sent to it fails.
    pub(crate) fn remove_endpoint(&self, id: &str) -> Result<(), String> {
        let mut outbox = self.webhooks.outbox();
        outbox.remove_endpoint(id)?;
        self.webhooks
            .endpoints
            .store(outbox.endpoint_count(), Ordering::Release);
        Ok(())
    }

    /// Sends to an endpoint again that was disabled.
    pub(crate) fn enable_endpoint(&self, id: &str) -> Result<Endpoint, String> {
        self.webhooks.outbox().enable_endpoint(id)
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.webhooks.outbox().deliveries()
    }

    /// Sends one event to one endpoint, whatever it subscribed to.
    pub(crate) fn send(
        self: &Arc<Self>,
        endpoint: &str,
        kind: &str,
        data: Value,
    ) -> Result<Delivery, String> {
        let seed = self.state().options.seed;
        let now_ns = self.clock.now_ns();
        let mut outbox = self.webhooks.outbox();
        let event = Arc::new(event(&mut outbox, kind, data, seed, now_ns));
        check_size(&event)?;
        let delivery = outbox.deliver(endpoint, &event, now_ns)?;
        drop(outbox);
        self.webhooks.wake.notify_one();
        driver::start(self);
        Ok(delivery)
    }

    /// Publishes an event as a change would: to every endpoint that wants its type. Answers its id and how many deliveries it makes.
    pub(crate) fn trigger(
        self: &Arc<Self>,
        kind: &str,
        data: Value,
    ) -> Result<(String, usize), String> {
        let (event, queued) = self.announce(None, kind, &data)?;
        Ok((event.id(), queued))
    }

    /// Opens the connection of an endpoint that listens, for what comes after the number `seen`.
    pub(crate) fn listen(
        self: &Arc<Self>,
        endpoint: &str,
        seen: u64,
    ) -> Result<Connection, String> {
        let now_ns = self.clock.now_ns();
        let listener = self.webhooks.outbox().listener(endpoint, now_ns)?;
        let connection = listener.connect(seen);
        self.webhooks.wake.notify_one();
        driver::start(self);
        Ok(connection)
    }

    /// The result of a delivery to an endpoint that listens. `false`: it has had one, or took too long.
    pub(crate) fn settle_delivery(
        &self,
        endpoint: &str,
        seq: u64,
        result: Result<u16, String>,
    ) -> Result<bool, String> {
        let listener = self.webhooks.outbox().find_listener(endpoint)?;
        Ok(listener.settle(seq, result))
    }

    /// Sends the event of a delivery once more, under the same message id.
    pub(crate) fn redeliver(self: &Arc<Self>, delivery: &str) -> Result<Delivery, String> {
        let now_ns = self.clock.now_ns();
        let delivery = self.webhooks.outbox().redeliver(delivery, now_ns)?;
        self.webhooks.wake.notify_one();
        driver::start(self);
        Ok(delivery)
    }

    /// Moves the clock to `to_ns`, stopping at each delivery that falls due on the way until it has been sent.
    pub(crate) async fn advance_to(&self, to_ns: u64) {
        self.settle().await;
        while let Some(due_ns) = self.next_due().filter(|due_ns| *due_ns <= to_ns) {
            self.clock.advance_to(due_ns);
            self.settle().await;
        }
        self.clock.advance_to(to_ns);
    }

    /// Moves the clock to each next delivery until none is left. Ends, because every delivery has a last attempt.
    pub(crate) async fn run_until_idle(&self) {
        self.settle().await;
        while let Some(due_ns) = self.next_due() {
            self.clock.advance_to(due_ns);
            self.settle().await;
        }
    }

    fn next_due(&self) -> Option<u64> {
        self.webhooks.outbox().next_due()
    }

    /// Waits until nothing is due and nothing is being sent.
    pub(crate) async fn settle(&self) {
        loop {
            let quiet = self.webhooks.quiet.notified();
            tokio::pin!(quiet);
            quiet.as_mut().enable();
            if self.webhooks.outbox().is_quiet(self.clock.now_ns()) {
                return;
            }
            tokio::select! {
                () = quiet => {}
                () = self.surroundings.stopped() => return,
            }
        }
    }
}

fn check_size(event: &Event) -> Result<(), String> {
    if event.payload.len() > MAX_PAYLOAD_BYTES {
        return Err(format!(
            "an event has at most {MAX_PAYLOAD_BYTES} bytes, got {}",
            event.payload.len()
        ));
    }
    Ok(())
}

fn event(outbox: &mut Outbox, kind: &str, data: Value, seed: u64, now_ns: u64) -> Event {
    let number = outbox.next_event();
    let hash = stable_hash(&[b"direct event", &seed.to_le_bytes(), &number.to_le_bytes()]);
    let id = format!("evt_{hash:016x}");
    let payload = json!({ "id": id, "type": kind, "timestamp": rfc3339(now_ns), "data": data });
    Event {
        id,
        kind: kind.into(),
        payload: payload.to_string().into(),
    }
}
