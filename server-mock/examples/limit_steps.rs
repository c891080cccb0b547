//! Plays steps from standard input on limiters whose counts are in any store, without HTTP, and says what was decided.
//!
//! ```console
//! $ cargo run -p gatewright-server-mock --features redis --example limit_steps -- redis://127.0.0.1:6379 < steps
//! ```
//!
//! Each line is one step in JSON; every `call` is answered by a line. `conformance/ratelimits/steps.py` makes such steps and
//! compares the answers with its own.
//!
//! | Step | Meaning |
//! |---|---|
//! | `{"make":N,"limits":{…},"window","policies":[…],"dialect","retry_after","pk","conc"}` | limiter N |
//! | `{"call":N,"now":NS,"op","path","tenant","cred","body","tokens"}` | one call at an instant |
//! | `{"end":C}` | the C-th call, counted from 0, is over |
//!
//! With `--bench CALLS` it reads nothing and says how many decisions a second the store makes, one after the other and 64 at
//! once.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead as _, BufWriter, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewright_server_mock::{
    Decision, Dialect, LimitStore, LimitedCall, Limiter, Limits, LimitsSettings, Policy,
    RetryAfter, Window,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Call(CallStep),
    End { end: usize },
    Make(Box<Make>),
}

#[derive(Deserialize)]
struct Make {
    make: usize,
    limits: Limits,
    window: Window,
    policies: Vec<Policy>,
    dialect: Dialect,
    retry_after: RetryAfter,
    pk: bool,
    conc: bool,
}

#[derive(Deserialize)]
struct CallStep {
    call: usize,
    now: u64,
    op: String,
    path: String,
    tenant: String,
    cred: String,
    body: u64,
    tokens: Option<u64>,
}

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "memory".into());
    let settings = LimitsSettings::at(&place)?
        .deadline(Duration::from_secs(20))
        .lease(Duration::from_secs(3_600));
    let store = match place.as_str() {
        "memory" => None,
        _ => Some(LimitStore::open(settings).await?),
    };
    match arguments.next().as_deref() {
        Some("--bench") => {
            let calls = arguments.next().unwrap_or_default().parse()?;
            bench(&place, store, calls).await
        }
        Some(run) => play(store, run).await,
        None => play(store, "steps").await,
    }
}

/// `run` keeps the counts of one run apart from those of another in the same store.
async fn play(store: Option<LimitStore>, run: &str) -> Result<(), Failed> {
    let mut limiters: HashMap<usize, Limiter> = HashMap::new();
    let mut decided: HashMap<usize, Decision> = HashMap::new();
    let mut calls = 0;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Step::Make(make) => {
                let limiter = Limiter::new(make.limits)
                    .window(make.window)
                    .policies(make.policies)
                    .dialect(make.dialect)
                    .retry_after(make.retry_after)
                    .partition_keys(make.pk)
                    .announce_concurrency(make.conc);
                limiters.insert(make.make, limiter);
            }
            Step::End { end } => drop(decided.remove(&end)),
            Step::Call(step) => {
                let limiter = limiters.get_mut(&step.call).ok_or("a call of no limiter")?;
                let call = LimitedCall {
                    op: &step.op,
                    path: &step.path,
                    tenant: &step.tenant,
                    credential: &step.cred,
                    body_bytes: step.body,
                    tokens: step.tokens,
                };
                let decision = match &store {
                    None => limiter.decide(step.now, &call),
                    Some(store) => {
                        let caller = format!("{run}/{}", step.call);
                        limiter.decide_in(store, &caller, step.now, &call).await?
                    }
                };
                let headers: HashMap<&str, &str> = decision
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("?")))
                    .collect();
                let said = json!({"s": decision.status, "h": headers, "w": decision.wait_ns, "v": decision.violated});
                writeln!(out, "{said}")?;
                if decision.status == 200 {
                    decided.insert(calls, decision);
                }
                calls += 1;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn busy() -> Limiter {
    let limits = serde_json::json!({"count": 4_000_000_000u32, "period_ms": 1_000, "burst": 1_000_000, "per_day": 4_000_000_000u32});
    Limiter::new(serde_json::from_value(limits).unwrap_or(Limits {
        count: 1,
        period_ms: 1,
        burst: 1,
        per_day: None,
        concurrency: None,
    }))
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

async fn bench(place: &str, store: Option<LimitStore>, calls: u32) -> Result<(), Failed> {
    let run = format!("bench/{}", now());
    let started = Instant::now();
    let mut limiter = busy();
    for _ in 0..calls {
        match &store {
            None => drop(limiter.decide(now(), &LimitedCall::default())),
            Some(store) => drop(
                limiter
                    .decide_in(store, &run, now(), &LimitedCall::default())
                    .await?,
            ),
        }
    }
    let one = f64::from(calls) / started.elapsed().as_secs_f64();
    let Some(store) = store else {
        println(format_args!("{place}: {one:.0} decisions a second"));
        return Ok(());
    };
    let started = Instant::now();
    let (run, store) = (Arc::new(run), Arc::new(store));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64u32 {
        let (run, store) = (Arc::clone(&run), Arc::clone(&store));
        tasks.spawn(async move {
            let mut limiter = busy();
            let caller = format!("{run}/{task}");
            for _ in 0..calls / 64 {
                limiter
                    .decide_in(&store, &caller, now(), &LimitedCall::default())
                    .await?;
            }
            Ok::<(), Failed>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let many = f64::from(calls / 64 * 64) / started.elapsed().as_secs_f64();
    let kind = place.split(':').next().unwrap_or_default();
    println(format_args!(
        "{kind}: {one:.0} decisions a second one after the other, {many:.0} with 64 at once"
    ));
    Ok(())
}

fn println(line: std::fmt::Arguments<'_>) {
    // Nobody may be reading.
    let _ = writeln!(std::io::stdout(), "{line}");
}
