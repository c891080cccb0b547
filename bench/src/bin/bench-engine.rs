//! What the decisions of one call cost: the engine alone, no network, no runtime.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use gatewright_bench::rounds::Rounds;
use gatewright_engine::call::{Answer, CallLimits, RequestFacts, Step};
use gatewright_engine::host::{Engine, Host};
use gatewright_engine::pacing::PacingSettings;
use gatewright_engine::retry::RetryPolicy;
use gatewright_engine::{Instant, Now, Random, UnixMillis};
use http::{HeaderMap, HeaderValue, StatusCode};

const ROUNDS: usize = 31;
const CALLS: u32 = 200_000;
/// Calls follow each other at this distance of the engine's time.
const APART: Duration = Duration::from_micros(50);
/// And take this long.
const TOOK: Duration = Duration::from_micros(30);

/// A call without retry needs none.
struct NoRandomness;

impl Random for NoRandomness {
    fn next_u64(&mut self) -> u64 {
        0
    }
}

struct Scene {
    engine: Engine,
    host: Arc<Host>,
    headers: HeaderMap,
    now: Now,
}

impl Scene {
    fn new(limits: &[(&'static str, &'static str)]) -> Self {
        let engine = Engine::new(RetryPolicy::default(), PacingSettings::default());
        let host = engine.host("https://api.example.com");
        let mut headers = HeaderMap::new();
        let usual = [
            ("content-type", "application/json"),
            ("content-length", "250"),
            ("date", "Fri, 02 Jan 2026 03:04:05 GMT"),
            ("request-id", "req_0123456789abcdef"),
        ];
        for (name, value) in usual.iter().chain(limits) {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let now = Now {
            instant: Instant::from_nanos(1),
            wall: UnixMillis(1_767_323_045_000),
        };
        Self {
            engine,
            host,
            headers,
            now,
        }
    }

    /// One call from its beginning to its answer. `false` if it was not sent at once.
    fn call(&mut self) -> bool {
        let facts = RequestFacts {
            repeatable: true,
            replayable: true,
            refreshable: false,
        };
        self.now.instant = self.now.instant + APART;
        let mut call = self.engine.call(
            Arc::clone(&self.host),
            facts,
            CallLimits::default(),
            0,
            self.now.instant,
        );
        let sent = matches!(
            call.next(self.now.instant, None),
            Step::Send { number: 1, .. }
        );
        let then = Now {
            instant: self.now.instant + TOOK,
            ..self.now
        };
        let answer = Answer {
            status: StatusCode::OK,
            headers: &self.headers,
            problem: None,
        };
        call.on_response(then, answer, &mut NoRandomness);
        let done = matches!(call.next(then.instant, None), Step::Done(_));
        black_box(call.take_attempts());
        sent && done
    }
}

fn main() {
    let mut scenes = [
        ("no rate-limit headers", Scene::new(&[])),
        (
            "draft-10 headers, one policy",
            Scene::new(&[
                ("ratelimit-policy", r#""burst";q=1000000;w=1"#),
                ("ratelimit", r#""burst";r=999999;t=1"#),
            ]),
        ),
        (
            "draft-10 headers, two policies",
            Scene::new(&[
                (
                    "ratelimit-policy",
                    r#""burst";q=1000000;w=1, "day";q=1000000000;w=86400"#,
                ),
                (
                    "ratelimit",
                    r#""burst";r=999999;t=1, "day";r=999999999;t=80000"#,
                ),
            ]),
        ),
    ];
    let mut rounds = scenes.each_ref().map(|_| Rounds::default());
    let mut all_sent = true;
    for _ in 0..ROUNDS {
        for ((_, scene), rounds) in scenes.iter_mut().zip(&mut rounds) {
            rounds.time(|| (0..CALLS).for_each(|_| all_sent &= scene.call()));
        }
    }
    println!("| One call's decisions, answered 200 at once | ns per call |\n|---|---:|");
    for ((name, _), rounds) in scenes.iter().zip(&rounds) {
        println!(
            "| {name} | {:.0} |",
            rounds.median() / f64::from(CALLS) * 1e9
        );
    }
    println!(
        "\nMedian of {ROUNDS} rounds of {CALLS} calls. Both clocks are arguments; reading them is not in it."
    );
    if !all_sent {
        println!("\n**Not valid: some calls were held back.**");
        std::process::exit(1);
    }
}
