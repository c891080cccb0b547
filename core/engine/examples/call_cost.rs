//! What the decisions of one plain call cost, in nanoseconds: `cargo run --release -p gatewright-engine --example call_cost`.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example that measures real time and prints it"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use gatewright_engine::call::{Answer, CallLimits, RequestFacts, Step};
use gatewright_engine::host::{Engine, Host};
use gatewright_engine::pacing::PacingSettings;
use gatewright_engine::retry::RetryPolicy;
use gatewright_engine::{Instant, Now, Random, UnixMillis};
use http::{HeaderMap, HeaderValue, StatusCode};

const CALLS: u32 = 200_000;
const ROUNDS: usize = 15;

/// A call without retry needs none.
struct NoRandomness;

impl Random for NoRandomness {
    fn next_u64(&mut self) -> u64 {
        0
    }
}

fn call(engine: &Engine, host: &Arc<Host>, headers: &HeaderMap, now: &mut Now) {
    let facts = RequestFacts {
        repeatable: true,
        replayable: true,
        refreshable: false,
    };
    now.instant = now.instant + Duration::from_micros(50);
    let limits = CallLimits::default();
    let mut call = engine.call(Arc::clone(host), facts, limits, 0, now.instant);
    assert!(matches!(call.next(now.instant, None), Step::Send { .. }));
    let then = Now {
        instant: now.instant + Duration::from_micros(30),
        ..*now
    };
    let answer = Answer {
        status: StatusCode::OK,
        headers,
        problem: None,
    };
    call.on_response(then, answer, &mut NoRandomness);
    assert!(matches!(call.next(then.instant, None), Step::Done(_)));
    black_box(call.take_attempts());
}

fn main() {
    // Fewer for tools that count instructions.
    let calls = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let only = std::env::args().nth(2);
    let (calls, rounds) = calls.map_or((CALLS, ROUNDS), |calls: u32| (calls, 1));
    let mut plain = HeaderMap::new();
    plain.insert("content-type", HeaderValue::from_static("application/json"));
    plain.insert("content-length", HeaderValue::from_static("250"));
    let mut limited = plain.clone();
    let policy = HeaderValue::from_static(r#""burst";q=1000000;w=1"#);
    limited.insert("ratelimit-policy", policy);
    let left = HeaderValue::from_static(r#""burst";r=999999;t=1"#);
    limited.insert("ratelimit", left);
    for (name, headers) in [("no limits", plain), ("draft-10", limited)] {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let engine = Engine::new(RetryPolicy::default(), PacingSettings::default());
        let host = engine.host("https://api.example.com");
        let mut now = Now {
            instant: Instant::from_nanos(1),
            wall: UnixMillis(1_767_323_045_000),
        };
        let mut best = f64::MAX;
        for _ in 0..rounds {
            let begun = Clock::now();
            for _ in 0..calls {
                call(&engine, &host, black_box(&headers), &mut now);
            }
            best = best.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
        }
        println!("{name:<12}{best:>8.1} ns a call");
    }
}
