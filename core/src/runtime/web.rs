//! The clocks, timers and randomness of a JavaScript host: a page, a worker, Node, Deno, an edge runtime.
//!
//! Every sleep is a timer of its own, set by the call that waits: edge runtimes end the timers of a request together with that request, so
//! calls cannot share them. A sleep that is dropped takes its timer back.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;

use super::{BoxFuture, Instant, Now, Runtime, UnixMillis};

#[wasm_bindgen(module = "/src/transport/web.js")]
extern "C" {
    fn monotonic() -> f64;
    #[wasm_bindgen(js_name = wallClock)]
    fn wall_clock() -> f64;
    #[wasm_bindgen(js_name = setTimer)]
    fn set_timer(wake: &JsValue, slot: u32, ms: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimer)]
    fn clear_timer(timer: &JsValue);
}

/// The clocks, timers and randomness of the JavaScript host.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebRuntime;

impl Runtime for WebRuntime {
    fn instant(&self) -> Instant {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "float to integer saturates; a page is never so old"
        )]
        Instant::from_nanos((monotonic() * 1e6) as u64)
    }

    fn now(&self) -> Now {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds, whole")]
        let wall = wall_clock() as i64;
        Now {
            instant: self.instant(),
            wall: UnixMillis(wall),
        }
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        /// Hosts take at most 2³¹ ms. Timers need not reach further: whoever waits looks at the clock again.
        const FAR: Duration = Duration::from_secs(24 * 3600);
        let wait = at.since(self.instant()).min(FAR);
        Box::pin(Sleep {
            slot: Slot::new(),
            // Rounded up: a timer that ends early only makes another.
            wait_ms: (wait.as_secs_f64() * 1e3).ceil(),
            timer: None,
        })
    }

    fn random(&self) -> u64 {
        // Fails only where the host has no `crypto`; then the clock must do, because a call that could be made is not to be lost.
        getrandom::u64().unwrap_or_else(|_| {
            self.instant()
                .as_nanos()
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        })
    }
}

/// A timer, set when it is first awaited.
struct Sleep {
    slot: Slot,
    wait_ms: f64,
    timer: Option<SendWrapper<JsValue>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.slot.take_woken() {
            self.timer = None;
            return Poll::Ready(());
        }
        self.slot.wait(cx.waker());
        if self.timer.is_none() {
            let timer = waking(|wake| set_timer(wake, self.slot.number(), self.wait_ms));
            self.timer = Some(SendWrapper::new(timer));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            clear_timer(timer);
        }
    }
}

thread_local! {
    static SLOTS: RefCell<Slots> = const { RefCell::new(Slots { next: 0, waiting: BTreeMap::new() }) };
    /// The one function by which JavaScript wakes Rust: one for each slot would have to be made and freed with every timer.
    static WAKE: JsValue = Closure::<dyn Fn(u32)>::new(|slot| {
        // Woken outside of the borrow: a waker may do anything.
        let waker = SLOTS.with_borrow_mut(|slots| {
            let waiting = slots.waiting.get_mut(&slot)?;
            waiting.woken = true;
            waiting.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    })
    .into_js_value();
}

#[derive(Default)]
struct Waiting {
    woken: bool,
    waker: Option<Waker>,
}

struct Slots {
    next: u32,
    waiting: BTreeMap<u32, Waiting>,
}

/// A place where JavaScript finds the waker of a future, by number. Numbers are used once, so that what comes late wakes nobody else.
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) fn new() -> Self {
        SLOTS.with_borrow_mut(|slots| {
            let number = slots.next;
            slots.next = number.wrapping_add(1);
            slots.waiting.insert(number, Waiting::default());
            Self(number)
        })
    }

    pub(crate) fn number(&self) -> u32 {
        self.0
    }

    /// Whom to wake.
    pub(crate) fn wait(&self, waker: &Waker) {
        SLOTS.with_borrow_mut(|slots| {
            if let Some(waiting) = slots.waiting.get_mut(&self.0) {
                match &mut waiting.waker {
                    Some(kept) => kept.clone_from(waker),
                    none => *none = Some(waker.clone()),
                }
            }
        });
    }

    /// Whether JavaScript called since this was last asked.
    pub(crate) fn take_woken(&self) -> bool {
        SLOTS.with_borrow_mut(|slots| {
            slots
                .waiting
                .get_mut(&self.0)
                .is_some_and(|waiting| std::mem::take(&mut waiting.woken))
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // The waker is dropped outside of the borrow: it may own another slot.
        let freed = SLOTS.with_borrow_mut(|slots| slots.waiting.remove(&self.0));
        drop(freed);
    }
}

/// Lends the function that JavaScript calls with a slot's number.
pub(crate) fn waking<T>(f: impl FnOnce(&JsValue) -> T) -> T {
    WAKE.with(f)
}
