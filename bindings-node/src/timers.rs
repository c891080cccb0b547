//! The core's timers where the runtime is driven by Node's event loop: tokio does not say when its next timer is due, so these are kept here.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gatewright::runtime::{BoxFuture, Instant, Now, Runtime, SystemRuntime};

/// What is due when: time in nanoseconds, and a number that tells timers of the same time apart.
type Key = (u64, u64);

#[derive(Debug, Default)]
struct Table {
    waiting: BTreeMap<Key, Waker>,
    made: u64,
}

/// The timers of one JavaScript thread.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    clock: SystemRuntime,
    table: Mutex<Table>,
    /// Whether somebody asks for what is due; else tokio's own timers are used.
    driven: AtomicBool,
}

impl Timers {
    /// From now on, [`Timers::fire`] is called at [`Timers::next`].
    pub(crate) fn drive(&self) {
        self.driven.store(true, Ordering::Relaxed);
    }

    /// The time, in nanoseconds.
    pub(crate) fn now(&self) -> u64 {
        self.clock.instant().as_nanos()
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<u64> {
        self.table().waiting.keys().next().map(|(at, _)| *at)
    }

    /// Whether something is due.
    pub(crate) fn are_due(&self) -> bool {
        self.next().is_some_and(|next| next <= self.now())
    }

    /// Wakes what is due.
    pub(crate) fn fire(&self) {
        let now = self.now();
        loop {
            let due = {
                let mut table = self.table();
                match table.waiting.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                }
            };
            due.wake();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system's clocks and randomness, with these timers.
#[derive(Clone, Debug)]
pub(crate) struct LoopRuntime(pub(crate) Arc<Timers>);

impl Runtime for LoopRuntime {
    fn instant(&self) -> Instant {
        self.0.clock.instant()
    }

    fn now(&self) -> Now {
        self.0.clock.now()
    }

    fn slept(&self) -> Duration {
        self.0.clock.slept()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        if !self.0.driven.load(Ordering::Relaxed) {
            return self.0.clock.sleep_until(at);
        }
        Box::pin(Sleep {
            timers: Arc::clone(&self.0),
            at: at.as_nanos(),
            key: None,
        })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        self.0.clock.spawn(task)
    }

    fn random(&self) -> u64 {
        self.0.clock.random()
    }
}

/// Resolves at its time. It is in the table from its first poll to its end.
struct Sleep {
    timers: Arc<Timers>,
    at: u64,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut table = this.timers.table();
        if let Some(key) = this.key {
            return match table.waiting.get_mut(&key) {
                Some(waker) => {
                    waker.clone_from(cx.waker());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            };
        }
        if this.at <= this.timers.now() {
            return Poll::Ready(());
        }
        table.made += 1;
        let key = (this.at, table.made);
        table.waiting.insert(key, cx.waker().clone());
        this.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let removed = self.timers.table().waiting.remove(&key);
            drop(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn poll(sleep: &mut BoxFuture<'static, ()>) -> Poll<()> {
        sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_timer_is_in_the_table_from_its_first_poll_to_its_end() {
        let timers = Arc::new(Timers::default());
        timers.drive();
        let runtime = LoopRuntime(Arc::clone(&timers));
        let at = runtime.instant() + Duration::from_secs(3600);
        let mut sleep = runtime.sleep_until(at);
        assert_eq!(timers.next(), None);
        assert!(poll(&mut sleep).is_pending());
        assert!(poll(&mut sleep).is_pending());
        assert_eq!(timers.next(), Some(at.as_nanos()));
        assert!(!timers.are_due());
        drop(sleep);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn what_is_due_is_woken_and_nothing_else() {
        let timers = Arc::new(Timers::default());
        timers.drive();
        let runtime = LoopRuntime(Arc::clone(&timers));
        let (soon, late) = (
            runtime.instant() + Duration::from_millis(1),
            runtime.instant() + Duration::from_secs(3600),
        );
        let mut sleeps = [soon, soon, late].map(|at| runtime.sleep_until(at));
        for sleep in &mut sleeps {
            assert!(poll(sleep).is_pending());
        }
        while !timers.are_due() {
            std::hint::spin_loop();
        }
        timers.fire();
        let [first, second, third] = &mut sleeps;
        assert!(poll(first).is_ready() && poll(second).is_ready());
        assert!(poll(third).is_pending());
        assert_eq!(timers.next(), Some(late.as_nanos()));
    }

    #[test]
    fn a_time_that_has_passed_needs_no_timer() {
        let timers = Arc::new(Timers::default());
        timers.drive();
        let runtime = LoopRuntime(Arc::clone(&timers));
        let mut sleep = runtime.sleep_until(runtime.instant());
        assert!(poll(&mut sleep).is_ready());
        assert_eq!(timers.next(), None);
    }
}
