//! What a child process must do anew: threads and timers do not survive a fork, so nothing that has them is used again.
//!
//! Python calls `after_fork_in_child` (registered with `os.register_at_fork`), which counts the generation up. Whatever
//! was made in an older generation is left alone, not even dropped: its threads are gone and its locks may be held.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Counts the forks that led to this process.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Called by Python in the child after a fork.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Something that is made anew in a child process.
pub(crate) struct PerProcess<T> {
    made: std::sync::Mutex<Option<(u64, T)>>,
}

impl<T: Clone> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self {
            made: std::sync::Mutex::new(None),
        }
    }

    /// What was made in this process, or what `make` makes. The lock is held with the GIL and never while Python runs,
    /// so that no thread can hold it at a fork, or wait for it with the GIL that another needs to give it back.
    pub(crate) fn get_or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(present) = self.get() {
            return Ok(present);
        }
        let fresh = make()?;
        let now = generation();
        let mut made = self
            .made
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*made {
            // Another thread was faster.
            Some((generation, value)) if *generation == now => return Ok(value.clone()),
            _ => {}
        }
        // Of an older process: its threads are gone, dropping it could wait for them for ever.
        std::mem::forget(made.replace((now, fresh.clone())));
        Ok(fresh)
    }

    /// What was made in this process, if anything was.
    pub(crate) fn get(&self) -> Option<T> {
        let made = self
            .made
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        made.as_ref()
            .filter(|(g, _)| *g == generation())
            .map(|(_, value)| value.clone())
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let made = self
            .made
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if made.as_ref().is_some_and(|(g, _)| *g != generation()) {
            std::mem::forget(made.take());
        }
    }
}
