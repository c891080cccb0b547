//! Breaker, slots and regions, as a call meets them.

use super::*;
use crate::breaker::{BreakerPhase, BreakerSettings};
use crate::pacing::WaitReason;
use crate::regions::{Region, Regions};

fn quick_breaker(settings: &mut EngineSettings) {
    settings.pacing.enabled = false;
    settings.breaker = Some(BreakerSettings {
        minimum_calls: 4,
        open: Some(Duration::from_secs(10)),
        ..BreakerSettings::default()
    });
}

/// A request that is not retried where something was sent.
const ONCE: RequestFacts = RequestFacts {
    repeatable: false,
    ..REPEATABLE
};

impl World {
    /// Fails so many calls of one attempt each.
    fn break_host(&mut self, calls: u32) {
        for _ in 0..calls {
            let mut call = self.call(ONCE);
            self.send(&mut call);
            self.answer(&mut call, 500, &[]);
        }
    }

    fn phase(&self, host: &str) -> BreakerPhase {
        let state = self.engine.host(host).state(self.now.instant);
        state.breaker.unwrap().phase
    }

    fn regions(&self) -> Regions {
        let region = |name: &str| Region {
            name: name.into(),
            host: self.engine.host(&format!("https://{name}")),
        };
        Regions::new([region("eu"), region("us")])
    }

    fn call_in(&self, request: RequestFacts) -> Call {
        let limits = CallLimits::default();
        self.engine
            .call_in(&self.regions(), 0, request, limits, 0, self.now.instant)
            .unwrap()
    }
}

fn regions_of(call: &Call) -> Vec<&str> {
    let regions = call.attempts().iter();
    regions.map(|a| a.region.as_deref().unwrap()).collect()
}

#[test]
fn while_the_breaker_is_open_nothing_is_sent() {
    let mut world = World::with(quick_breaker);
    world.break_host(4);
    let mut call = world.call(REPEATABLE);
    let failed = world.failed(&mut call);
    assert_eq!(
        (failed.kind, failed.retryability),
        (ErrorKind::CircuitOpen, Retryability::Temporary)
    );
    assert!(failed.retry_after.unwrap() > Duration::from_secs(9));
    assert_eq!(failed.breaker.unwrap().failures, 4);
    assert!(call.attempts().is_empty());
    world.pass(Duration::from_secs(12));
    let mut probe = world.call(REPEATABLE);
    world.send(&mut probe);
    let mut other = world.call(REPEATABLE);
    assert_eq!(world.failed(&mut other).kind, ErrorKind::CircuitOpen);
    world.answer(&mut probe, 200, &[]);
    let mut other = world.call(REPEATABLE);
    assert_eq!(world.send(&mut other), 1);
}

#[test]
fn what_a_server_refuses_is_no_failure() {
    let mut world = World::with(quick_breaker);
    for status in [400, 401, 404, 409, 422, 429, 499] {
        for _ in 0..10 {
            let mut call = world.call(ONCE);
            world.send(&mut call);
            world.answer(&mut call, status, &[("retry-after", "100")]);
        }
        assert_eq!(world.phase("https://h"), BreakerPhase::Closed, "{status}");
    }
}

#[test]
fn failures_of_our_own_count_for_nothing() {
    let mut world = World::with(quick_breaker);
    for class in [
        FailureClass::BodySource,
        FailureClass::Hook,
        FailureClass::Decode,
        FailureClass::ResponseTooLarge,
    ] {
        for _ in 0..10 {
            let mut call = world.call(ONCE);
            world.send(&mut call);
            world.lose(&mut call, class);
        }
    }
    let state = world.engine.host("https://h").state(world.now.instant);
    assert_eq!(state.breaker.unwrap().calls, 0);
}

#[test]
fn a_retry_that_meets_an_open_breaker_ends_with_its_last_answer() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 503, &[]);
    // While it waits, others open the breaker.
    world.break_host(3);
    assert_eq!(world.phase("https://h"), BreakerPhase::Open);
    world.wait(&mut call);
    let failed = world.failed(&mut call);
    assert_eq!(
        (failed.kind, failed.no_retry),
        (ErrorKind::Server, Some(NoRetry::CircuitOpen))
    );
    assert!(failed.retry_after.unwrap() > Duration::from_secs(8));
    let attempt = &call.attempts()[0];
    assert_eq!(attempt.outcome, Outcome::Status(503));
    assert_eq!(attempt.decision, Decision::GiveUp(NoRetry::CircuitOpen));
    // The retry was not made, so it cost nothing.
    assert_eq!(world.budget(), 500);
}

#[test]
fn a_failure_that_opens_the_breaker_is_not_waited_out() {
    let mut world = World::with(quick_breaker);
    world.break_host(3);
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 503, &[]);
    let failed = world.failed(&mut call);
    assert_eq!(failed.no_retry, Some(NoRetry::CircuitOpen));
    assert_eq!(world.budget(), 500);
}

#[test]
fn a_cancelled_probe_gives_its_permit_back() {
    let mut world = World::with(quick_breaker);
    world.break_host(4);
    world.pass(Duration::from_secs(12));
    let mut probe = world.call(REPEATABLE);
    world.send(&mut probe);
    probe.on_cancelled(world.now.instant);
    let mut next = world.call(REPEATABLE);
    assert_eq!(world.send(&mut next), 1);
    world.answer(&mut next, 200, &[]);
    assert_eq!(world.phase("https://h"), BreakerPhase::Closed);
}

#[test]
fn a_probe_is_taken_when_it_is_sent_not_while_it_fetches_a_token() {
    let mut world = World::with(quick_breaker);
    world.break_host(4);
    world.pass(Duration::from_secs(12));
    let mut fetching = world.call(RequestFacts {
        refreshable: true,
        ..REPEATABLE
    });
    assert_eq!(fetching.next(world.now.instant, None), Step::RefreshToken);
    let mut probe = world.call(REPEATABLE);
    assert_eq!(world.send(&mut probe), 1);
    // It comes with its token while the other one probes.
    let Step::Done(Done::Fail(failed)) = fetching.on_token(world.now.instant, true) else {
        panic!("it was sent beside the probe")
    };
    assert_eq!(failed.kind, ErrorKind::CircuitOpen);
}

#[test]
fn the_device_may_sleep_while_the_breaker_is_open() {
    let mut world = World::with(quick_breaker);
    world.break_host(4);
    world.engine.on_slept(Duration::from_secs(60));
    let mut probe = world.call(REPEATABLE);
    assert_eq!(world.send(&mut probe), 1);
}

#[test]
fn who_has_no_slot_waits_for_one() {
    let mut world = World::with(|settings| {
        settings.pacing.enabled = false;
        settings.max_concurrency = Some(2);
    });
    let (mut first, mut second, mut third) = (
        world.call(REPEATABLE),
        world.call(REPEATABLE),
        world.call(REPEATABLE),
    );
    world.send(&mut first);
    world.send(&mut second);
    world.wait(&mut third);
    world.answer(&mut first, 200, &[]);
    assert_eq!(world.send(&mut third), 1);
    let attempt = &third.attempts()[0];
    assert_eq!(attempt.queued_for, Some(WaitReason::Concurrency));
    let state = world.engine.host("https://h").state(world.now.instant);
    assert_eq!(state.concurrency.unwrap().in_flight, 2);
}

#[test]
fn a_slot_is_free_while_its_call_waits_for_the_next_attempt() {
    let mut world = World::with(|settings| {
        settings.pacing.enabled = false;
        settings.max_concurrency = Some(1);
    });
    let mut first = world.call(REPEATABLE);
    world.send(&mut first);
    world.answer(&mut first, 500, &[]);
    let mut second = world.call(REPEATABLE);
    assert_eq!(world.send(&mut second), 1);
}

#[test]
fn who_waits_for_a_slot_until_its_deadline_is_told_so() {
    let mut world = World::with(|settings| {
        settings.pacing.enabled = false;
        settings.max_concurrency = Some(1);
    });
    let mut first = world.call(REPEATABLE);
    world.send(&mut first);
    let mut second = world.call(REPEATABLE);
    world.wait(&mut second);
    world.pass(Duration::from_secs(60));
    let failed = world.failed(&mut second);
    assert_eq!(
        (failed.kind, failed.held_for),
        (ErrorKind::RateLimited, Some(WaitReason::Concurrency))
    );
    // It has left the line.
    let state = world.engine.host("https://h").state(world.now.instant);
    assert_eq!(state.concurrency.unwrap().queued, 0);
}

#[test]
fn a_streamed_answer_keeps_its_slot_until_it_is_dropped() {
    let mut world = World::with(|settings| settings.max_concurrency = Some(1));
    let in_flight = |world: &World| {
        let state = world.engine.host("https://h").state(world.now.instant);
        state.concurrency.unwrap().in_flight
    };
    let mut call = world.call(REPEATABLE);
    call.on_streamed();
    world.send(&mut call);
    world.answer(&mut call, 200, &[]);
    let slot = call.take_slot();
    drop(call);
    assert_eq!(in_flight(&world), 1);
    drop(slot);
    assert_eq!(in_flight(&world), 0);
}

#[test]
fn a_call_without_a_word_gives_its_slot_back() {
    let mut world = World::with(|settings| settings.max_concurrency = Some(1));
    let mut call = world.call(REPEATABLE);
    world.send(&mut call);
    drop(call);
    let state = world.engine.host("https://h").state(world.now.instant);
    assert_eq!(state.concurrency.unwrap().in_flight, 0);
}

#[test]
fn the_first_region_is_asked_first() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 200, &[]);
    assert_eq!(regions_of(&call), ["eu"]);
}

#[test]
fn a_region_without_a_connection_is_passed_over() {
    let mut world = World::with(quick_breaker);
    // Nothing was sent, so the other is asked, and at once, even for a request that is not safe to repeat.
    let mut call = world.call_in(ONCE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::Connect);
    assert_eq!(world.send(&mut call), 2);
    assert_eq!(call.region(), Some(1));
    world.answer(&mut call, 201, &[]);
    assert_eq!(regions_of(&call), ["eu", "us"]);
    // The next call does not try the first again.
    let mut next = world.call_in(ONCE);
    world.send(&mut next);
    assert_eq!(regions_of(&next), ["us"]);
}

#[test]
fn one_call_looks_whether_a_region_is_back() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(ONCE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::Connect);
    world.pass(Duration::from_secs(10));
    let mut looks = world.call_in(ONCE);
    world.send(&mut looks);
    let mut other = world.call_in(ONCE);
    world.send(&mut other);
    assert_eq!((looks.region(), other.region()), (Some(0), Some(1)));
}

#[test]
fn an_answer_makes_a_region_healthy_again() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(ONCE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::Connect);
    world.pass(Duration::from_secs(10));
    let mut looks = world.call_in(ONCE);
    world.send(&mut looks);
    world.answer(&mut looks, 200, &[]);
    let mut other = world.call_in(ONCE);
    world.send(&mut other);
    assert_eq!(other.region(), Some(0));
}

#[test]
fn an_open_breaker_sends_the_call_to_another_region() {
    let mut world = World::with(quick_breaker);
    for _ in 0..4 {
        let mut call = world.call_in(ONCE);
        world.send(&mut call);
        world.answer(&mut call, 500, &[]);
        assert_eq!(regions_of(&call), ["eu"]);
    }
    let mut call = world.call_in(ONCE);
    world.send(&mut call);
    assert_eq!(regions_of(&call), ["us"]);
    // Its health comes back by the breaker's probe: one call goes there, and the rest follow when it was answered.
    world.pass(Duration::from_secs(12));
    let mut probe = world.call_in(ONCE);
    world.send(&mut probe);
    let mut other = world.call_in(ONCE);
    world.send(&mut other);
    assert_eq!((probe.region(), other.region()), (Some(0), Some(1)));
    world.answer(&mut probe, 200, &[]);
    let mut after = world.call_in(ONCE);
    world.send(&mut after);
    assert_eq!(after.region(), Some(0));
}

#[test]
fn what_may_have_taken_effect_goes_to_no_other_region_without_a_key() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(ONCE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    assert_eq!(world.failed(&mut call).kind, ErrorKind::OutcomeUnknown);
    let mut call = world.call_in(REPEATABLE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    assert_eq!(world.send(&mut call), 2);
    assert_eq!(regions_of(&call), ["eu", "us"]);
}

#[test]
fn when_all_regions_were_tried_there_is_a_backoff() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 503, &[("retry-after", "7")]);
    // The other region was not asked to wait.
    world.send(&mut call);
    world.answer(&mut call, 503, &[("retry-after", "2")]);
    assert!(world.wait(&mut call) >= Duration::from_secs(2));
    world.send(&mut call);
    assert_eq!(call.attempts().len(), 3);
}

#[test]
fn a_region_that_asked_to_wait_is_not_come_back_to_before() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 502, &[("retry-after", "50")]);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::ConnectionLost);
    world.wait(&mut call);
    world.send(&mut call);
    assert_eq!(regions_of(&call), ["eu", "us", "us"]);
}

#[test]
fn where_all_breakers_are_open_the_call_fails() {
    let mut world = World::with(quick_breaker);
    for _ in 0..8 {
        let mut call = world.call_in(ONCE);
        world.send(&mut call);
        world.answer(&mut call, 500, &[]);
    }
    let mut call = world.call_in(REPEATABLE);
    assert_eq!(world.failed(&mut call).kind, ErrorKind::CircuitOpen);
}

#[test]
fn a_retry_in_another_region_is_paid_there() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(REPEATABLE);
    world.send(&mut call);
    world.lose(&mut call, FailureClass::Connect);
    world.send(&mut call);
    let left = |name: &str| {
        let host = world.engine.host(&format!("https://{name}"));
        host.state(world.now.instant).budget_left
    };
    assert_eq!((left("eu"), left("us")), (500, 495));
}

#[test]
fn a_throttled_region_is_not_left() {
    let mut world = World::with(quick_breaker);
    let mut call = world.call_in(REPEATABLE);
    world.send(&mut call);
    world.answer(&mut call, 429, &[("retry-after", "1")]);
    world.wait(&mut call);
    let _ = call.next(world.now.instant, None);
    assert_eq!(call.region(), Some(0));
}
