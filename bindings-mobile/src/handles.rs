//! Objects by number, for hosts that keep no pointers: a number that is not known, or not any more, is nothing, and never memory of others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Objects by number. No number is used twice, and none is 0.
pub(crate) struct Handles<T> {
    objects: RwLock<HashMap<i64, Arc<T>>>,
    last: AtomicI64,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            objects: RwLock::default(),
            last: AtomicI64::new(0),
        }
    }
}

impl<T> Handles<T> {
    /// Keeps an object; its number.
    pub(crate) fn keep(&self, object: Arc<T>) -> i64 {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.insert(number, object);
        number
    }

    pub(crate) fn get(&self, number: i64) -> Option<Arc<T>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(&number).cloned()
    }

    /// Forgets an object, and gives it back.
    pub(crate) fn take(&self, number: i64) -> Option<Arc<T>> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_one_object_only() {
        let handles = Handles::default();
        let (a, b) = (handles.keep(Arc::new('a')), handles.keep(Arc::new('b')));
        assert!(a != 0 && a != b);
        assert_eq!(handles.get(a).as_deref(), Some(&'a'));
        assert_eq!(handles.take(a).as_deref(), Some(&'a'));
        assert!(handles.take(a).is_none() && handles.get(a).is_none());
        assert!(handles.keep(Arc::new('c')) > b);
        for stale in [0, -1, i64::MAX, i64::MIN] {
            assert!(handles.get(stale).is_none());
        }
    }
}
