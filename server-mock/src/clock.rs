//! The business clock of a session: limits, idempotency, token expiry, webhook retries and `Date` all read it.
//!
//! Wire time (latency faults, `/v1/delay`, socket timeouts) is real and never comes from here.
//!
//! | State | `now` | Leaves by |
//! |---|---|---|
//! | running (default) | real time plus a shift | `freeze` |
//! | frozen | stands still until moved by `advance_to` | `resume` |

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::lock::lock;

/// Nanoseconds in a second.
pub(crate) const NS: u64 = 1_000_000_000;
/// Nanoseconds in a millisecond.
pub(crate) const MS: u64 = 1_000_000;
/// 1 January 2200: the clock stops there, so that every instant fits 63 bits and every date can be written.
pub(crate) const LAST_NS: u64 = 7_258_118_400 * NS;
const RUNNING: i64 = -1;

/// A clock that can be frozen and moved forward; instants are nanoseconds since the Unix epoch.
pub(crate) struct Clock {
    /// Added to real time while running.
    shift: AtomicI64,
    /// The instant it stands at, or `RUNNING`.
    frozen_at: AtomicI64,
    writers: Mutex<()>,
    /// Wakes those who wait for instants of this clock, a task each.
    wake: Vec<Arc<Notify>>,
}

/// A clock as its row has it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptClock {
    /// What it shows beyond real time, in nanoseconds.
    shift_ns: i64,
    /// The instant it stands at, in nanoseconds since the Unix epoch; none while it runs.
    frozen_at_ns: Option<u64>,
}

impl Clock {
    /// A running clock that shows real time; whenever it is frozen, resumed or moved, it wakes `wake`.
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self {
            shift: AtomicI64::new(0),
            frozen_at: AtomicI64::new(RUNNING),
            writers: Mutex::new(()),
            wake: vec![wake],
        }
    }

    /// The same, and it wakes `wake` too.
    pub(crate) fn waking(mut self, wake: Arc<Notify>) -> Self {
        self.wake.push(wake);
        self
    }

    /// The instant it shows, in nanoseconds since the Unix epoch.
    pub(crate) fn now_ns(&self) -> u64 {
        let frozen = self.frozen_at.load(Ordering::Acquire);
        if frozen != RUNNING {
            return frozen.unsigned_abs();
        }
        let shifted = signed(real_now_ns()).saturating_add(self.shift.load(Ordering::Acquire));
        shifted.clamp(0, signed(LAST_NS)).unsigned_abs()
    }

    /// Whether real time moves it.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_at.load(Ordering::Acquire) != RUNNING
    }

    /// Shows real time again, which may be earlier than what it showed.
    pub(crate) fn reset(&self) {
        {
            let _one = lock(&self.writers);
            self.shift.store(0, Ordering::Release);
            self.frozen_at.store(RUNNING, Ordering::Release);
        }
        self.wake();
    }

    pub(crate) fn kept(&self) -> KeptClock {
        let _one = lock(&self.writers);
        let frozen_at = self.frozen_at.load(Ordering::Acquire);
        KeptClock {
            shift_ns: self.shift.load(Ordering::Acquire),
            frozen_at_ns: (frozen_at != RUNNING).then_some(frozen_at.unsigned_abs()),
        }
    }

    /// Shows what it showed when it was kept, and, if it was running, the time that has passed since.
    pub(crate) fn restore(&self, kept: KeptClock) {
        {
            let _one = lock(&self.writers);
            self.shift.store(kept.shift_ns, Ordering::Release);
            let frozen_at = kept.frozen_at_ns.map(|at| signed(at.min(LAST_NS)));
            self.frozen_at
                .store(frozen_at.unwrap_or(RUNNING), Ordering::Release);
        }
        self.wake();
    }

    /// Stops it where it stands.
    pub(crate) fn freeze(&self) {
        {
            let _one = lock(&self.writers);
            self.frozen_at
                .store(signed(self.now_ns()), Ordering::Release);
        }
        self.wake();
    }

    /// Lets real time move it again, from where it stands.
    pub(crate) fn resume(&self) {
        {
            let _one = lock(&self.writers);
            let now = signed(self.now_ns());
            self.shift
                .store(now.saturating_sub(signed(real_now_ns())), Ordering::Release);
            self.frozen_at.store(RUNNING, Ordering::Release);
        }
        self.wake();
    }

    /// Moves it forward to `instant_ns`; an instant already past changes nothing.
    pub(crate) fn advance_to(&self, instant_ns: u64) {
        {
            let _one = lock(&self.writers);
            let to = signed(instant_ns.min(LAST_NS));
            let by = to.saturating_sub(signed(self.now_ns()));
            if by <= 0 {
                return;
            }
            if self.is_frozen() {
                self.frozen_at.store(to, Ordering::Release);
            } else {
                self.shift.fetch_add(by, Ordering::AcqRel);
            }
        }
        self.wake();
    }

    pub(crate) fn wake(&self) {
        self.wake.iter().for_each(|wake| wake.notify_one());
    }
}

/// Real time as the process sees it: the wall clock once, then a monotonic count from there.
pub(crate) fn real_now_ns() -> u64 {
    static START: OnceLock<(u64, Instant)> = OnceLock::new();
    let (wall, start) = START.get_or_init(|| {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        (nanos(wall), Instant::now())
    });
    wall.saturating_add(nanos(start.elapsed()))
}

/// A duration in nanoseconds, saturating.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_time_stands_still_until_moved() {
        let clock = Clock::new(Arc::default());
        clock.freeze();
        let before = clock.now_ns();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.now_ns(), before);
        clock.advance_to(before + 5 * NS);
        assert_eq!(clock.now_ns(), before + 5 * NS);
    }

    #[test]
    fn never_goes_back() {
        let clock = Clock::new(Arc::default());
        clock.freeze();
        let before = clock.now_ns();
        clock.advance_to(before - NS);
        assert_eq!(clock.now_ns(), before);
    }

    #[test]
    fn resumes_from_where_it_stood() {
        let clock = Clock::new(Arc::default());
        clock.freeze();
        let stood = clock.now_ns() + 3_600 * NS;
        clock.advance_to(stood);
        clock.resume();
        let now = clock.now_ns();
        assert!(now >= stood && now < stood + NS);
    }

    #[test]
    fn stops_at_its_last_instant() {
        let clock = Clock::new(Arc::default());
        clock.advance_to(u64::MAX);
        assert_eq!(clock.now_ns(), LAST_NS);
    }
}
