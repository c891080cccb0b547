//! Claims about the store's place in a gateway: what holds while it is away, that it comes back by itself, and that places of
//! calls in progress end with their process. Of counts and headers `conformance/ratelimits` claims more.

use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::limiter::{LimitedCall, Limiter};
use crate::tier::{Limits, Tier};

const NOW: u64 = 1_735_689_600_000_000_000;

fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gatewright-{name}-{}.db", std::process::id()));
    for ending in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(ending));
    }
    path
}

/// How long the store has for an answer: no stall of a busy machine is as long.
const DEADLINE: Duration = Duration::from_secs(2);

async fn opened(path: &std::path::Path, lease_ms: u64) -> LimitStore {
    let settings = LimitsSettings::at(&format!("sqlite:{}", path.display()))
        .unwrap()
        .deadline(DEADLINE)
        .lease(Duration::from_millis(lease_ms));
    LimitStore::open(settings).await.unwrap()
}

fn limits(concurrency: u32) -> Limits {
    Limits {
        concurrency: Some(concurrency),
        ..Tier::Enterprise.limits().unwrap()
    }
}

#[tokio::test]
async fn two_processes_have_one_count() {
    let path = file("two");
    let stores = [opened(&path, 10_000).await, opened(&path, 10_000).await];
    let mut left = Vec::new();
    for n in 0..3 {
        let mut limiter = Limiter::new(Tier::Tiny.limits().unwrap());
        let store = &stores[n % 2];
        let call = LimitedCall::default();
        let decision = limiter.decide_in(store, "a", NOW, &call).await.unwrap();
        left.push(decision.headers["ratelimit"].to_str().unwrap().to_owned());
    }
    assert_eq!(
        left,
        [
            r#""burst";r=2;t=1"#,
            r#""burst";r=1;t=2"#,
            r#""burst";r=0;t=2"#
        ]
    );
}

#[tokio::test]
async fn a_locked_file_is_away_within_the_deadline_and_comes_back_by_itself() {
    let path = file("locked");
    let store = opened(&path, 10_000).await;
    let mut limiter = Limiter::new(Tier::Pro.limits().unwrap());
    let call = LimitedCall::default();
    limiter.decide_in(&store, "a", NOW, &call).await.unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let started = Instant::now();
    assert!(limiter.decide_in(&store, "a", NOW, &call).await.is_err());
    assert!(started.elapsed() >= DEADLINE * 3 / 4);
    assert!(store.shared().state().away);
    // From now on nobody waits for it.
    let started = Instant::now();
    for _ in 0..100 {
        assert!(limiter.decide_in(&store, "a", NOW, &call).await.is_err());
    }
    assert!(started.elapsed() < DEADLINE * 10);
    other.execute_batch("ROLLBACK").unwrap();
    while store.shared().state().away {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What was asked meanwhile has used nothing up.
    let decision = limiter.decide_in(&store, "a", NOW, &call).await.unwrap();
    assert_eq!(decision.headers["ratelimit"], r#""burst";r=298;t=1"#);
}

#[tokio::test]
async fn a_place_is_given_back_and_that_of_a_dead_process_ends() {
    let path = file("leases");
    let store = opened(&path, 4_000).await;
    let mut limiter = Limiter::new(limits(1));
    let call = LimitedCall::default();
    for _ in 0..20 {
        // One after the other: each ends before the next begins.
        let decision = limiter.decide_in(&store, "a", NOW, &call).await.unwrap();
        assert_eq!(decision.status, 200);
    }
    let dead = opened(&path, 4_000).await;
    let held = let_in(&mut limiter, &dead).await;
    // Longer than a lease.
    tokio::time::sleep(Duration::from_millis(5_000)).await;
    let decision = limiter.decide_in(&store, "a", NOW, &call).await.unwrap();
    assert_eq!(
        (decision.status, decision.violated),
        (429, vec!["concurrency".to_owned()]),
        "a place that is renewed stays"
    );
    // As a killed process: it neither gives the place back nor renews it.
    std::mem::forget(held);
    drop(dead);
    let_in(&mut limiter, &store).await;
}

/// Asks until a place is free: another process has it back within a round trip, or when a lease ends.
async fn let_in(limiter: &mut Limiter, store: &LimitStore) -> crate::limiter::Decision {
    let started = Instant::now();
    loop {
        let call = LimitedCall::default();
        let decision = limiter.decide_in(store, "a", NOW, &call).await.unwrap();
        if decision.status == 200 {
            return decision;
        }
        assert!(started.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn forgotten_counts_begin_anew() {
    let store = opened(&file("forgotten"), 10_000).await;
    let mut limiter = Limiter::new(Tier::Tiny.limits().unwrap());
    let call = LimitedCall::default();
    for _ in 0..3 {
        limiter.decide_in(&store, "a", NOW, &call).await.unwrap();
    }
    store.shared().forget([limiter.place("a")]);
    let decision = limiter.decide_in(&store, "a", NOW, &call).await.unwrap();
    assert_eq!(decision.headers["ratelimit"], r#""burst";r=2;t=1"#);
}

#[test]
fn shares_and_store_together_let_in_no_more_than_the_rate() {
    for tier in Tier::ALL {
        let Some(limits) = tier.limits() else {
            continue;
        };
        let per_day = None;
        let limits = Limits {
            per_day,
            concurrency: None,
            ..limits
        };
        let mut processes: Vec<Limiter> = (0..4).map(|_| Limiter::new(limits)).collect();
        let call = LimitedCall::default();
        let step = limits.period_ms * 1_000_000 / u64::from(limits.count) / 7 + 1;
        let steps = 2_000;
        let mut let_in: u128 = 0;
        for n in 0..steps {
            for process in &mut processes {
                let share = process.share(4, NOW);
                let (_, admitted) =
                    share.admit(NOW + n * step, &call, crate::limiter::Shown::default());
                let_in += u128::from(admitted.is_ok());
            }
        }
        let rate = u128::from((steps - 1) * step) * u128::from(limits.count)
            / (u128::from(limits.period_ms) * 1_000_000);
        assert!(let_in <= rate, "{tier:?}: {let_in} of {rate}");
        assert!(let_in + 8 >= rate, "{tier:?}: only {let_in} of {rate}");
    }
}

#[cfg(feature = "redis")]
#[test]
fn names_of_sessions_cannot_leave_their_slot() {
    for place in ["a/b/tiny/1", "}/b/tiny/1", "{x}y{/b/tiny/1", "%7D/b/tiny/1"] {
        let keys = super::redis::keys(place);
        let tags: Vec<&str> = keys
            .iter()
            .map(|key| key.split_once('{').unwrap().1.split_once('}').unwrap().0)
            .collect();
        assert!(!tags[0].is_empty() && tags[0] == tags[1], "{keys:?}");
        assert!(keys[0].ends_with("}:counts"), "{keys:?}");
    }
}
