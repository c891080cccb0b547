//! Traces: what a collector gets of the requests that were sent.

use std::time::Duration;

use gatewright_server_mock::{Gateway, Https, OptionsChange};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::caller::asking;
use crate::limits::until;

/// A collector: every body that was posted to it, until so many spans have come.
async fn collect(listener: TcpListener, spans: usize) -> Vec<Value> {
    let mut all = Vec::new();
    while all.len() < spans {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut text = Vec::new();
        let body = loop {
            let mut buffer = [0; 4_096];
            let count = socket.read(&mut buffer).await.unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&buffer[..count]);
            let so_far = String::from_utf8_lossy(&text).into_owned();
            if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .unwrap();
                assert!(
                    head.starts_with("POST /v1/traces HTTP/1.1\r\n")
                        || head.starts_with("POST /v1/metrics HTTP/1.1\r\n"),
                    "{head}"
                );
                assert!(head.contains("content-type: application/json"), "{head}");
                if body.len() >= length.parse().unwrap() {
                    break body.to_owned();
                }
            }
        };
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            .await
            .unwrap();
        let request: Value = serde_json::from_str(&body).unwrap();
        if request["resourceMetrics"].is_array() {
            continue;
        }
        let resource = &request["resourceSpans"][0];
        let service = &resource["resource"]["attributes"][0];
        assert_eq!(service["value"]["stringValue"], "gatewright-gateway");
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        all.extend(spans.iter().cloned());
    }
    all
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes
        .iter()
        .find(|attribute| attribute["key"] == key)?;
    found["value"].as_object()?.values().next()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_is_a_span_below_its_caller() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let collected = tokio::spawn(collect(listener, 3));
    let gateway = Gateway::builder().otlp(url).start().await.unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ask = |path: &str| {
        asking(&gateway.url(), "GET", path)
            .header("authorization", "Bearer sk_test_pro_hushhush")
            .header("x-mock-session", "hushsession")
    };
    ask("/v1/whoami?api_key=sk_test_pro_hushhush")
        .header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"))
        .header("tracestate", "vendor=1")
        .send()
        .await;
    let unsampled = format!("00-{trace}-00f067aa0ba902b7-00");
    ask("/v1/whoami")
        .header("traceparent", &unsampled)
        .send()
        .await;
    ask("/v1/contacts/none").send().await;
    ask("/v1/whoami")
        .header("x-mock-fault", "503;ra=1")
        .header("traceparent", "broken")
        .send()
        .await;
    let collected = tokio::time::timeout(Duration::from_secs(20), collected);
    let spans = collected.await.unwrap().unwrap();
    gateway.shutdown().await;
    assert_eq!(spans.len(), 3);
    let [child, missing, faulted] = &spans[..] else {
        panic!()
    };
    assert_eq!(child["traceId"], trace);
    assert_eq!(child["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(child["traceState"], "vendor=1");
    assert_eq!(
        (&child["name"], &child["kind"]),
        (&"GET whoami".into(), &2.into())
    );
    assert_eq!(
        attribute(child, "http.response.status_code").unwrap(),
        "200"
    );
    let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    for span in &spans {
        assert!(time(span, "startTimeUnixNano") < time(span, "endTimeUnixNano"));
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        assert!(!span.to_string().contains("hush"), "{span}");
    }
    assert_eq!(missing["parentSpanId"], Value::Null);
    assert_ne!(missing["traceId"], faulted["traceId"]);
    assert_eq!(attribute(missing, "error.type"), None);
    assert_eq!(attribute(faulted, "error.type").unwrap(), "503");
    assert_eq!(attribute(faulted, "gatewright.fault").unwrap(), "503");
    assert_eq!(faulted["status"]["code"], 2);
}

// The end of a gateway waits for its collector, which has to be served meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_spans_are_sent_before_it_ends_and_a_collector_that_is_away_holds_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let collected = tokio::spawn(collect(listener, 5));
    let gateway = Gateway::builder().otlp(url).start().await.unwrap();
    for _ in 0..5 {
        asking(&gateway.url(), "GET", "/healthz").send().await;
    }
    gateway.shutdown().await;
    assert_eq!(collected.await.unwrap().len(), 5);
    // Nobody listens there.
    let away = Gateway::builder().otlp("http://127.0.0.1:9");
    let away = away.start().await.unwrap();
    assert_eq!(
        asking(&away.url(), "GET", "/healthz").send().await.status(),
        200
    );
    away.shutdown().await;
    let wrong = Gateway::builder().otlp("grpc://otel").start().await;
    assert!(
        wrong
            .unwrap_err()
            .to_string()
            .contains("http:// or https://")
    );
}

#[tokio::test]
async fn spans_and_metrics_go_to_a_collector_over_tls() {
    // The collector is a gateway that asks for no key, so that its journal says what came.
    let collector = Gateway::builder().https(Https::default()).start();
    let collector = collector.await.unwrap();
    let session = collector.session("default").unwrap();
    let open: OptionsChange = serde_json::from_value(json!({"auth": "off"})).unwrap();
    session.set(open).unwrap();
    let url = format!("{}/v1/echo/v1/traces", collector.https_url().unwrap());
    let gateway = Gateway::builder()
        .trust_ca(collector.ca_pem().unwrap())
        .otlp(&url);
    let gateway = gateway.start().await.unwrap();
    for key in ["sk_test_tiny_hushhush", "sk_test_tiny_hushhush_revoked"] {
        asking(&gateway.url(), "GET", "/v1/whoami?hush=1")
            .header("authorization", &format!("Bearer {key}"))
            .header("x-mock-session", "hushsession")
            .send()
            .await;
    }
    gateway.shutdown().await;
    let arrived = |path: &str| -> Vec<Value> {
        let all = session.journal(0);
        let engine = base64::engine::general_purpose::STANDARD;
        let bodies = all.iter().filter(|entry| entry.path == path).map(|entry| {
            let body = base64::Engine::decode(&engine, &entry.body_base64).unwrap();
            serde_json::from_slice(&body).unwrap()
        });
        bodies.collect()
    };
    let spans = || -> usize {
        let requests = arrived("/v1/echo/v1/traces");
        let counts = requests.iter().map(|request| {
            let spans = &request["resourceSpans"][0]["scopeSpans"][0]["spans"];
            spans.as_array().unwrap().len()
        });
        counts.sum()
    };
    // The end waits a moment for the last of them, and they go on their way all the same. What is said last says all.
    let metrics = || arrived("/v1/echo/v1/metrics").pop();
    let says_all = |metrics: Value| metrics.to_string().contains(r#""401""#);
    until(|| spans() == 2 && metrics().is_some_and(says_all)).await;
    let metrics = metrics().unwrap();
    assert!(!metrics.to_string().contains("hush"), "{metrics}");
    let metrics = &metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let named = |name: &str| {
        let mut all = metrics.as_array().unwrap().iter();
        all.find(|metric| metric["name"] == name)
            .unwrap_or_else(|| panic!("{name} is not in {metrics}"))
    };
    let durations = named("http.server.request.duration");
    assert_eq!(durations["unit"], "s");
    let points = durations["histogram"]["dataPoints"].as_array().unwrap();
    let of = |status: &str| {
        let is = |point: &&Value| {
            attribute(point, "http.response.status_code").is_some_and(|code| code == status)
        };
        points.iter().find(is).unwrap()
    };
    let answered = of("200");
    assert_eq!(
        attribute(answered, "gatewright.operation").unwrap(),
        "whoami"
    );
    assert_eq!(attribute(answered, "http.request.method").unwrap(), "GET");
    assert_eq!(answered["count"], "1");
    let bounds = answered["explicitBounds"].as_array().unwrap();
    let counts = answered["bucketCounts"].as_array().unwrap();
    assert_eq!((bounds.len(), counts.len()), (14, 15));
    let number = |count: &Value| count.as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(counts.iter().map(number).sum::<u64>(), 1);
    assert!(answered["sum"].as_f64().unwrap() > 0.0);
    let instant = |name: &str| number(&answered[name]);
    assert!(instant("startTimeUnixNano") < instant("timeUnixNano"));
    assert_eq!(of("401")["count"], "1");
    let active = named("http.server.active_requests");
    assert_eq!(active["sum"]["isMonotonic"], false);
    let decisions = &named("gatewright.rate_limit_decisions")["sum"];
    assert_eq!(
        (
            &decisions["isMonotonic"],
            &decisions["aggregationTemporality"]
        ),
        (&json!(true), &json!(2))
    );
    let is_tiny = |point: &&Value| {
        attribute(point, "tier").is_some_and(|tier| tier == "tiny")
            && attribute(point, "outcome").is_some_and(|outcome| outcome == "allowed")
    };
    let tiny = decisions["dataPoints"]
        .as_array()
        .unwrap()
        .iter()
        .find(is_tiny);
    assert_eq!(tiny.unwrap()["asDouble"], 1.0);
}
