use super::*;

const SERVER: Trouble = Trouble::Status(503);

fn at(seconds: f64) -> Instant {
    Instant::ORIGIN + Duration::from_secs_f64(seconds)
}

/// The middle of the jitter, and so exactly 10 s.
const MIDDLE: f64 = 0.5;

fn fail(breaker: &mut Breaker, now: Instant) {
    let permit = breaker.pass(now).unwrap();
    breaker.on_failure(permit, now, SERVER, MIDDLE);
}

fn succeed(breaker: &mut Breaker, now: Instant) {
    let permit = breaker.pass(now).unwrap();
    breaker.on_success(permit, now);
}

/// Opened by twenty failures at `now`, for 10 s each time.
fn open(now: Instant) -> Breaker {
    opened(now, TEN_SECONDS)
}

const TEN_SECONDS: BreakerSettings = BreakerSettings {
    failure_rate: 0.5,
    minimum_calls: 20,
    window: Duration::from_secs(30),
    open: Some(Duration::from_secs(10)),
};

fn opened(now: Instant, settings: BreakerSettings) -> Breaker {
    let mut breaker = Breaker::new(settings);
    (0..20).for_each(|_| fail(&mut breaker, now));
    assert_eq!(breaker.state(now).phase, BreakerPhase::Open);
    breaker
}

#[test]
fn it_opens_at_half_of_twenty() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..10).for_each(|_| succeed(&mut breaker, at(1.0)));
    (0..9).for_each(|_| fail(&mut breaker, at(2.0)));
    assert!(breaker.check(at(2.0)).is_ok());
    fail(&mut breaker, at(2.0));
    let refused = breaker.check(at(2.0)).unwrap_err();
    assert_eq!((refused.seen.failures, refused.seen.calls), (10, 20));
    assert_eq!(
        refused.seen.to_string(),
        "10 of 20 attempts failed within 30 s, the last with: 503"
    );
}

#[test]
fn a_few_failures_do_not_open_it() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..19).for_each(|_| fail(&mut breaker, at(1.0)));
    assert!(breaker.check(at(1.0)).is_ok());
    // And a share below half does not either, however many there are.
    let mut breaker = Breaker::new(BreakerSettings::default());
    for _ in 0..100 {
        (0..3).for_each(|_| succeed(&mut breaker, at(1.0)));
        (0..2).for_each(|_| fail(&mut breaker, at(1.0)));
    }
    assert!(breaker.check(at(1.0)).is_ok());
}

#[test]
fn old_failures_are_forgotten() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..19).for_each(|_| fail(&mut breaker, at(0.0)));
    // 30 s later they are gone, so this is the first.
    fail(&mut breaker, at(30.1));
    assert!(breaker.check(at(30.1)).is_ok());
    assert_eq!(breaker.state(at(30.1)).failures, 1);
    // 26 s later they are not.
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..19).for_each(|_| fail(&mut breaker, at(0.0)));
    fail(&mut breaker, at(26.0));
    assert!(breaker.check(at(26.0)).is_err());
}

#[test]
fn while_open_everybody_is_refused() {
    let mut breaker = open(at(5.0));
    for seconds in [5.0, 9.0, 14.9] {
        let refused = breaker.pass(at(seconds)).unwrap_err();
        assert_eq!(refused.retry_after, at(15.0).since(at(seconds)));
    }
}

#[test]
fn it_stays_open_for_ten_seconds_give_or_take_one() {
    for (unit, seconds) in [(0.0, 9), (0.5, 10), (0.999_999_999_9, 11)] {
        let mut breaker = Breaker::new(TEN_SECONDS);
        for _ in 0..20 {
            let permit = breaker.pass(at(0.0)).unwrap();
            breaker.on_failure(permit, at(0.0), SERVER, unit);
        }
        let wait = breaker.check(at(0.0)).unwrap_err().retry_after;
        assert_eq!(wait.as_secs_f64().round(), f64::from(seconds));
    }
}

#[test]
fn one_probe_goes_when_the_time_is_over() {
    let mut breaker = open(at(0.0));
    // However many wait for it: one goes.
    let went = (0..64).filter(|_| breaker.pass(at(10.0)).is_ok()).count();
    assert_eq!(went, 1);
    assert_eq!(breaker.state(at(10.0)).phase, BreakerPhase::HalfOpen);
}

#[test]
fn a_probe_that_succeeds_closes_it() {
    let mut breaker = open(at(0.0));
    succeed(&mut breaker, at(10.0));
    let state = breaker.state(at(10.0));
    assert_eq!((state.phase, state.calls), (BreakerPhase::Closed, 0));
    // The old failures are forgotten: one more does not open it again.
    fail(&mut breaker, at(10.0));
    assert!(breaker.check(at(10.0)).is_ok());
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let mut breaker = open(at(0.0));
    let probe = breaker.pass(at(10.0)).unwrap();
    breaker.on_failure(
        probe,
        at(11.0),
        Trouble::Failed(FailureClass::Connect),
        MIDDLE,
    );
    let refused = breaker.check(at(11.0)).unwrap_err();
    assert_eq!(refused.retry_after, Duration::from_secs(10));
    assert_eq!(refused.seen.last, Trouble::Failed(FailureClass::Connect));
}

#[test]
fn a_probe_that_is_cancelled_gives_its_permit_back() {
    let mut breaker = open(at(0.0));
    let probe = breaker.pass(at(10.0)).unwrap();
    assert!(breaker.pass(at(10.1)).is_err());
    breaker.on_given_back(probe);
    assert!(breaker.pass(at(10.1)).is_ok());
}

#[test]
fn a_lost_probe_does_not_hold_it_for_ever() {
    let mut breaker = open(at(0.0));
    let silent = breaker.pass(at(10.0)).unwrap();
    assert_eq!(
        breaker.pass(at(12.0)).unwrap_err().retry_after,
        Duration::from_secs(8)
    );
    let second = breaker.pass(at(20.0)).unwrap();
    // The first is of an older generation now.
    breaker.on_failure(silent, at(21.0), SERVER, MIDDLE);
    assert_eq!(breaker.state(at(21.0)).phase, BreakerPhase::HalfOpen);
    breaker.on_success(second, at(21.0));
    assert_eq!(breaker.state(at(21.0)).phase, BreakerPhase::Closed);
}

#[test]
fn results_of_older_generations_count_for_nothing() {
    let mut breaker = Breaker::new(TEN_SECONDS);
    let late: Vec<_> = (0..60).map(|_| breaker.pass(at(0.0)).unwrap()).collect();
    (0..20).for_each(|_| fail(&mut breaker, at(0.0)));
    let probe = breaker.pass(at(10.0)).unwrap();
    let mut late = late.into_iter();
    for permit in late.by_ref().take(20) {
        breaker.on_success(permit, at(10.0));
    }
    assert_eq!(breaker.state(at(10.0)).phase, BreakerPhase::HalfOpen);
    for permit in late.by_ref().take(20) {
        breaker.on_given_back(permit);
    }
    assert!(breaker.pass(at(10.0)).is_err());
    breaker.on_success(probe, at(10.0));
    for permit in late {
        breaker.on_failure(permit, at(10.0), SERVER, MIDDLE);
    }
    let state = breaker.state(at(10.0));
    assert_eq!((state.phase, state.calls), (BreakerPhase::Closed, 0));
}

#[test]
fn it_stays_open_twice_as_long_after_each_probe_that_fails() {
    let mut breaker = opened(at(0.0), BreakerSettings::default());
    let mut now = at(0.0);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let wait = breaker.pass(now).unwrap_err().retry_after;
        waits.push(wait.as_secs());
        now = now + wait;
        fail(&mut breaker, now);
    }
    assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10]);
}

#[test]
fn a_probe_that_is_silent_counts_as_one_that_failed() {
    let mut breaker = opened(at(0.0), BreakerSettings::default());
    let _silent = breaker.pass(at(1.0)).unwrap();
    assert!(breaker.pass(at(1.9)).is_err());
    // After 1 s without an answer another one probes, which is waited for twice as long.
    let second = breaker.pass(at(2.0)).unwrap();
    assert!(breaker.pass(at(3.9)).is_err());
    breaker.on_failure(second, at(3.9), SERVER, MIDDLE);
    let refused = breaker.check(at(3.9)).unwrap_err();
    assert_eq!(refused.retry_after, Duration::from_secs(4));
}

#[test]
fn a_slow_probe_closes_it_too() {
    let mut breaker = opened(at(0.0), BreakerSettings::default());
    let before = breaker.pass(at(1.0)).unwrap();
    let _later = breaker.pass(at(2.0)).unwrap();
    breaker.on_success(before, at(2.5));
    assert_eq!(breaker.state(at(2.5)).phase, BreakerPhase::Closed);
}

#[test]
fn who_fails_again_soon_is_left_alone_for_longer() {
    let mut breaker = opened(at(0.0), BreakerSettings::default());
    succeed(&mut breaker, at(1.0));
    (0..20).for_each(|_| fail(&mut breaker, at(2.0)));
    let refused = breaker.check(at(2.0)).unwrap_err();
    assert_eq!(refused.retry_after, Duration::from_secs(2));
    succeed(&mut breaker, at(4.0));
    // Closed for longer than an attempt is remembered: an outage of its own.
    (0..20).for_each(|_| fail(&mut breaker, at(34.0)));
    let refused = breaker.check(at(34.0)).unwrap_err();
    assert_eq!(refused.retry_after, Duration::from_secs(1));
}

#[test]
fn what_was_cancelled_is_neither() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    for _ in 0..100 {
        let permit = breaker.pass(at(0.0)).unwrap();
        breaker.on_given_back(permit);
    }
    assert_eq!(breaker.state(at(0.0)).calls, 0);
}

#[test]
fn settings_that_cannot_be_are_named() {
    let with = |change: fn(&mut BreakerSettings)| {
        let mut settings = BreakerSettings::default();
        change(&mut settings);
        settings.check()
    };
    assert!(with(|_| {}).is_ok());
    for (change, name) in [
        (
            (|s| s.failure_rate = 0.0) as fn(&mut BreakerSettings),
            "`failure_rate`",
        ),
        (|s| s.failure_rate = f64::NAN, "`failure_rate`"),
        (|s| s.failure_rate = 1.1, "`failure_rate`"),
        (|s| s.minimum_calls = 0, "`minimum_calls`"),
        (|s| s.window = Duration::ZERO, "`window`"),
        (|s| s.open = Some(Duration::ZERO), "`open`"),
    ] {
        assert!(with(change).unwrap_err().starts_with(name));
    }
}

#[test]
fn no_setting_and_no_time_overflows() {
    let settings = BreakerSettings {
        window: Duration::MAX,
        open: Some(Duration::MAX),
        minimum_calls: 1,
        ..BreakerSettings::default()
    };
    let mut breaker = Breaker::new(settings);
    fail(&mut breaker, Instant::from_nanos(u64::MAX - 1));
    assert!(breaker.check(at(1.0)).is_err());
}
