//! The clocks, timers and randomness of a JavaScript host: a page, a worker, Node, Deno, an edge runtime.
//!
//! Every sleep is a timer of its own, set by the call that waits: edge runtimes end the timers of a request together with that request, so
//! calls cannot share them. A sleep that is dropped takes its timer back.

use std::cell::RefCell;
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
    static SLOTS: RefCell<Slots> = const { RefCell::new(Slots { places: Vec::new(), free: Vec::new(), turn: 0 }) };
    /// The one function by which JavaScript wakes Rust: one for each slot would have to be made and freed with every timer.
    static WAKE: JsValue = Closure::<dyn Fn(u32)>::new(|number| {
        // Woken outside of the borrow: a waker may do anything.
        let waker = SLOTS.with_borrow_mut(|slots| {
            let place = slots.place(number)?;
            place.woken = true;
            place.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    })
    .into_js_value();
}

/// So many bits of a slot's number are its place, the others its turn.
const PLACE_BITS: u32 = 24;

/// A place of a waker, used by one slot after the other.
struct Place {
    number: u32,
    woken: bool,
    waker: Option<Waker>,
}

struct Slots {
    places: Vec<Place>,
    free: Vec<u32>,
    turn: u32,
}

impl Slots {
    /// The place of a slot, unless it belongs to another by now.
    fn place(&mut self, number: u32) -> Option<&mut Place> {
        let at = (number & ((1 << PLACE_BITS) - 1)) as usize;
        self.places
            .get_mut(at)
            .filter(|place| place.number == number)
    }
}

/// A place where JavaScript finds the waker of a future, by number. A number has a turn in it, so that what comes late wakes nobody else
/// (or, after 256 turns, wakes somebody in vain, who then looks and waits on).
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) fn new() -> Self {
        SLOTS.with_borrow_mut(|slots| {
            slots.turn = slots.turn.wrapping_add(1);
            let place = |at: u32| Place {
                number: at | (slots.turn << PLACE_BITS),
                woken: false,
                waker: None,
            };
            let at = slots.free.pop();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "16 million at once have no room in the memory of a module"
            )]
            let place = place(at.unwrap_or(slots.places.len() as u32));
            let number = place.number;
            match at.and_then(|at| slots.places.get_mut(at as usize)) {
                Some(free) => *free = place,
                None => slots.places.push(place),
            }
            Self(number)
        })
    }

    pub(crate) fn number(&self) -> u32 {
        self.0
    }

    /// Whom to wake.
    pub(crate) fn wait(&self, waker: &Waker) {
        SLOTS.with_borrow_mut(|slots| {
            if let Some(place) = slots.place(self.0) {
                match &mut place.waker {
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
                .place(self.0)
                .is_some_and(|place| std::mem::take(&mut place.woken))
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // The waker is dropped outside of the borrow: it may own another slot.
        let waker = SLOTS.with_borrow_mut(|slots| {
            let place = slots.place(self.0)?;
            // No number is this: its turn is 0, and the first is 1.
            place.number = 0;
            let waker = place.waker.take();
            slots.free.push(self.0 & ((1 << PLACE_BITS) - 1));
            waker
        });
        drop(waker);
    }
}

/// Lends the function that JavaScript calls with a slot's number.
pub(crate) fn waking<T>(f: impl FnOnce(&JsValue) -> T) -> T {
    WAKE.with(f)
}
