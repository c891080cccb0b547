use super::*;
use crate::host::EngineSettings;
use crate::pacing::PacingSettings;
use crate::retry::RetryPolicy;
use http::{HeaderName, HeaderValue};
use std::sync::Arc;

const GET: RequestFacts = RequestFacts {
    repeatable: true,
    replayable: true,
    refreshable: false,
};
const POST: RequestFacts = RequestFacts {
    repeatable: false,
    ..GET
};

struct World {
    engine: Engine,
    host: Arc<Host>,
}

impl World {
    fn new() -> Self {
        let engine = Engine::new(RetryPolicy::default(), PacingSettings::default());
        let host = engine.host("https://h");
        Self { engine, host }
    }

    fn ask(&self, change: impl FnOnce(&mut Question<'_>)) -> Explanation {
        let mut question = Question {
            method: &Method::GET,
            request: GET,
            limits: CallLimits::default(),
            attempt: 1,
            elapsed: Duration::ZERO,
            outcome: Supposed::Failure(FailureClass::ConnectionLost),
        };
        change(&mut question);
        self.engine
            .explain(&self.host, None, &question, Now::default())
    }

    fn answer(&self, status: u16, headers: &[(&'static str, &'static str)]) -> Explanation {
        let headers: HeaderMap = headers
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect();
        let question = Question {
            method: &Method::GET,
            request: GET,
            limits: CallLimits::default(),
            attempt: 1,
            elapsed: Duration::ZERO,
            outcome: Supposed::Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: &headers,
                problem: None,
            },
        };
        self.engine
            .explain(&self.host, None, &question, Now::default())
    }
}

fn seconds(least: f64, most: f64, plan: &Plan) {
    let Plan::Retry {
        least: from,
        most: to,
        ..
    } = plan
    else {
        panic!("{plan} is no retry")
    };
    let near = |a: f64, b: f64| (a - b).abs() < 0.001;
    assert!(
        near(least, from.as_secs_f64()) && near(most, to.as_secs_f64()),
        "{plan}"
    );
}

#[test]
fn a_503_with_a_retry_after_is_told_with_its_bounds() {
    let explained = World::new().answer(503, &[("retry-after", "2")]);
    seconds(2.0, 2.2, &explained.decision);
    assert_eq!(explained.kind, Some(ErrorKind::Server));
    assert_eq!(explained.paused_for, Some(Duration::from_secs(2)));
    assert_eq!(explained.counted, Some(Counted::Failure));
    assert_eq!(
        explained.to_string(),
        "retry in 2 s to 2.20 s (the server was unavailable)\n\
         - 503 Service Unavailable: worth another attempt, the server was unavailable\n\
         - the server asks to wait 2 s\n\
         - other calls with this credential are held back for 2 s\n\
         - GET is safe to repeat by what it means\n\
         - the breaker counts it as a failure of the host; it has 1 failures of 1 attempts and is closed\n\
         - it is attempt 1 of 3\n\
         - 60 s of 60 s are left until the deadline\n\
         - a retry costs 5 of the 500 tokens left in the budget of 500"
    );
}

#[test]
fn without_a_word_of_the_server_the_backoff_is_told() {
    let world = World::new();
    seconds(0.0, 0.5, &world.answer(500, &[]).decision);
    seconds(0.25, 0.5, &world.answer(429, &[]).decision);
    seconds(0.0, 1.0, &world.ask(|q| q.attempt = 2).decision);
}

#[test]
fn it_says_why_there_is_no_other_attempt() {
    let world = World::new();
    let no_retry = |change: fn(&mut Question<'_>)| match world.ask(change).decision {
        Plan::GiveUp(why) => why,
        plan => panic!("{plan}"),
    };
    assert_eq!(no_retry(|q| q.attempt = 3), NoRetry::OutOfAttempts);
    assert_eq!(no_retry(|q| q.request = POST), NoRetry::NotIdempotent);
    assert_eq!(
        no_retry(|q| q.request.replayable = false),
        NoRetry::BodyNotReplayable
    );
    assert_eq!(
        no_retry(|q| q.elapsed = Duration::from_secs(60)),
        NoRetry::Deadline
    );
    let too_long = world.answer(503, &[("retry-after", "61")]);
    assert_eq!(too_long.decision, Plan::GiveUp(NoRetry::RetryAfterTooLong));
    let overruled = world.answer(503, &[("x-should-retry", "false")]);
    assert_eq!(overruled.decision, Plan::GiveUp(NoRetry::ServerSaysNo));
    assert!(overruled.reasons[0].contains("x-should-retry: false overrules"));
}

#[test]
fn the_kind_of_error_is_that_of_a_call() {
    let world = World::new();
    assert_eq!(
        world.ask(|q| q.request = POST).kind,
        Some(ErrorKind::OutcomeUnknown)
    );
    assert_eq!(world.ask(|_| {}).kind, Some(ErrorKind::ConnectionLost));
    assert_eq!(world.answer(200, &[]).kind, None);
    assert_eq!(world.answer(200, &[]).decision, Plan::Return);
}

#[test]
fn a_401_is_told_with_the_token() {
    let headers = HeaderMap::new();
    let world = World::new();
    let unauthorized = |refreshable, attempt| {
        let question = Question {
            method: &Method::GET,
            request: RequestFacts { refreshable, ..GET },
            limits: CallLimits::default(),
            attempt,
            elapsed: Duration::ZERO,
            outcome: Supposed::Answer {
                status: StatusCode::UNAUTHORIZED,
                headers: &headers,
                problem: None,
            },
        };
        let explained = world
            .engine
            .explain(&world.host, None, &question, Now::default());
        explained.decision
    };
    assert_eq!(unauthorized(true, 1), Plan::RefreshToken);
    assert_eq!(unauthorized(true, 2), Plan::GiveUp(NoRetry::NotRetryable));
    assert_eq!(unauthorized(false, 1), Plan::GiveUp(NoRetry::NotRetryable));
}

#[test]
fn limits_are_shown_as_they_are_read() {
    let explained = World::new().answer(
        200,
        &[
            ("ratelimit-policy", "\"burst\";q=100;w=60"),
            ("ratelimit", "\"burst\";r=3;t=30"),
        ],
    );
    assert_eq!(explained.readings.len(), 1);
    assert!(
        explained
            .reasons
            .contains(&"quota \"burst\": 3 of 100 left, reset in 30 s".to_owned())
    );
}

#[test]
fn another_region_is_asked_at_once_and_pays() {
    let world = World::new();
    let region = Region {
        name: "us".into(),
        host: world.engine.host("https://us"),
    };
    let _ = region.host.pay(RetryCost::Plain);
    let ask = |outcome| {
        let question = Question {
            method: &Method::GET,
            request: GET,
            limits: CallLimits::default(),
            attempt: 1,
            elapsed: Duration::ZERO,
            outcome,
        };
        let elsewhere = Some(&region);
        world
            .engine
            .explain(&world.host, elsewhere, &question, Now::default())
    };
    let moved = ask(Supposed::Failure(FailureClass::Connect));
    seconds(0.0, 0.0, &moved.decision);
    assert_eq!(
        (moved.region.as_deref(), moved.budget_left),
        (Some("us"), 495)
    );
    let headers = HeaderMap::new();
    let throttled = ask(Supposed::Answer {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers: &headers,
        problem: None,
    });
    assert_eq!(throttled.region, None);
    seconds(0.25, 0.5, &throttled.decision);
}

#[test]
fn nothing_is_changed_by_asking() {
    let mut settings = EngineSettings::default();
    if let Some(breaker) = &mut settings.breaker {
        breaker.minimum_calls = 1;
        breaker.open = Some(Duration::from_secs(10));
    }
    let engine = Engine::with(RetryPolicy::default(), settings);
    let host = engine.host("https://h");
    let world = World { engine, host };
    let before = format!("{:?}", world.host.state(Instant::ORIGIN));
    for _ in 0..10 {
        let explained = world.answer(503, &[("retry-after", "1")]);
        // This one would open the breaker, so it would not be retried.
        assert_eq!(explained.breaker, Some(BreakerPhase::Open));
        assert_eq!(explained.decision, Plan::GiveUp(NoRetry::CircuitOpen));
    }
    assert_eq!(format!("{:?}", world.host.state(Instant::ORIGIN)), before);
}
