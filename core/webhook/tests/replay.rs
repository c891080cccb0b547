//! The replay guard: each row of its state table, its bounds, and two threads at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::num::NonZeroUsize;
use std::time::Duration;

use gatewright_webhook::replay::{
    MemoryReplayGuard, ReplayGuard, ReplayKey, Reservation, Reserve, Settled,
};
use gatewright_webhook::{Scheme, Signer, Webhook};

const NOW: i64 = 1_614_265_330;
const DAY: i64 = 24 * 60 * 60;

fn key(id: &str) -> ReplayKey {
    ReplayKey::for_message("billing", Scheme::StandardWebhooks, id)
}

fn reserve(guard: &MemoryReplayGuard, id: &str, now: i64) -> Reserve {
    let Ok(answer) = guard.reserve(&key(id), now);
    answer
}

fn reserved(guard: &MemoryReplayGuard, id: &str, now: i64) -> Reservation {
    match reserve(guard, id, now) {
        Reserve::New(reservation) => reservation,
        other => panic!("expected a reservation of {id}, got {other:?}"),
    }
}

fn commit(guard: &MemoryReplayGuard, reservation: Reservation, now: i64) -> Settled {
    let Ok(answer) = guard.commit(reservation, now);
    answer
}

fn release(guard: &MemoryReplayGuard, reservation: Reservation, now: i64) -> Settled {
    let Ok(answer) = guard.release(reservation, now);
    answer
}

fn done(guard: &MemoryReplayGuard, id: &str, now: i64) {
    assert_eq!(
        commit(guard, reserved(guard, id, now), now),
        Settled::Settled
    );
}

#[test]
fn a_committed_message_is_done_until_the_retention_ends() {
    let guard = MemoryReplayGuard::new();
    let reservation = reserved(&guard, "msg_1", NOW);
    assert_eq!(
        reserve(&guard, "msg_1", NOW + 10),
        Reserve::InProgress { until: NOW + 300 }
    );
    assert_eq!(commit(&guard, reservation, NOW + 20), Settled::Settled);
    assert_eq!(reserve(&guard, "msg_1", NOW + 20), Reserve::AlreadyDone);
    assert_eq!(
        reserve(&guard, "msg_1", NOW + 20 + 4 * DAY - 1),
        Reserve::AlreadyDone
    );
    let _again = reserved(&guard, "msg_1", NOW + 20 + 4 * DAY);
}

#[test]
fn a_released_message_can_be_tried_again_at_once() {
    let guard = MemoryReplayGuard::new();
    let reservation = reserved(&guard, "msg_1", NOW);
    assert_eq!(release(&guard, reservation, NOW + 1), Settled::Settled);
    assert!(guard.is_empty());
    done(&guard, "msg_1", NOW + 1);
}

#[test]
fn a_crashed_handler_is_given_up_when_its_lease_ends() {
    let guard = MemoryReplayGuard::new().lease(Duration::from_secs(60));
    let _crashed = reserved(&guard, "msg_1", NOW);
    assert_eq!(
        reserve(&guard, "msg_1", NOW + 59),
        Reserve::InProgress { until: NOW + 60 }
    );
    done(&guard, "msg_1", NOW + 60);
}

#[test]
fn a_handler_slower_than_its_lease_settles_nothing() {
    let guard = MemoryReplayGuard::new().lease(Duration::from_secs(60));
    let slow = reserved(&guard, "msg_1", NOW);
    assert_eq!(commit(&guard, slow, NOW + 60), Settled::Lost);

    let slow = reserved(&guard, "msg_2", NOW);
    let second = reserved(&guard, "msg_2", NOW + 60);
    assert_ne!(slow.token(), second.token());
    assert_eq!(release(&guard, slow, NOW + 61), Settled::Lost);
    assert_eq!(
        reserve(&guard, "msg_2", NOW + 61),
        Reserve::InProgress { until: NOW + 120 }
    );
    assert_eq!(commit(&guard, second, NOW + 62), Settled::Settled);
    assert_eq!(reserve(&guard, "msg_2", NOW + 63), Reserve::AlreadyDone);
}

#[test]
fn a_made_up_reservation_settles_nothing() {
    let guard = MemoryReplayGuard::new();
    let real = reserved(&guard, "msg_1", NOW);
    assert_eq!(
        commit(
            &guard,
            Reservation::new(key("msg_1"), real.token() + 1),
            NOW
        ),
        Settled::Lost
    );
    assert_eq!(
        commit(&guard, Reservation::new(key("msg_2"), real.token()), NOW),
        Settled::Lost
    );
    assert_eq!(commit(&guard, real, NOW), Settled::Settled);
}

#[test]
fn a_full_store_forgets_the_oldest_that_nobody_can_replay() {
    let guard = MemoryReplayGuard::new().entries(NonZeroUsize::new(3).unwrap());
    done(&guard, "oldest", NOW);
    done(&guard, "older", NOW + 100);
    done(&guard, "old", NOW + 200);
    // 599 s after the oldest was done, its sender's signature may still be in time.
    assert_eq!(reserve(&guard, "new", NOW + 599), Reserve::Full);
    assert_eq!(
        reserve(&guard, "oldest", NOW + 599),
        Reserve::AlreadyDone,
        "known ones still answer"
    );
    done(&guard, "new", NOW + 600);
    assert_eq!(guard.len(), 3);
    assert_eq!(reserve(&guard, "older", NOW + 600), Reserve::AlreadyDone);
    assert_eq!(reserve(&guard, "old", NOW + 600), Reserve::AlreadyDone);
    assert_eq!(reserve(&guard, "new", NOW + 600), Reserve::AlreadyDone);
}

#[test]
fn a_full_store_never_forgets_a_handler_at_work() {
    let guard = MemoryReplayGuard::new()
        .entries(NonZeroUsize::new(2).unwrap())
        .lease(Duration::from_secs(10_000));
    let first = reserved(&guard, "first", NOW);
    let second = reserved(&guard, "second", NOW);
    assert_eq!(reserve(&guard, "third", NOW + 9_999), Reserve::Full);
    assert_eq!(release(&guard, first, NOW + 9_999), Settled::Settled);
    done(&guard, "third", NOW + 9_999);
    assert_eq!(commit(&guard, second, NOW + 9_999), Settled::Settled);
}

#[test]
fn a_full_store_makes_room_of_crashed_handlers() {
    let guard = MemoryReplayGuard::new()
        .entries(NonZeroUsize::MIN)
        .lease(Duration::from_secs(60));
    let _crashed = reserved(&guard, "first", NOW);
    assert_eq!(reserve(&guard, "second", NOW + 59), Reserve::Full);
    done(&guard, "second", NOW + 60);
}

#[test]
fn a_retention_shorter_than_the_replay_window_is_stretched_to_it() {
    let guard = MemoryReplayGuard::new()
        .retention(Duration::from_secs(1))
        .replay_window(Duration::from_secs(600));
    done(&guard, "msg_1", NOW);
    assert_eq!(reserve(&guard, "msg_1", NOW + 599), Reserve::AlreadyDone);
    let _again = reserved(&guard, "msg_1", NOW + 600);
}

#[test]
fn the_longest_settings_still_keep_what_can_be_replayed() {
    let guard = MemoryReplayGuard::new()
        .entries(NonZeroUsize::MIN)
        .retention(Duration::MAX)
        .lease(Duration::MAX);
    done(&guard, "msg_1", NOW);
    assert_eq!(reserve(&guard, "msg_2", NOW + 599), Reserve::Full);
    done(&guard, "msg_2", NOW + 600);
    for now in [i64::MIN, 0, i64::MAX] {
        let guard = MemoryReplayGuard::new().entries(NonZeroUsize::MIN);
        let _ = reserve(&guard, "a", now);
        let _ = reserve(&guard, "b", i64::MAX);
        let _ = reserve(&guard, "c", i64::MIN);
        assert_eq!(guard.len(), 1);
    }
}

#[test]
fn the_store_stays_within_its_bound_and_forgets_by_itself() {
    let guard = MemoryReplayGuard::new()
        .entries(NonZeroUsize::new(1_000).unwrap())
        .retention(Duration::from_secs(3_600));
    for step in 0..5_000_i64 {
        done(&guard, &format!("msg_{step}"), NOW + step);
        assert!(guard.len() <= 1_000);
    }
    // Long after: each call clears some of what has ended.
    for step in 0..20 {
        done(&guard, &format!("late_{step}"), NOW + 100_000);
    }
    assert_eq!(guard.len(), 20);
}

#[test]
fn of_many_threads_exactly_one_handles_a_message() {
    let guard = MemoryReplayGuard::new();
    let handled: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..200)
                        .filter(|step| {
                            matches!(
                                reserve(&guard, &format!("msg_{step}"), NOW),
                                Reserve::New(_)
                            )
                        })
                        .count()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    assert_eq!(handled, 200);
}

#[test]
fn the_key_is_made_of_the_sender_and_the_signed_id_alone() {
    let other_secret = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI=";
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = Webhook::new([secret, other_secret]).unwrap();
    let sent = |secret: &str, id: &str, at: i64| {
        let signed = Signer::new([secret]).unwrap().sign(id, at, b"{}").unwrap();
        webhook.verify(b"{}", &signed.headers(), NOW).unwrap()
    };
    let first = sent(secret, "msg_1", NOW);
    let retried = sent(other_secret, "msg_1", NOW + 60);
    assert_eq!(
        first.replay_key("billing"),
        retried.replay_key("billing"),
        "another attempt, another secret"
    );
    assert_eq!(first.replay_key("billing"), key("msg_1"));
    assert_ne!(first.replay_key("billing"), first.replay_key("shipping"));
    assert_ne!(
        first.replay_key("billing"),
        sent(secret, "msg_2", NOW).replay_key("billing")
    );
    // Parts do not run together.
    assert_ne!(
        ReplayKey::for_message("a", Scheme::StandardWebhooks, "bc"),
        ReplayKey::for_message("ab", Scheme::StandardWebhooks, "c"),
    );
    // What other stores keep: SHA-256 over each part with its length before it, computed in Python.
    assert_eq!(
        key("msg_1").to_string(),
        "6b8b81cad63c05c09833d7214b2eb7878f2b4235cea50574b5500ce8a725ad1e"
    );
    assert_eq!(
        format!("{:?}", key("msg_1")),
        "ReplayKey(6b8b81cad63c05c09833d7214b2eb7878f2b4235cea50574b5500ce8a725ad1e)"
    );
}

#[test]
fn a_key_is_read_from_what_it_was_written_as() {
    let written = key("msg_1").to_string();
    assert_eq!(written.parse(), Ok(key("msg_1")));
    assert_eq!(written.to_uppercase().parse(), Ok(key("msg_1")));
    for other in ["", "00", &written[1..], &format!("{written}00"), "msg_1"] {
        assert!(other.parse::<ReplayKey>().is_err(), "{other}");
    }
}
