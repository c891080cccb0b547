//! Locks a mutex even after another thread panicked while holding it.
//!
//! State behind these locks is only ever changed in steps that leave it whole, so a poisoned lock is still good.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
