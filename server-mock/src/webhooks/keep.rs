//! Endpoints and deliveries as rows of a data file: what changed is written in the transaction that changed it.

use std::sync::Arc;

use super::delivery::{DeliveryRow, Queued, delivery_id, delivery_number};
use super::driver;
use super::endpoint::{EndpointRow, endpoint_id};
use super::outbox::{Counters, Outbox};
use crate::durable::{Changes, Rows, Value};
use crate::world::World;

const ENDPOINT: &str = "webhook_endpoint";
const DELIVERY: &str = "webhook_delivery";
const COUNTERS: &str = "webhook_counters";

/// The kinds of rows that are webhooks'.
pub(crate) const KINDS: [&str; 3] = [ENDPOINT, DELIVERY, COUNTERS];

impl Outbox {
    /// Writes what changed since it was last asked.
    pub(crate) fn write_to(&mut self, changes: &mut Changes) {
        let touched = self.touched();
        if !changes.is_kept() {
            return;
        }
        for number in touched.endpoints {
            let id = endpoint_id(number);
            match self.endpoint_row(number) {
                Some(row) => changes.put(ENDPOINT, &id, row),
                None => changes.delete(ENDPOINT, &id),
            }
        }
        for number in touched.deliveries {
            let id = delivery_id(number);
            match self.delivery(number) {
                Some(queued) => changes.put(DELIVERY, &id, &queued.row(number)),
                None => changes.delete(DELIVERY, &id),
            }
        }
        if touched.counters {
            changes.put(COUNTERS, "", &self.counters());
        }
    }

    /// All of them.
    pub(crate) fn rows(&self, rows: &mut Rows) {
        for number in self.endpoint_numbers() {
            if let Some(row) = self.endpoint_row(number) {
                rows.put(ENDPOINT, &endpoint_id(number), row);
            }
        }
        for number in self.delivery_numbers() {
            if let Some(queued) = self.delivery(number) {
                rows.put(DELIVERY, &delivery_id(number), &queued.row(number));
            }
        }
        rows.put(COUNTERS, "", &self.counters());
    }

    /// Takes a row in.
    pub(crate) fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        match kind {
            ENDPOINT => self.restore_endpoint(value.read::<EndpointRow>()?),
            DELIVERY => {
                let row: DeliveryRow = value.read()?;
                let number = delivery_number(id).filter(|number| *number == row.number);
                let number = number.ok_or("its id is not that of the delivery")?;
                self.restore_delivery(number, Queued::of(row));
                Ok(())
            }
            _ => {
                self.restore_counters(value.read::<Counters>()?);
                Ok(())
            }
        }
    }
}

impl World {
    /// Keeps what changed, in a transaction of its own. While the outbox is locked: the file has the order of memory.
    pub(crate) fn keep(&self, outbox: &mut Outbox) {
        self.write(|changes| outbox.write_to(changes));
    }

    /// Reads a row of webhooks.
    pub(crate) fn take_webhooks(&self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        let mut outbox = self.webhooks.outbox();
        outbox.take(kind, id, value)?;
        self.webhooks.count(&outbox);
        Ok(())
    }

    /// What was due while nobody sent is sent now.
    pub(crate) fn resume_webhooks(self: &Arc<Self>) {
        driver::start(self);
    }
}
