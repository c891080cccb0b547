//! Whether a transfer is too slow to be waited for: fewer bytes in a stretch of waiting than a floor asks for.
//!
//! Only the time counts in which somebody waited for the other side. A caller who reads slowly, or a source that has nothing
//! to send yet, is no stalled server (`docs/decisions/0022-transfers.md`).
//!
//! | State | Event | Next | Test |
//! |---|---|---|---|
//! | in a stretch | bytes came after a wait | in the stretch, the wait is added | `a_transfer_above_the_floor_goes_on` |
//! | in a stretch | it is `grace` long, with enough bytes | a new stretch | `a_transfer_above_the_floor_goes_on` |
//! | in a stretch | it is `grace` long, with too few | stalled: says what was measured | `a_trickle_is_stalled_after_the_grace` |
//! | in a stretch | bytes came without a wait | in the stretch, at no cost | `a_slow_reader_is_no_slow_server` |

use std::fmt;
use std::time::Duration;

use crate::attempts::Readable;
use crate::defaults;

/// The least that a transfer has to achieve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinThroughput {
    /// Bytes in a second, on average over `grace`. 0 never stalls.
    pub bytes_per_second: u64,
    /// How long it may be slower; each stretch of waiting of this length is judged on its own.
    pub grace: Duration,
}

impl Default for MinThroughput {
    fn default() -> Self {
        Self {
            bytes_per_second: defaults::MIN_BYTES_PER_SECOND,
            grace: defaults::THROUGHPUT_GRACE,
        }
    }
}

impl MinThroughput {
    /// What has to come in one stretch.
    fn wanted(&self) -> u64 {
        let bytes = u128::from(self.bytes_per_second) * self.grace.as_millis() / 1000;
        u64::try_from(bytes)
            .unwrap_or(u64::MAX)
            .max(u64::from(self.bytes_per_second > 0))
    }
}

/// What was measured of a transfer that is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// Bytes that came in the stretch.
    pub bytes: u64,
    /// How long it was.
    pub over: Duration,
    /// What it should have been.
    pub floor: MinThroughput,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes in {}, where at least {} bytes/s are wanted",
            self.bytes,
            Readable(self.over),
            self.floor.bytes_per_second
        )
    }
}

impl std::error::Error for Stalled {}

/// Measures one transfer.
#[derive(Clone, Debug)]
pub struct Throughput {
    floor: MinThroughput,
    waited: Duration,
    bytes: u64,
}

impl Throughput {
    /// Of a transfer that begins.
    #[must_use]
    pub const fn new(floor: MinThroughput) -> Self {
        Self {
            floor,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Bytes came, after waiting so long for them.
    pub fn on_bytes(&mut self, bytes: u64, waited: Duration) {
        self.waited = self.waited.saturating_add(waited);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.waited >= self.floor.grace && self.enough() {
            self.begin_stretch();
        }
    }

    /// How long may be waited from now on before [`Throughput::check`] has something to say.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let left = self.floor.grace.saturating_sub(self.waited);
        if self.enough() {
            left.saturating_add(self.floor.grace)
        } else {
            left
        }
    }

    /// Nothing has come for so long, since the last bytes.
    ///
    /// # Errors
    /// Where that is too slow.
    pub fn check(&self, waiting: Duration) -> Result<(), Stalled> {
        if self.floor.bytes_per_second == 0 || waiting < self.patience() {
            return Ok(());
        }
        let (bytes, over) = if self.enough() {
            // The stretch was good; the one after it brought nothing.
            (0, self.floor.grace)
        } else {
            (self.bytes, self.waited.saturating_add(waiting))
        };
        Err(Stalled {
            bytes,
            over,
            floor: self.floor,
        })
    }

    /// What was measured, where the stretch that is over was too slow. For a transfer that brings a little all the time.
    ///
    /// # Errors
    /// Where that is too slow.
    pub fn judge(&self) -> Result<(), Stalled> {
        self.check(Duration::ZERO)
    }

    fn enough(&self) -> bool {
        self.bytes >= self.floor.wanted()
    }

    fn begin_stretch(&mut self) {
        // What is more than was wanted is not kept: a fast beginning does not pay for a stall.
        self.waited = Duration::ZERO;
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: MinThroughput = MinThroughput {
        bytes_per_second: 100,
        grace: Duration::from_secs(10),
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_trickle_is_stalled_after_the_grace() {
        let mut transfer = Throughput::new(FLOOR);
        for _ in 0..9 {
            transfer.on_bytes(50, seconds(1));
            transfer.judge().unwrap();
        }
        assert_eq!(transfer.patience(), seconds(1));
        transfer.on_bytes(50, seconds(1));
        let stalled = transfer.judge().unwrap_err();
        assert_eq!(
            stalled.to_string(),
            "500 bytes in 10 s, where at least 100 bytes/s are wanted"
        );
    }

    #[test]
    fn silence_is_stalled_after_the_grace() {
        let transfer = Throughput::new(FLOOR);
        transfer.check(Duration::from_millis(9_999)).unwrap();
        assert_eq!(transfer.check(seconds(10)).unwrap_err().bytes, 0);
        // After a stretch that was good, only when the next one is over too.
        let mut transfer = Throughput::new(FLOOR);
        transfer.on_bytes(5000, seconds(4));
        assert_eq!(transfer.patience(), seconds(16));
        transfer.check(Duration::from_millis(15_999)).unwrap();
        let stalled = transfer.check(seconds(16)).unwrap_err();
        assert_eq!((stalled.bytes, stalled.over), (0, seconds(10)));
    }

    #[test]
    fn a_transfer_above_the_floor_goes_on() {
        let mut transfer = Throughput::new(FLOOR);
        for _ in 0..1000 {
            transfer.on_bytes(100, seconds(1));
            transfer.judge().unwrap();
        }
    }

    #[test]
    fn a_slow_reader_is_no_slow_server() {
        let mut transfer = Throughput::new(FLOOR);
        for _ in 0..1000 {
            // A byte was there each time somebody asked.
            transfer.on_bytes(1, Duration::ZERO);
            transfer.judge().unwrap();
        }
    }

    #[test]
    fn a_floor_of_nothing_never_stalls() {
        let floor = MinThroughput {
            bytes_per_second: 0,
            ..FLOOR
        };
        Throughput::new(floor).check(Duration::MAX).unwrap();
    }
}
