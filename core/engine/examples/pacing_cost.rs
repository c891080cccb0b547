//! What reading limits and pacing cost a call, in nanoseconds: `cargo run --release --example pacing_cost`.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example that measures real time and prints it"
)]

use std::hint::black_box;
use std::time::Instant as Clock;

use gatewright_engine::limits::read_limits;
use gatewright_engine::pacing::{Admission, Pacer, PacingSettings, Ticket};
use gatewright_engine::{Instant, Now, UnixMillis};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const ROUNDS: u64 = 1_000_000;

fn main() {
    let plain = headers(&[]);
    let draft10 = headers(&[
        ("ratelimit-policy", "\"burst\";q=3000;w=3"),
        ("ratelimit", "\"burst\";r=2990;t=1"),
    ]);
    let two = headers(&[
        (
            "ratelimit-policy",
            "\"burst\";q=3000;w=3, \"day\";q=1000000;w=86400",
        ),
        ("ratelimit", "\"burst\";r=2990;t=1, \"day\";r=999990;t=4000"),
    ]);
    let triple = headers(&[
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", "1700003600"),
    ]);
    let all = [
        ("no limit headers", plain),
        ("draft-10, one policy", draft10),
        ("draft-10, two policies", two),
        ("x-ratelimit", triple),
    ];
    println!(
        "{:<24}{:>14}{:>24}",
        "nanoseconds a call", "read_limits", "poll and on_response"
    );
    for (name, headers) in all {
        let read = best_of(|| {
            black_box(read_limits(black_box(&headers), now(0)));
        });
        let mut pacer = Pacer::new(PacingSettings::default());
        let mut at = 0;
        let readings = read_limits(&headers, now(0));
        let pace = best_of(|| {
            // A call each 2 ms, answered after 1 ms: within the quota.
            at += 2_000_000;
            let mut ticket = Ticket::default();
            let far = Instant::from_nanos(u64::MAX);
            let admission = pacer.poll(&mut ticket, now(at).instant, far, None);
            assert!(matches!(admission, Admission::Go), "{admission:?}");
            pacer.on_response(
                &mut ticket,
                now(at + 1_000_000),
                StatusCode::OK,
                black_box(&readings),
            );
            drop(black_box(pacer.take_wakes()));
        });
        println!("{name:<24}{read:>14.1}{pace:>24.1}");
    }
}

fn now(nanos: u64) -> Now {
    Now {
        instant: Instant::from_nanos(nanos),
        wall: UnixMillis(1_700_000_000_000),
    }
}

/// The headers of a usual JSON answer, and `more`.
fn headers(more: &[(&'static str, &'static str)]) -> HeaderMap {
    let usual = [
        ("content-type", "application/json"),
        ("content-length", "512"),
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("request-id", "req_0123456789"),
        ("etag", "\"abc\""),
        ("server-timing", "app;dur=1.2"),
        ("cache-control", "no-store"),
        ("vary", "accept-encoding"),
    ];
    let pairs = usual.iter().chain(more);
    pairs
        .map(|&(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

/// The best of five runs, in nanoseconds a round.
fn best_of(mut round: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Clock::now();
        for _ in 0..ROUNDS {
            round();
        }
        #[expect(clippy::cast_precision_loss, reason = "a million fits")]
        let nanos = start.elapsed().as_nanos() as f64 / ROUNDS as f64;
        best = best.min(nanos);
    }
    best
}
