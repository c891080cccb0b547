//! The rows of records: what differs from the records every tenant starts with.
//!
//! `record` of `TENANT/contacts/00000000000000000046`: the record, or null where one of the first is gone.
//! `collection` of `TENANT/contacts`: the number the next record gets, so that none comes twice.

use serde::{Deserialize, Serialize};

use super::changes::{Rows, Value};
use crate::op::Kind;
use crate::resource::{Collection, KeptRecord};
use crate::world::State;

pub(super) const RECORD: &str = "record";
pub(super) const COLLECTION: &str = "collection";

#[derive(Serialize, Deserialize)]
struct KeptCollection {
    next: u64,
}

impl State {
    /// Notes the record of this number as it is now, or that it is gone. To be called with every change of a record.
    pub(crate) fn keep_record(&mut self, tenant: &str, kind: Kind, number: u64) {
        if !self.changes.is_kept() {
            return;
        }
        let Ok(of) = self.tenant(tenant) else {
            return;
        };
        let collection = of.collections.of(kind);
        let next = KeptCollection {
            next: collection.next(),
        };
        let record = collection.kept(number);
        let is_first = collection.is_first(number);
        let id = row_id(tenant, kind, number);
        match record {
            None if !is_first => self.changes.delete(RECORD, &id),
            record => self.changes.put(RECORD, &id, &record),
        }
        self.changes
            .put(COLLECTION, &collection_id(tenant, kind), &next);
    }
}

/// Takes a row in.
pub(super) fn take(state: &mut State, kind: &str, id: &str, value: &Value) -> Result<(), String> {
    let unknown = || "its id names no collection".to_owned();
    let mut parts = id.split('/');
    let (tenant, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let of = Kind::named(name).ok_or_else(unknown)?;
    let number: Option<u64> = parts.next().and_then(|number| number.parse().ok());
    let collection = state
        .tenant(tenant)
        .map_err(|_| "there are too many tenants".to_owned())?
        .collections
        .of_mut(of);
    match (kind, number) {
        (COLLECTION, _) => collection.set_next(value.read::<KeptCollection>()?.next),
        (_, Some(number)) => match value.read::<Option<KeptRecord>>()? {
            Some(record) => {
                collection.restore(number, record);
                state.note_job(tenant, of, number);
            }
            None => collection.remove(number),
        },
        (_, None) => return Err(unknown()),
    }
    Ok(())
}

pub(super) fn rows(state: &State, out: &mut Rows) {
    for (tenant, kind, collection) in state.collections() {
        of_collection(tenant, kind, collection, out);
    }
}

fn of_collection(tenant: &str, kind: Kind, collection: &Collection, out: &mut Rows) {
    if collection.is_untouched() {
        return;
    }
    let next = KeptCollection {
        next: collection.next(),
    };
    out.put(COLLECTION, &collection_id(tenant, kind), &next);
    for number in collection.changed() {
        let record = collection.kept(number);
        out.put(RECORD, &row_id(tenant, kind, number), &record);
    }
}

fn row_id(tenant: &str, kind: Kind, number: u64) -> String {
    format!("{tenant}/{}/{number:020}", kind.name())
}

fn collection_id(tenant: &str, kind: Kind) -> String {
    format!("{tenant}/{}", kind.name())
}
