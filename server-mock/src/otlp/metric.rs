//! The gateway's metrics as a collector takes them: what `/metrics` says, in the names of OpenTelemetry's semantic conventions where they
//! have one. All sums are since the gateway was started (cumulative).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::resource;
use crate::metrics::{Exposition, Family, Sample};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE` of the protocol.
const CUMULATIVE: u8 = 2;

/// The request to a collector: `ExportMetricsServiceRequest`, of what was counted from `start_ns` to `now_ns`.
pub(super) fn request(exposition: &Exposition, start_ns: u64, now_ns: u64) -> Value {
    let metrics = exposition.families().iter();
    let metrics: Vec<Value> = metrics
        .map(|family| metric(family, &Times { start_ns, now_ns }))
        .collect();
    let (resource, scope) = resource();
    json!({ "resourceMetrics": [{
        "resource": resource,
        "scopeMetrics": [{ "scope": scope, "metrics": metrics }],
    }] })
}

struct Times {
    start_ns: u64,
    now_ns: u64,
}

fn metric(family: &Family, times: &Times) -> Value {
    let (name, unit) = named(&family.name);
    let mut metric = json!({ "name": name, "description": family.help, "unit": unit });
    let (kind, data) = match family.kind {
        "histogram" => {
            let points = histograms(family, times);
            let data = json!({ "aggregationTemporality": CUMULATIVE, "dataPoints": points });
            ("histogram", data)
        }
        // The conventions have it as a sum that goes up and down.
        "gauge" if family.name == "http_server_active_requests" => {
            ("sum", sum(family, times, false))
        }
        "gauge" => ("gauge", json!({ "dataPoints": points(family, times) })),
        _ => ("sum", sum(family, times, true)),
    };
    if let Some(metric) = metric.as_object_mut() {
        metric.insert(kind.into(), data);
    }
    metric
}

fn sum(family: &Family, times: &Times, is_monotonic: bool) -> Value {
    json!({
        "aggregationTemporality": CUMULATIVE,
        "isMonotonic": is_monotonic,
        "dataPoints": points(family, times),
    })
}

fn points(family: &Family, times: &Times) -> Vec<Value> {
    let point = |sample: &Sample| {
        let mut point = times.point(attributes(sample));
        if let Some(point) = point.as_object_mut() {
            point.insert("asDouble".into(), sample.value.into());
        }
        point
    };
    family.samples.iter().map(point).collect()
}

/// The points of a histogram: its samples belong together by their labels, and each bucket has those below it in it.
fn histograms(family: &Family, times: &Times) -> Vec<Value> {
    #[derive(Default)]
    struct Series {
        bounds: Vec<f64>,
        counts: Vec<String>,
        below: f64,
        sum: f64,
        count: f64,
        attributes: Vec<Value>,
    }
    let mut all: BTreeMap<Vec<(&str, &str)>, Series> = BTreeMap::new();
    for sample in &family.samples {
        let labels = sample.labels.iter().filter(|(name, _)| name != "le");
        let key = labels.map(|(name, value)| (name.as_str(), value.as_str()));
        let series = all.entry(key.collect()).or_default();
        let bound = sample.labels.iter().find(|(name, _)| name == "le");
        match bound {
            Some((_, bound)) => {
                if let Ok(bound) = bound.parse::<f64>()
                    && bound.is_finite()
                {
                    series.bounds.push(bound);
                }
                series.counts.push(whole(sample.value - series.below));
                series.below = sample.value;
            }
            None if sample.name.ends_with("_sum") => series.sum = sample.value,
            None => {
                series.count = sample.value;
                series.attributes = attributes(sample);
            }
        }
    }
    let point = |series: Series| {
        let mut point = times.point(series.attributes);
        if let Some(point) = point.as_object_mut() {
            point.insert("count".into(), whole(series.count).into());
            point.insert("sum".into(), series.sum.into());
            point.insert("explicitBounds".into(), series.bounds.into());
            point.insert("bucketCounts".into(), series.counts.into());
        }
        point
    };
    all.into_values().map(point).collect()
}

/// A count as the protocol has it in JSON: 64-bit numbers are texts.
fn whole(count: f64) -> String {
    format!("{count:.0}")
}

impl Times {
    fn point(&self, attributes: Vec<Value>) -> Value {
        json!({
            "attributes": attributes,
            "startTimeUnixNano": self.start_ns.to_string(),
            "timeUnixNano": self.now_ns.to_string(),
        })
    }
}

fn attributes(sample: &Sample) -> Vec<Value> {
    let all = sample.labels.iter().filter(|(name, _)| name != "le");
    all.map(|(name, value)| {
        let value = match name.as_str() {
            "http_response_status_code" => json!({ "intValue": value }),
            _ => json!({ "stringValue": value }),
        };
        let name = match name.as_str() {
            "http_request_method" => "http.request.method",
            "http_response_status_code" => "http.response.status_code",
            "error_type" => "error.type",
            "gatewright_operation" => "gatewright.operation",
            other => other,
        };
        json!({ "key": name, "value": value })
    })
    .collect()
}

/// The name and the unit (UCUM), which Prometheus has in its names.
fn named(name: &str) -> (String, &'static str) {
    match name {
        "http_server_request_duration_seconds" => {
            return ("http.server.request.duration".into(), "s");
        }
        "http_server_active_requests" => {
            return ("http.server.active_requests".into(), "{request}");
        }
        "process_resident_memory_bytes" => return ("process.memory.usage".into(), "By"),
        _ => {}
    }
    let bare = name.strip_suffix("_total").unwrap_or(name);
    let (bare, unit) = match (bare.strip_suffix("_bytes"), bare.strip_suffix("_seconds")) {
        (Some(bare), _) => (bare, "By"),
        (_, Some(bare)) => (bare, "s"),
        _ => (bare, "1"),
    };
    (bare.replacen('_', ".", 1), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_each_bucket_by_itself() {
        let mut all = Exposition::default();
        all.family(
            "http_server_request_duration_seconds",
            "histogram",
            "How long.",
        );
        let labels = |le| [("http_response_status_code", "200"), ("le", le)];
        for (le, count) in [("0.5", 2.0), ("1", 5.0), ("+Inf", 6.0)] {
            all.sample(
                "http_server_request_duration_seconds_bucket",
                &labels(le),
                count,
            );
        }
        let without = [("http_response_status_code", "200")];
        all.sample("http_server_request_duration_seconds_sum", &without, 7.5);
        all.sample("http_server_request_duration_seconds_count", &without, 6.0);
        let request = request(&all, 1, 2);
        let metric = &request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        assert_eq!(
            (&metric["name"], &metric["unit"]),
            (&json!("http.server.request.duration"), &json!("s"))
        );
        assert_eq!(
            metric["histogram"]["dataPoints"],
            json!([{
                "attributes": [{"key": "http.response.status_code", "value": {"intValue": "200"}}],
                "startTimeUnixNano": "1", "timeUnixNano": "2",
                "count": "6", "sum": 7.5,
                "explicitBounds": [0.5, 1.0], "bucketCounts": ["2", "3", "1"],
            }])
        );
    }

    #[test]
    fn names_lose_what_the_type_and_the_unit_say() {
        for (name, expected) in [
            (
                "gatewright_webhook_attempts_total",
                ("gatewright.webhook_attempts", "1"),
            ),
            (
                "gatewright_journal_size_bytes",
                ("gatewright.journal_size", "By"),
            ),
            ("gatewright_uptime_seconds", ("gatewright.uptime", "s")),
            (
                "http_server_active_requests",
                ("http.server.active_requests", "{request}"),
            ),
        ] {
            let (bare, unit) = named(name);
            assert_eq!((bare.as_str(), unit), expected);
        }
    }
}
