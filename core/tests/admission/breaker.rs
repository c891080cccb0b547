//! The breaker of a client as built by default.

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use gatewright::engine::breaker::BreakerPhase;
use gatewright::{
    BreakerSettings, ClientBuilder, Decision, ErrorKind, FailureClass, NoRetry, Outcome,
    RetryPolicy,
};

use crate::timed::Say;
use crate::{ms, world};

#[test]
fn as_built_it_opens_after_twenty_failures_and_says_what_it_saw() {
    let world = world(|_| Say::Status(503), |b| b.idempotency_keys(false));
    let post = || world.clock.block_on(world.client.post("/x").send());
    for _ in 0..20 {
        assert_eq!(post().unwrap_err().kind(), ErrorKind::Server);
    }
    let error = post().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert_eq!(world.wire.asked().len(), 20);
    assert!(error.attempts().is_empty());
    let wait = error.retry_after().unwrap();
    assert!(ms(900) <= wait && wait <= ms(1_100), "{wait:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(
            "circuit_open: POST https://eu.example/x was not sent: the circuit breaker of eu.example is open: \
             20 of 20 attempts failed within 30 s, the last with: 503; try again in "
        ),
        "{text}"
    );
    let state = world.client.state().breaker.unwrap();
    assert_eq!((state.phase, state.failures), (BreakerPhase::Open, 20));
}

#[test]
fn of_many_that_come_when_it_may_try_again_one_is_sent() {
    let world = world(
        |asked| match asked.number {
            ..=20 => Say::Fail(FailureClass::ConnectionLost),
            _ => Say::StatusAfter(200, ms(50)),
        },
        |b| b.idempotency_keys(false),
    );
    for _ in 0..20 {
        let _ = world.clock.block_on(world.client.post("/x").send());
    }
    world.clock.advance(ms(11_000));
    let calls = (0..64).map(|_| world.client.get("/x").send());
    let came = world.clock.block_on(join_all(calls));
    let sent = world.wire.asked().len() - 20;
    assert_eq!(sent, 1);
    assert_eq!(came.iter().filter(|came| came.is_ok()).count(), 1);
    let refused = came.iter().filter_map(|came| came.as_ref().err());
    assert!(refused.clone().all(|e| e.kind() == ErrorKind::CircuitOpen));
    assert_eq!(refused.count(), 63);
    // The probe has closed it.
    let calls = (0..64).map(|_| world.client.get("/x").send());
    let came = world.clock.block_on(join_all(calls));
    assert!(came.iter().all(Result::is_ok));
}

#[test]
fn a_probe_whose_caller_goes_away_lets_the_next_one_probe() {
    let world = world(
        |asked| match asked.number {
            ..=20 => Say::Status(500),
            21 => Say::StatusAfter(200, ms(60_000)),
            _ => Say::Status(200),
        },
        |b| b.idempotency_keys(false),
    );
    for _ in 0..20 {
        let _ = world.clock.block_on(world.client.post("/x").send());
    }
    world.clock.advance(ms(11_000));
    let probe = Box::pin(world.client.get("/x").send());
    let mut probe = Some(probe);
    let given_up = async {
        let probe = probe.as_mut().unwrap();
        // Polled once: it is on the wire.
        futures_util::future::poll_immediate(probe).await
    };
    assert!(world.clock.block_on(given_up).is_none());
    let meanwhile = world.clock.block_on(world.client.get("/x").send());
    assert_eq!(meanwhile.unwrap_err().kind(), ErrorKind::CircuitOpen);
    drop(probe.take());
    let next = world.clock.block_on(world.client.get("/x").send());
    assert_eq!(next.unwrap().status(), 200);
    assert_eq!(world.wire.cancelled(), 1);
}

#[test]
fn a_retry_that_meets_an_open_breaker_keeps_its_last_answer() {
    let world = world(|_| Say::Status(502), |b| b.max_attempts(3));
    // Each of these is three attempts, until the breaker opens at the twentieth.
    let errors: Vec<_> = (0..7)
        .map(|_| {
            let sent = world.client.get("/x").send();
            world.clock.block_on(sent).unwrap_err()
        })
        .collect();
    assert_eq!(world.wire.asked().len(), 20);
    let error = &errors[6];
    assert_eq!(
        (error.kind(), error.status().map(|s| s.as_u16())),
        (ErrorKind::Server, Some(502))
    );
    assert_eq!(error.no_retry(), Some(NoRetry::CircuitOpen));
    let attempts = error.attempts();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[1].outcome, Outcome::Status(502));
    assert_eq!(attempts[1].decision, Decision::GiveUp(NoRetry::CircuitOpen));
    assert!(error.to_string().contains("was answered 502"), "{error}");
    assert!(error.retry_after().unwrap() > ms(800));
}

#[test]
fn switched_off_it_never_opens() {
    let world = world(
        |_| Say::Status(500),
        |b| b.breaker(None).idempotency_keys(false),
    );
    for _ in 0..50 {
        let error = world.clock.block_on(world.client.post("/x").send());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Server);
    }
    assert!(world.client.state().breaker.is_none());
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (name, change) in [
        (
            "failure_rate",
            (|s| s.failure_rate = 2.0) as fn(&mut BreakerSettings),
        ),
        ("minimum_calls", |s| s.minimum_calls = 0),
        ("window", |s| s.window = ms(0)),
        ("open", |s| s.open = Some(ms(0))),
    ] {
        let mut settings = BreakerSettings::default();
        change(&mut settings);
        let built = gatewright::Client::builder("https://eu.example").breaker(settings);
        let error = built.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.what().starts_with(&format!("`breaker`: `{name}`")));
    }
}

/// A thousand calls, 64 at once, to a server that is dead for a minute: how many requests it gets.
fn requests_of_a_thousand_calls(settings: fn(ClientBuilder) -> ClientBuilder) -> usize {
    let world = world(|_| Say::StatusAfter(503, ms(10)), settings);
    let calls = (0..1_000).map(|_| world.client.get("/x").send());
    let all = futures_util::stream::iter(calls).buffer_unordered(64);
    let failed = world
        .clock
        .block_on(all.filter(|came| std::future::ready(came.is_err())).count());
    assert_eq!(failed, 1_000);
    world.wire.asked().len()
}

#[test]
fn a_dead_server_gets_the_calls_under_way_and_little_more() {
    let with = requests_of_a_thousand_calls(|b| b);
    let budget_alone = requests_of_a_thousand_calls(|b| b.breaker(None));
    let neither = requests_of_a_thousand_calls(|b| {
        let mut retry = RetryPolicy::default();
        retry.budget = u32::MAX;
        b.breaker(None).retry(retry)
    });
    assert_eq!((with, budget_alone, neither), (64, 1_100, 3_000));
}
