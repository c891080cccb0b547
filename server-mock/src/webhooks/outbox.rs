//! Deliveries of a session and their attempts.
//!
//! | State | Leaves by | To |
//! |---|---|---|
//! | pending, due at an instant | the instant | sending |
//! | sending | 2xx | delivered |
//! | sending | 410, or the endpoint is gone or disabled | failed |
//! | sending | anything else, attempts left | pending, later by the schedule |
//! | sending | anything else, no attempt left | failed |
//!
//! Schedule: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, each ±20 %, on the session's clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use gatewright_webhook::Signed;
use serde::Serialize;

use super::Event;
use super::endpoint::{Disabled, Endpoint, NewEndpoint, Subscriber, Target};
use super::listener::Listener;
use crate::clock::{MS, NS};
use crate::dispatch::desk::SentBy;
use crate::stable_hash::{stable_hash, unit};
use crate::world::Surroundings;

const DELAYS_S: [u64; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
const MAX_ENDPOINTS: usize = 100;
/// Deliveries remembered; the oldest finished ones go first.
const MAX_DELIVERIES: usize = 10_000;
/// Deliveries sent at the same time.
pub(crate) const MAX_SENDING: usize = 16;

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Delivery {
    /// `dlv_000001`.
    pub id: String,
    /// The endpoint's id.
    pub endpoint: String,
    /// The event's id, sent as `webhook-id` in every attempt.
    pub event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is sent next, in milliseconds of the session's clock, while it is pending.
    pub next_attempt_ms: Option<u64>,
    /// What has been tried, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeliveryState {
    /// The endpoint answered 2xx.
    Delivered,
    /// It will not be tried again.
    Failed,
    /// It waits for its next attempt.
    Pending,
    /// It is being sent.
    Sending,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The session's clock when it was sent, in milliseconds.
    pub at_ms: u64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Real time it took, in milliseconds.
    pub took_ms: u64,
    /// The worker that made it, where webhooks go by a bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<SentBy>,
}

/// What the sending task needs for one attempt.
pub(crate) struct Outgoing {
    pub(crate) delivery: u64,
    /// Which life of the outbox it is from; numbers begin again after a reset.
    pub(crate) life: u64,
    pub(crate) target: Target,
    /// The event's type.
    pub(crate) kind: String,
    /// Counted from 1.
    pub(crate) attempt: usize,
    pub(crate) signed: Result<Signed, String>,
    pub(crate) payload: Bytes,
    pub(crate) at_ns: u64,
}

impl Outgoing {
    /// The delivery's id.
    pub(super) fn name(&self) -> String {
        delivery_id(self.delivery)
    }
}

fn delivery_id(number: u64) -> String {
    format!("dlv_{number:06}")
}

struct Queued {
    event: Arc<Event>,
    endpoint: u64,
    state: DeliveryState,
    due_ns: u64,
    first_ns: u64,
    attempts: Vec<Attempt>,
}

#[derive(Default)]
pub(crate) struct Outbox {
    endpoints: BTreeMap<u64, Subscriber>,
    last_endpoint: u64,
    deliveries: BTreeMap<u64, Queued>,
    finished: VecDeque<u64>,
    last_delivery: u64,
    last_event: u64,
    sending: usize,
    life: u64,
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

    pub(crate) fn next_event(&mut self) -> u64 {
        self.last_event += 1;
        self.last_event
    }

    pub(crate) fn add_endpoint(
        &mut self,
        new: NewEndpoint,
        seed: u64,
        around: &Surroundings,
    ) -> Result<Endpoint, String> {
        if self.endpoints.len() >= MAX_ENDPOINTS {
            return Err(format!(
                "a session has at most {MAX_ENDPOINTS} webhook endpoints"
            ));
        }
        let number = self.last_endpoint + 1;
        let subscriber = Subscriber::new(new, number, seed, around)?;
        let shown = subscriber.shown.clone();
        self.last_endpoint = number;
        self.endpoints.insert(number, subscriber);
        Ok(shown)
    }

    pub(crate) fn endpoint_count(&self) -> usize {
        self.endpoints.len()
    }

    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints
            .values()
            .map(|subscriber| subscriber.shown.clone())
            .collect()
    }

    pub(crate) fn remove_endpoint(&mut self, id: &str) -> Result<(), String> {
        let number = self.endpoint_number(id)?;
        self.endpoints.remove(&number);
        Ok(())
    }

    pub(crate) fn enable_endpoint(&mut self, id: &str) -> Result<Endpoint, String> {
        let number = self.endpoint_number(id)?;
        let subscriber = self
            .endpoints
            .get_mut(&number)
            .ok_or_else(|| unknown("endpoint", id))?;
        subscriber.shown.disabled = None;
        Ok(subscriber.shown.clone())
    }

    fn endpoint_number(&self, id: &str) -> Result<u64, String> {
        self.endpoints
            .iter()
            .find(|(_, subscriber)| subscriber.shown.id == id)
            .map(|(number, _)| *number)
            .ok_or_else(|| unknown("endpoint", id))
    }

    /// Queues `event` for every endpoint that wants it, and answers for how many; a full queue drops it.
    pub(crate) fn publish(&mut self, event: &Arc<Event>, now_ns: u64) -> usize {
        let wanting: Vec<u64> = self
            .endpoints
            .iter()
            .filter(|(_, subscriber)| subscriber.wants(&event.kind))
            .map(|(number, _)| *number)
            .collect();
        wanting
            .into_iter()
            .map_while(|endpoint| self.queue(endpoint, event, now_ns))
            .count()
    }

    /// Queues `event` for one endpoint.
    pub(crate) fn deliver(
        &mut self,
        endpoint: &str,
        event: &Arc<Event>,
        now_ns: u64,
    ) -> Result<Delivery, String> {
        let endpoint = self.endpoint_number(endpoint)?;
        self.queue(endpoint, event, now_ns)
            .ok_or_else(|| format!("{MAX_DELIVERIES} deliveries are waiting; the queue is full"))
    }

    pub(crate) fn redeliver(&mut self, id: &str, now_ns: u64) -> Result<Delivery, String> {
        let number = id
            .strip_prefix("dlv_")
            .and_then(|number| number.parse().ok());
        let (endpoint, event) = number
            .and_then(|number: u64| self.deliveries.get(&number))
            .map(|queued| (queued.endpoint, Arc::clone(&queued.event)))
            .ok_or_else(|| unknown("delivery", id))?;
        if !self.endpoints.contains_key(&endpoint) {
            return Err(format!("the endpoint of {id} has been removed"));
        }
        self.queue(endpoint, &event, now_ns)
            .ok_or_else(|| format!("{MAX_DELIVERIES} deliveries are waiting; the queue is full"))
    }

    fn queue(&mut self, endpoint: u64, event: &Arc<Event>, now_ns: u64) -> Option<Delivery> {
        if self.deliveries.len() >= MAX_DELIVERIES {
            let oldest = self.finished.pop_front()?;
            self.deliveries.remove(&oldest);
        }
        self.last_delivery += 1;
        let number = self.last_delivery;
        let queued = Queued {
            event: Arc::clone(event),
            endpoint,
            state: DeliveryState::Pending,
            due_ns: now_ns,
            first_ns: now_ns,
            attempts: Vec::new(),
        };
        let shown = queued.shown(number);
        self.deliveries.insert(number, queued);
        Some(shown)
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries
            .iter()
            .map(|(number, queued)| queued.shown(*number))
            .collect()
    }

    /// When the next pending delivery is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.pending().map(|(_, queued)| queued.due_ns).min()
    }

    /// Nothing is due at `now_ns` and nothing is being sent.
    pub(crate) fn is_quiet(&self, now_ns: u64) -> bool {
        self.sending == 0 && self.next_due().is_none_or(|due_ns| due_ns > now_ns)
    }

    fn pending(&self) -> impl Iterator<Item = (u64, &Queued)> {
        self.deliveries
            .iter()
            .filter(|(_, queued)| queued.state == DeliveryState::Pending && !self.is_held(queued))
            .map(|(number, queued)| (*number, queued))
    }

    /// Nobody listens to the endpoint: it waits, however long that takes.
    fn is_held(&self, queued: &Queued) -> bool {
        let subscriber = self.endpoints.get(&queued.endpoint);
        subscriber.is_some_and(|subscriber| match &subscriber.target {
            Target::Address(_) => false,
            Target::Listener(listener) => !listener.is_connected(),
        })
    }

    /// The listener of an endpoint that has one. What it missed is due at `now_ns`, if it was to be tried again later.
    pub(crate) fn listener(&mut self, id: &str, now_ns: u64) -> Result<Arc<Listener>, String> {
        let number = self.endpoint_number(id)?;
        let subscriber = self
            .endpoints
            .get_mut(&number)
            .ok_or_else(|| unknown("endpoint", id))?;
        let Target::Listener(listener) = &subscriber.target else {
            return Err(format!("{id} has an address; it does not listen"));
        };
        let listener = Arc::clone(listener);
        // Whoever comes back is well again.
        subscriber.shown.disabled = None;
        for queued in self.deliveries.values_mut() {
            if queued.endpoint == number && queued.state == DeliveryState::Pending {
                queued.due_ns = queued.due_ns.min(now_ns);
            }
        }
        Ok(listener)
    }

    /// The same, as it is.
    pub(crate) fn find_listener(&self, id: &str) -> Result<Arc<Listener>, String> {
        let number = self.endpoint_number(id)?;
        match self.endpoints.get(&number).map(|found| &found.target) {
            Some(Target::Listener(listener)) => Ok(Arc::clone(listener)),
            _ => Err(format!("{id} has an address; it does not listen")),
        }
    }

    /// Takes what is due at `now_ns`, signed for this attempt, as far as there is room to send.
    pub(crate) fn take_due(&mut self, now_ns: u64) -> Vec<Outgoing> {
        let room = MAX_SENDING.saturating_sub(self.sending);
        let due: Vec<u64> = self
            .pending()
            .filter(|(_, queued)| queued.due_ns <= now_ns)
            .map(|(number, _)| number)
            .collect();
        let mut outgoing = Vec::new();
        for number in due {
            if outgoing.len() == room {
                break;
            }
            let Some(queued) = self.deliveries.get_mut(&number) else {
                continue;
            };
            let subscriber = self.endpoints.get(&queued.endpoint);
            let Some(subscriber) =
                subscriber.filter(|subscriber| subscriber.shown.disabled.is_none())
            else {
                queued.state = DeliveryState::Failed;
                self.finished.push_back(number);
                continue;
            };
            queued.state = DeliveryState::Sending;
            self.sending += 1;
            let seconds = i64::try_from(now_ns / NS).unwrap_or(i64::MAX);
            outgoing.push(Outgoing {
                delivery: number,
                life: self.life,
                target: subscriber.target.clone(),
                kind: queued.event.kind.clone(),
                attempt: queued.attempts.len() + 1,
                signed: subscriber
                    .signer
                    .sign(&queued.event.id, seconds, &queued.event.payload)
                    .map_err(|error| error.to_string()),
                payload: queued.event.payload.clone(),
                at_ns: now_ns,
            });
        }
        outgoing
    }

    /// Notes how an attempt ended and decides what comes next.
    pub(crate) fn attempted(
        &mut self,
        outgoing: &Outgoing,
        attempt: Attempt,
        now_ns: u64,
        seed: u64,
    ) {
        let number = outgoing.delivery;
        if outgoing.life != self.life {
            return;
        }
        let Some(queued) = self.deliveries.get_mut(&number) else {
            return;
        };
        self.sending = self.sending.saturating_sub(1);
        let status = attempt.status;
        queued.attempts.push(attempt);
        let subscriber = self.endpoints.get_mut(&queued.endpoint);
        let delay = retry_delay_ns(queued.attempts.len(), number, seed);
        queued.state = match (status, delay) {
            (Some(200..300), _) => {
                if let Some(subscriber) = subscriber {
                    subscriber.well_ns = Some(now_ns);
                }
                DeliveryState::Delivered
            }
            (Some(410), _) => {
                if let Some(subscriber) = subscriber {
                    subscriber.shown.disabled = Some(Disabled::Gone);
                }
                DeliveryState::Failed
            }
            (_, Some(delay)) if subscriber.is_some() => {
                queued.due_ns = now_ns.saturating_add(delay);
                DeliveryState::Pending
            }
            _ => {
                if let Some(subscriber) = subscriber
                    && subscriber
                        .well_ns
                        .is_none_or(|well_ns| well_ns < queued.first_ns)
                {
                    subscriber.shown.disabled = Some(Disabled::Failing);
                }
                DeliveryState::Failed
            }
        };
        if queued.state != DeliveryState::Pending {
            self.finished.push_back(number);
        }
    }
}

impl Queued {
    fn shown(&self, number: u64) -> Delivery {
        Delivery {
            id: delivery_id(number),
            endpoint: format!("ep_{:06}", self.endpoint),
            event: self.event.id.clone(),
            kind: self.event.kind.clone(),
            state: self.state,
            next_attempt_ms: (self.state == DeliveryState::Pending).then_some(self.due_ns / MS),
            attempts: self.attempts.clone(),
        }
    }
}

fn unknown(what: &str, id: &str) -> String {
    format!("there is no {what} {id}")
}

/// The wait after the `attempts`-th attempt failed, ±20 % by hash; none after the last.
fn retry_delay_ns(attempts: usize, delivery: u64, seed: u64) -> Option<u64> {
    let delay_s = DELAYS_S.get(attempts.checked_sub(1)?)?;
    let hash = stable_hash(&[
        b"jitter",
        &seed.to_le_bytes(),
        &delivery.to_le_bytes(),
        &(attempts as u64).to_le_bytes(),
    ]);
    Some((*delay_s as f64 * NS as f64 * (0.8 + 0.4 * unit(hash))) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_schedule_within_a_fifth() {
        for delivery in 1..200 {
            for (attempt, delay_s) in DELAYS_S.iter().enumerate() {
                let delay = retry_delay_ns(attempt + 1, delivery, 9).unwrap() as f64 / NS as f64;
                let share = delay / *delay_s as f64;
                assert!((0.8..=1.2).contains(&share), "attempt {attempt}: {share}");
            }
            assert_eq!(retry_delay_ns(8, delivery, 9), None);
        }
    }

    #[test]
    fn the_queue_is_bounded_and_drops_finished_deliveries_first() {
        let mut outbox = Outbox::default();
        let new = NewEndpoint {
            url: "http://127.0.0.1:9/".into(),
            listen: false,
            result_timeout_ms: None,
            secret: None,
            secrets: Vec::new(),
            key_pair: false,
            types: Vec::new(),
        };
        outbox
            .add_endpoint(new, 1, &Surroundings::of_ports([1, 2]))
            .unwrap();
        let event = Arc::new(Event {
            id: "evt_1".into(),
            kind: "contact.created".into(),
            payload: Bytes::new(),
        });
        for _ in 0..MAX_DELIVERIES {
            outbox.publish(&event, 0);
        }
        assert!(
            outbox
                .deliver("ep_000001", &event, 0)
                .unwrap_err()
                .ends_with("the queue is full")
        );
        let sent = outbox.take_due(0);
        assert_eq!(sent.len(), MAX_SENDING);
        let attempt = Attempt {
            at_ms: 0,
            status: Some(204),
            error: None,
            took_ms: 0,
            by: None,
        };
        outbox.attempted(&sent[0], attempt, 0, 1);
        assert!(outbox.deliver("ep_000001", &event, 0).is_ok());
        assert_eq!(outbox.deliveries().len(), MAX_DELIVERIES);
    }
}
