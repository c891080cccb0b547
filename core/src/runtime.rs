//! What the core needs of the machine it runs on: clocks, timers and randomness.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use gatewright_engine::{Instant, Now, Random, UnixMillis};

#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub mod web;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Clocks, timers and randomness. `testing::VirtualClock` is one for tests (feature `testing`).
pub trait Runtime: fmt::Debug + Send + Sync + 'static {
    /// Monotonic time.
    fn instant(&self) -> Instant;

    /// What the clocks say: monotonic and wall-clock time. Read where a server's dates are.
    fn now(&self) -> Now;

    /// How long the device has slept since the origin of `instant`, which stands still meanwhile. Default: never.
    ///
    /// Deadlines and waits of calls do not run while the device sleeps; quotas and pauses of servers, and the lives of
    /// tokens, do.
    fn slept(&self) -> Duration {
        Duration::ZERO
    }

    /// Resolves at `at`. A far-off `at` may be cut: whoever waits looks at the clock again.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;

    /// 64 random bits, good enough for ids that nobody may guess.
    fn random(&self) -> u64;

    /// Drives `task` to its end behind the calls, such as the validation of an answer that was given though stale.
    ///
    /// # Errors
    /// The task, where nothing is driven here but what somebody waits for. That is the default.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        Err(task)
    }
}

/// Lends a runtime's randomness to the engine.
pub(crate) struct RandomOf<'a>(pub(crate) &'a dyn Runtime);

impl Random for RandomOf<'_> {
    fn next_u64(&mut self) -> u64 {
        self.0.random()
    }
}

/// Ran out of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

/// Awaits `future` until `at`. The timer is made only once the future has to wait.
pub(crate) async fn until<F: Future>(
    runtime: &dyn Runtime,
    at: Instant,
    future: F,
) -> Result<F::Output, Elapsed> {
    until_from(runtime, || at, future).await
}

/// Awaits `future` until the moment that `moment` names once the future has to wait: where it does not, no clock is read.
pub(crate) async fn until_from<F: Future>(
    runtime: &dyn Runtime,
    moment: impl Fn() -> Instant,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    let mut timer: Option<BoxFuture<'static, ()>> = None;
    let mut moment_named = None;
    std::future::poll_fn(|cx| {
        use std::task::Poll;
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let at = *moment_named.get_or_insert_with(&moment);
        if at == Instant::from_nanos(u64::MAX) {
            return Poll::Pending;
        }
        loop {
            let timer_of = timer.get_or_insert_with(|| runtime.sleep_until(at));
            if timer_of.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if runtime.instant() >= at {
                return Poll::Ready(Err(Elapsed));
            }
            timer = None;
        }
    })
    .await
}

/// Now, by the clock of servers: what they named a time for goes on while the device sleeps.
pub(crate) fn servers_instant(runtime: &dyn Runtime) -> Instant {
    runtime.instant() + runtime.slept()
}

/// The system's clocks, tokio's timers, the system's randomness.
#[cfg(feature = "native")]
#[derive(Clone, Copy, Debug)]
pub struct SystemRuntime {
    origin: std::time::Instant,
    /// The clock that goes on in sleep, at the origin.
    booted: Duration,
    /// Whether what is spawned is driven whether or not somebody waits.
    background: bool,
}

#[cfg(feature = "native")]
impl SystemRuntime {
    /// For programs that drive tokio's runtime only while somebody waits for a call: nothing is done behind calls.
    #[must_use]
    pub fn without_background() -> Self {
        Self {
            background: false,
            ..Self::default()
        }
    }
}

#[cfg(feature = "native")]
impl Default for SystemRuntime {
    fn default() -> Self {
        Self {
            origin: std::time::Instant::now(),
            booted: crate::transport::sleep::boot_time(),
            background: true,
        }
    }
}

#[cfg(feature = "native")]
impl Runtime for SystemRuntime {
    fn instant(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn now(&self) -> Now {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            });
        Now {
            instant: self.instant(),
            wall: UnixMillis(wall),
        }
    }

    fn slept(&self) -> Duration {
        // Read in this order, so that a thread which is held up in between finds less sleep, not more. Whole seconds, so that
        // clocks which are not quite equal are no sleep.
        let since_boot = crate::transport::sleep::boot_time().saturating_sub(self.booted);
        Duration::from_secs(since_boot.saturating_sub(self.origin.elapsed()).as_secs())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        /// Timers need not reach further: whoever waits looks at the clock again. And after a sleep there may be less left to
        /// wait for.
        const FAR: Duration = Duration::from_secs(10);
        let wait = at.since(self.instant()).min(FAR);
        Box::pin(tokio::time::sleep(wait))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        match tokio::runtime::Handle::try_current() {
            Ok(tokio) if self.background => {
                tokio.spawn(task);
                Ok(())
            }
            _ => Err(task),
        }
    }

    fn random(&self) -> u64 {
        // Fails only where the operating system has no randomness at all; then the clock must do, because a call that
        // could be made is not to be lost.
        getrandom::u64().unwrap_or_else(|_| {
            self.instant()
                .as_nanos()
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        })
    }
}
