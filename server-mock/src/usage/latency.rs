//! A histogram of latencies in a fixed number of buckets, two to a doubling, and estimates of percentiles from it.

/// From 16 µs to 67 s; what is shorter or longer is in the first or last.
const BUCKETS: usize = 46;
const FIRST_BITS: u32 = 4;

/// Latencies, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Latencies {
    counts: [u32; BUCKETS],
    max_us: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            max_us: 0,
        }
    }
}

impl Latencies {
    pub(super) fn count(&mut self, us: u64) {
        if let Some(count) = self.counts.get_mut(bucket(us)) {
            *count = count.saturating_add(1);
        }
        self.max_us = self.max_us.max(us);
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.max_us = self.max_us.max(other.max_us);
    }

    pub(super) fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The latency that the share `of` (0 to 1) of requests did not exceed, in microseconds: within a bucket in proportion,
    /// so within half of the truth; nothing where nothing was counted.
    pub(super) fn percentile(&self, of: f64) -> Option<u64> {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        if all == 0 {
            return None;
        }
        let wanted = (of.clamp(0.0, 1.0) * all as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (at, count) in self.counts.iter().enumerate() {
            let count = u64::from(*count);
            if below + count >= wanted {
                let (low, high) = (lower(at), lower(at + 1));
                let share = (wanted - below) as f64 / count as f64;
                let estimate = low as f64 + share * (high - low) as f64;
                return Some((estimate as u64).min(self.max_us));
            }
            below += count;
        }
        Some(self.max_us)
    }
}

/// The bucket a latency is in.
fn bucket(us: u64) -> usize {
    if us < 1 << FIRST_BITS {
        return 0;
    }
    let bits = us.ilog2();
    let half = (us >> (bits - 1)) & 1;
    let at = 1 + u64::from(bits - FIRST_BITS) * 2 + half;
    usize::try_from(at).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// Where a bucket begins.
fn lower(bucket: usize) -> u64 {
    match bucket.checked_sub(1) {
        None => 0,
        Some(at) => {
            let base = 1_u64 << (at / 2 + FIRST_BITS as usize).min(62);
            base + if at % 2 == 1 { base / 2 } else { 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_is_between_the_bounds_of_its_bucket() {
        for us in (0..30)
            .map(|bits| 1_u64 << bits)
            .flat_map(|us| [us - 1, us, us + us / 2])
        {
            let at = bucket(us);
            assert!(lower(at) <= us, "{us} in {at}");
            assert!(at == BUCKETS - 1 || us < lower(at + 1), "{us} in {at}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_within_half_of_the_truth() {
        let mut latencies = Latencies::default();
        for us in 1..=10_000 {
            latencies.count(us);
        }
        for (of, truth) in [(0.5, 5_000.0), (0.9, 9_000.0), (0.99, 9_900.0)] {
            let estimate = latencies.percentile(of).unwrap() as f64;
            assert!((estimate / truth - 1.0).abs() < 0.5, "{of}: {estimate}");
        }
        assert_eq!(latencies.percentile(1.0), Some(10_000));
        assert_eq!(Latencies::default().percentile(0.5), None);
    }
}
