//! How long answers took of late: the 95th percentile, for hedging.

use std::time::Duration;

/// What is remembered.
const SAMPLES: usize = 128;
/// Fewer say nothing of a 95th percentile.
const ENOUGH: usize = 20;

/// The latest successes of one host, in place.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    micros: [u32; SAMPLES],
    counted: usize,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            micros: [0; SAMPLES],
            counted: 0,
        }
    }
}

impl Latencies {
    pub(crate) fn on_answer(&mut self, took: Duration) {
        if let Some(place) = self.micros.get_mut(self.counted % SAMPLES) {
            *place = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        }
        // Once full it stays full, and goes round.
        self.counted += 1;
        if self.counted == 2 * SAMPLES {
            self.counted = SAMPLES;
        }
    }

    /// What 95 of 100 took at most; `None` while too little is known.
    pub(crate) fn p95(&self) -> Option<Duration> {
        let known = self.counted.min(SAMPLES);
        if known < ENOUGH {
            return None;
        }
        let mut sorted = self.micros;
        let sorted = sorted.get_mut(..known)?;
        // The smallest that at least 95 % do not exceed.
        let at = (known * 95).div_ceil(100).saturating_sub(1);
        let (_, p95, _) = sorted.select_nth_unstable(at);
        Some(Duration::from_micros((*p95).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: impl Iterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        millis.for_each(|ms| latencies.on_answer(Duration::from_millis(ms)));
        latencies
    }

    #[test]
    fn a_few_answers_say_nothing() {
        assert_eq!(of(1..20).p95(), None);
        assert_eq!(of(1..=20).p95(), Some(Duration::from_millis(19)));
    }

    #[test]
    fn old_answers_are_forgotten() {
        let latencies = of((0..128).map(|_| 900).chain(1..=128));
        assert_eq!(latencies.p95(), Some(Duration::from_millis(122)));
        let latencies = of((0..1000).map(|_| 900).chain((0..128).map(|_| 3)));
        assert_eq!(latencies.p95(), Some(Duration::from_millis(3)));
    }
}
