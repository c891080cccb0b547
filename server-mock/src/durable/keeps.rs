//! Parts of a session that write their own rows: what was touched under a hold of the lock is written when it ends.
//!
//! | A row is | Leaves by | To |
//! |---|---|---|
//! | as the file has it | the part changes what it says | touched |
//! | touched | the end of the hold of the lock | as the file has it: put as it is then, or deleted |
//!
//! Whoever changes a part through its methods need not know that it is kept, and of several changes under one hold the
//! last is written. Without a data file nothing is noted.

use std::collections::BTreeSet;

use super::changes::{Changes, Rows, Value};

/// The kind and the id of a row.
pub(crate) type Name = (&'static str, Box<str>);

/// The value of a row, or why it cannot be written as JSON.
pub(crate) type Written = Result<Value, String>;

/// The rows of a part that are no longer what the file has.
#[derive(Default)]
pub(crate) struct Touched {
    kept: bool,
    rows: BTreeSet<Name>,
}

impl Touched {
    /// With `kept` false nothing is ever noted.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            kept,
            rows: BTreeSet::new(),
        }
    }

    /// Notes that the row is another now, or gone.
    pub(crate) fn note(&mut self, kind: &'static str, id: &str) {
        if self.kept {
            self.rows.insert((kind, id.into()));
        }
    }

    /// The same for an id that has to be made first.
    pub(crate) fn note_with(&mut self, kind: &'static str, id: impl FnOnce() -> String) {
        if self.kept {
            self.rows.insert((kind, id().into()));
        }
    }

    /// What was noted, by kind and id.
    pub(crate) fn take(&mut self) -> Vec<Name> {
        std::mem::take(&mut self.rows).into_iter().collect()
    }
}

/// A part of a session that has rows.
pub(crate) trait Keeps {
    /// The rows that were touched since it was asked last.
    fn touched(&mut self) -> Vec<Name>;

    /// The names of all its rows.
    fn names(&self) -> Vec<Name>;

    /// A row as it is now; none where there is no such.
    fn row(&self, kind: &str, id: &str) -> Option<Written>;

    /// Takes a row in; none of it is touched by that.
    fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String>;

    /// All rows are in, each by itself: makes of them what takes several.
    fn taken(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Notes what was touched of a part in the transaction.
pub(super) fn write_touched(part: &mut dyn Keeps, changes: &mut Changes) {
    for (kind, id) in part.touched() {
        match part.row(kind, &id) {
            Some(value) => changes.put_value(kind, &id, value),
            None => changes.delete(kind, &id),
        }
    }
}

/// All rows of a part.
pub(super) fn write_all(part: &dyn Keeps, rows: &mut Rows) {
    for (kind, id) in part.names() {
        if let Some(value) = part.row(kind, &id) {
            rows.put_value(kind, &id, value);
        }
    }
}
