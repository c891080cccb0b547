//! Rows: what a session keeps, and what it has changed since its last transaction.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The value of a row.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// JSON text, as the data file shows it to whoever looks.
    Json(String),
    /// Bytes that are no text.
    Bytes(Bytes),
}

/// One thing a session keeps; `kind` and `id` name it within the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) value: Value,
}

/// One step of a transaction.
pub(crate) enum Change {
    /// All rows of the session go.
    Clear,
    /// All rows of all sessions go.
    ClearAll,
    Delete(&'static str, Box<str>),
    Put(&'static str, Box<str>, Value),
    /// A row of any kind, as a snapshot has it.
    Restore(Row),
    /// A value that cannot be written as JSON: a bug, told as a failed write instead of a lost one.
    Unwritable(&'static str, String),
}

/// What was changed under one hold of a lock: one transaction. Without a data file it stays empty.
#[derive(Default)]
pub(crate) struct Changes {
    kept: bool,
    list: Vec<Change>,
}

impl Changes {
    /// With `kept` false nothing is ever noted.
    pub(crate) fn new(kept: bool) -> Self {
        Self {
            kept,
            list: Vec::new(),
        }
    }

    /// Whether there is a file to write to.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept
    }

    /// Notes that the row `id` of `kind` is now `value`.
    pub(crate) fn put(&mut self, kind: &'static str, id: &str, value: &impl Serialize) {
        if !self.kept {
            return;
        }
        self.list.push(match serde_json::to_string(value) {
            Ok(text) => Change::Put(kind, id.into(), Value::Json(text)),
            Err(error) => Change::Unwritable(kind, error.to_string()),
        });
    }

    /// The same for a value that is written already.
    pub(super) fn put_value(&mut self, kind: &'static str, id: &str, value: Result<Value, String>) {
        if self.kept {
            self.list.push(match value {
                Ok(value) => Change::Put(kind, id.into(), value),
                Err(why) => Change::Unwritable(kind, why),
            });
        }
    }

    /// Notes that the row is gone; one that never was is no error.
    pub(crate) fn delete(&mut self, kind: &'static str, id: &str) {
        if self.kept {
            self.list.push(Change::Delete(kind, id.into()));
        }
    }

    /// Notes that all rows of the session are gone.
    pub(crate) fn clear(&mut self) {
        if self.kept {
            // What was noted before is gone too.
            self.list.clear();
            self.list.push(Change::Clear);
        }
    }

    /// Notes a row as a snapshot has it.
    pub(crate) fn restore(&mut self, row: Row) {
        if self.kept {
            self.list.push(Change::Restore(row));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.list)
    }
}

/// Rows being collected, for a snapshot.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) list: Vec<Row>,
    /// The first value that could not be written as JSON.
    pub(crate) unwritable: Option<String>,
}

impl Rows {
    pub(crate) fn put(&mut self, kind: &str, id: &str, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.list.push(Row {
                kind: kind.into(),
                id: id.into(),
                value: Value::Json(text),
            }),
            Err(error) => self.unwritable = Some(format!("{kind} {id}: {error}")),
        }
    }

    /// The same for a value that is written already.
    pub(super) fn put_value(&mut self, kind: &str, id: &str, value: Result<Value, String>) {
        match value {
            Ok(value) => self.list.push(Row {
                kind: kind.into(),
                id: id.into(),
                value,
            }),
            Err(why) => self.unwritable = Some(format!("{kind} {id}: {why}")),
        }
    }
}

impl Value {
    /// Writes what can be read again.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, String> {
        match serde_json::to_string(value) {
            Ok(text) => Ok(Self::Json(text)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Reads it as what it was written from.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        match self {
            Self::Json(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Self::Bytes(_) => Err("got bytes when expecting JSON".into()),
        }
    }

    /// The same for what borrows from the text.
    pub(crate) fn read_borrowed<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, String> {
        match self {
            Self::Json(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Self::Bytes(_) => Err("got bytes when expecting JSON".into()),
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Result<Bytes, String> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Json(_) => Err("got JSON when expecting bytes".into()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the value: it may be somebody's secret.
        match self {
            Self::Json(text) => write!(f, "{} bytes of JSON", text.len()),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}
