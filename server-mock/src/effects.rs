//! Counts what really happened, so that a lost or doubled side effect is seen without trusting the client.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

/// Names (keys or external ids) one operation remembers; beyond it effects are counted but not told apart.
const MAX_NAMES: usize = 500_000;

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

impl EffectLog {
    pub(crate) fn happened(
        &mut self,
        op: &'static str,
        key: Option<&str>,
        external_id: Option<&str>,
    ) {
        let of = self.0.entry(op).or_default();
        of.count += 1;
        match key {
            Some(key) => count(&mut of.keys, key),
            None => of.without_key += 1,
        }
        if let Some(id) = external_id {
            count(&mut of.external_ids, id);
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

fn count(names: &mut HashMap<Box<str>, u32>, name: &str) {
    if let Some(seen) = names.get_mut(name) {
        *seen = seen.saturating_add(1);
    } else if names.len() < MAX_NAMES {
        names.insert(name.into(), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_effects_are_named() {
        let mut log = EffectLog::default();
        log.happened("contacts.create", Some("k1"), Some("a"));
        log.happened("contacts.create", Some("k2"), Some("b"));
        log.happened("contacts.create", Some("k2"), Some("b"));
        log.happened("contacts.create", None, None);
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
