//! Rounds that alternate between candidates, so that a busy machine disturbs all of them alike; medians of rounds.

use std::time::{Duration, Instant};

/// The times one candidate needed, a round each.
#[derive(Clone, Debug, Default)]
pub struct Rounds(Vec<Duration>);

impl Rounds {
    /// Runs `work` once and keeps its time.
    pub fn time(&mut self, work: impl FnOnce()) {
        let begun = Instant::now();
        work();
        self.0.push(begun.elapsed());
    }

    /// The median round in seconds; zero where there was none.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.0.iter().map(Duration::as_secs_f64).collect())
    }

    /// The median over rounds of how many times as long `self` took as `other` did.
    #[must_use]
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(
            pairs
                .map(|(a, b)| a.as_secs_f64() / b.as_secs_f64())
                .collect(),
        )
    }
}

/// The middle of the values; zero where there are none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or_default();
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = middle
        .checked_sub(1)
        .and_then(|at| values.get(at))
        .copied()
        .unwrap_or(upper);
    (lower + upper) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_between_the_middle_two() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), 3.0);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn a_ratio_compares_rounds_that_ran_side_by_side() {
        let seconds =
            |list: &[u64]| Rounds(list.iter().copied().map(Duration::from_secs).collect());
        assert_eq!(seconds(&[2, 30, 4]).ratio_to(&seconds(&[1, 10, 2])), 2.0);
    }
}
