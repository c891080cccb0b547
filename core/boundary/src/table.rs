//! What goes by a number of the host language's: calls, lists, questions.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries by number. Gives its memory back as they go.
pub(crate) struct Table<T>(Mutex<Map<T>>);

type Map<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// Below this, memory is kept.
const KEPT: usize = 64;

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Mutex::new(Map::default()))
    }
}

impl<T: Clone> Table<T> {
    pub(crate) fn get(&self, number: u32) -> Option<T> {
        self.lock().get(&number).cloned()
    }
}

impl<T> Table<T> {
    fn lock(&self) -> MutexGuard<'_, Map<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry in; what stood there comes back.
    pub(crate) fn put(&self, number: u32, entry: T) -> Option<T> {
        self.lock().insert(number, entry)
    }

    /// Takes an entry out. It is dropped by the caller, when the table is no longer locked.
    pub(crate) fn take(&self, number: u32) -> Option<T> {
        self.take_if(number, |_| true)
    }

    /// Takes an entry out, where it is the one that is meant.
    pub(crate) fn take_if(&self, number: u32, is_it: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut map = self.lock();
        if !map.get(&number).is_some_and(is_it) {
            return None;
        }
        let entry = map.remove(&number);
        if map.capacity() > KEPT && map.len() < map.capacity() / 8 {
            let left = map.len();
            map.shrink_to((2 * left).max(KEPT / 2));
        }
        entry
    }

    /// Takes all out.
    pub(crate) fn take_all(&self) -> Vec<(u32, T)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    #[cfg(test)]
    fn size(&self) -> (usize, usize) {
        let map = self.lock();
        (map.len(), map.capacity())
    }
}

/// Spreads numbers that count upwards. Nobody else chooses them, so nothing stronger is needed.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_was_full_gives_its_memory_back() {
        let table = Table::default();
        for number in 0..10_000 {
            table.put(number, number);
        }
        for number in 0..10_000 {
            assert_eq!(table.take(number), Some(number));
            assert_eq!(table.take(number), None);
        }
        let (length, capacity) = table.size();
        assert!(length == 0 && capacity <= KEPT, "{capacity}");
    }

    #[test]
    fn another_entry_of_the_number_stays() {
        let table = Table::default();
        table.put(1, 'a');
        assert_eq!(table.take_if(1, |entry| *entry == 'b'), None);
        assert_eq!(table.get(1), Some('a'));
        assert_eq!(table.take_all(), [(1, 'a')]);
        assert_eq!(table.get(1), None);
    }
}
