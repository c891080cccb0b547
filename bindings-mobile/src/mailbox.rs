//! What is on its way between the host and its calls: tasks that are to begin, frames that came of them.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use gatewright_boundary::{Batch, Frame, Host, Task};

/// What is on its way. Any thread may put something in; who drives takes it out, and is woken for it.
#[derive(Default)]
pub(crate) struct Mailbox {
    contents: Mutex<Contents>,
    changes: AtomicU32,
}

/// What a mailbox holds.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) tasks: Vec<Task>,
    full: VecDeque<Batch>,
    batch: Batch,
    /// How many clients are open.
    pub(crate) clients: usize,
    /// Nothing begins and nothing is delivered any more.
    pub(crate) stopped: bool,
    /// Of who drives, where that waits.
    pub(crate) waker: Option<Waker>,
}

impl Contents {
    /// The next frames, oldest first.
    pub(crate) fn next_batch(&mut self) -> Option<Batch> {
        let full = self.full.pop_front();
        full.or_else(|| (!self.batch.is_empty()).then(|| self.batch.take()))
    }

    /// Frames that could not be handed over come next.
    pub(crate) fn give_back(&mut self, batch: Batch) {
        self.full.push_front(batch);
    }

    pub(crate) fn has_frames(&self) -> bool {
        !self.full.is_empty() || !self.batch.is_empty()
    }
}

impl Mailbox {
    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that is another one after each change.
    pub(crate) fn changes(&self) -> u32 {
        self.changes.load(Ordering::Acquire)
    }

    /// Changes the contents, and wakes who drives. What `change` gives back is dropped by the caller, when the mailbox is not locked.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        let mut contents = self.contents();
        let given = change(&mut contents);
        self.changes.fetch_add(1, Ordering::Release);
        let waker = contents.waker.take();
        drop(contents);
        if let Some(waker) = waker {
            waker.wake();
        }
        given
    }

    /// Nobody reads any more: what is there and what comes is dropped.
    pub(crate) fn stop(&self) {
        let dropped = self.change(|contents| {
            contents.stopped = true;
            (
                mem::take(&mut contents.tasks),
                mem::take(&mut contents.full),
                contents.batch.take(),
            )
        });
        // Tasks may deliver when they are dropped.
        drop(dropped);
    }
}

/// The boundary's host.
pub(crate) struct MailboxHost(pub(crate) Arc<Mailbox>);

impl Host for MailboxHost {
    fn spawn(&self, task: Task) {
        let refused = self.0.change(|contents| {
            if contents.stopped {
                return Some(task);
            }
            contents.tasks.push(task);
            None
        });
        drop(refused);
    }

    fn deliver(&self, frame: Frame) {
        let refused = self.0.change(|contents| {
            if contents.stopped {
                return Some(frame);
            }
            contents.batch.push(frame);
            if contents.batch.is_full() {
                let full = contents.batch.take();
                contents.full.push_back(full);
            }
            None
        });
        drop(refused);
    }

    fn nobody_waits(&self) {
        // With a client open, who drives waits for what comes next, whoever waits.
        if self.0.contents().clients == 0 {
            self.0.change(|_| ());
        }
    }
}
