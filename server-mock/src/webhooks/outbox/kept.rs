//! What of endpoints and deliveries survives a restart: what changed, and how rows are taken back.

use super::{Counters, Outbox, Touched};
use crate::webhooks::delivery::Queued;
use crate::webhooks::endpoint::{EndpointRow, Subscriber};

impl Outbox {
    /// What changed since this was last asked.
    pub(crate) fn touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.last
    }

    pub(crate) fn endpoint_row(&self, number: u64) -> Option<&EndpointRow> {
        self.endpoints.get(&number).map(|found| &found.row)
    }

    pub(crate) fn delivery(&self, number: u64) -> Option<&Queued> {
        self.deliveries.get(&number)
    }

    pub(crate) fn endpoint_numbers(&self) -> impl Iterator<Item = u64> {
        self.endpoints.keys().copied()
    }

    pub(crate) fn delivery_numbers(&self) -> impl Iterator<Item = u64> {
        self.deliveries.keys().copied()
    }

    pub(crate) fn restore_counters(&mut self, counters: Counters) {
        self.last = counters;
    }

    /// Takes an endpoint back; its deliveries may come before or after it.
    pub(crate) fn restore_endpoint(&mut self, row: EndpointRow) -> Result<(), String> {
        let number = row.number;
        let mut subscriber = Subscriber::new(row)?;
        for (delivery, queued) in &self.deliveries {
            if queued.endpoint == number && !queued.is_finished() {
                subscriber.lane.wait(*delivery, queued.due_ns);
            }
        }
        self.last.endpoint = self.last.endpoint.max(number);
        self.endpoints.insert(number, subscriber);
        Ok(())
    }

    pub(crate) fn restore_delivery(&mut self, number: u64, queued: Queued) {
        self.last.delivery = self.last.delivery.max(number);
        if !queued.is_finished() {
            if let Some(subscriber) = self.endpoints.get_mut(&queued.endpoint) {
                subscriber.lane.wait(number, queued.due_ns);
            }
        } else if queued.is_dead_letter() {
            self.dead.push_back(number);
        } else {
            self.finished.push_back(number);
        }
        self.deliveries.insert(number, queued);
    }
}
