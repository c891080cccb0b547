//! What is counted of one operation of one key in one span of time.

use super::latency::Latencies;
use crate::noted::Notes;

/// Classes a status can be of: none was sent, then 1xx to 5xx.
pub(super) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// By class, as in [`CLASSES`].
    pub(super) by_class: [u64; CLASSES.len()],
    pub(super) refused: u64,
    pub(super) replayed: u64,
    pub(super) faulted: u64,
    pub(super) latencies: Latencies,
}

impl Cell {
    /// Counts one request that took so many microseconds.
    pub(super) fn count(&mut self, notes: &Notes, took_us: u64) {
        let class = notes
            .ending
            .status
            .map_or(0, |status| usize::from(status / 100));
        if let Some(count) = self.by_class.get_mut(class) {
            *count += 1;
        }
        let refused = notes
            .quota
            .as_ref()
            .is_some_and(|quota| !quota.refused_by.is_empty());
        self.refused += u64::from(refused);
        self.replayed += u64::from(notes.ending.replayed);
        self.faulted += u64::from(notes.fault.is_some());
        self.latencies.count(took_us);
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.by_class.iter_mut().zip(other.by_class) {
            *count += more;
        }
        self.refused += other.refused;
        self.replayed += other.replayed;
        self.faulted += other.faulted;
        self.latencies.add(&other.latencies);
    }

    pub(super) fn requests(&self) -> u64 {
        self.by_class.iter().sum()
    }
}
