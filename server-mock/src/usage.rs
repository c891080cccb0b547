//! How much each key uses: requests by operation and status class, refusals and latencies, on the session's clock.
//!
//! Counts are kept by minute, hour and day. Only the minute that is under way is written by requests; when it is over, or
//! somebody asks, it is added to all three. Memory is bounded: the oldest counts go first, and sooner when all sessions
//! together hold many.

mod answer;
mod cell;
mod latency;
mod operations;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use answer::{Usage, UsageCounts, UsagePoint};
pub(crate) use answer::{UsageQuery, Wanted, respond};
use cell::Cell;
pub(crate) use operations::{OPERATIONS, schemas};

use crate::clock::{NS, nanos};
use crate::lock::lock;
use crate::noted::{Account, Notes};
use crate::op::Op;
use crate::tier::Tier;

/// Cells a session keeps of each length of time.
const MAX_CELLS: usize = 8_192;
/// The same while all sessions together hold more than `MAX_TOTAL_CELLS`.
const MAX_CELLS_UNDER_PRESSURE: usize = 256;
const MAX_TOTAL_CELLS: usize = 250_000;

/// How long the time is that one point stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Bucket {
    /// A minute. The default.
    #[default]
    Minute,
    /// An hour.
    Hour,
    /// A UTC day.
    Day,
}

impl Bucket {
    const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    pub(crate) fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// When the bucket of an instant begins, in seconds since the Unix epoch.
    fn start(self, seconds: u64) -> u64 {
        seconds - seconds % self.seconds()
    }
}

/// What a cell is of. Ordered by time first, so that the oldest come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    start_s: u64,
    tenant: Arc<str>,
    tier: &'static str,
    op: &'static str,
}

type Cells = BTreeMap<Place, Cell>;

/// The usage of a session.
pub(crate) struct UsageLog {
    inner: Mutex<Inner>,
    total: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Inner {
    /// The minute under way, in seconds since the Unix epoch.
    minute_s: u64,
    /// By tenant; few operations and tiers each, so they are looked through.
    open: HashMap<Box<str>, Vec<(Tier, Op, Cell)>>,
    by_bucket: [Cells; 3],
}

impl UsageLog {
    pub(crate) fn new(total: Arc<AtomicUsize>) -> Self {
        Self {
            inner: Mutex::default(),
            total,
        }
    }

    /// Counts a request that arrived at `at_ns` of the session's clock.
    pub(crate) fn record(
        &self,
        account: &Account,
        op: Op,
        notes: &Notes,
        took: Duration,
        at_ns: u64,
    ) {
        let minute_s = Bucket::Minute.start(at_ns / NS);
        let mut inner = lock(&self.inner);
        if inner.minute_s != minute_s {
            inner.close_minute(&self.total);
            inner.minute_s = minute_s;
        }
        if !inner.open.contains_key(&account.tenant) {
            inner.open.insert(account.tenant.clone(), Vec::new());
        }
        let Some(cells) = inner.open.get_mut(&account.tenant) else {
            return;
        };
        let at = cells
            .iter()
            .position(|(tier, of, _)| *tier == account.tier && *of == op);
        let at = at.unwrap_or_else(|| {
            cells.push((account.tier, op, Cell::default()));
            cells.len() - 1
        });
        if let Some((_, _, cell)) = cells.get_mut(at) {
            cell.count(notes, nanos(took) / 1_000);
        }
    }

    /// Forgets all.
    pub(crate) fn reset(&self) {
        let mut inner = lock(&self.inner);
        self.total.fetch_sub(inner.cells(), Ordering::Relaxed);
        *inner = Inner::default();
    }

    /// All that was counted, the minute under way too.
    fn settled(&self) -> MutexGuard<'_, Inner> {
        let mut inner = lock(&self.inner);
        inner.close_minute(&self.total);
        inner
    }
}

impl Drop for UsageLog {
    fn drop(&mut self) {
        self.reset();
    }
}

impl Inner {
    fn cells(&self) -> usize {
        self.by_bucket.iter().map(BTreeMap::len).sum()
    }

    /// Adds the minute under way to what is kept.
    fn close_minute(&mut self, total: &AtomicUsize) {
        if self.open.is_empty() {
            return;
        }
        let before = self.cells();
        for (tenant, cells) in self.open.drain() {
            let tenant: Arc<str> = tenant.into();
            for (tier, op, cell) in cells {
                for (bucket, kept) in Bucket::ALL.into_iter().zip(&mut self.by_bucket) {
                    let place = Place {
                        start_s: bucket.start(self.minute_s),
                        tenant: Arc::clone(&tenant),
                        tier: tier.name(),
                        op: op.name(),
                    };
                    kept.entry(place).or_default().add(&cell);
                }
            }
        }
        let most = if total.load(Ordering::Relaxed) > MAX_TOTAL_CELLS {
            MAX_CELLS_UNDER_PRESSURE
        } else {
            MAX_CELLS
        };
        for kept in &mut self.by_bucket {
            while kept.len() > most {
                kept.pop_first();
            }
        }
        total.fetch_add(self.cells(), Ordering::Relaxed);
        total.fetch_sub(before, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Ending;

    fn notes(status: Option<u16>) -> Notes {
        Notes {
            ending: Ending {
                status,
                ..Ending::default()
            },
            ..Notes::default()
        }
    }

    fn account(tenant: &str) -> Account {
        Account {
            tenant: tenant.into(),
            tier: Tier::Pro,
        }
    }

    #[test]
    fn memory_is_bounded_whatever_the_tenants_and_times() {
        let total = Arc::<AtomicUsize>::default();
        let log = UsageLog::new(Arc::clone(&total));
        for number in 0..30_000_u64 {
            let tenant = account(&format!("t{}", number % 700));
            let at_ns = number * 17 * NS;
            log.record(&tenant, Op::Echo, &notes(Some(200)), Duration::ZERO, at_ns);
        }
        let cells = log.settled().cells();
        assert!(cells <= 3 * MAX_CELLS, "{cells} cells");
        assert_eq!(total.load(Ordering::Relaxed), cells);
        drop(log);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn under_pressure_each_session_keeps_less() {
        let total = Arc::new(AtomicUsize::new(MAX_TOTAL_CELLS + 1));
        let log = UsageLog::new(total);
        for number in 0..1_000 {
            log.record(
                &account("acme"),
                Op::Echo,
                &notes(None),
                Duration::ZERO,
                number * 60 * NS,
            );
        }
        assert!(log.settled().cells() <= 3 * MAX_CELLS_UNDER_PRESSURE);
    }

    #[test]
    fn a_clock_that_went_back_loses_nothing() {
        let log = UsageLog::new(Arc::default());
        for at_s in [120, 60, 121, 61] {
            log.record(
                &account("acme"),
                Op::Echo,
                &notes(Some(204)),
                Duration::ZERO,
                at_s * NS,
            );
        }
        let inner = log.settled();
        let minutes: Vec<(u64, u64)> = inner.by_bucket[0]
            .iter()
            .map(|(place, cell)| (place.start_s, cell.requests()))
            .collect();
        assert_eq!(minutes, [(60, 2), (120, 2)]);
    }
}
