//! A thousand calls against each tier of the gateway, in each dialect that it speaks, learned from headers alone.
//!
//! The client is the real one, on a virtual clock. Its transport ends in the gateway's own limiter, which writes the
//! gateway's own headers; on the way are delays of 2 to 20 ms each way and 5 ms of work, during which a call is in progress.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; a table is printed for the docs"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use gatewright::runtime::{BoxFuture, Runtime};
use gatewright::testing::VirtualClock;
use gatewright::transport::{
    ResponseBody, Transport, TransportError, TransportRequest, TransportResponse,
};
use gatewright::{Client, ClientBuilder};
use gatewright_server_mock::{Dialect, LimitedCall, Limiter, Tier, Window};
use http::{HeaderValue, StatusCode};

const SECOND: u64 = 1_000_000_000;
/// When the virtual clock starts: 2026-01-01T00:00:00Z, in nanoseconds.
const EPOCH: u64 = 1_767_225_600 * SECOND;
/// The tests start some hours into the day, and not on a whole second.
const MORNING: Duration = Duration::from_millis(9 * 3_600_000 + 17_345);
const CALLS: usize = 1_000;
/// Callers at once.
const CALLERS: usize = 64;
const WORK: Duration = Duration::from_millis(5);
/// On average.
const ROUND_TRIP: Duration = Duration::from_millis(27);

/// The gateway's limiter at the end of a network.
#[derive(Clone, Debug)]
struct Network {
    clock: VirtualClock,
    limiter: Arc<Mutex<Limiter>>,
    seen: Arc<Mutex<Seen>>,
}

/// What the gateway saw.
#[derive(Clone, Debug, Default)]
struct Seen {
    calls: usize,
    refused: usize,
    because: Vec<String>,
}

impl Network {
    fn new(clock: &VirtualClock, limiter: Limiter) -> Self {
        Self {
            clock: clock.clone(),
            limiter: Arc::new(Mutex::new(limiter)),
            seen: Arc::default(),
        }
    }

    /// One way: 2 to 20 ms.
    fn delay(&self) -> BoxFuture<'static, ()> {
        let micros = 2_000 + self.clock.random() % 18_000;
        let at = self.clock.instant() + Duration::from_micros(micros);
        self.clock.sleep_until(at)
    }
}

fn now_ns(clock: &VirtualClock) -> u64 {
    EPOCH + u64::try_from(clock.elapsed().as_nanos()).unwrap()
}

impl Transport for Network {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        let network = self.clone();
        Box::pin(async move {
            network.delay().await;
            let now = now_ns(&network.clock);
            let call = LimitedCall {
                path: request.url.path(),
                tenant: "acme",
                ..LimitedCall::default()
            };
            let mut decision = network.limiter.lock().unwrap().decide(now, &call);
            let mut headers = std::mem::take(&mut decision.headers);
            {
                let mut seen = network.seen.lock().unwrap();
                seen.calls += 1;
                seen.refused += usize::from(decision.status == 429);
                seen.because.append(&mut decision.violated);
            }
            let date = httpdate(now / SECOND);
            headers.insert("date", HeaderValue::try_from(date).unwrap());
            let worked = network.clock.instant() + WORK;
            network.clock.sleep_until(worked).await;
            let status = StatusCode::from_u16(decision.status).unwrap();
            drop(decision);
            network.delay().await;
            Ok(TransportResponse {
                status,
                headers,
                body: ResponseBody::full(Bytes::from_static(b"{}")),
            })
        })
    }
}

/// A date of January 2026.
fn httpdate(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let of_month = seconds - EPOCH / SECOND;
    let (day, rest) = (of_month / 86_400, of_month % 86_400);
    let name = DAYS.get(usize::try_from(day % 7).unwrap()).unwrap();
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!(
        "{name}, {:02} Jan 2026 {hour:02}:{minute:02}:{second:02} GMT",
        day + 1
    )
}

/// What a run came to.
#[derive(Debug)]
struct Outcome {
    seen: Seen,
    took: Duration,
    optimum: Duration,
    /// What so many calls take with so many at once, however many are allowed.
    by_concurrency: Duration,
}

impl Outcome {
    /// How much longer it took than it had to, in percent of that: the limiter's own time for so many calls, or the
    /// network's, the time to learn (one call and its answer), and the last call's.
    fn over(&self) -> f64 {
        let must = self.optimum.max(self.by_concurrency) + 2 * ROUND_TRIP;
        (self.took.as_secs_f64() / must.as_secs_f64() - 1.0) * 100.0
    }
}

fn limiter(tier: Tier, dialect: Dialect, window: Window) -> Limiter {
    Limiter::new(tier.limits().unwrap())
        .dialect(dialect)
        .window(window)
        .announce_concurrency(true)
}

/// The shortest time in which the limiter lets so many calls in, each at the first instant at which it may go.
fn optimum(mut limiter: Limiter, calls: usize) -> Duration {
    let start = EPOCH + u64::try_from(MORNING.as_nanos()).unwrap();
    let mut now = start;
    for _ in 0..calls {
        loop {
            let decision = limiter.decide(now, &LimitedCall::default());
            if decision.status == 200 {
                break;
            }
            now += decision.wait_ns.max(1);
        }
    }
    Duration::from_nanos(now - start)
}

fn run(tier: Tier, dialect: Dialect, window: Window, seed: u64, calls: usize) -> Outcome {
    let clock = VirtualClock::new(seed);
    clock.advance(MORNING);
    let network = Network::new(&clock, limiter(tier, dialect, window));
    let at_once = tier.limits().unwrap().concurrency.unwrap();
    let mut builder: ClientBuilder = Client::builder("https://gateway.test")
        .runtime(clock.clone())
        .transport(network.clone())
        .timeout(None);
    if dialect != Dialect::Draft10 {
        // Only draft 10 has a way to say how many calls may be in progress.
        builder = builder.max_concurrency(at_once);
    }
    let client = builder.build().unwrap();
    let before = clock.elapsed();
    let answers: Vec<_> = clock.block_on(
        futures_util::stream::iter(0..calls)
            .map(|_| client.get("/v1/contacts").send())
            .buffer_unordered(CALLERS)
            .collect(),
    );
    let took = clock.elapsed() - before;
    for answer in answers {
        assert_eq!(answer.unwrap().status().as_u16(), 200);
    }
    let seen = network.seen.lock().unwrap().clone();
    Outcome {
        seen,
        took,
        optimum: optimum(limiter(tier, dialect, window), calls),
        by_concurrency: ROUND_TRIP
            * u32::try_from(calls.div_ceil(CALLERS.min(usize::try_from(at_once).unwrap())))
                .unwrap(),
    }
}

const TIERS: [Tier; 5] = [
    Tier::Tiny,
    Tier::Free,
    Tier::Starter,
    Tier::Pro,
    Tier::Enterprise,
];

#[test]
fn a_thousand_calls_on_each_tier_in_each_dialect() {
    for window in [Window::Rolling, Window::Fixed] {
        for tier in TIERS {
            for dialect in Dialect::ALL {
                if matches!(dialect, Dialect::None | Dialect::Malformed) {
                    continue;
                }
                let outcome = run(tier, dialect, window, 1, CALLS);
                println!(
                    "| {window:?} | {} | {dialect:?} | {} | {:.2} | {:.2} | {:+.1} % |",
                    tier.name(),
                    outcome.seen.refused,
                    outcome.took.as_secs_f64(),
                    outcome.optimum.as_secs_f64(),
                    outcome.over(),
                );
                let what = format!("{window:?}, {}, {dialect:?}: {outcome:?}", tier.name());
                assert!(outcome.seen.refused <= 1, "{what}");
                assert_eq!(outcome.seen.calls, CALLS + outcome.seen.refused, "{what}");
                // The tiers are rolling. Of a fixed window the second half is spread over what is left of it, so that the
                // last calls come later than they had to (decision 0017).
                if window == Window::Rolling {
                    assert!(outcome.over() <= 5.0, "{what}");
                }
            }
        }
    }
}
