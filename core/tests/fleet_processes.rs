//! Eight processes share a quota through Redis, against a gateway that has exactly that limit: what arrived there counts.
//! The full two minutes are `cargo xtask bench fleet`.

#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "fleet/redis_server.rs"]
mod redis_server;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gatewright::{Auth, Client, RedisQuota};
use gatewright_server_mock::{Gateway, Session};
use redis_server::RedisServer;

const PROCESSES: usize = 8;
/// The gateway's tier `pro`: 100 a second, 300 at once.
const QUOTA: &str = "6000/min, burst 300";
const EACH_SECOND: f64 = 100.0;
/// How much of the quota is used at least: twice the part of one process. Permits that a busy machine lets nobody use in time
/// are void. That it is over 0.99 without that is shown in the engine, on a clock of its own.
const USED: f64 = 0.25;
/// What Redis may take to answer before it counts as away: longer than a busy machine makes it take, and the default.
const PATIENT: Duration = Duration::from_secs(20);
const HASTY: Duration = Duration::from_millis(250);

/// What a worker tells: calls answered, calls that failed.
type Told = (u64, u64);

/// Not a test: what each process does, where the test below has started it.
#[tokio::test]
async fn worker() {
    let Ok(task) = std::env::var("GATEWRIGHT_FLEET_WORKER") else {
        return;
    };
    let [gateway, redis, millis, timeout] = task.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{task}")
    };
    let timeout = Duration::from_millis(timeout.parse().unwrap());
    let quota = RedisQuota::new(redis, QUOTA).unwrap().timeout(timeout);
    let client = Client::builder(gateway)
        .auth(Auth::bearer("sk_test_pro_fleet"))
        .header("x-mock-session", "fleet")
        .shared_quota(quota)
        .build()
        .unwrap();
    let until = Instant::now() + Duration::from_millis(millis.parse().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut told = (0, 0);
            while Instant::now() < until {
                match client.get("/v1/greeting").send().await {
                    Ok(_) => told.0 += 1,
                    Err(error) => {
                        eprintln!("{error}");
                        told.1 += 1;
                    }
                }
            }
            told
        });
    }
    let mut told: Told = (0, 0);
    while let Some(more) = tasks.join_next().await {
        let more = more.unwrap();
        told = (told.0 + more.0, told.1 + more.1);
    }
    println!("told {} {}", told.0, told.1);
}

fn start_workers(
    gateway: &Gateway,
    redis: &RedisServer,
    length: Duration,
    timeout: Duration,
) -> Vec<Child> {
    let (length, timeout) = (length.as_millis(), timeout.as_millis());
    let task = format!("{} {} {length} {timeout}", gateway.url(), redis.url());
    let start = |_| {
        Command::new(std::env::current_exe().unwrap())
            .args(["worker", "--exact", "--nocapture"])
            .env("GATEWRIGHT_FLEET_WORKER", &task)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    (0..PROCESSES).map(start).collect()
}

/// What all of them did.
fn all_told(workers: Vec<Child>) -> Told {
    let told = workers.into_iter().map(|worker| {
        let output = worker.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers = text
            .split("told ")
            .nth(1)
            .unwrap_or_else(|| panic!("{text}"));
        let mut numbers = numbers.split_whitespace().map(|n| n.parse().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    });
    told.fold((0, 0), |sum, one: Told| (sum.0 + one.0, sum.1 + one.1))
}

/// What arrived: calls let in, calls refused, and the seconds from the first to the last that was let in.
fn arrived(session: &Session) -> (usize, usize, f64) {
    let journal = session.journal_of("greeting");
    let status = |status| {
        journal
            .iter()
            .filter(|entry| entry.status == Some(status))
            .count()
    };
    let let_in = journal.iter().filter(|entry| entry.status == Some(200));
    let times: Vec<f64> = let_in.map(|entry| entry.received_ns as f64 / 1e9).collect();
    let first = times.iter().copied().fold(f64::MAX, f64::min);
    let last = times.iter().copied().fold(0.0, f64::max);
    (status(200), status(429), last - first)
}

async fn gateway() -> (Gateway, Session) {
    let gateway = Gateway::builder().start().await.unwrap();
    let session = gateway.session("fleet").unwrap();
    (gateway, session)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_use_one_quota_and_never_more() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let (gateway, session) = gateway().await;
    let workers = start_workers(&gateway, &redis, Duration::from_secs(5), PATIENT);
    let (answered, failed) = tokio::task::spawn_blocking(|| all_told(workers))
        .await
        .unwrap();
    let (let_in, refused, seconds) = arrived(&session);
    eprintln!(
        "{let_in} let in, {refused} refused in {seconds:.2} s; {answered} answered, {failed} failed"
    );
    assert_eq!((failed, u64::try_from(let_in).unwrap()), (0, answered));
    assert_eq!(refused, 0);
    let quota = seconds * EACH_SECOND;
    assert!(let_in as f64 >= quota * USED, "{let_in} of {quota:.0}");
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_stopped_and_started_loses_no_call_and_lets_none_too_many_go() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let (gateway, session) = gateway().await;
    let workers = start_workers(&gateway, &redis, Duration::from_secs(8), HASTY);
    tokio::time::sleep(Duration::from_secs(2)).await;
    redis.stop();
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.start_again();
    let (answered, failed) = tokio::task::spawn_blocking(|| all_told(workers))
        .await
        .unwrap();
    let (let_in, refused, seconds) = arrived(&session);
    eprintln!(
        "{let_in} let in, {refused} refused in {seconds:.2} s; {answered} answered, {failed} failed"
    );
    assert_eq!((failed, u64::try_from(let_in).unwrap()), (0, answered));
    // The gateway's limit is the bound: a call too many is refused.
    assert_eq!(refused, 0);
    let quota = seconds * EACH_SECOND;
    assert!(let_in as f64 >= quota * USED, "{let_in} of {quota:.0}");
    gateway.shutdown().await;
}
