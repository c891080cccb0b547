//! Spans and metrics as an OpenTelemetry SDK gets them, from calls over a scripted transport.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use gatewright::telemetry::{Telemetry, TraceContext};
use gatewright::testing::{Scripted, VirtualClock, answer, failure};
use gatewright::{Auth, Client, FailureClass};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct World {
    clock: VirtualClock,
    wire: Scripted,
    client: Client,
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
    _tracers: SdkTracerProvider,
}

fn world(
    script: impl IntoIterator<
        Item = Result<
            gatewright::transport::TransportResponse,
            gatewright::transport::TransportError,
        >,
    >,
) -> World {
    let (clock, wire) = (VirtualClock::new(7), Scripted::new(script));
    let (spans, metrics) = (
        InMemorySpanExporter::default(),
        InMemoryMetricExporter::default(),
    );
    let tracers = SdkTracerProvider::builder()
        .with_simple_exporter(spans.clone())
        .build();
    let meters = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(metrics.clone()).build())
        .build();
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(wire.clone())
        .auth(Auth::api_key_query("key", "sk_secret"))
        .telemetry(Telemetry::new(&tracers, &meters))
        .build()
        .unwrap();
    World {
        clock,
        wire,
        client,
        spans,
        metrics,
        meters,
        _tracers: tracers,
    }
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<Value> {
    let found = attributes.iter().find(|pair| pair.key.as_str() == key)?;
    Some(found.value.clone())
}

fn number(number: i64) -> Option<Value> {
    Some(Value::I64(number))
}

fn get(world: &World) {
    let request = world
        .client
        .get("/v1/contacts/ct_1")
        .query([("key", "sk_secret")])
        .url_template("/v1/contacts/{id}")
        .trace_context(TraceContext::parse(PARENT).unwrap());
    world.clock.block_on(request.send()).unwrap();
}

#[test]
fn a_call_is_a_span_and_each_attempt_one_in_it() {
    let world = world([
        answer(503),
        failure(FailureClass::ConnectionLost),
        answer(200),
    ]);
    get(&world);
    let spans = world.spans.get_finished_spans().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    let attempt = "GET /v1/contacts/{id}";
    assert_eq!(
        names,
        [
            attempt,
            attempt,
            attempt,
            "gatewright GET /v1/contacts/{id}"
        ]
    );
    let call = &spans[3];
    assert_eq!(call.span_kind, SpanKind::Internal);
    assert_eq!(call.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(
        attribute(&call.attributes, "gatewright.attempts"),
        number(3)
    );
    for (at, span) in spans[..3].iter().enumerate() {
        assert_eq!(span.span_kind, SpanKind::Client);
        assert_eq!(span.parent_span_id, call.span_context.span_id());
        let of = |key| attribute(&span.attributes, key);
        assert_eq!(of("http.request.method"), Some("GET".into()));
        assert_eq!(of("server.address"), Some("api.example".into()));
        assert_eq!(of("server.port"), number(443));
        assert_eq!(
            of("url.full"),
            Some("https://api.example/v1/contacts/ct_1?key=***".into())
        );
        assert_eq!(of("url.template"), Some("/v1/contacts/{id}".into()));
        let resent = i64::try_from(at).unwrap();
        assert_eq!(
            of("http.request.resend_count"),
            (resent > 0).then_some(Value::I64(resent))
        );
        // What the server gets is the attempt's span.
        let traceparent = &world.wire.requests()[at].headers["traceparent"];
        let id = span.span_context.span_id().to_string();
        assert!(traceparent.to_str().unwrap().contains(&id));
    }
    let of = |span: &SpanData, key| attribute(&span.attributes, key);
    assert_eq!(of(&spans[0], "http.response.status_code"), number(503));
    assert_eq!(of(&spans[0], "error.type"), Some("503".into()));
    assert_eq!(of(&spans[1], "error.type"), Some("connection_lost".into()));
    assert_eq!(of(&spans[2], "error.type"), None);
    assert!(matches!(spans[0].status, Status::Error { .. }));
    assert_eq!(spans[2].status, Status::Unset);
    let shown = format!("{spans:?}");
    assert!(!shown.contains("sk_secret"), "{shown}");
}

#[test]
fn metrics_have_their_names_units_and_few_labels() {
    let world = world([answer(503), answer(200), answer(200)]);
    get(&world);
    get(&world);
    world.meters.force_flush().unwrap();
    let exported = world.metrics.get_finished_metrics().unwrap();
    let mut told = Vec::new();
    for resource in &exported {
        for scope in resource.scope_metrics() {
            assert_eq!(scope.scope().name(), "gatewright");
            for metric in scope.metrics() {
                let points: Vec<(Vec<KeyValue>, String)> = match metric.data() {
                    AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                        .data_points()
                        .map(|point| {
                            let labels = point.attributes().cloned().collect();
                            (labels, format!("{}", point.count()))
                        })
                        .collect(),
                    AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                        .data_points()
                        .map(|point| {
                            let labels = point.attributes().cloned().collect();
                            (labels, format!("{}", point.value()))
                        })
                        .collect(),
                    AggregatedMetrics::U64(MetricData::Gauge(gauge)) => gauge
                        .data_points()
                        .map(|point| {
                            let labels = point.attributes().cloned().collect();
                            (labels, format!("{}", point.value()))
                        })
                        .collect(),
                    other => panic!("{other:?}"),
                };
                for (labels, value) in points {
                    assert_eq!(attribute(&labels, "url.full"), None);
                    assert!(!format!("{labels:?}").contains("ct_1"), "{labels:?}");
                    let status = attribute(&labels, "http.response.status_code");
                    let status = status.map_or_else(String::new, |status| format!(" {status}"));
                    told.push(format!(
                        "{} {}{status}: {value}",
                        metric.name(),
                        metric.unit()
                    ));
                }
            }
        }
    }
    told.sort();
    assert_eq!(
        told,
        [
            "gatewright.client.breaker 1: 0",
            "gatewright.client.call.duration s 200: 2",
            "gatewright.client.retries {retry}: 1",
            "gatewright.client.retry_budget {token}: 500",
            "http.client.request.duration s 200: 2",
            "http.client.request.duration s 503: 1",
        ]
    );
}

#[test]
fn the_active_span_is_the_parent_where_the_caller_gives_none() {
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    let world = world([answer(200)]);
    let tracer = world._tracers.tracer("test");
    let span = tracer.start("outer");
    let context = opentelemetry::Context::current_with_span(span);
    let outer = context.span().span_context().span_id();
    {
        let _active = context.attach();
        world
            .clock
            .block_on(world.client.get("/v1/x").send())
            .unwrap();
    }
    let spans = world.spans.get_finished_spans().unwrap();
    let call = spans
        .iter()
        .find(|span| span.name == "gatewright GET")
        .unwrap();
    assert_eq!(call.parent_span_id, outer);
}
