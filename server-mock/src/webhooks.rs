//! Webhooks of a session: events go to the endpoints that subscribed, signed, retried, and on the session's clock.
//!
//! `endpoint`, `settings`, `secrets` and `custom_headers` are what an endpoint is; `delivery` and `lane` what becomes of a
//! message to it; `outbox` has them all and decides; `driver`, `sender` and `target` send; `listener` takes the place of an
//! address. `data_port` is what tenants see of it, `crate::admin::webhooks` what the admin port does.

mod custom_headers;
mod data_port;
mod delivery;
mod driver;
mod endpoint;
mod excerpt;
mod keep;
mod lane;
mod listener;
mod message;
mod op;
mod operations;
mod outbox;
mod refusal;
mod schedule;
mod secrets;
mod sender;
mod settings;
mod target;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::durable::Changes;
use crate::events::Event;
use crate::lock::lock;
use crate::stable_hash::stable_hash;
use crate::timestamp::rfc3339;
use crate::world::{State, World};

pub(crate) use custom_headers::redacted as redacted_settings;
pub(crate) use data_port::respond;
pub use delivery::{Attempt, Delivery, DeliveryState, Failed};
pub use endpoint::{Disabled, Endpoint};
pub(crate) use endpoint::{NewEndpoint, Wish};
pub use excerpt::Excerpt;
pub(crate) use keep::KINDS;
pub(crate) use listener::{Connection, Next};
pub(crate) use message::Message;
pub(crate) use op::WebhookOp;
pub(crate) use operations::{OPERATIONS, schemas};
pub(crate) use outbox::{Disabling, Outbox, Viewer, Which};
pub(crate) use refusal::Refusal;
pub use schedule::WebhookOptions;
pub(crate) use sender::{Answer, Post, Unanswered, post};
use settings::Asked;

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

    pub(crate) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        lock(&self.outbox)
    }

    fn count(&self, outbox: &Outbox) {
        self.endpoints
            .store(outbox.endpoint_count(), Ordering::Release);
    }
}

impl World {
    /// Changes endpoints or deliveries, keeps what came of it, and sees to what is due then. Not under the session's lock.
    pub(crate) fn with_outbox<T>(self: &Arc<Self>, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let mut outbox = self.webhooks.outbox();
        let done = change(&mut outbox);
        self.webhooks.count(&outbox);
        self.keep(&mut outbox);
        drop(outbox);
        self.webhooks.wake.notify_one();
        driver::start(self);
        done
    }

    /// The same in a transaction of the session's lock.
    pub(crate) fn with_outbox_in<T>(
        self: &Arc<Self>,
        changes: &mut Changes,
        change: impl FnOnce(&mut Outbox) -> T,
    ) -> T {
        let mut outbox = self.webhooks.outbox();
        let done = change(&mut outbox);
        self.webhooks.count(&outbox);
        outbox.write_to(changes);
        drop(outbox);
        self.webhooks.wake.notify_one();
        driver::start(self);
        done
    }

    /// Queues an event of the log for the endpoints that want it, in the transaction of the event, and answers for how many.
    pub(crate) fn deliver_event(
        self: &Arc<Self>,
        changes: &mut Changes,
        event: &Event,
        now_ns: u64,
    ) -> usize {
        if self.webhooks.endpoints.load(Ordering::Acquire) == 0 {
            return 0;
        }
        let tenant = event.tenant.as_deref().map(Into::into);
        let message = Message::new(event.id(), event.kind.to_string(), tenant, event.json());
        let mut outbox = self.webhooks.outbox();
        let queued = outbox.publish(&Arc::new(message), now_ns);
        outbox.write_to(changes);
        drop(outbox);
        self.webhooks.wake.notify_one();
        driver::start(self);
        queued
    }

    /// Subscribes an endpoint.
    pub(crate) fn add_endpoint(self: &Arc<Self>, wish: Wish) -> Result<Endpoint, Refusal> {
        let seed = self.state().options.seed;
        let now_ns = self.clock.now_ns();
        self.with_outbox(|outbox| {
            let around = &self.surroundings;
            let added = outbox.add_endpoint(wish, seed, around, now_ns)?;
            Ok(added.shown(now_ns))
        })
    }

    /// All endpoints.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        let now_ns = self.clock.now_ns();
        let outbox = self.webhooks.outbox();
        let all = outbox.endpoints(Viewer::Admin, 0);
        all.map(|endpoint| endpoint.shown(now_ns)).collect()
    }

    /// Changes an endpoint by a merge patch, for the admin port.
    pub(crate) fn change_endpoint(
        self: &Arc<Self>,
        id: &str,
        patch: &Map<String, Value>,
    ) -> Result<Endpoint, Refusal> {
        let now_ns = self.clock.now_ns();
        let viewer = Viewer::Admin;
        let (shown, told) = self.with_outbox(|outbox| {
            let row = &outbox.endpoint(viewer, id)?.row;
            let members = row.settings.patched(patch);
            let mut asked = Asked::read(&members).map_err(Refusal::Settings)?;
            if row.settings.result_timeout_ms.is_some() {
                asked.listen = true;
                asked.url = String::new();
                asked.result_timeout_ms = row.settings.result_timeout_ms;
            }
            let enabled = asked.enabled;
            let settings = asked.check(&self.surroundings).map_err(Refusal::Settings)?;
            let told = outbox.set_endpoint(viewer, id, settings, enabled, now_ns)?;
            Ok::<_, Refusal>((outbox.endpoint(viewer, id)?.shown(now_ns), told))
        })?;
        if let Some(disabling) = told {
            self.tell_disabled(&disabling);
        }
        Ok(shown)
    }

    /// Sends to an endpoint again that was disabled.
    pub(crate) fn enable_endpoint(self: &Arc<Self>, id: &str) -> Result<Endpoint, Refusal> {
        let now_ns = self.clock.now_ns();
        self.with_outbox(|outbox| {
            let enabled = outbox.enable_endpoint(Viewer::Admin, id, now_ns)?;
            Ok(enabled.shown(now_ns))
        })
    }

    /// All deliveries that are meant.
    pub(crate) fn deliveries(&self, which: &Which) -> Vec<Delivery> {
        let outbox = self.webhooks.outbox();
        let meant = outbox.deliveries(Viewer::Admin, which, 0);
        meant.map(|(number, queued)| queued.shown(number)).collect()
    }

    /// Sends one event to one endpoint, whatever it subscribed to.
    pub(crate) fn send(
        self: &Arc<Self>,
        viewer: Viewer<'_>,
        endpoint: &str,
        kind: &str,
        data: &Value,
    ) -> Result<Delivery, Refusal> {
        let mut state = self.state();
        self.send_in(&mut state, viewer, endpoint, kind, data)
    }

    /// The same in a transaction of the session's lock.
    pub(crate) fn send_in(
        self: &Arc<Self>,
        state: &mut State,
        viewer: Viewer<'_>,
        endpoint: &str,
        kind: &str,
        data: &Value,
    ) -> Result<Delivery, Refusal> {
        let seed = state.options.seed;
        let now_ns = self.clock.now_ns();
        self.with_outbox_in(&mut state.changes, |outbox| {
            let number = outbox.next_message();
            let hash = stable_hash(&[b"direct event", &seed.to_le_bytes(), &number.to_le_bytes()]);
            let id = format!("evt_{hash:016x}");
            let timestamp = rfc3339(now_ns);
            let payload = json!({ "id": id, "type": kind, "timestamp": timestamp, "data": data });
            let payload: Bytes = payload.to_string().into();
            if payload.len() > MAX_PAYLOAD_BYTES {
                let detail = format!(
                    "an event has at most {MAX_PAYLOAD_BYTES} bytes, got {}",
                    payload.len()
                );
                return Err(Refusal::field("data", detail));
            }
            let message = Arc::new(Message::new(id, kind.into(), None, payload));
            outbox.deliver(viewer, endpoint, &message, now_ns)
        })
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

    /// Tells an endpoint's owner that nothing is sent to it any more.
    pub(crate) fn tell_disabled(self: &Arc<Self>, disabling: &Disabling) {
        self.tell_disabled_in(&mut self.state(), disabling);
    }

    /// The same in a transaction of the session's lock.
    pub(crate) fn tell_disabled_in(self: &Arc<Self>, state: &mut State, disabling: &Disabling) {
        let data = json!({
            "id": disabling.endpoint,
            "reason": disabling.reason,
            "failing_since": disabling.failing_since_ns.map(rfc3339),
            "last_status": disabling.last.as_ref().and_then(|last| last.status),
            "last_error": disabling.last.as_ref().and_then(|last| last.error.as_deref()),
        });
        let kind = "webhook_endpoint.disabled";
        let now_ns = self.clock.now_ns();
        let data = data.to_string().into();
        self.publish(state, disabling.tenant.as_deref(), kind, data, now_ns);
    }

    /// Opens the connection of an endpoint that listens, for what comes after the number `seen`.
    pub(crate) fn listen(
        self: &Arc<Self>,
        endpoint: &str,
        seen: u64,
    ) -> Result<Connection, Refusal> {
        let now_ns = self.clock.now_ns();
        self.with_outbox(|outbox| Ok(outbox.listener(endpoint, now_ns)?.connect(seen)))
    }

    /// The result of a delivery to an endpoint that listens. `false`: it has had one, or took too long.
    pub(crate) fn settle_delivery(
        &self,
        endpoint: &str,
        seq: u64,
        result: Result<u16, String>,
    ) -> Result<bool, Refusal> {
        let listener = self.webhooks.outbox().find_listener(endpoint)?;
        Ok(listener.settle(seq, result))
    }

    /// Moves the clock to `to_ns`, stopping at each delivery that falls due on the way until it has been sent, and at the
    /// end of each job.
    pub(crate) async fn advance_to(self: &Arc<Self>, to_ns: u64) {
        self.settle().await;
        while let Some(due_ns) = self.next_due().filter(|due_ns| *due_ns <= to_ns) {
            self.clock.advance_to(due_ns);
            self.settle().await;
        }
        self.clock.advance_to(to_ns);
    }

    /// Moves the clock to each next delivery and end of a job until none is left. Ends, because every delivery has a last
    /// attempt.
    pub(crate) async fn run_until_idle(self: &Arc<Self>) {
        self.settle().await;
        while let Some(due_ns) = self.next_due() {
            self.clock.advance_to(due_ns);
            self.settle().await;
        }
    }

    fn next_due(&self) -> Option<u64> {
        let delivery = self.webhooks.outbox().next_due();
        delivery.into_iter().chain(self.next_job_end()).min()
    }

    /// Waits until nothing is due and nothing is being sent.
    pub(crate) async fn settle(self: &Arc<Self>) {
        self.end_jobs();
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
