//! The replay guard over a real Redis: each row of its state table, two guards at once, and a Redis that is gone.

#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

#[path = "fleet/redis_server.rs"]
mod redis_server;

use std::time::Duration;

use gatewright::webhooks::RedisReplayGuard;
use gatewright_webhook::Scheme;
use gatewright_webhook::replay::{AsyncReplayGuard, ReplayKey, Reservation, Reserve, Settled};
use redis_server::RedisServer;

const NOW: i64 = 1_700_000_000;

fn key(id: &str) -> ReplayKey {
    ReplayKey::for_message("billing", Scheme::StandardWebhooks, id)
}

/// A guard whose Redis may take as long as a busy machine makes it take.
fn guard_on(url: &str) -> RedisReplayGuard {
    let guard = RedisReplayGuard::new(url).unwrap();
    guard.timeout(Duration::from_secs(20))
}

async fn reserved(guard: &RedisReplayGuard, id: &str) -> Reservation {
    match guard.reserve(&key(id), NOW).await.unwrap() {
        Reserve::New(reservation) => reservation,
        other => panic!("expected a reservation of {id}, got {other:?}"),
    }
}

#[tokio::test]
async fn every_row_of_the_state_table_holds_in_redis() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let guard = guard_on(&redis.url());
    let other = guard_on(&redis.url());

    let first = reserved(&guard, "msg_1").await;
    let Reserve::InProgress { until } = other.reserve(&key("msg_1"), NOW).await.unwrap() else {
        panic!("another has it");
    };
    assert!((NOW + 290..=NOW + 300).contains(&until));
    assert_eq!(guard.commit(first, NOW).await, Ok(Settled::Settled));
    assert_eq!(
        other.reserve(&key("msg_1"), NOW).await,
        Ok(Reserve::AlreadyDone)
    );
    let name = format!("gatewright:replay:{}", key("msg_1"));
    let left: i64 = redis.ask(&["TTL", &name]).parse().unwrap();
    assert!((345_500..=345_600).contains(&left), "{left}");

    let second = reserved(&guard, "msg_2").await;
    assert_eq!(guard.release(second, NOW).await, Ok(Settled::Settled));
    let third = reserved(&other, "msg_2").await;
    // Its lease ends, and another has it: it can settle nothing any more.
    redis.ask(&["DEL", &format!("gatewright:replay:{}", key("msg_2"))]);
    let fourth = reserved(&guard, "msg_2").await;
    assert_eq!(other.commit(third, NOW).await, Ok(Settled::Lost));
    assert_eq!(guard.commit(fourth, NOW).await, Ok(Settled::Settled));

    let short = guard_on(&redis.url())
        .lease(Duration::ZERO)
        .prefix("other:");
    let fifth = reserved(&short, "msg_2").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(short.release(fifth, NOW).await, Ok(Settled::Lost));
}

#[tokio::test]
async fn of_many_at_once_one_gets_each_message() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let url = redis.url();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let guard = guard_on(&url);
        tasks.spawn(async move {
            let mut got = 0;
            for id in 0..50 {
                let answer = guard
                    .reserve(&key(&format!("msg_{id}")), NOW)
                    .await
                    .unwrap();
                got += u32::from(matches!(answer, Reserve::New(_)));
            }
            got
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<u32>(), 50);
}

#[tokio::test]
async fn a_redis_that_is_gone_is_told_without_its_password_and_found_again() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let guard = guard_on(&redis.url());
    let held = reserved(&guard, "msg_1").await;
    redis.stop();
    let error = guard.commit(held, NOW).await.unwrap_err();
    assert!(error.to_string().contains("answer 503"), "{error}");
    redis.start_again();
    let _again = reserved(&guard, "msg_1").await;

    let url = redis.url().replace("redis://", "redis://:hunter2@");
    let refused = guard_on(&url);
    let error = refused.reserve(&key("msg_2"), NOW).await.unwrap_err();
    assert!(
        !format!("{error} {error:?} {refused:?}").contains("hunter2"),
        "{error}"
    );
    assert!(RedisReplayGuard::new("localhost:6379").is_err());
}
