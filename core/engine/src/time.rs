//! The engine's time: monotonic instants and wall-clock times handed in by the driver, never read here.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A monotonic instant: nanoseconds since an origin that the driver chose.
///
/// `std::time::Instant` cannot be made up (so it cannot be simulated) and panics on
/// `wasm32-unknown-unknown`. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The driver's origin.
    pub const ORIGIN: Self = Self(0);

    /// An instant `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to this instant, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// How long the device has slept, in nanoseconds. Every step adds it to its instants, so it is not a [`Duration`]: that would be a
/// division and a multiplication each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slept(u64);

impl Slept {
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// What has come to it since it was `earlier`.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Slept> for Instant {
    type Output = Self;

    fn add(self, rhs: Slept) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl Sub<Slept> for Instant {
    type Output = Self;

    fn sub(self, rhs: Slept) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}

/// Wall-clock time in milliseconds since the Unix epoch, only ever compared with dates a server sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:03}",
            self.0.div_euclid(1000),
            self.0.rem_euclid(1000)
        )
    }
}

/// What the driver's clocks say at one moment. Waits use `instant`; `wall` is for dates alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time.
    pub instant: Instant,
    /// Wall-clock time.
    pub wall: UnixMillis,
}

/// Randomness handed in by the driver. A simulation gives a seeded one.
pub trait Random {
    /// The next 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// A number in `[0, 1)`, with 53 random bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    fn next_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_panicking() {
        assert_eq!(
            Instant::from_nanos(5) + Duration::MAX,
            Instant::from_nanos(u64::MAX)
        );
        assert_eq!(
            Instant::from_nanos(5) - Duration::from_secs(1),
            Instant::ORIGIN
        );
        assert_eq!(
            Instant::ORIGIN.since(Instant::from_nanos(7)),
            Duration::ZERO
        );
    }

    #[test]
    fn unit_numbers_stay_below_one() {
        struct Ones;
        impl Random for Ones {
            fn next_u64(&mut self) -> u64 {
                u64::MAX
            }
        }
        assert!(Ones.next_unit() < 1.0);
    }
}
