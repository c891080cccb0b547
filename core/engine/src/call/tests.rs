use super::*;
use crate::error::Retryability;
use crate::host::{Engine, EngineSettings};
use crate::pacing::PacingSettings;
use http::HeaderName;
use http::HeaderValue;
use std::time::Duration;

mod admission;

/// Always the middle of what is possible.
struct Half;
impl Random for Half {
    fn next_u64(&mut self) -> u64 {
        u64::MAX / 2
    }
}

const REPEATABLE: RequestFacts = RequestFacts {
    repeatable: true,
    replayable: true,
    refreshable: false,
};

struct World {
    engine: Engine,
    now: Now,
}

impl World {
    fn new() -> Self {
        Self {
            engine: Engine::new(RetryPolicy::default(), PacingSettings::default()),
            now: Now::default(),
        }
    }

    fn with(change: impl FnOnce(&mut EngineSettings)) -> Self {
        let mut settings = EngineSettings::default();
        change(&mut settings);
        Self {
            engine: Engine::with(RetryPolicy::default(), settings),
            now: Now::default(),
        }
    }

    fn call(&self, request: RequestFacts) -> Call {
        self.engine.call(
            self.engine.host("https://h"),
            request,
            CallLimits::default(),
            0,
            self.now.instant,
        )
    }

    fn pass(&mut self, by: Duration) {
        self.now.instant = self.now.instant + by;
    }

    fn send(&mut self, call: &mut Call) -> u32 {
        match call.next(self.now.instant, None) {
            Step::Send { number, .. } => number,
            step => panic!("got {step:?} when expecting to send"),
        }
    }

    /// Waits as the call says; answers how long it was.
    fn wait(&mut self, call: &mut Call) -> Duration {
        match call.next(self.now.instant, None) {
            Step::Wait { until } => {
                let waited = until.since(self.now.instant);
                self.now.instant = until;
                waited
            }
            step => panic!("got {step:?} when expecting to wait"),
        }
    }

    fn failed(&mut self, call: &mut Call) -> Failed {
        match call.next(self.now.instant, None) {
            Step::Done(Done::Fail(failed)) => failed,
            step => panic!("got {step:?} when expecting a failure"),
        }
    }

    fn answer(&mut self, call: &mut Call, status: u16, headers: &[(&'static str, &'static str)]) {
        let headers = headers
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        call.on_response(
            self.now,
            Answer {
                status,
                headers: &headers,
                problem: None,
            },
            &mut Half,
        );
    }

    fn lose(&mut self, call: &mut Call, class: FailureClass) {
        call.on_error(
            self.now.instant,
            Failure {
                class,
                text: "reset".into(),
            },
            &mut Half,
        );
    }

    fn budget(&self) -> u32 {
        self.engine
            .host("https://h")
            .state(self.now.instant)
            .budget_left
    }
}

fn millis(duration: Duration) -> u128 {
    duration.as_millis()
}

#[test]
fn success_goes_to_the_caller() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    assert_eq!(world.send(&mut call), 1);
    world.pass(Duration::from_millis(20));
    world.answer(&mut call, 200, &[]);
    assert_eq!(call.next(world.now.instant, None), Step::Done(Done::Return));
    let attempt = &call.attempts()[0];
    assert_eq!(
        (&attempt.outcome, attempt.decision),
        (&Outcome::Status(200), Decision::Return)
    );
    assert_eq!(millis(attempt.took), 20);
}

#[test]
fn a_503_is_retried_after_its_retry_after() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 503, &[("retry-after", "2")]);
    // The floor, and half of the 10 % jitter.
    assert_eq!(millis(world.wait(&mut call)), 2_099);
    assert_eq!(world.send(&mut call), 2);
    assert_eq!(world.budget(), 495);
    world.answer(&mut call, 200, &[]);
    assert_eq!(world.budget(), 500);
}

#[test]
fn backoff_doubles_and_attempts_end() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    assert_eq!(millis(world.wait(&mut call)), 249);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    assert_eq!(millis(world.wait(&mut call)), 499);
    assert_eq!(world.send(&mut call), 3);
    world.lose(&mut call, FailureClass::ConnectionLost);
    let failed = world.failed(&mut call);
    assert_eq!(
        (failed.kind, failed.no_retry),
        (ErrorKind::ConnectionLost, Some(NoRetry::OutOfAttempts))
    );
    assert_eq!(failed.retryability, Retryability::Exhausted);
    assert_eq!(world.budget(), 490);
}

#[test]
fn retries_after_timeouts_cost_double() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::Timeout);
    world.wait(&mut call);
    assert_eq!(world.budget(), 490);
}

#[test]
fn a_request_that_may_have_taken_effect_is_not_repeated() {
    let mut world = World::new();
    let mut call = world.call(RequestFacts {
        repeatable: false,
        ..REPEATABLE
    });
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    let failed = world.failed(&mut call);
    assert_eq!(
        (failed.kind, failed.no_retry),
        (ErrorKind::OutcomeUnknown, Some(NoRetry::NotIdempotent))
    );
}

#[test]
fn what_never_reached_the_server_is_repeated_without_a_key() {
    let mut world = World::new();
    let mut call = world.call(RequestFacts {
        repeatable: false,
        ..REPEATABLE
    });
    world.send(&mut call);
    world.lose(&mut call, FailureClass::Connect);
    world.wait(&mut call);
    assert_eq!(world.send(&mut call), 2);
}

#[test]
fn a_stream_is_sent_once() {
    let mut world = World::new();
    let mut call = world.call(RequestFacts {
        replayable: false,
        ..REPEATABLE
    });
    world.send(&mut call);
    world.answer(&mut call, 503, &[]);
    assert_eq!(
        world.failed(&mut call).no_retry,
        Some(NoRetry::BodyNotReplayable)
    );
}

#[test]
fn a_longer_retry_after_than_allowed_is_returned_with_its_hint() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 503, &[("retry-after", "61")]);
    let failed = world.failed(&mut call);
    assert_eq!(failed.no_retry, Some(NoRetry::RetryAfterTooLong));
    assert_eq!(failed.retry_after, Some(Duration::from_secs(61)));
    assert_eq!(failed.retryability, Retryability::Temporary);
}

#[test]
fn a_wait_past_the_deadline_is_not_begun() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.pass(Duration::from_secs(30));
    world.answer(&mut call, 503, &[("retry-after", "30")]);
    let failed = world.failed(&mut call);
    assert_eq!(
        (failed.kind, failed.no_retry),
        (ErrorKind::Server, Some(NoRetry::Deadline))
    );
    assert_eq!(world.budget(), 500);
}

#[test]
fn attempts_end_at_the_deadline_of_the_call() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    let Step::Send { timeout_at, .. } = call.next(world.now.instant, None) else {
        panic!("not sent")
    };
    assert_eq!(timeout_at, Instant::ORIGIN + Duration::from_secs(20));
    world.pass(Duration::from_secs(50));
    world.lose(&mut call, FailureClass::ConnectionLost);
    world.wait(&mut call);
    let Step::Send { timeout_at, .. } = call.next(world.now.instant, None) else {
        panic!("not sent")
    };
    assert_eq!(timeout_at, Instant::ORIGIN + Duration::from_secs(60));
}

#[test]
fn a_dead_server_costs_no_more_than_the_budget() {
    let mut world = World::with(|settings| settings.breaker = None);
    let mut attempts = 0;
    for _ in 0..1_000 {
        let mut call = world.call(REPEATABLE);
        loop {
            match call.next(world.now.instant, None) {
                Step::Send { .. } => {
                    attempts += 1;
                    world.lose(&mut call, FailureClass::ConnectionLost);
                }
                Step::Wait { until } => world.now.instant = until,
                Step::Done(_) => break,
                Step::TakeQuota | Step::RefreshToken => panic!("nothing to fetch here"),
            }
        }
    }
    assert_eq!(attempts, 1_000 + 100);
    assert_eq!(world.budget(), 0);
}

#[test]
fn a_401_is_retried_once_with_a_new_token() {
    let mut world = World::new();
    let mut call = world.call(RequestFacts {
        refreshable: true,
        ..REPEATABLE
    });
    assert_eq!(call.next(world.now.instant, None), Step::RefreshToken);
    assert!(matches!(
        call.on_token(world.now.instant, true),
        Step::Send { number: 1, .. }
    ));
    world.answer(&mut call, 401, &[]);
    assert_eq!(call.next(world.now.instant, None), Step::RefreshToken);
    assert!(matches!(
        call.on_token(world.now.instant, true),
        Step::Send { number: 2, .. }
    ));
    world.answer(&mut call, 401, &[]);
    assert_eq!(world.failed(&mut call).kind, ErrorKind::Authentication);
    assert_eq!(call.attempts().len(), 2);
}

#[test]
fn without_a_token_nothing_is_sent() {
    let world = World::new();
    let mut call = world.call(RequestFacts {
        refreshable: true,
        ..REPEATABLE
    });
    assert_eq!(call.next(world.now.instant, None), Step::RefreshToken);
    assert!(matches!(
        call.on_token(world.now.instant, false),
        Step::Done(Done::Fail(Failed {
            kind: ErrorKind::Token,
            ..
        }))
    ));
    assert!(call.attempts().is_empty());
}

#[test]
fn a_paused_partition_holds_the_call() {
    let mut world = World::new();
    let mut first = world.call(REPEATABLE);
    world.send(&mut first);
    world.answer(&mut first, 429, &[("retry-after", "3")]);
    let mut second = world.call(REPEATABLE);
    assert!(world.wait(&mut second) >= Duration::from_secs(3));
    let mut elsewhere = world.engine.call(
        world.engine.host("https://h"),
        REPEATABLE,
        CallLimits::default(),
        1,
        world.now.instant,
    );
    assert_eq!(world.send(&mut elsewhere), 1);
}

#[test]
fn a_cancelled_call_gives_its_place_back() {
    let mut world = World::new();
    // The first call of a partition scouts; the next waits for what it learns, or for its end.
    let mut scout = world.call(REPEATABLE);
    world.send(&mut scout);
    let mut held = world.call(REPEATABLE);
    assert!(matches!(
        held.next(world.now.instant, None),
        Step::Wait { .. }
    ));
    scout.on_cancelled(world.now.instant);
    assert_eq!(scout.attempts()[0].outcome, Outcome::Cancelled);
    assert_eq!(world.send(&mut held), 1);
}

#[test]
fn a_call_past_its_deadline_ends_without_another_attempt() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    world.pass(Duration::from_secs(60));
    let failed = world.failed(&mut call);
    assert_eq!(
        (failed.kind, call.attempts().len()),
        (ErrorKind::Timeout, 1)
    );
}

#[test]
fn late_reports_of_an_ended_call_change_nothing() {
    let mut world = World::new();
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 200, &[]);
    world.lose(&mut call, FailureClass::ConnectionLost);
    call.on_cancelled(world.now.instant);
    assert_eq!(call.next(world.now.instant, None), Step::Done(Done::Return));
    assert_eq!(call.attempts()[0].outcome, Outcome::Status(200));
}
