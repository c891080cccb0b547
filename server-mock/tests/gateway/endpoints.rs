//! Echo, sink, streams, redirects and delays.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::caller::Caller;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn echo_shows_what_was_received() {
    let caller = Caller::new().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let seen = caller
            .ask(method, "/v1/echo/deep?a=1&b=%20")
            .header("x-one", "1")
            .body(b"\x00\xffbytes".to_vec())
            .send()
            .await;
        let echo = seen.json();
        assert_eq!(
            (&echo["method"], &echo["path"]),
            (&json!(method), &json!("/v1/echo/deep"))
        );
        assert_eq!(echo["query"], "a=1&b=%20");
        assert!(
            echo["headers"]
                .as_array()
                .unwrap()
                .contains(&json!(["x-one", "1"]))
        );
        assert_eq!(
            (&echo["body_base64"], &echo["body_length"]),
            (&json!("AP9ieXRlcw=="), &json!(7))
        );
        assert_eq!(echo["body_sha256"], sha256(b"\x00\xffbytes"));
    }
}

#[tokio::test]
async fn the_sink_swallows_uploads_larger_than_any_limit() {
    let caller = Caller::new().await;
    let body: Vec<u8> = (0..20_000_000u32).map(|n| n as u8).collect();
    let seen = caller
        .ask("POST", "/v1/sink")
        .body(body.clone())
        .send()
        .await;
    assert_eq!(
        seen.json(),
        json!({"body_length": 20_000_000, "body_sha256": sha256(&body)})
    );
    let entry = &caller.session.journal(0)[0];
    assert_eq!(
        (entry.body_length, &entry.body_sha256),
        (20_000_000, &sha256(&body))
    );
    assert!(entry.body_base64.len() < 100_000);
}

#[tokio::test]
async fn bytes_are_the_same_for_the_same_seed_and_hash_to_their_header() {
    let caller = Caller::new().await;
    for (path, length) in [
        ("/v1/bytes/0", 0),
        ("/v1/bytes/5", 5),
        ("/v1/bytes/100000?chunk=7", 100_000),
        ("/v1/bytes/3000000", 3_000_000),
    ] {
        let seen = caller.get(path).await;
        assert_eq!(seen.header("content-length").unwrap(), length.to_string());
        assert_eq!(seen.body().len(), length);
        assert_eq!(
            seen.header("x-content-sha256").unwrap(),
            sha256(&seen.body())
        );
    }
    // The first word of xorshift64 from 1: 1 ^ 1<<13, then >>7, then <<17.
    let word = caller.get("/v1/bytes/8?seed=1").await.body();
    assert_eq!(u64::from_le_bytes(word.try_into().unwrap()), 0x4082_2041);
    let (one, two) = (
        caller.get("/v1/bytes/64?seed=1").await,
        caller.get("/v1/bytes/64?seed=2").await,
    );
    assert_ne!(one.body(), two.body());
    assert_eq!(caller.get("/v1/bytes/99999999999").await.status(), 400);
}

#[tokio::test]
async fn lines_are_json_each() {
    let caller = Caller::new().await;
    for path in ["/v1/lines/1000", "/v1/lines/3?interval_ms=1", "/v1/lines/0"] {
        let seen = caller.get(path).await;
        assert_eq!(
            seen.header("content-type").as_deref(),
            Some("application/x-ndjson")
        );
        let body = String::from_utf8(seen.body()).unwrap();
        let indexes: Vec<Value> = body
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["index"].clone())
            .collect();
        let count: usize = path[10..].split('?').next().unwrap().parse().unwrap();
        assert_eq!(
            indexes,
            (0..count).map(|index| json!(index)).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_drip_takes_its_time() {
    let caller = Caller::new().await;
    let started = Instant::now();
    let seen = caller.get("/v1/drip?bytes=5&interval_ms=10").await;
    assert_eq!(seen.body(), b"*****");
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn ticks_go_on_after_the_last_event_that_was_had() {
    let caller = Caller::new().await;
    let path = "/v1/ticks?count=3&per_connection=2&retry_ms=5";
    let tick = |number: u32| format!("event: tick\nid: {number}\ndata: {{\"tick\":{number}}}\n\n");
    let seen = caller.get(path).await;
    assert_eq!(
        seen.header("content-type").as_deref(),
        Some("text/event-stream")
    );
    let body = String::from_utf8(seen.body()).unwrap();
    assert_eq!(body, format!("retry: 5\n{}{}", tick(1), tick(2)));
    let seen = caller
        .ask("GET", path)
        .header("last-event-id", "2")
        .send()
        .await;
    let body = String::from_utf8(seen.body()).unwrap();
    assert_eq!(body, format!("retry: 5\n{}", tick(3)));
    let seen = caller
        .ask("GET", path)
        .header("last-event-id", "3")
        .send()
        .await;
    assert_eq!((seen.status(), seen.body().len()), (204, 0));
    assert_eq!(caller.get("/v1/ticks?count=x").await.status(), 400);
}

#[tokio::test]
async fn a_delay_is_real_even_on_a_frozen_clock() {
    let caller = Caller::new().await;
    caller.session.freeze();
    let started = Instant::now();
    assert_eq!(
        caller.get("/v1/delay/30").await.json(),
        json!({"delayed_ms": 30})
    );
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert_eq!(caller.get("/v1/delay/60001").await.status(), 400);
}

#[tokio::test]
async fn redirects_go_where_they_are_told() {
    let caller = Caller::new().await;
    for status in [301, 302, 303, 307, 308] {
        let path = format!("/v1/redirect/{status}?to=http%3A%2F%2Fexample.com%2Fa");
        for method in ["GET", "POST"] {
            let seen = caller.ask(method, &path).send().await;
            assert_eq!(seen.status(), status);
            assert_eq!(
                seen.header("location").as_deref(),
                Some("http://example.com/a")
            );
        }
    }
    assert_eq!(caller.get("/v1/redirect/200?to=/").await.status(), 404);
    assert_eq!(
        caller.get("/v1/redirect/302").await.json()["parameter"],
        "to"
    );
}
