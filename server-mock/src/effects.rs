//! Counts what really happened, so that a lost or doubled side effect is seen without trusting the client.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::durable::{Changes, Rows, Value};
use crate::routes::operations;
use crate::world::State;

/// Names (keys or external ids) one operation remembers; beyond it effects are counted but not told apart.
const MAX_NAMES: usize = 500_000;

/// The kinds of its rows: by operation, and by `OPERATION/NAME`.
pub(crate) const OF_OPERATION: &str = "effects";
pub(crate) const OF_KEY: &str = "effects_of_key";
pub(crate) const OF_EXTERNAL_ID: &str = "effects_of_external_id";

/// The side effects of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Effects {
    /// The operation, such as `contacts.create`.
    pub op: String,
    /// Records created, changed or deleted by it.
    pub count: u64,
    /// The same by idempotency key.
    pub by_key: ByKey,
    /// Different `external_id` values among the records.
    pub distinct_external_ids: u64,
    /// The `external_id` values that were written more than once, in order.
    pub doubled: Vec<String>,
}

/// Side effects by idempotency key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ByKey {
    /// Different keys.
    pub distinct: u64,
    /// Side effects beyond the first of their key; always 0 in a correct gateway.
    pub duplicates: u64,
    /// Side effects of requests without a key.
    pub without_key: u64,
}

/// The side effects of a session.
#[derive(Default)]
pub(crate) struct EffectLog(BTreeMap<&'static str, OfOperation>);

#[derive(Default)]
struct OfOperation {
    count: u64,
    without_key: u64,
    keys: HashMap<Box<str>, u32>,
    external_ids: HashMap<Box<str>, u32>,
}

/// What the row of an operation says.
#[derive(Serialize, Deserialize)]
struct KeptCount {
    count: u64,
    without_key: u64,
}

impl EffectLog {
    fn happened(
        &mut self,
        op: &'static str,
        key: Option<&str>,
        external_id: Option<&str>,
        changes: &mut Changes,
    ) {
        let of = self.0.entry(op).or_default();
        of.count += 1;
        match key {
            Some(key) => count(&mut of.keys, key, OF_KEY, op, changes),
            None => of.without_key += 1,
        }
        if let Some(id) = external_id {
            count(&mut of.external_ids, id, OF_EXTERNAL_ID, op, changes);
        }
        let kept = KeptCount {
            count: of.count,
            without_key: of.without_key,
        };
        changes.put(OF_OPERATION, op, &kept);
    }

    /// Takes a row in.
    pub(crate) fn take(&mut self, kind: &str, id: &str, value: &Value) -> Result<(), String> {
        let (op, name) = id.split_once('/').unwrap_or((id, ""));
        let mut names = operations().map(|row| row.op.name());
        let op = names
            .find(|known| *known == op)
            .ok_or_else(|| format!("there is no operation {op:?}"))?;
        let of = self.0.entry(op).or_default();
        match kind {
            OF_OPERATION => {
                let kept: KeptCount = value.read()?;
                (of.count, of.without_key) = (kept.count, kept.without_key);
            }
            OF_KEY => drop(of.keys.insert(name.into(), value.read()?)),
            _ => drop(of.external_ids.insert(name.into(), value.read()?)),
        }
        Ok(())
    }

    pub(crate) fn rows(&self, out: &mut Rows) {
        for (op, of) in &self.0 {
            let kept = KeptCount {
                count: of.count,
                without_key: of.without_key,
            };
            out.put(OF_OPERATION, op, &kept);
            for (kind, names) in [(OF_KEY, &of.keys), (OF_EXTERNAL_ID, &of.external_ids)] {
                for (name, seen) in names {
                    out.put(kind, &format!("{op}/{name}"), seen);
                }
            }
        }
    }

    pub(crate) fn of(&self, op: &str) -> Effects {
        let mut effects = Effects {
            op: op.into(),
            ..Effects::default()
        };
        if let Some(of) = self.0.get(op) {
            effects.count = of.count;
            effects.by_key = ByKey {
                distinct: of.keys.len() as u64,
                duplicates: of.keys.values().map(|seen| u64::from(seen - 1)).sum(),
                without_key: of.without_key,
            };
            effects.distinct_external_ids = of.external_ids.len() as u64;
            effects.doubled = of
                .external_ids
                .iter()
                .filter(|(_, seen)| **seen > 1)
                .map(|(id, _)| id.to_string())
                .collect();
            effects.doubled.sort();
        }
        effects
    }

    /// Operations that had side effects.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl State {
    /// Counts a side effect of an operation.
    pub(crate) fn happened(
        &mut self,
        op: &'static str,
        key: Option<&str>,
        external_id: Option<&str>,
    ) {
        self.effects
            .happened(op, key, external_id, &mut self.changes);
    }
}

fn count(
    names: &mut HashMap<Box<str>, u32>,
    name: &str,
    kind: &'static str,
    op: &str,
    changes: &mut Changes,
) {
    let seen = if let Some(seen) = names.get_mut(name) {
        *seen = seen.saturating_add(1);
        *seen
    } else if names.len() < MAX_NAMES {
        names.insert(name.into(), 1);
        1
    } else {
        return;
    };
    if changes.is_kept() {
        changes.put(kind, &format!("{op}/{name}"), &seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_effects_are_named() {
        let mut log = EffectLog::default();
        let mut happened =
            |key, id| log.happened("contacts.create", key, id, &mut Changes::default());
        happened(Some("k1"), Some("a"));
        happened(Some("k2"), Some("b"));
        happened(Some("k2"), Some("b"));
        happened(None, None);
        let effects = log.of("contacts.create");
        assert_eq!(effects.count, 4);
        let by_key = ByKey {
            distinct: 2,
            duplicates: 1,
            without_key: 1,
        };
        assert_eq!(effects.by_key, by_key);
        assert_eq!(
            (effects.distinct_external_ids, effects.doubled),
            (2, vec!["b".to_owned()])
        );
        assert_eq!(log.of("users.create").count, 0);
    }
}
