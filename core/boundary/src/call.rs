//! One call under way: who waits for it, and how it is given up.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | WAITED: the host language waits for the answer, a piece or a page | [`Control::settle`], a frame follows | IDLE, or OVER with the last |
//! | IDLE: a streamed answer for which nobody asks now | [`Control::wait`], by `pull` | WAITED |
//! | WAITED, IDLE | [`Control::give_up`] | OVER, and the future is dropped at its next poll |
//! | OVER | anything | OVER: no frame follows any more |

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use pin_project_lite::pin_project;

use crate::port::Port;

const WAITED: u8 = 0;
const IDLE: u8 = 1;
const OVER: u8 = 2;

/// The state of a call, which both sides see.
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: AtomicU8,
    waker: AtomicWaker,
}

impl Control {
    fn change(&self, from: u8, to: u8) -> bool {
        self.state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Whether the host language waits for something.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.state.load(Ordering::Acquire) == WAITED
    }

    fn is_over(&self) -> bool {
        self.state.load(Ordering::Acquire) == OVER
    }

    /// What the host language waits for is there: whether it is to be delivered.
    pub(crate) fn settle(&self, last: bool) -> bool {
        self.change(WAITED, if last { OVER } else { IDLE })
    }

    /// The host language waits again: whether it did not before.
    pub(crate) fn wait(&self) -> bool {
        let begins = self.change(IDLE, WAITED);
        if begins {
            self.waker.wake();
        }
        begins
    }

    /// Ends the call: whether the host language waited for it.
    pub(crate) fn give_up(&self) -> bool {
        let before = self.state.swap(OVER, Ordering::AcqRel);
        self.waker.wake();
        before == WAITED
    }
}

thread_local! {
    static CURRENT: Cell<u32> = const { Cell::new(0) };
}

/// The number of the call that is being polled on this thread, 0 for none.
pub(crate) fn current() -> u32 {
    CURRENT.with(Cell::get)
}

pin_project! {
    /// Drives a call until it is over, whoever ends it.
    pub(crate) struct Driven<F> {
        port: Arc<Port>,
        call: u32,
        control: Arc<Control>,
        #[pin]
        future: F,
    }

    impl<F> PinnedDrop for Driven<F> {
        fn drop(this: Pin<&mut Self>) {
            // The host let go of a call that was not over: nothing comes of it any more.
            this.port.forget(this.call, &this.control);
        }
    }
}

impl<F> Driven<F> {
    pub(crate) fn new(port: Arc<Port>, call: u32, control: Arc<Control>, future: F) -> Self {
        Self {
            port,
            call,
            control,
            future,
        }
    }
}

impl<F: Future<Output = ()>> Future for Driven<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.control.waker.register(cx.waker());
        if this.control.is_over() {
            return Poll::Ready(());
        }
        let outer = CURRENT.with(|current| current.replace(*this.call));
        // The future is not looked at any more where it panics.
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.poll(cx)));
        CURRENT.with(|current| current.set(outer));
        polled.unwrap_or_else(|_| {
            this.port.broke(*this.call, this.control);
            Poll::Ready(())
        })
    }
}
