//! What all processes agree on: the quota, and how far one of them may go by itself.
//!
//! A quota of `limit` in `per` with a `burst` is a generic cell rate (GCRA): one permit each `interval`, and `burst` of them
//! at once after a rest. A permit that was taken ahead may be used up to `keep` after its time, so `keep` is taken off the
//! burst beforehand: **in no span of time `t` do all processes together send more than `burst + t / interval`**, see
//! [`Terms::most_in`].

use std::fmt;
use std::time::Duration;

use crate::pacing::LocalQuota;

/// The least time for which a permit is kept: timers are no better than some milliseconds.
const SHORTEST_KEEP: u64 = 20_000_000;
/// Permits of which no more are taken ahead, whatever the rate.
const MOST_HELD: u64 = 100_000;
/// A burst has to come back within this: the store counts in doubles, which are exact up to 2^53 ns, or 104 days.
const LONGEST_BURST: u64 = 90 * 86_400 * 1_000_000_000;

/// How one process deals with the store, with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShareSettings {
    /// How far ahead permits are taken. The longer, the fewer round trips, and the longer until all know of a pause.
    /// Default: 1 s.
    pub ahead: Duration,
    /// How long a permit that was taken ahead may be used after its time. Taken off the burst. Default: 500 ms, and no
    /// more than half of what the burst is worth.
    pub keep: Duration,
    /// The longest round trip; after it the store counts as away. Making a connection may take four times as long.
    /// Default: 250 ms.
    pub timeout: Duration,
    /// How often the store is tried while it is away. Default: 500 ms.
    pub probe: Duration,
    /// How often a process says that it is there. It counts for three times as long. Default: 5 s.
    pub beat: Duration,
    /// How many processes there are, where the store was never reached. Default: 8.
    pub assumed_processes: u32,
    /// Calls that may wait; more are refused. Default: 10 000.
    pub max_queue: usize,
}

impl Default for ShareSettings {
    fn default() -> Self {
        Self {
            ahead: Duration::from_secs(1),
            keep: Duration::from_millis(500),
            timeout: Duration::from_millis(250),
            probe: Duration::from_millis(500),
            beat: Duration::from_secs(5),
            assumed_processes: 8,
            max_queue: 10_000,
        }
    }
}

/// Why a quota cannot be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermsError {
    /// The burst takes longer than 90 days to come back.
    Burst,
    /// A setting is out of its range.
    Setting {
        /// Its name.
        name: &'static str,
        /// Its range, in words.
        range: &'static str,
    },
}

impl fmt::Display for TermsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Burst => f.write_str(
                "the burst takes longer than 90 days to come back; a shared quota needs a smaller burst or a higher rate",
            ),
            Self::Setting { name, range } => write!(f, "`{name}` must be {range}"),
        }
    }
}

impl std::error::Error for TermsError {}

/// The quota in the units of the store, and what follows from it. All times in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The quota as it was given.
    pub quota: LocalQuota,
    /// How this process deals with the store.
    pub settings: ShareSettings,
    /// One permit comes back in this time.
    pub interval: u64,
    /// Permits that the store gives at once after a rest: the quota's burst, less what `keep` may add.
    pub burst: u64,
    /// How late a permit may be used.
    pub keep: u64,
    /// How far ahead permits are given, at least.
    pub ahead: u64,
}

impl Terms {
    /// The terms of this quota.
    ///
    /// # Errors
    /// [`TermsError`] where the quota or a setting cannot be.
    pub fn new(quota: LocalQuota, settings: ShareSettings) -> Result<Self, TermsError> {
        let range = |name, is: Duration, least: u64, most: u64, range| {
            let millis = u64::try_from(is.as_millis()).unwrap_or(u64::MAX);
            if (least..=most).contains(&millis) {
                Ok(())
            } else {
                Err(TermsError::Setting { name, range })
            }
        };
        range("ahead", settings.ahead, 10, 60_000, "from 10 ms to 60 s")?;
        range("keep", settings.keep, 20, 60_000, "from 20 ms to 60 s")?;
        range("timeout", settings.timeout, 1, 60_000, "from 1 ms to 60 s")?;
        range("probe", settings.probe, 10, 60_000, "from 10 ms to 60 s")?;
        range("beat", settings.beat, 100, 600_000, "from 100 ms to 10 min")?;
        if settings.assumed_processes == 0 {
            return Err(TermsError::Setting {
                name: "assumed_processes",
                range: "at least 1",
            });
        }
        // Rounded up: a permit that is a nanosecond late is never one too many.
        let limit = u64::from(quota.limit().get());
        let interval = nanos(quota.per()).div_ceil(limit).max(1);
        let whole = u64::from(quota.burst().get());
        let worth = interval.saturating_mul(whole);
        if worth > LONGEST_BURST {
            return Err(TermsError::Burst);
        }
        let keep = nanos(settings.keep)
            .min(interval.saturating_mul(whole.saturating_sub(1)) / 2)
            .max(SHORTEST_KEEP);
        Ok(Self {
            burst: whole.saturating_sub(keep.div_ceil(interval)).max(1),
            ahead: nanos(settings.ahead),
            quota,
            settings,
            interval,
            keep,
        })
    }

    /// What all processes together send in any span of this length at the most, while each of them reaches the store or
    /// none does: `burst + span / interval`, and for a burst of less than 40 ms what comes back in 20 ms.
    #[must_use]
    pub fn most_in(&self, span: Duration) -> u64 {
        let late = nanos(span).saturating_add(self.keep);
        self.burst.saturating_add(late / self.interval)
    }

    /// How long a full burst takes to come back, but for the one permit that is always given: the tolerance of the GCRA.
    #[must_use]
    pub fn tolerance(&self) -> u64 {
        self.interval.saturating_mul(self.burst.saturating_sub(1))
    }

    /// Permits that one of so many processes may hold.
    #[must_use]
    pub fn most_held(&self, processes: u32) -> u32 {
        let permits = (self.ahead / self.interval).min(MOST_HELD) / u64::from(processes.max(1));
        u32::try_from(permits.max(1)).unwrap_or(1)
    }

    /// How far ahead permits are given where so many processes share them: each may hold one at least.
    #[must_use]
    pub fn horizon(&self, processes: u32) -> u64 {
        self.ahead
            .max(self.interval.saturating_mul(processes.max(1).into()))
    }

    /// How long the processes wait for each other once the store is back: all of them have tried it again by then.
    #[must_use]
    pub fn settle(&self) -> u64 {
        nanos(self.settings.probe)
            .saturating_mul(3)
            .div_ceil(2)
            .saturating_add(nanos(self.settings.timeout).saturating_mul(5))
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(quota: &str) -> Terms {
        Terms::new(quota.parse().unwrap(), ShareSettings::default()).unwrap()
    }

    #[test]
    fn what_may_be_late_is_taken_off_the_burst() {
        let terms = terms("600/min, burst 60");
        assert_eq!((terms.interval, terms.burst), (100_000_000, 55));
        assert_eq!(terms.most_in(Duration::ZERO), 60);
        assert_eq!(terms.most_in(Duration::from_secs(60)), 660);
    }

    #[test]
    fn a_small_burst_shortens_what_is_kept() {
        let terms = terms("600/min, burst 3");
        assert_eq!(terms.keep, 100_000_000);
        assert_eq!(terms.most_in(Duration::from_secs(60)), 603);
    }

    #[test]
    fn without_a_burst_twenty_milliseconds_are_over() {
        assert_eq!(terms("10/s, burst 1").most_in(Duration::from_secs(1)), 11);
        assert_eq!(
            terms("1000/s, burst 1").most_in(Duration::from_secs(1)),
            1021
        );
    }

    #[test]
    fn each_process_may_hold_its_part_of_what_is_ahead_and_one_at_least() {
        let terms = terms("6000/min, burst 300");
        assert_eq!((terms.most_held(8), terms.most_held(1_000)), (12, 1));
        assert_eq!(terms.horizon(8), 1_000_000_000);
        assert_eq!(terms.horizon(1_000), 10_000_000_000);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let slow = "2/366d, burst 2".parse().unwrap();
        let refused = Terms::new(slow, ShareSettings::default());
        assert_eq!(refused, Err(TermsError::Burst));
        let settings = ShareSettings {
            timeout: Duration::ZERO,
            ..ShareSettings::default()
        };
        let refused = Terms::new("1/s".parse().unwrap(), settings).unwrap_err();
        assert_eq!(refused.to_string(), "`timeout` must be from 1 ms to 60 s");
    }
}
