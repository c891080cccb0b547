//! Attempts at once.

use futures_util::future::join_all;
use gatewright::ErrorKind;

use crate::timed::Say;
use crate::{ms, world};

#[test]
fn no_more_than_allowed_are_on_the_wire_and_all_are_served_in_order() {
    let world = world(|_| Say::StatusAfter(200, ms(10)), |b| b.max_concurrency(4));
    let calls = (0..40).map(|i| world.client.get(format!("/{i}")).send());
    let came = world.clock.block_on(join_all(calls));
    assert!(came.iter().all(Result::is_ok));
    assert_eq!(world.wire.most(), 4);
    let paths: Vec<_> = world.wire.asked().into_iter().map(|a| a.url).collect();
    let expected: Vec<_> = (0..40).map(|i| format!("https://eu.example/{i}")).collect();
    assert_eq!(paths, expected);
    assert_eq!(world.clock.elapsed(), ms(100));
    let last = came[39].as_ref().unwrap().attempts()[0].clone();
    assert_eq!(last.queued, ms(90));
    assert_eq!(
        last.queued_for.unwrap().to_string(),
        "limit of calls at once"
    );
}

#[test]
fn a_slot_is_held_until_the_body_is_read() {
    let world = world(|_| Say::Body(ms(30)), |b| b.max_concurrency(1));
    let calls = (0..3).map(|_| world.client.get("/x").send());
    let came = world.clock.block_on(join_all(calls));
    assert!(came.iter().all(Result::is_ok));
    assert_eq!((world.wire.most(), world.clock.elapsed()), (1, ms(90)));
}

#[test]
fn a_stream_holds_its_slot_until_its_end_or_until_it_is_dropped() {
    let world = world(|_| Say::Body(ms(30)), |b| b.max_concurrency(1));
    let in_flight = || world.client.state().concurrency.unwrap().in_flight;
    let stream = || world.clock.block_on(world.client.get("/x").stream());
    let mut read = stream().unwrap();
    assert_eq!(in_flight(), 1);
    world.clock.block_on(read.chunk()).unwrap();
    assert_eq!(in_flight(), 1);
    assert_eq!(world.clock.block_on(read.chunk()).unwrap(), None);
    assert_eq!(in_flight(), 0);
    let dropped = stream().unwrap();
    assert_eq!(in_flight(), 1);
    drop(dropped);
    assert_eq!(in_flight(), 0);
}

#[test]
fn who_cannot_wait_longer_is_told_why_and_nothing_was_sent() {
    let world = world(
        |_| Say::StatusAfter(200, ms(5_000)),
        |b| b.max_concurrency(1),
    );
    let first = world.client.get("/first").send();
    let second = world.client.get("/second").timeout(ms(100)).send();
    let (first, second) = world
        .clock
        .block_on(futures_util::future::join(first, second));
    assert!(first.is_ok());
    let error = second.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(
        error
            .what()
            .contains("held back for limit of calls at once"),
        "{error}"
    );
    assert_eq!(world.wire.asked().len(), 1);
}

#[test]
fn who_goes_away_while_waiting_leaves_the_line_to_the_others() {
    let world = world(|_| Say::StatusAfter(200, ms(10)), |b| b.max_concurrency(1));
    let mut calls: Vec<_> = (0..4)
        .map(|i| Box::pin(world.client.get(format!("/{i}")).send()))
        .collect();
    let begun = async {
        for call in &mut calls {
            assert!(futures_util::future::poll_immediate(call).await.is_none());
        }
    };
    world.clock.block_on(begun);
    drop(calls.remove(1));
    let came = world.clock.block_on(join_all(calls));
    assert!(came.iter().all(Result::is_ok));
    assert_eq!(world.wire.asked().len(), 3);
    let state = world.client.state().concurrency.unwrap();
    assert_eq!((state.in_flight, state.queued), (0, 0));
}

#[test]
fn none_at_once_is_no_setting() {
    let error = gatewright::Client::builder("https://eu.example")
        .max_concurrency(0)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
}
