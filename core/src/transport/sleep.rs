//! Notices that the device slept, or that this process stood still, before it reuses connections of the time before.
//!
//! A device that sleeps keeps no connection alive: servers, proxies and the address translation of networks on the way drop
//! them without a word that would reach it. The clock of timers and timeouts stands still meanwhile (`CLOCK_MONOTONIC` on
//! Linux and Android, `CLOCK_UPTIME_RAW` on Apple's systems), so that a connection which idled for hours looks fresh, and
//! the next request on it would wait for its timeout. So each attempt compares that clock with one that goes on in sleep.
//!
//! A process that stands still on a device that is awake (an app in the background, a frozen container, a runtime that
//! nobody drives) does see the end of its connections, but only once its runtime has looked at its sockets.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A device that slept longer than this gets new connections. Shorter naps are within what clocks and networks forgive.
const NAP: Duration = Duration::from_secs(5);

/// After this long without an attempt, the runtime looks at its sockets first.
const UNWATCHED: Duration = Duration::from_millis(100);

/// A clock that goes on while the device sleeps. It counts from any moment, and never goes back by much.
#[derive(Clone)]
pub struct BootClock(Option<Arc<dyn Fn() -> Duration + Send + Sync>>);

impl Default for BootClock {
    /// The system's: `CLOCK_BOOTTIME` on Linux and Android, `CLOCK_MONOTONIC_RAW` on Apple's systems, else the wall clock.
    fn default() -> Self {
        Self(None)
    }
}

impl BootClock {
    /// Another clock, for tests.
    pub fn new(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(clock)))
    }

    fn now(&self) -> Duration {
        match &self.0 {
            None => boot_time(),
            Some(clock) => clock(),
        }
    }
}

impl fmt::Debug for BootClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            None => "BootClock(system)",
            Some(_) => "BootClock(given)",
        })
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn boot_time() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    // What `mach_continuous_time` reads.
    #[cfg(target_vendor = "apple")]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC_RAW;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a `timespec` of ours that outlives the call, which writes nothing else.
    if unsafe { libc::clock_gettime(CLOCK, &raw mut time) } != 0 {
        // A kernel that has no such clock does not sleep as far as we can tell.
        return Duration::ZERO;
    }
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn boot_time() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// What is to be done before connections are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing: they were in use until just now.
    None,
    /// The runtime has to look at its sockets.
    Unwatched,
    /// The device slept: they are not to be used again.
    Slept,
}

/// Compares the clocks, attempt by attempt. Where attempts follow each other closely, one clock is read.
#[derive(Debug)]
pub(super) struct Watch {
    clock: BootClock,
    booted: Duration,
    began: Instant,
    /// When the last attempt began, sleep included.
    last: Duration,
    /// How long the device had slept when both clocks were last read.
    slept: Duration,
}

impl Watch {
    pub(super) fn new(clock: BootClock) -> Self {
        Self {
            booted: clock.now(),
            clock,
            began: Instant::now(),
            last: Duration::ZERO,
            slept: Duration::ZERO,
        }
    }

    /// What happened since the attempt before the one that begins now.
    pub(super) fn look(&mut self) -> Rest {
        let at = self.clock.now().saturating_sub(self.booted);
        let began = self.began;
        self.since_last(at, || began.elapsed())
    }

    fn since_last(&mut self, at: Duration, awake: impl Fn() -> Duration) -> Rest {
        let since = at.saturating_sub(std::mem::replace(&mut self.last, at));
        // Whoever slept longer than a nap was away for longer than a nap.
        if since > NAP {
            let slept = at.saturating_sub(awake());
            if slept > std::mem::replace(&mut self.slept, slept) + NAP {
                return Rest::Slept;
            }
        }
        if since > UNWATCHED {
            Rest::Unwatched
        } else {
            Rest::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nap_is_no_sleep_and_a_clock_that_goes_back_is_none() {
        let mut watch = Watch::new(BootClock::default());
        for (at, awake, rest) in [
            (50, Some(50), Rest::None),
            (1_000, Some(1_000), Rest::Unwatched),
            // Close to the one before: the other clock is not read.
            (1_050, None, Rest::None),
            (5_950, None, Rest::Unwatched),
            // It was away for a long time, but awake.
            (60_000, Some(60_000), Rest::Unwatched),
            (66_000, Some(61_000), Rest::Unwatched),
            (72_001, Some(62_000), Rest::Slept),
            (72_050, None, Rest::None),
            (3_672_050, Some(62_100), Rest::Slept),
            (1_000, None, Rest::None),
            (10_000, Some(10_000), Rest::Unwatched),
            (40_000, Some(20_000), Rest::Slept),
        ] {
            let read = || Duration::from_millis(awake.unwrap());
            assert_eq!(
                watch.since_last(Duration::from_millis(at), read),
                rest,
                "{at}"
            );
        }
    }

    #[test]
    fn the_system_s_clock_runs_as_the_other_does_while_nothing_sleeps() {
        let clock = BootClock::default();
        // Each reading is between two of the other clock, however long a busy machine takes from one to the next.
        let read = || (Instant::now(), clock.now(), Instant::now());
        let (first, booted, second) = read();
        assert!(!booted.is_zero());
        std::thread::sleep(Duration::from_millis(5));
        let (third, now, last) = read();
        let (least, most) = (third - second, last - first);
        let slack = Duration::from_millis(1);
        let passed = now - booted;
        assert!(
            least <= passed + slack && passed <= most + slack,
            "{least:?} {passed:?} {most:?}"
        );
    }
}
