//! The second copy of a slow request.

use gatewright::{BreakerSettings, ErrorKind, FailureClass, Hedge, Outcome, RetryPolicy};

use crate::timed::{Asked, Say};
use crate::{World, ms};

fn hedged(say: impl FnMut(&Asked) -> Say + Send + 'static) -> World {
    crate::world(say, |b| b.hedge(Hedge::after(ms(100))))
}

#[test]
fn an_answer_in_time_is_not_hedged() {
    let world = hedged(|_| Say::StatusAfter(200, ms(99)));
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!((answer.attempts().len(), world.wire.asked().len()), (1, 1));
}

#[test]
fn a_slow_answer_is_hedged_and_the_first_success_wins() {
    let world = hedged(|asked| match asked.number {
        1 => Say::StatusAfter(200, ms(5_000)),
        _ => Say::StatusAfter(200, ms(20)),
    });
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(world.clock.elapsed(), ms(120));
    let record: Vec<_> = answer
        .attempts()
        .iter()
        .map(|a| (a.number, a.hedge, a.outcome.clone(), a.started))
        .collect();
    assert_eq!(
        record,
        [
            (1, false, Outcome::Cancelled, ms(0)),
            (2, true, Outcome::Status(200), ms(100)),
        ]
    );
    assert_eq!(world.wire.cancelled(), 1);
}

#[test]
fn the_first_copy_may_win_too() {
    let world = hedged(|asked| match asked.number {
        1 => Say::StatusAfter(200, ms(150)),
        _ => Say::StatusAfter(200, ms(5_000)),
    });
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(world.clock.elapsed(), ms(150));
    let outcomes: Vec<_> = answer.attempts().iter().map(|a| &a.outcome).collect();
    assert_eq!(outcomes, [&Outcome::Status(200), &Outcome::Cancelled]);
}

#[test]
fn the_loser_gives_everything_back() {
    let world = crate::world(
        |asked| match asked.number % 2 {
            1 => Say::StatusAfter(200, ms(5_000)),
            _ => Say::StatusAfter(200, ms(20)),
        },
        |b| {
            let mut breaker = BreakerSettings::default();
            breaker.minimum_calls = 1;
            b.hedge(Hedge::after(ms(100)))
                .pacing(true)
                .max_concurrency(2)
                .breaker(breaker)
        },
    );
    for _ in 0..20 {
        world.clock.block_on(world.client.get("/x").send()).unwrap();
    }
    assert_eq!(world.wire.cancelled(), 20);
    let state = world.client.state();
    let concurrency = state.concurrency.unwrap();
    assert_eq!((concurrency.in_flight, concurrency.queued), (0, 0));
    assert!(
        state
            .pacers
            .iter()
            .all(|p| p.in_flight == 0 && p.queued == 0)
    );
    assert_eq!(state.breaker.unwrap().calls, 20);
    // What a second copy took from the budget its success gave back.
    assert_eq!(state.budget_left, 500);
}

#[test]
fn a_failure_waits_for_the_other() {
    let world = hedged(|asked| match asked.number {
        1 => Say::StatusAfter(200, ms(400)),
        _ => Say::Status(500),
    });
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(world.clock.elapsed(), ms(400));
    let outcomes: Vec<_> = answer.attempts().iter().map(|a| &a.outcome).collect();
    assert_eq!(outcomes, [&Outcome::Status(200), &Outcome::Status(500)]);
    assert_eq!(world.client.state().budget_left, 500 - 5 + 1);
}

#[test]
fn where_both_fail_the_first_error_is_told() {
    let world = hedged(|asked| match asked.number {
        1 => Say::StatusAfter(404, ms(400)),
        _ => Say::Status(503),
    });
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let outcomes: Vec<_> = error.attempts().iter().map(|a| &a.outcome).collect();
    assert_eq!(outcomes, [&Outcome::Status(404), &Outcome::Status(503)]);
}

#[test]
fn there_is_at_most_one_second_copy_and_retries_go_on_beside_it() {
    let world = hedged(|asked| match asked.number {
        1 => Say::StatusAfter(503, ms(150)),
        2 => Say::StatusAfter(200, ms(60_000)),
        // The retry of the first copy is slow too, but there is no third copy.
        _ => Say::StatusAfter(200, ms(1_000)),
    });
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    let record: Vec<_> = answer
        .attempts()
        .iter()
        .map(|a| (a.number, a.hedge, a.outcome.to_string()))
        .collect();
    assert_eq!(
        record,
        [
            (1, false, "503".to_owned()),
            (2, true, "cancelled".to_owned()),
            (3, false, "200".to_owned()),
        ]
    );
}

#[test]
fn without_budget_there_is_no_second_copy() {
    let world = crate::world(
        |_| Say::StatusAfter(200, ms(500)),
        |b| {
            let mut retry = RetryPolicy::default();
            retry.budget = 4;
            b.retry(retry).hedge(Hedge::after(ms(100)))
        },
    );
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(answer.attempts().len(), 1);
}

#[test]
fn only_what_is_safe_is_hedged() {
    let world = hedged(|_| Say::StatusAfter(200, ms(500)));
    for request in [
        world.client.post("/x"),
        world.client.put("/x"),
        world.client.patch("/x"),
        world.client.delete("/x"),
    ] {
        world.clock.block_on(request.send()).unwrap();
    }
    world
        .clock
        .block_on(world.client.get("/x").stream())
        .unwrap();
    assert_eq!(world.wire.asked().len(), 5);
    world
        .clock
        .block_on(world.client.head("/x").send())
        .unwrap();
    assert_eq!(world.wire.asked().len(), 7);
}

#[test]
fn the_second_copy_waits_for_a_slot_like_any_other() {
    let world = crate::world(
        |_| Say::StatusAfter(200, ms(500)),
        |b| b.hedge(Hedge::after(ms(100))).max_concurrency(1),
    );
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!((answer.attempts().len(), world.wire.most()), (1, 1));
}

#[test]
fn a_request_may_say_for_itself_whether_it_is_hedged() {
    let world = hedged(|_| Say::StatusAfter(200, ms(500)));
    let plain = world.client.get("/x").hedge(None).send();
    world.clock.block_on(plain).unwrap();
    assert_eq!(world.wire.asked().len(), 1);
    let later = world.client.get("/x").hedge(Hedge::after(ms(499))).send();
    let answer = world.clock.block_on(later).unwrap();
    assert_eq!(answer.attempts()[1].started, ms(499));
}

#[test]
fn the_95th_percentile_is_learned_before_it_is_used() {
    let world = crate::world(
        |asked| match asked.number {
            ..=20 => Say::StatusAfter(200, ms(asked.number as u64)),
            21 => Say::StatusAfter(200, ms(9_000)),
            _ => Say::StatusAfter(200, ms(1)),
        },
        |b| b.hedge(Hedge::p95()),
    );
    for _ in 0..20 {
        world.clock.block_on(world.client.get("/x").send()).unwrap();
    }
    assert_eq!(world.wire.asked().len(), 20);
    let answer = world.clock.block_on(world.client.get("/x").send()).unwrap();
    assert_eq!(answer.attempts()[1].started, ms(19));
}

#[test]
fn a_call_that_is_given_up_gives_up_both_copies() {
    let world = hedged(|_| Say::StatusAfter(200, ms(60_000)));
    let call = world.client.get("/x").timeout(ms(1_000)).send();
    let error = world.clock.block_on(call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(world.clock.elapsed(), ms(1_000));
    assert_eq!(error.attempts().len(), 2);
    assert!(error.attempts().iter().all(|attempt| matches!(
        attempt.outcome,
        Outcome::Failed {
            class: FailureClass::Timeout,
            ..
        }
    )));
}

#[test]
fn no_time_at_all_is_no_hedge() {
    let built = gatewright::Client::builder("https://eu.example").hedge(Hedge::after(ms(0)));
    assert_eq!(built.build().unwrap_err().kind(), ErrorKind::InvalidConfig);
}
