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
            None => system(),
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
fn system() -> Duration {
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
fn system() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

/// What the clocks said when an attempt began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// Since the watch began, sleep included.
    at: Duration,
    /// How much of that the device slept.
    slept: Duration,
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

/// Reads both clocks.
#[derive(Debug)]
pub(super) struct Watch {
    clock: BootClock,
    booted: Duration,
    began: Instant,
}

impl Watch {
    pub(super) fn new(clock: BootClock) -> Self {
        Self {
            booted: clock.now(),
            clock,
            began: Instant::now(),
        }
    }

    pub(super) fn look(&self) -> Look {
        let awake = self.began.elapsed();
        let at = self.clock.now().saturating_sub(self.booted);
        Look {
            at,
            slept: at.saturating_sub(awake),
        }
    }
}

impl Look {
    /// What happened since `last`.
    pub(super) fn since(self, last: Self) -> Rest {
        if self.slept > last.slept + NAP {
            Rest::Slept
        } else if self.at > last.at + UNWATCHED {
            Rest::Unwatched
        } else {
            Rest::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at_ms: u64, slept_ms: u64) -> Look {
        Look {
            at: Duration::from_millis(at_ms),
            slept: Duration::from_millis(slept_ms),
        }
    }

    #[test]
    fn a_nap_is_no_sleep_and_a_clock_that_goes_back_is_none() {
        let last = look(60_000, 10_000);
        for (now, rest) in [
            (look(60_050, 10_000), Rest::None),
            (look(60_200, 10_000), Rest::Unwatched),
            (look(64_900, 14_900), Rest::Unwatched),
            (look(65_200, 15_001), Rest::Slept),
            (look(3_660_000, 3_610_000), Rest::Slept),
            (look(1_000, 0), Rest::None),
        ] {
            assert_eq!(now.since(last), rest, "{now:?}");
        }
    }

    #[test]
    fn the_system_s_clock_runs_as_the_other_does_while_nothing_sleeps() {
        let watch = Watch::new(BootClock::default());
        let (first, second) = (watch.look(), watch.look());
        assert!(second.at >= first.at);
        assert!(second.slept < Duration::from_secs(1), "{second:?}");
        assert!(!watch.clock.now().is_zero());
    }
}
