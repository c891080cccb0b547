//! Eight processes that share a quota through Redis, against gateways that have exactly that limit, for two minutes; and the
//! same with Redis stopped for a third of it, everything in it lost. What counts is what arrived at the gateway.
//!
//! Usage: `bench-fleet [SECONDS]`. It needs `redis-server` on the path. `bench-fleet --worker …` is one of the processes.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gatewright::{Auth, Client, RedisQuota};
use gatewright_server_mock::{Gateway, Session};

const PROCESSES: usize = 8;
const SECONDS: u64 = 120;
const AT_ONCE: usize = 4;

type Failure = Box<dyn Error + Send + Sync>;

/// A tier of the gateway, and what it lets in each second.
#[derive(Clone, Copy)]
struct Tier {
    key: &'static str,
    quota: &'static str,
    each_second: f64,
}

const TIERS: [Tier; 2] = [
    Tier {
        key: "sk_test_starter_fleet",
        quota: "600/min, burst 50",
        each_second: 10.0,
    },
    Tier {
        key: "sk_test_pro_fleet",
        quota: "6000/min, burst 300",
        each_second: 100.0,
    },
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, gateway, redis, key, quota, seconds] = arguments.as_slice()
        && flag == "--worker"
    {
        return work(gateway, redis, key, quota, seconds.parse()?).await;
    }
    let seconds = match arguments.first() {
        Some(seconds) => seconds.parse()?,
        None => SECONDS,
    };
    let mut runs = Vec::new();
    for tier in TIERS {
        for stopped in [false, true] {
            runs.push(Run::start(tier, stopped, seconds).await?);
        }
    }
    println!(
        "| Quota, 8 processes, {seconds} s | Redis | let in | of the quota | refused (429) | calls lost | calls for each round trip |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|");
    let begun = Instant::now();
    let third = Duration::from_secs(seconds) / 3;
    tokio::time::sleep_until((begun + third).into()).await;
    for run in runs.iter_mut().filter(|run| run.stopped) {
        run.redis.stop();
    }
    tokio::time::sleep_until((begun + third * 2).into()).await;
    for run in runs.iter_mut().filter(|run| run.stopped) {
        run.redis.start()?;
    }
    for run in runs {
        run.finish().await?;
    }
    println!();
    println!(
        "A process has {AT_ONCE} callers that call without a pause; all four runs at once. Of the quota: calls let in, of rate times time, from the\n\
         first call to the last. Stopped: for the second third, with all that Redis knew."
    );
    Ok(())
}

struct Run {
    tier: Tier,
    stopped: bool,
    redis: Redis,
    gateway: Gateway,
    session: Session,
    workers: Vec<Child>,
}

impl Run {
    async fn start(tier: Tier, stopped: bool, seconds: u64) -> Result<Self, Failure> {
        let mut redis = Redis::new()?;
        redis.start()?;
        let gateway = Gateway::builder().start().await?;
        let session = gateway.session("fleet").map_err(|why| why.to_string())?;
        let url = redis.url();
        let worker = |_| {
            Command::new(std::env::current_exe()?)
                .args(["--worker", &gateway.url(), &url, tier.key, tier.quota])
                .arg(seconds.to_string())
                .stdout(Stdio::piped())
                .spawn()
        };
        let workers = (0..PROCESSES).map(worker).collect::<Result<_, _>>()?;
        Ok(Self {
            tier,
            stopped,
            redis,
            gateway,
            session,
            workers,
        })
    }

    async fn finish(self) -> Result<(), Failure> {
        let workers = self.workers;
        let told = tokio::task::spawn_blocking(move || workers.into_iter().map(told).collect());
        let told: Result<Vec<[u64; 3]>, Failure> = told.await?;
        let told = told?;
        let sum = |at: usize| -> u64 { told.iter().filter_map(|one| one.get(at)).sum() };
        let journal = self.session.journal_of("greeting");
        let with = |status| {
            journal
                .iter()
                .filter(move |entry| entry.status == Some(status))
        };
        let let_in = with(200).count();
        let refused = with(429).count();
        let times = || with(200).map(|entry| entry.received_ns);
        let first = times().min().unwrap_or_default();
        let span = times().max().unwrap_or_default().saturating_sub(first);
        let quota = Duration::from_nanos(span).as_secs_f64() * self.tier.each_second;
        // What a worker was not answered; and what the gateway answered and no worker has.
        let lost = sum(1) + u64::try_from(let_in)?.abs_diff(sum(0));
        #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
        let (share, refused_share, trips) = (
            let_in as f64 / quota * 100.0,
            refused as f64 / (let_in + refused).max(1) as f64 * 100.0,
            let_in as f64 / sum(2).max(1) as f64,
        );
        println!(
            "| {} | {} | {let_in} | {share:.1} % | {refused} ({refused_share:.2} %) | {lost} | {trips:.1} |",
            self.tier.quota,
            if self.stopped {
                "stopped and started"
            } else {
                "there"
            },
        );
        self.gateway.shutdown().await;
        Ok(())
    }
}

/// What a worker printed: calls answered, calls that failed, round trips to Redis.
fn told(worker: Child) -> Result<[u64; 3], Failure> {
    let output = worker.wait_with_output()?;
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split_whitespace().map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>()?;
    let numbers = numbers.try_into();
    Ok(numbers.map_err(|_| format!("a worker said {text:?}"))?)
}

async fn work(
    gateway: &str,
    redis: &str,
    key: &str,
    quota: &str,
    seconds: u64,
) -> Result<(), Failure> {
    let client = Client::builder(gateway)
        .auth(Auth::bearer(key))
        .header("x-mock-session", "fleet")
        .shared_quota(RedisQuota::new(redis, quota)?)
        .build()?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let callers = (0..AT_ONCE).map(|_| async {
        let (mut answered, mut failed) = (0_u64, 0_u64);
        while Instant::now() < until {
            match client.get("/v1/greeting").send().await {
                Ok(_) => answered += 1,
                Err(_) => failed += 1,
            }
        }
        (answered, failed)
    });
    let callers = futures_util::future::join_all(callers).await;
    let answered: u64 = callers.iter().map(|(answered, _)| answered).sum();
    let failed: u64 = callers.iter().map(|(_, failed)| failed).sum();
    let trips = client
        .state()
        .shared_quota
        .map_or(0, |state| state.round_trips);
    println!("{answered} {failed} {trips}");
    Ok(())
}

/// A `redis-server` on a free port, with nothing on disk.
struct Redis {
    port: u16,
    child: Option<Child>,
}

impl Redis {
    fn new() -> Result<Self, Failure> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self { port, child: None })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("redis-server: {error}"))?;
        self.child = Some(child);
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > until {
                return Err("redis-server does not come up".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
