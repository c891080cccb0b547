//! A clock that is advanced instead of waited for.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::runtime::{BoxFuture, Instant, Now, Runtime, UnixMillis};

/// 2026-01-01T00:00:00Z.
const EPOCH: i64 = 1_767_225_600_000;

/// A runtime whose time moves only when told, or when everything waits for it. Clones share the clock. Its randomness
/// is seeded, so one seed gives one run.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Mutex<State>>);

struct State {
    now: Instant,
    slept: Duration,
    timers: Vec<(Instant, Waker)>,
    random: u64,
    /// What is to be driven behind whatever is waited for.
    tasks: Vec<BoxFuture<'static, ()>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("now", &self.now)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl VirtualClock {
    /// A clock at its origin, with this seed for its randomness.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: Instant::ORIGIN,
            slept: Duration::ZERO,
            timers: Vec::new(),
            random: seed,
            tasks: Vec::new(),
        })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the clock's origin.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.state().now.since(Instant::ORIGIN)
    }

    /// Moves the clock on, and wakes whoever waited for a moment that has come.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.now = state.now + by;
        let now = state.now;
        let (due, later) = std::mem::take(&mut state.timers)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        state.timers = later;
        drop(state);
        let due: Vec<(Instant, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Lets the device sleep: the wall clock goes on, instants and timers stand still.
    pub fn sleep(&self, by: Duration) {
        self.state().slept += by;
    }

    /// Runs `future` to its end; the clock jumps to the next timer whenever everything waits. What was spawned is driven
    /// along; what is left of it then goes on with the next `block_on`.
    ///
    /// # Panics
    /// Where everything waits and no timer is left: that would never end.
    #[expect(clippy::panic, reason = "a test that would hang is a failed test")]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut cx = Context::from_waker(&waker);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                let tasks = std::mem::take(&mut self.state().tasks);
                for mut task in tasks {
                    if task.as_mut().poll(&mut cx).is_pending() {
                        self.state().tasks.push(task);
                    }
                }
            }
            let next = self.state().timers.iter().map(|(at, _)| *at).min();
            let Some(next) = next else {
                panic!("everything waits and no timer is left: this would hang for ever")
            };
            self.advance(next.since(self.instant()));
        }
    }
}

impl Runtime for VirtualClock {
    fn instant(&self) -> Instant {
        self.state().now
    }

    fn now(&self) -> Now {
        let instant = self.instant();
        let passed = instant.since(Instant::ORIGIN) + self.slept();
        let passed = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX - EPOCH);
        Now {
            instant,
            wall: UnixMillis(EPOCH.saturating_add(passed)),
        }
    }

    fn slept(&self) -> Duration {
        self.state().slept
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(std::future::poll_fn(move |cx| {
            let mut state = clock.state();
            if state.now >= at {
                return Poll::Ready(());
            }
            if !state
                .timers
                .iter()
                .any(|(t, w)| *t == at && w.will_wake(cx.waker()))
            {
                state.timers.push((at, cx.waker().clone()));
            }
            Poll::Pending
        }))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        self.state().tasks.push(task);
        Ok(())
    }

    fn random(&self) -> u64 {
        // SplitMix64.
        let mut state = self.state();
        state.random = state.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_jumps_to_the_next_timer() {
        let clock = VirtualClock::new(1);
        let sleep = |seconds| clock.sleep_until(Instant::ORIGIN + Duration::from_secs(seconds));
        clock.block_on(async {
            futures_util::future::join(sleep(3600), sleep(60)).await;
        });
        assert_eq!(clock.elapsed(), Duration::from_secs(3600));
    }
}
