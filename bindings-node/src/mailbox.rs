//! What is on its way between one JavaScript thread and its calls: tasks that are to begin, frames that came of them.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gatewright_boundary::{Batch, Frame, Host, Task};

/// Who drives the tasks of a mailbox and brings its frames home. Called from any thread.
pub(crate) trait Driver: Send + Sync {
    /// There are tasks where there were none.
    fn tasks_came(&self, mailbox: &Mailbox);

    /// There are frames where there were none.
    fn frames_came(&self);
}

/// What is on its way.
#[derive(Default)]
pub(crate) struct Mailbox {
    contents: Mutex<Contents>,
    driver: OnceLock<Box<dyn Driver>>,
}

#[derive(Default)]
struct Contents {
    tasks: Vec<Task>,
    batch: Batch,
    full: Vec<Batch>,
    closed: bool,
}

impl Mailbox {
    /// From now on, this one drives.
    pub(crate) fn set_driver(&self, driver: Box<dyn Driver>) {
        if self.driver.set(driver).is_err() {
            return;
        }
        if let Some(driver) = self.driver.get() {
            if self.has_tasks() {
                driver.tasks_came(self);
            }
            if self.has_frames() {
                driver.frames_came();
            }
        }
    }

    pub(crate) fn has_tasks(&self) -> bool {
        !self.contents().tasks.is_empty()
    }

    pub(crate) fn has_frames(&self) -> bool {
        let contents = self.contents();
        !contents.batch.is_empty() || !contents.full.is_empty()
    }

    /// The tasks that are to begin.
    pub(crate) fn take_tasks(&self) -> Vec<Task> {
        mem::take(&mut self.contents().tasks)
    }

    /// The frames that came, oldest first.
    pub(crate) fn take_batches(&self) -> (Vec<Batch>, Batch) {
        let mut contents = self.contents();
        (mem::take(&mut contents.full), contents.batch.take())
    }

    /// Nobody reads any more: what is there and what comes is dropped.
    pub(crate) fn close(&self) {
        let mut contents = self.contents();
        contents.closed = true;
        let dropped = (
            mem::take(&mut contents.tasks),
            mem::take(&mut contents.batch),
            mem::take(&mut contents.full),
        );
        // Tasks may deliver when they are dropped.
        drop(contents);
        drop(dropped);
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The boundary's host.
pub(crate) struct MailboxHost(pub(crate) Arc<Mailbox>);

impl Host for MailboxHost {
    fn spawn(&self, task: Task) {
        let mut contents = self.0.contents();
        if contents.closed {
            drop(contents);
            return drop(task);
        }
        let was_empty = contents.tasks.is_empty();
        contents.tasks.push(task);
        drop(contents);
        if was_empty && let Some(driver) = self.0.driver.get() {
            driver.tasks_came(&self.0);
        }
    }

    fn deliver(&self, frame: Frame) {
        let mut contents = self.0.contents();
        if contents.closed {
            drop(contents);
            return drop(frame);
        }
        let was_empty = contents.batch.is_empty() && contents.full.is_empty();
        contents.batch.push(frame);
        if contents.batch.is_full() {
            let full = contents.batch.take();
            contents.full.push(full);
        }
        drop(contents);
        if was_empty && let Some(driver) = self.0.driver.get() {
            driver.frames_came();
        }
    }

    fn nobody_waits(&self) {
        // Where frames are still here, the thread comes for them anyway, and looks then.
        if !self.0.has_frames()
            && let Some(driver) = self.0.driver.get()
        {
            driver.frames_came();
        }
    }
}
