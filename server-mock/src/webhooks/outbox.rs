//! The endpoints and deliveries of a session, and what becomes of each attempt. States are those of [`Delivery`] and `Lane`.

mod endpoints;
mod kept;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use gatewright_webhook::{Signed, Signer};
use http::{HeaderName, HeaderValue};

use super::delivery::{
    Attempt, Delivery, DeliveryState, Failed, Queued, delivery_id, delivery_number,
};
use super::endpoint::{Disabled, Subscriber, Target, endpoint_id};
use super::excerpt::Kept;
use super::listener::Listener;
use super::message::Message;
use super::refusal::Refusal;
use super::schedule::WebhookOptions;
use super::settings::Settings;
use crate::clock::{MS, NS};

const MAX_ENDPOINTS: usize = 100;
/// Deliveries remembered; the oldest finished ones go first, dead letters last.
const MAX_DELIVERIES: usize = 10_000;
/// Deliveries a session sends at the same time, to all its endpoints.
pub(crate) const MAX_SENDING: usize = 64;

/// Who looks at endpoints and deliveries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Viewer<'a> {
    /// The admin port: everything.
    Admin,
    /// A caller of the data port: what is the tenant's own.
    Tenant(&'a str),
}

impl Viewer<'_> {
    fn sees(self, tenant: Option<&str>) -> bool {
        match self {
            Self::Admin => true,
            Self::Tenant(own) => tenant == Some(own),
        }
    }
}

/// Which deliveries are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Which {
    pub(crate) endpoint: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) state: Option<DeliveryState>,
    /// Only those that failed and were neither redelivered nor purged.
    pub(crate) dead: bool,
    /// Made at this instant or later.
    pub(crate) since_ns: Option<u64>,
    /// Made before this instant.
    pub(crate) before_ns: Option<u64>,
}

/// What the sending task needs for one attempt.
pub(crate) struct Outgoing {
    pub(crate) delivery: u64,
    /// Which life of the outbox it is from; numbers begin again after a reset.
    pub(crate) life: u64,
    pub(crate) target: Target,
    /// Counted from 1.
    pub(crate) attempt: usize,
    pub(crate) message: Arc<Message>,
    /// With the secrets that sign at the time of this attempt.
    pub(crate) signer: Result<Signer, String>,
    /// The endpoint's own.
    pub(crate) headers: Arc<[(HeaderName, HeaderValue)]>,
    pub(crate) timeout_ms: u64,
    pub(crate) connect_timeout_ms: u64,
    /// What must not be seen in the answer's excerpt.
    pub(crate) hidden: Vec<String>,
    pub(crate) at_ns: u64,
}

impl Outgoing {
    /// The delivery's id.
    pub(super) fn name(&self) -> String {
        delivery_id(self.delivery)
    }

    /// Signs it as sent at `at_ns`.
    pub(crate) fn signed(&self, at_ns: u64) -> Result<Signed, String> {
        let signer = self.signer.as_ref().map_err(Clone::clone)?;
        let seconds = i64::try_from(at_ns / NS).unwrap_or(i64::MAX);
        signer
            .sign(&self.message.id, seconds, &self.message.payload)
            .map_err(|error| error.to_string())
    }
}

/// An endpoint was disabled, and why: its owner is told by an event.
#[derive(Debug)]
pub(crate) struct Disabling {
    pub(crate) endpoint: String,
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) reason: Disabled,
    pub(crate) failing_since_ns: Option<u64>,
    pub(crate) last: Option<Attempt>,
}

/// What changed since it was last written down.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) endpoints: BTreeSet<u64>,
    pub(crate) deliveries: BTreeSet<u64>,
    pub(crate) counters: bool,
}

/// The numbers given out so far.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Counters {
    pub(crate) endpoint: u64,
    pub(crate) delivery: u64,
    pub(crate) message: u64,
}

#[derive(Default)]
pub(crate) struct Outbox {
    endpoints: BTreeMap<u64, Subscriber>,
    deliveries: BTreeMap<u64, Queued>,
    /// Finished ones that are no dead letters, and dead letters; the oldest first. Some may be gone.
    finished: VecDeque<u64>,
    dead: VecDeque<u64>,
    last: Counters,
    sending: usize,
    life: u64,
    /// The endpoint whose turn it is.
    turn: u64,
    kept: Kept,
    touched: Touched,
    /// Whether a task is looking after what is pending.
    pub(crate) driven: bool,
}

impl Outbox {
    /// Forgets all; what is being sent will find that it is of no concern any more.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            life: self.life + 1,
            driven: self.driven,
            ..Self::default()
        };
    }

    pub(crate) fn next_message(&mut self) -> u64 {
        self.last.message += 1;
        self.touched.counters = true;
        self.last.message
    }

    /// Queues `message` for every endpoint that wants it, and answers for how many; a full queue drops it.
    pub(crate) fn publish(&mut self, message: &Arc<Message>, now_ns: u64) -> usize {
        let wanting: Vec<Queued> = self
            .endpoints
            .values()
            .filter(|subscriber| subscriber.wants(message))
            .map(|subscriber| subscriber.delivery(message, now_ns))
            .collect();
        wanting
            .into_iter()
            .map_while(|queued| self.queue(queued))
            .count()
    }

    /// Queues `message` for one endpoint, whatever it wants.
    pub(crate) fn deliver(
        &mut self,
        viewer: Viewer<'_>,
        endpoint: &str,
        message: &Arc<Message>,
        now_ns: u64,
    ) -> Result<Delivery, Refusal> {
        let subscriber = self.endpoint(viewer, endpoint)?;
        if subscriber.row.disabled.is_some() {
            return Err(Refusal::disabled(endpoint));
        }
        let queued = subscriber.delivery(message, now_ns);
        self.queue(queued)
            .and_then(|number| self.shown(number))
            .ok_or_else(full)
    }

    /// Sends the message of a delivery once more.
    pub(crate) fn redeliver(
        &mut self,
        viewer: Viewer<'_>,
        id: &str,
        now_ns: u64,
    ) -> Result<Delivery, Refusal> {
        let (number, queued) = self.find(viewer, id)?;
        let Some(subscriber) = self.endpoints.get(&queued.endpoint) else {
            let detail = format!("the endpoint of {id} has been removed");
            return Err(Refusal::Conflict("endpoint_removed", detail));
        };
        if subscriber.row.disabled.is_some() {
            return Err(Refusal::disabled(&endpoint_id(queued.endpoint)));
        }
        let mut again = subscriber.delivery(&queued.message, now_ns);
        again.redelivery_of = Some(number);
        let again = self.queue(again).ok_or_else(full)?;
        if let Some(queued) = self.deliveries.get_mut(&number) {
            queued.redelivered_as = Some(again);
            self.touched.deliveries.insert(number);
            if queued.state == DeliveryState::Failed {
                self.finished.push_back(number);
            }
        }
        self.shown(again).ok_or_else(full)
    }

    /// Sends all dead letters once more that are meant and can be sent: their endpoint is there and enabled. Answers with the new
    /// deliveries' ids.
    pub(crate) fn redeliver_all(
        &mut self,
        viewer: Viewer<'_>,
        which: &Which,
        now_ns: u64,
    ) -> Vec<String> {
        let dead: Vec<String> = self
            .deliveries(viewer, which, 0)
            .map(|(number, _)| delivery_id(number))
            .collect();
        dead.into_iter()
            .filter_map(|id| self.redeliver(viewer, &id, now_ns).ok())
            .map(|delivery| delivery.id)
            .collect()
    }

    /// How many dead letters there are.
    pub(crate) fn dead_letters(&self) -> usize {
        let dead = self
            .dead
            .iter()
            .filter_map(|number| self.deliveries.get(number));
        dead.filter(|queued| queued.is_dead_letter()).count()
    }

    /// Forgets the dead letters that are meant, and says how many.
    pub(crate) fn purge(&mut self, viewer: Viewer<'_>, which: &Which) -> usize {
        let meant: Vec<u64> = self
            .deliveries(viewer, which, 0)
            .filter(|(_, queued)| queued.is_dead_letter())
            .map(|(number, _)| number)
            .collect();
        for number in &meant {
            self.deliveries.remove(number);
            self.touched.deliveries.insert(*number);
        }
        let deliveries = &self.deliveries;
        self.dead.retain(|number| deliveries.contains_key(number));
        meant.len()
    }

    /// Forgets one dead letter.
    pub(crate) fn purge_one(&mut self, viewer: Viewer<'_>, id: &str) -> Result<(), Refusal> {
        let (number, queued) = self.find(viewer, id)?;
        if !queued.is_dead_letter() {
            return Err(Refusal::unknown("dead letter", id));
        }
        self.deliveries.remove(&number);
        self.dead.retain(|dead| *dead != number);
        self.touched.deliveries.insert(number);
        Ok(())
    }

    fn queue(&mut self, queued: Queued) -> Option<u64> {
        if self.deliveries.len() >= MAX_DELIVERIES {
            self.make_room()?;
        }
        self.last.delivery += 1;
        self.touched.counters = true;
        let number = self.last.delivery;
        let subscriber = self.endpoints.get_mut(&queued.endpoint)?;
        subscriber.lane.wait(number, queued.due_ns);
        self.deliveries.insert(number, queued);
        self.touched.deliveries.insert(number);
        Some(number)
    }

    /// Forgets the oldest that is finished, a dead letter only where there is no other.
    fn make_room(&mut self) -> Option<()> {
        loop {
            let oldest = self
                .finished
                .pop_front()
                .or_else(|| self.dead.pop_front())?;
            self.touched.deliveries.insert(oldest);
            if self.deliveries.remove(&oldest).is_some() {
                return Some(());
            }
        }
    }

    fn shown(&self, number: u64) -> Option<Delivery> {
        self.deliveries
            .get(&number)
            .map(|queued| queued.shown(number))
    }

    pub(crate) fn find(&self, viewer: Viewer<'_>, id: &str) -> Result<(u64, &Queued), Refusal> {
        let number = delivery_number(id).ok_or_else(|| Refusal::unknown("delivery", id))?;
        let queued = self.deliveries.get(&number);
        queued
            .filter(|queued| viewer.sees(queued.owner.as_deref()))
            .map(|queued| (number, queued))
            .ok_or_else(|| Refusal::unknown("delivery", id))
    }

    /// The deliveries a viewer sees, in order of publication.
    pub(crate) fn deliveries<'a>(
        &'a self,
        viewer: Viewer<'a>,
        which: &'a Which,
        after: u64,
    ) -> impl Iterator<Item = (u64, &'a Queued)> {
        self.deliveries
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(number, queued)| (*number, queued))
            .filter(move |(_, queued)| viewer.sees(queued.owner.as_deref()) && which.means(queued))
    }

    // Sending.

    /// When the next pending delivery may go.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.endpoints.values().filter_map(next_due).min()
    }

    /// Nothing is due at `now_ns` and nothing is being sent.
    pub(crate) fn is_quiet(&self, now_ns: u64) -> bool {
        self.sending == 0 && self.next_due().is_none_or(|due_ns| due_ns > now_ns)
    }

    /// The listener of an endpoint that has one. What it missed is due at `now_ns`, if it was to be tried again later.
    pub(crate) fn listener(&mut self, id: &str, now_ns: u64) -> Result<Arc<Listener>, Refusal> {
        let listener = self.find_listener(id)?;
        let subscriber = self.endpoint_mut(Viewer::Admin, id)?;
        // Whoever comes back is well again.
        subscriber.row.disabled = None;
        subscriber.lane.hurry(now_ns);
        for queued in self.deliveries.values_mut() {
            if endpoint_id(queued.endpoint) == id && queued.state == DeliveryState::Pending {
                queued.due_ns = queued.due_ns.min(now_ns);
            }
        }
        Ok(listener)
    }

    /// The same, as it is.
    pub(crate) fn find_listener(&self, id: &str) -> Result<Arc<Listener>, Refusal> {
        match &self.endpoint(Viewer::Admin, id)?.target {
            Target::Listener(listener) => Ok(Arc::clone(listener)),
            Target::Address(_) => Err(Refusal::Conflict(
                "no_listener",
                format!("{id} has an address; it does not listen"),
            )),
        }
    }

    /// Takes what is due at `now_ns`, signed for this attempt, as far as there is room to send: one of each endpoint in turn.
    pub(crate) fn take_due(&mut self, now_ns: u64, options: &WebhookOptions) -> Vec<Outgoing> {
        let mut outgoing = Vec::new();
        loop {
            let before = outgoing.len();
            let later = self.endpoints.range(self.turn..).map(|(number, _)| *number);
            let earlier = self.endpoints.range(..self.turn).map(|(number, _)| *number);
            for endpoint in later.chain(earlier).collect::<Vec<_>>() {
                if self.sending == MAX_SENDING {
                    self.turn = endpoint;
                    return outgoing;
                }
                outgoing.extend(self.take_one(endpoint, now_ns, options));
            }
            if outgoing.len() == before {
                return outgoing;
            }
        }
    }

    fn take_one(
        &mut self,
        endpoint: u64,
        now_ns: u64,
        options: &WebhookOptions,
    ) -> Option<Outgoing> {
        let subscriber = self.endpoints.get_mut(&endpoint)?;
        if is_held(subscriber) {
            return None;
        }
        let (ordered, room) = turn_rules(&subscriber.row.settings);
        let number = subscriber.lane.take(ordered, room, now_ns)?;
        let queued = self.deliveries.get_mut(&number)?;
        queued.state = DeliveryState::Sending;
        self.sending += 1;
        let timeout_ms = subscriber.row.settings.timeout_ms;
        Some(Outgoing {
            delivery: number,
            life: self.life,
            target: subscriber.target.clone(),
            attempt: queued.attempts.len() + 1,
            message: Arc::clone(&queued.message),
            signer: subscriber.signer(now_ns).cloned(),
            headers: Arc::clone(&subscriber.headers),
            timeout_ms: timeout_ms.unwrap_or(options.timeout_ms),
            connect_timeout_ms: options.connect_timeout_ms,
            hidden: subscriber.hidden(now_ns),
            at_ns: now_ns,
        })
    }

    /// Notes how an attempt ended and decides what comes next; says so where that disabled the endpoint.
    pub(crate) fn attempted(
        &mut self,
        outgoing: &Outgoing,
        mut attempt: Attempt,
        retry_after: Option<&str>,
        now_ns: u64,
        options: &WebhookOptions,
        seed: u64,
    ) -> Option<Disabling> {
        if outgoing.life != self.life {
            return None;
        }
        self.sending = self.sending.saturating_sub(1);
        let number = outgoing.delivery;
        let queued = self.deliveries.get_mut(&number)?;
        let asked_ns = options.asked_ns(retry_after, now_ns);
        let well = matches!(attempt.status, Some(200..300));
        attempt.retry_after_ms = asked_ns.filter(|_| !well).map(|ns| ns / MS);
        let status = attempt.status;
        let last = Attempt {
            error: attempt.error.clone(),
            by: None,
            request: None,
            response: None,
            ..attempt
        };
        let excerpts = [&attempt.request, &attempt.response];
        let bytes = excerpts
            .into_iter()
            .flatten()
            .map(super::Excerpt::bytes)
            .sum();
        queued.attempts.push(attempt);
        let at = queued.attempts.len() - 1;
        let (endpoint, created_ns) = (queued.endpoint, queued.created_ns);
        self.touched.deliveries.insert(number);
        self.forget_excerpts(number, at, bytes);

        let Some(subscriber) = self.endpoints.get_mut(&endpoint) else {
            // What was taken has arrived, whoever was removed since.
            if well {
                self.finish(number);
            } else {
                self.fail(number, Failed::EndpointRemoved);
            }
            return None;
        };
        subscriber.lane.leave(number);
        if well {
            // Who fails once and recovers is written down, not who is always well.
            if subscriber.row.failing_since_ns.take().is_some() {
                self.touched.endpoints.insert(endpoint);
            }
            subscriber.row.well_ns = Some(now_ns);
            self.finish(number);
            return None;
        }
        if subscriber.row.failing_since_ns.is_none() {
            subscriber.row.failing_since_ns = Some(outgoing.at_ns);
            self.touched.endpoints.insert(endpoint);
        }
        if status == Some(410) {
            self.fail(number, Failed::Gone);
            return telling(self.disable(endpoint, Disabled::Gone, now_ns), last);
        }
        if subscriber.row.disabled.is_some() {
            self.fail(number, Failed::EndpointDisabled);
            return None;
        }
        if let Some(wait_ns) = options.wait_ns(at + 1, number, seed) {
            let due_ns = now_ns.saturating_add(wait_ns.max(asked_ns.unwrap_or(0)));
            subscriber.lane.wait(number, due_ns);
            if let (Some(429 | 503), Some(asked_ns)) = (status, asked_ns) {
                let until_ns = now_ns.saturating_add(asked_ns);
                let paused = &mut subscriber.lane.paused_until_ns;
                *paused = until_ns.max(*paused);
            }
            if let Some(queued) = self.deliveries.get_mut(&number) {
                queued.due_ns = due_ns;
                queued.state = DeliveryState::Pending;
            }
            return None;
        }
        let was_well = subscriber.row.well_ns.is_some_and(|ns| ns >= created_ns);
        self.fail(number, Failed::Exhausted);
        if was_well || !options.disable_failing {
            return None;
        }
        telling(self.disable(endpoint, Disabled::Failing, now_ns), last)
    }

    fn finish(&mut self, number: u64) {
        if let Some(queued) = self.deliveries.get_mut(&number) {
            queued.state = DeliveryState::Delivered;
            self.finished.push_back(number);
        }
    }

    fn forget_excerpts(&mut self, number: u64, attempt: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        for (delivery, attempt) in self.kept.add(number, attempt, bytes) {
            let queued = self.deliveries.get_mut(&delivery);
            if let Some(attempt) = queued.and_then(|queued| queued.attempts.get_mut(attempt)) {
                (attempt.request, attempt.response) = (None, None);
            }
        }
    }
}

fn enable(subscriber: &mut Subscriber) {
    subscriber.row.disabled = None;
    subscriber.row.failing_since_ns = None;
    subscriber.lane.paused_until_ns = 0;
}

/// Nobody listens to the endpoint: its deliveries wait, however long that takes.
fn is_held(subscriber: &Subscriber) -> bool {
    match &subscriber.target {
        Target::Address(_) => false,
        Target::Listener(listener) => !listener.is_connected(),
    }
}

fn next_due(subscriber: &Subscriber) -> Option<u64> {
    if is_held(subscriber) {
        return None;
    }
    let (ordered, room) = turn_rules(&subscriber.row.settings);
    subscriber.lane.next_due(ordered, room)
}

fn turn_rules(settings: &Settings) -> (bool, usize) {
    let room = usize::try_from(settings.max_in_flight).unwrap_or(1);
    (settings.ordered, room)
}

fn telling(disabling: Option<Disabling>, last: Attempt) -> Option<Disabling> {
    disabling.map(|disabling| Disabling {
        last: Some(last),
        ..disabling
    })
}

fn full() -> Refusal {
    Refusal::Full(format!(
        "{MAX_DELIVERIES} deliveries are waiting; the queue is full"
    ))
}

impl Which {
    fn means(&self, queued: &Queued) -> bool {
        let is =
            |wanted: &Option<String>, is: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(is);
        is(&self.endpoint, &|id| endpoint_id(queued.endpoint) == id)
            && is(&self.event, &|id| queued.message.id == id)
            && is(&self.kind, &|kind| queued.message.kind == kind)
            && self.state.is_none_or(|state| queued.state == state)
            && (!self.dead || queued.is_dead_letter())
            && self.since_ns.is_none_or(|since| queued.created_ns >= since)
            && self
                .before_ns
                .is_none_or(|before| queued.created_ns < before)
    }
}

#[cfg(test)]
mod tests;
