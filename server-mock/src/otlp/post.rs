//! Sends batches to a collector by the gateway's client: `http:` or `https:`, everything with a deadline.

use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use url::Url;

use crate::client::Client;

/// To connect, and for the whole of a request.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where spans and metrics are sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Collector {
    traces: Url,
    /// None where the address is one of traces alone.
    metrics: Option<Url>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
}

impl Collector {
    /// At an address such as `http://127.0.0.1:4318`; without a path, spans go to `/v1/traces` and metrics to `/v1/metrics` (OTLP/HTTP). A
    /// path that ends in `/v1/traces` has its `/v1/metrics` beside it; any other is for spans alone.
    pub(super) fn at(url: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("the collector {url:?}: {why}");
        let mut base = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("it is http:// or https://, with OTLP in JSON"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("a user and a password are not sent"));
        }
        if base.host_str().is_none() {
            return Err(wrong("it has no host"));
        }
        // What a collector listens on, unless the address says TLS, which is terminated in front of it.
        if base.scheme() == "http" && base.port().is_none() {
            let _ = base.set_port(Some(4318));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        let at = |path: &str| {
            let mut url = base.clone();
            url.set_path(path);
            url
        };
        let beside = match path.as_str() {
            "" => Some(String::new()),
            path => path.strip_suffix("/v1/traces").map(str::to_owned),
        };
        Ok(Self {
            traces: match path.as_str() {
                "" => at("/v1/traces"),
                path => at(path),
            },
            metrics: beside.map(|beside| at(&format!("{beside}/v1/metrics"))),
        })
    }

    /// Whether it takes metrics.
    pub(super) fn takes_metrics(&self) -> bool {
        self.metrics.is_some()
    }
}

/// The thread's way to the collector, made when there is something to send.
pub(super) struct Sender {
    collector: Collector,
    client: Client,
    made: Option<(Runtime, reqwest::Client)>,
}

impl Sender {
    pub(super) fn new(collector: Collector, client: Client) -> Self {
        Self {
            collector,
            client,
            made: None,
        }
    }

    /// Sends a batch. What cannot be sent is lost: a developer's gateway keeps nothing for later.
    pub(super) fn send(&mut self, signal: Signal, body: &Value) {
        let url = match signal {
            Signal::Traces => Some(&self.collector.traces),
            Signal::Metrics => self.collector.metrics.as_ref(),
        };
        let Some(url) = url.cloned() else { return };
        let Some((runtime, client)) = self.made() else {
            return;
        };
        let request = client
            .post(url)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        // Whether it came is seen at the collector. Its deadline begins within the runtime, whose timer it needs.
        let _ = runtime.block_on(async { request.send().await });
    }

    fn made(&mut self) -> Option<&(Runtime, reqwest::Client)> {
        if self.made.is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            let client = self.client.builder().ok()?;
            // A collector that closes what is idle would lose a batch now and then.
            let client = client.pool_max_idle_per_host(0);
            let client = client.connect_timeout(PATIENCE).timeout(PATIENCE).build();
            self.made = Some((runtime, client.ok()?));
        }
        self.made.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collectors_are_named_as_elsewhere() {
        let at = |url: &str| {
            let collector = Collector::at(url).unwrap();
            let metrics = collector.metrics.map(|url| url.to_string());
            (collector.traces.to_string(), metrics.unwrap_or_default())
        };
        for (url, traces, metrics) in [
            (
                "http://127.0.0.1:4318",
                "http://127.0.0.1:4318/v1/traces",
                "http://127.0.0.1:4318/v1/metrics",
            ),
            (
                "http://otel/",
                "http://otel:4318/v1/traces",
                "http://otel:4318/v1/metrics",
            ),
            (
                "https://otel",
                "https://otel/v1/traces",
                "https://otel/v1/metrics",
            ),
            (
                "https://otel/x/v1/traces/",
                "https://otel/x/v1/traces",
                "https://otel/x/v1/metrics",
            ),
            ("http://[::1]:9/x/", "http://[::1]:9/x", ""),
        ] {
            assert_eq!(at(url), (traces.into(), metrics.into()));
        }
        for wrong in ["", "otel:4318", "grpc://otel", "http://a:b@otel"] {
            assert!(Collector::at(wrong).is_err(), "{wrong:?}");
        }
    }
}
