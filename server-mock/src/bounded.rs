//! A map that holds so many entries and no more: the oldest make room.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Entries in order of arrival, found by their key.
pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            most,
        }
    }

    /// Adds an entry, in place of one with that key, and returns the one that is gone for it, if one is.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.insert_for(key, value).map(|(_, gone)| gone)
    }

    /// The same, with the key of the one that is gone.
    pub(crate) fn insert_for(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some(replaced) = self.entries.insert(key.clone(), value) {
            return Some((key, replaced));
        }
        self.order.push_back(key);
        let mut gone = None;
        while gone.is_none()
            && (self.entries.len() > self.most || self.order.len() > self.most.saturating_mul(2))
        {
            gone = self.entries.remove_entry(&self.order.pop_front()?);
        }
        gone
    }

    /// Makes the order in which entries make room that of `by`, where they did not arrive in it.
    pub(crate) fn sort_by_key<O: Ord>(&mut self, mut by: impl FnMut(&K, &V) -> O) {
        let Self { entries, order, .. } = self;
        order.retain(|key| entries.contains_key(key));
        let key = |key: &K| entries.get(key).map(|value| by(key, value));
        order.make_contiguous().sort_by_cached_key(key);
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key)
    }

    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get_mut(key)
    }

    pub(crate) fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.contains_key(key)
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.remove(key)
    }

    /// The entries that are there, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order
            .iter()
            .filter_map(|key| Some((key, self.entries.get(key)?)))
    }

    /// The entries that are there, in any order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_removed_ones_take_none() {
        let mut map = Bounded::new(3);
        for n in 0..1_000 {
            let gone = map.insert(n, n);
            assert!(gone.is_none_or(|gone| gone < n && gone % 2 == 1));
            if n % 2 == 0 {
                map.remove(&n);
            }
        }
        assert!(map.iter().count() <= 3 && map.order.len() <= 7);
        assert!(map.contains(&999) && !map.contains(&998) && !map.contains(&1));
    }
}
