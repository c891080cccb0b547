//! One session's side of the data file: what it has handed in, and whether its memory is still that of the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::changes::{Changes, Row};
use super::trouble::Trouble;
use super::writer::Store;

/// The session that hands transactions in.
pub(super) struct Owner {
    pub(super) session: Box<str>,
    /// The epoch its memory is of.
    epoch: AtomicU64,
    /// The session was dropped or forgotten; another may have its name.
    gone: AtomicBool,
}

impl Owner {
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
    }
}

/// What a session has of the data file; nothing where there is none.
pub(crate) struct Kept(Option<Inner>);

struct Inner {
    store: Arc<Store>,
    owner: Owner,
    /// The number of the last transaction handed in.
    submitted: AtomicU64,
}

impl Kept {
    pub(crate) fn new(session: &str, store: Option<Arc<Store>>) -> Self {
        Self(store.map(|store| Inner {
            owner: Owner {
                session: session.into(),
                epoch: AtomicU64::new(store.epoch()),
                gone: AtomicBool::new(false),
            },
            store,
            submitted: AtomicU64::new(0),
        }))
    }

    /// Whether there is a file.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Hands in what was changed, as one transaction. To be called while the lock of what was changed is held.
    pub(crate) fn submit(&self, changes: &mut Changes) {
        if changes.is_empty() {
            return;
        }
        let Some(inner) = &self.0 else {
            return;
        };
        match inner.store.submit(&inner.owner, changes.take()) {
            Some(number) => {
                inner.submitted.fetch_max(number, Ordering::AcqRel);
            }
            // Whoever waits for it hears of it.
            None => inner.owner.leave(),
        }
    }

    /// The epoch of the session's memory, to be given to `settled` later.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.owner.epoch())
    }

    /// Waits until all that was handed in so far is on disk. Refused if any of it failed since `epoch` was asked for.
    pub(crate) async fn settled(&self, epoch: u64) -> Result<(), Trouble> {
        let Some(inner) = &self.0 else {
            return Ok(());
        };
        if inner.owner.is_gone() {
            return Err(Trouble::Gone);
        }
        let number = inner.submitted.load(Ordering::Acquire);
        if inner.store.is_settled(number, epoch) {
            return Ok(());
        }
        inner.store.settled(number, epoch).await
    }

    /// Reads the session's rows for the first time, and tells this life of it from those before.
    pub(crate) fn open(&self) -> Result<(Vec<Row>, u64), Trouble> {
        let Some(inner) = &self.0 else {
            return Ok((Vec::new(), 0));
        };
        let rows = inner.store.load(&inner.owner.session)?;
        let life = inner.store.next_life(rows.is_empty());
        Ok((rows, life))
    }

    /// Whether writing failed since the session's memory was read.
    pub(crate) fn is_stale(&self) -> bool {
        let stale = |inner: &Inner| inner.store.epoch() != inner.owner.epoch();
        self.0.as_ref().is_some_and(stale)
    }

    /// Reads the rows anew after writing failed; with them the memory is that of the file again.
    pub(crate) fn reload(&self) -> Result<Vec<Row>, Trouble> {
        let Some(inner) = &self.0 else {
            return Ok(Vec::new());
        };
        let epoch = inner.store.epoch();
        let rows = inner.store.load(&inner.owner.session)?;
        inner.owner.epoch.store(epoch, Ordering::Release);
        Ok(rows)
    }

    /// What is made from now on builds on nothing that failed, since all of it is made anew.
    pub(crate) fn catch_up(&self) {
        if let Some(inner) = &self.0 {
            let epoch = inner.store.epoch();
            inner.owner.epoch.store(epoch, Ordering::Release);
        }
    }

    /// The session is dropped or forgotten: nothing of it is written any more.
    pub(crate) fn leave(&self) {
        if let Some(inner) = &self.0 {
            inner.store.part_with(&inner.owner);
        }
    }
}
