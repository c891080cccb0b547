//! The quota of a fleet through a real Redis: `redis-server` from the path, on a port of its own. Where there is none, the
//! tests say so and prove nothing; with GATEWRIGHT_REDIS_REQUIRED they fail instead.

#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

#[path = "fleet/redis_server.rs"]
mod redis_server;

use std::time::{Duration, Instant};

use gatewright::engine::pacing::WaitReason;
use gatewright::{Auth, Client, ErrorKind, RedisQuota, ShareMode};
use gatewright_server_mock::Gateway;
use redis_server::{Port, RedisServer};

const MS: Duration = Duration::from_millis(1);
/// Longer than anything takes on a slow machine: a Redis that answers, in whatever time, is not away.
const PATIENT: Duration = Duration::from_secs(20);

fn client(gateway: &Gateway, quota: RedisQuota) -> Client {
    Client::builder(gateway.url())
        .auth(Auth::bearer("sk_test_unlimited_fleet"))
        .shared_quota(quota)
        .build()
        .unwrap()
}

async fn gateway() -> Gateway {
    Gateway::builder().start().await.unwrap()
}

fn mode(client: &Client) -> ShareMode {
    client.state().shared_quota.unwrap().mode
}

/// Calls one after the other until something is so.
async fn call_until(client: &Client, what: &str, is_so: impl Fn(&Client) -> bool) {
    let until = Instant::now() + Duration::from_secs(40);
    while !is_so(client) {
        assert!(Instant::now() < until, "{what}: {:?}", client.state());
        client.get("/v1/greeting").send().await.unwrap();
        tokio::time::sleep(MS * 5).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_know_nothing_of_each_other_share_one_quota() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let gateway = gateway().await;
    let quota = || RedisQuota::new(redis.url(), "100/s, burst 50").unwrap();
    let clients: Vec<Client> = (0..4)
        .map(|_| client(&gateway, quota().timeout(PATIENT)))
        .collect();
    let begun = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..200 {
        let client = clients[number % 4].clone();
        calls.spawn(async move { client.get("/v1/greeting").send().await.unwrap() });
    }
    let mut held = 0;
    while let Some(response) = calls.join_next().await {
        let response = response.unwrap();
        let shared = WaitReason::SharedQuota { away: false };
        held += usize::from(response.attempts()[0].queued_for == Some(shared));
    }
    let took = begun.elapsed();
    // Nothing was known, so the burst may have been used: 200 calls at 100/s, of which the first goes at once. That it takes no
    // longer is shown on a clock that no busy machine holds up, in the engine.
    assert!(took > MS * 1_950, "{took:?}");
    assert!(held > 150, "{held} of 200 say that they were held back");
    let state = || clients[0].state().shared_quota.unwrap();
    assert!(state().round_trips < 50, "{:?}", state());
    // It sees the last one to come with its next question, 5 s later at the most.
    let until = Instant::now() + PATIENT;
    while state().processes != 4 {
        assert!(Instant::now() < until, "{:?}", state());
        tokio::time::sleep(MS * 20).await;
    }
    assert_eq!(state().mode, ShareMode::Shared);
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_a_part_is_used_and_it_comes_back_by_itself() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let gateway = gateway().await;
    let quota = RedisQuota::new(redis.url(), "400/s, burst 40").unwrap();
    let quota = quota.ahead(MS * 100).probe(MS * 50);
    let client = client(&gateway, quota.clone());
    let other = self::client(&gateway, quota.name("other"));
    call_until(&client, "shared", |c| mode(c) == ShareMode::Shared).await;
    redis.stop();
    call_until(&client, "away", |c| mode(c) == ShareMode::Away).await;
    let response = client.get("/v1/greeting").send().await.unwrap();
    let away = Some(WaitReason::SharedQuota { away: true });
    assert_eq!(response.attempts()[0].queued_for, away);
    redis.start_again();
    call_until(&client, "back", |c| {
        let state = c.state().shared_quota.unwrap();
        (state.mode, state.away_for) == (ShareMode::Shared, None)
    })
    .await;
    // One that was never called has done nothing.
    assert_eq!(mode(&other), ShareMode::New);
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_redis_a_call_goes_by_its_part_and_a_deadline_is_kept() {
    let gateway = gateway().await;
    let nobody_listens = Port::reserve();
    let url = format!("redis://:hunter2@127.0.0.1:{}", nobody_listens.number);
    let quota = RedisQuota::new(url, "60/min")
        .unwrap()
        .assumed_processes(60);
    let client = client(&gateway, quota);
    let begun = Instant::now();
    let call = client.get("/v1/greeting").timeout(Duration::from_secs(30));
    let error = call.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(40), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(15), "refused at once");
    assert!(error.what().contains("part of the shared quota"), "{error}");
    assert!(!error.to_string().contains("hunter2"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_redis_that_says_nothing_hangs_no_call() {
    let gateway = gateway().await;
    // It accepts, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let quota = RedisQuota::new(url, "800/s, burst 8").unwrap();
    let client = client(&gateway, quota.timeout(MS * 20));
    // Were it waited for, the call's deadline of a minute would pass.
    client.get("/v1/greeting").send().await.unwrap();
    assert_eq!(mode(&client), ShareMode::Away);
    drop(silent);
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_one_is_asked_for_holds_all() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let gateway = gateway().await;
    let session = gateway.session("pause").unwrap();
    let quota = || RedisQuota::new(redis.url(), "100/s, burst 50").unwrap();
    let with = |session: &str| {
        Client::builder(gateway.url())
            .auth(Auth::bearer("sk_test_unlimited_fleet"))
            .header("x-mock-session", session)
            .shared_quota(quota().timeout(PATIENT))
            .build()
            .unwrap()
    };
    let (asked, other) = (with("pause"), with("quiet"));
    other.get("/v1/greeting").send().await.unwrap();
    let fault = gatewright_server_mock::FaultRule::on("greeting").script("429;ra=600");
    session.set_faults(vec![fault.unwrap()]).unwrap();
    let refused = asked.get("/v1/greeting").max_attempts(1).send().await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::RateLimited);
    // What the other had taken ahead may go; then it learns of the pause, which is longer than a call may wait.
    let until = Instant::now() + PATIENT;
    let held = loop {
        assert!(Instant::now() < until, "{:?}", other.state());
        match other.get("/v1/greeting").send().await {
            Ok(_) => tokio::time::sleep(MS * 50).await,
            Err(error) => break error,
        }
    };
    assert_eq!(held.kind(), ErrorKind::RateLimited);
    let pause = held.retry_after().unwrap();
    assert!(pause > Duration::from_secs(500), "{held}");
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_one_redis_to_it() {
    let Some(redis) = RedisServer::start_cluster() else {
        return;
    };
    let gateway = gateway().await;
    let quota = RedisQuota::cluster([redis.url()], "200/s, burst 20").unwrap();
    let client = client(&gateway, quota.timeout(PATIENT));
    for _ in 0..20 {
        client.get("/v1/greeting").send().await.unwrap();
    }
    let state = client.state().shared_quota.unwrap();
    assert_eq!(
        (state.mode, state.processes),
        (ShareMode::Shared, 1),
        "{state:?}"
    );
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_in_redis_for_ever_and_who_goes_is_not_counted() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let gateway = gateway().await;
    let quota = RedisQuota::new(redis.url(), "600/min").unwrap();
    let client = client(&gateway, quota.name("kept").prefix("ours").timeout(PATIENT));
    client.get("/v1/greeting").send().await.unwrap();
    let ttl = |key: &str| redis.ask(&["PTTL", key]).parse::<i64>().unwrap();
    let day = 86_400_000;
    assert!((day - 60_000..day + 60_000).contains(&ttl("{ours:kept}:quota")));
    assert!((1..=16_000).contains(&ttl("{ours:kept}:processes")));
    assert_eq!(redis.ask(&["ZCARD", "{ours:kept}:processes"]), "1");
    drop(client);
    let until = Instant::now() + PATIENT;
    while redis.ask(&["ZCARD", "{ours:kept}:processes"]) != "0" {
        assert!(Instant::now() < until, "it is still counted");
        tokio::time::sleep(MS * 20).await;
    }
    gateway.shutdown().await;
}
