//! A session as one JSON document: all that a data file would keep of it, to be put back later or elsewhere.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::changes::{Row, Value};
use super::trouble::Trouble;
use crate::world::World;

/// The layout of the rows, as in a data file.
const LAYOUT: u32 = 1;

/// `{"gatewright_snapshot":1,"session":"default","rows":[{"kind","id","json"}]}`; bytes are `base64` in place of `json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    gatewright_snapshot: u32,
    /// The session it was made of; it may be put back into another.
    session: String,
    rows: Vec<SnapshotRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotRow {
    kind: String,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl World {
    /// The session as it is now.
    pub(crate) fn snapshot(&self) -> Result<String, String> {
        let rows = {
            let state = self.state();
            self.rows(&state)
        };
        if let Some(why) = rows.unwritable {
            return Err(why);
        }
        let rows: Result<_, String> = rows.list.into_iter().map(SnapshotRow::of).collect();
        let snapshot = Snapshot {
            gatewright_snapshot: LAYOUT,
            session: self.name.to_string(),
            rows: rows?,
        };
        serde_json::to_string(&snapshot).map_err(|error| error.to_string())
    }

    /// Makes the session what a snapshot says, in place of what it was; all of it or, with the reason, nothing.
    pub(crate) fn restore(self: &Arc<Self>, text: &[u8]) -> Result<(), String> {
        let snapshot: Snapshot = serde_json::from_slice(text)
            .map_err(|error| format!("this is no snapshot: {error}"))?;
        if snapshot.gatewright_snapshot != LAYOUT {
            return Err(format!(
                "the snapshot has layout {}, this gateway reads layout {LAYOUT}",
                snapshot.gatewright_snapshot
            ));
        }
        let rows: Result<Vec<Row>, String> = snapshot.rows.into_iter().map(Row::try_from).collect();
        self.become_rows(rows?)
            .map_err(|trouble: Trouble| trouble.reason())?;
        crate::jobs::start(self);
        Ok(())
    }
}

impl SnapshotRow {
    fn of(row: Row) -> Result<Self, String> {
        let Row { kind, id, value } = row;
        let (json, base64) = match value {
            Value::Bytes(bytes) => (None, Some(STANDARD.encode(bytes))),
            Value::Json(text) => {
                let json = RawValue::from_string(text).map_err(|error| error.to_string())?;
                (Some(json), None)
            }
        };
        Ok(Self {
            kind,
            id,
            json,
            base64,
        })
    }
}

impl TryFrom<SnapshotRow> for Row {
    type Error = String;

    fn try_from(row: SnapshotRow) -> Result<Self, String> {
        let SnapshotRow {
            kind,
            id,
            json,
            base64,
        } = row;
        let value = match (json, base64) {
            (Some(json), None) => Value::Json(json.get().into()),
            (None, Some(text)) => match STANDARD.decode(text) {
                Ok(bytes) => Value::Bytes(bytes.into()),
                Err(error) => return Err(format!("{kind} {id:?}: {error}")),
            },
            _ => return Err(format!("{kind} {id:?}: has either json or base64")),
        };
        Ok(Self { kind, id, value })
    }
}
