//! Requests of the data port: how many, how long, how they ended, and which faults they had.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::Method;

use super::Exposition;
use crate::call::Call;
use crate::clock::nanos;
use crate::noted::Notes;

/// `http.server.request.duration` of the semantic conventions, in seconds.
const DURATION: &str = "http_server_request_duration_seconds";
const ACTIVE: &str = "http_server_active_requests";
const FAULTS: &str = "gatewright_faults_played_total";
const REPLAYS: &str = "gatewright_idempotent_replays_total";
/// The boundaries that the conventions advise, in nanoseconds and as they are written.
const BOUNDS: [(u64, &str); 14] = [
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (75_000_000, "0.075"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (500_000_000, "0.5"),
    (750_000_000, "0.75"),
    (1_000_000_000, "1"),
    (2_500_000_000, "2.5"),
    (5_000_000_000, "5"),
    (7_500_000_000, "7.5"),
    (10_000_000_000, "10"),
];
/// Series there may be: faults can have any status. More are counted under no status.
const MAX_SERIES: usize = 2_000;

/// What a series is of: the operation, the method as it is labelled, and the status that was sent; 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Series {
    op: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Default)]
struct Histogram {
    /// Of each boundary alone; the last is beyond all of them.
    counts: [AtomicU64; BOUNDS.len() + 1],
    sum_ns: AtomicU64,
}

/// Requests so far.
#[derive(Default)]
pub(crate) struct RequestCounts {
    series: RwLock<HashMap<Series, Histogram>>,
    active: AtomicI64,
    faulted: AtomicU64,
    replayed: AtomicU64,
}

impl RequestCounts {
    /// A request is being carried out; [`Self::over`] ends it.
    pub(crate) fn begin(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that is over.
    pub(crate) fn over(&self, call: &Call, notes: &Notes, took: Duration) {
        self.active.fetch_sub(1, Ordering::Relaxed);
        if notes.fault.is_some() {
            self.faulted.fetch_add(1, Ordering::Relaxed);
        }
        if notes.ending.replayed {
            self.replayed.fetch_add(1, Ordering::Relaxed);
        }
        let series = Series {
            op: call.op.name(),
            method: label(&call.parts.method),
            status: notes.ending.status.unwrap_or(0),
        };
        self.count(series, nanos(took));
    }

    fn count(&self, series: Series, took_ns: u64) {
        {
            let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(histogram) = known.get(&series) {
                return histogram.count(took_ns);
            }
        }
        let mut known = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let series = if known.len() < MAX_SERIES {
            series
        } else {
            Series {
                op: "other",
                method: OTHER,
                status: 0,
            }
        };
        known.entry(series).or_default().count(took_ns);
    }

    pub(super) fn write(&self, text: &mut Exposition) {
        text.family(
            DURATION,
            "histogram",
            "Duration of requests to the data port, until the head of their answer.",
        );
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let ordered: BTreeMap<&Series, &Histogram> = known.iter().collect();
        for (series, histogram) in ordered {
            histogram.write(text, *series);
        }
        drop(known);
        text.gauge(
            ACTIVE,
            "Requests that are being carried out.",
            self.active.load(Ordering::Relaxed).max(0) as f64,
        );
        for (name, help, count) in [
            (FAULTS, "Requests that had a fault.", &self.faulted),
            (
                REPLAYS,
                "Requests that were answered from an earlier one with their idempotency key.",
                &self.replayed,
            ),
        ] {
            text.family(name, "counter", help);
            text.sample(name, &[], count.load(Ordering::Relaxed) as f64);
        }
    }
}

impl Histogram {
    fn count(&self, took_ns: u64) {
        let at = BOUNDS.partition_point(|(bound, _)| *bound < took_ns);
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_ns.fetch_add(took_ns, Ordering::Relaxed);
    }

    fn write(&self, text: &mut Exposition, series: Series) {
        let status = match series.status {
            0 => String::new(),
            status => status.to_string(),
        };
        let error = match series.status {
            0 => "no_response",
            500.. => status.as_str(),
            _ => "",
        };
        // A label without a value is one that is not there.
        let mut labels = vec![
            ("http_request_method", series.method),
            ("gatewright_operation", series.op),
        ];
        labels.extend(
            [("http_response_status_code", status.as_str())]
                .into_iter()
                .filter(|(_, value)| !value.is_empty()),
        );
        labels.extend(
            [("error_type", error)]
                .into_iter()
                .filter(|(_, value)| !value.is_empty()),
        );
        let mut sum = 0;
        let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        for (count, bound) in self.counts.iter().zip(bounds) {
            sum += count.load(Ordering::Relaxed);
            labels.push(("le", bound));
            text.sample(&format!("{DURATION}_bucket"), &labels, sum as f64);
            labels.pop();
        }
        let seconds = Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64();
        text.sample(&format!("{DURATION}_sum"), &labels, seconds);
        text.sample(&format!("{DURATION}_count"), &labels, sum as f64);
    }
}

/// What the conventions call every method they do not know.
const OTHER: &str = "_OTHER";

fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for took_ns in [0, 5_000_000, 5_000_001, 10_000_000_000, 10_000_000_001] {
            histogram.count(took_ns);
        }
        let counts = histogram.counts.map(AtomicU64::into_inner);
        assert_eq!(counts.iter().sum::<u64>(), 5);
        assert_eq!((counts[0], counts[1], counts[13], counts[14]), (2, 1, 1, 1));
    }

    #[test]
    fn the_series_are_bounded() {
        let counts = RequestCounts::default();
        for number in 0..5_000 {
            let series = Series {
                op: "echo",
                method: if number % 2 == 0 { "GET" } else { "PUT" },
                status: number / 2,
            };
            counts.count(series, 1);
        }
        let known = counts.series.into_inner().unwrap();
        assert_eq!(known.len(), MAX_SERIES + 1);
        let all: u64 = known
            .values()
            .flat_map(|histogram| &histogram.counts)
            .map(|count| count.load(Ordering::Relaxed))
            .sum();
        assert_eq!(all, 5_000);
    }

    #[test]
    fn methods_that_are_made_up_make_no_label() {
        assert_eq!(label(&Method::PATCH), "PATCH");
        assert_eq!(label(&Method::from_bytes(b"BREW").unwrap()), "_OTHER");
    }
}
