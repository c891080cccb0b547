//! Two times: the real one, in which servers live, and the instants of a device, which stand still while it sleeps.

use std::time::Duration;

use gatewright_engine::{Instant, Now, UnixMillis};

/// A millisecond in nanoseconds.
pub(crate) const MS: u64 = 1_000_000;
/// A second in nanoseconds.
pub(crate) const SECOND: u64 = 1_000 * MS;
/// The wall clock when a simulation starts, in seconds since 1970.
pub(crate) const WALL: u64 = 1_800_000_000;

/// The clock of one client's device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// When it sleeps, in real nanoseconds, in order.
    sleeps: Vec<(u64, u64)>,
}

impl Clock {
    /// A clock of a device that sleeps then. Times that overlap are joined.
    pub(crate) fn new(mut sleeps: Vec<(u64, u64)>) -> Self {
        sleeps.retain(|(from, to)| from < to);
        sleeps.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (from, to) in sleeps {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        Self { sleeps: joined }
    }

    /// When the device wakes, where it sleeps at `real`.
    pub(crate) fn wakes_at(&self, real: u64) -> Option<u64> {
        let asleep = self
            .sleeps
            .iter()
            .find(|(from, to)| (*from..*to).contains(&real));
        asleep.map(|(_, to)| *to)
    }

    /// How long it has slept by `real`.
    pub(crate) fn slept(&self, real: u64) -> Duration {
        let before = self.sleeps.iter().take_while(|(from, _)| *from < real);
        Duration::from_nanos(before.map(|(from, to)| (*to).min(real) - from).sum())
    }

    /// The device's instant at `real`.
    pub(crate) fn instant(&self, real: u64) -> Instant {
        Instant::from_nanos(real) - self.slept(real)
    }

    /// Both clocks of the device at `real`.
    pub(crate) fn now(&self, real: u64) -> Now {
        let millis = i64::try_from(WALL * 1_000 + real / MS).unwrap_or(i64::MAX);
        Now {
            instant: self.instant(real),
            wall: UnixMillis(millis),
        }
    }

    /// When, in real time, the device's instant is `instant`: as late as it can be said.
    pub(crate) fn real(&self, instant: Instant) -> u64 {
        let mut real = instant.as_nanos();
        for (from, to) in &self.sleeps {
            if real > *from {
                real = real.saturating_add(to - from);
            }
        }
        real
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_stand_still_in_sleep() {
        let clock = Clock::new(vec![(50, 60), (10, 20), (15, 30)]);
        let instants: Vec<u64> = [5, 10, 20, 30, 31, 60, 70]
            .map(|real| clock.instant(real).as_nanos())
            .into();
        assert_eq!(instants, [5, 10, 10, 10, 11, 30, 40]);
        assert_eq!(clock.slept(70), Duration::from_nanos(30));
        for real in [5, 10, 31, 45, 61, 70] {
            assert_eq!(clock.real(clock.instant(real)), real);
        }
        assert_eq!((clock.wakes_at(29), clock.wakes_at(30)), (Some(30), None));
    }
}
