//! Many tasks decide calls of one caller at once, in any shared store, and the history is printed: for each call when it was
//! asked and answered, its instant, and the answer. `conformance/ratelimits/linearisable.py` finds out whether one limiter,
//! asked one call after the other, could have given these answers.
//!
//! Arguments: the store, the caller, tasks, calls of each task.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gatewright_server_mock::{Dialect, LimitStore, LimitedCall, Limiter, Limits, LimitsSettings};
use serde_json::{Value, json};

type Failed = Box<dyn Error + Send + Sync>;

const LIMITS: Limits = Limits {
    count: 7_000,
    period_ms: 3_000,
    burst: 90,
    per_day: Some(1_000_000),
    concurrency: None,
};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [place, caller, tasks, calls] = arguments.as_slice() else {
        return Err("expected: STORE CALLER TASKS CALLS".into());
    };
    let settings = LimitsSettings::at(place)?.deadline(Duration::from_secs(20));
    let store = LimitStore::open(settings).await?;
    let (tasks, calls): (u32, u32) = (tasks.parse()?, calls.parse()?);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (store, caller) = (store.clone(), caller.clone());
        running.spawn(async move { task(&store, &caller, calls).await });
    }
    let mut history = Vec::new();
    while let Some(done) = running.join_next().await {
        history.extend(done??);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({"limits": LIMITS, "history": history}))?;
    Ok(())
}

async fn task(store: &LimitStore, caller: &str, calls: u32) -> Result<Vec<Value>, Failed> {
    let mut limiter = Limiter::new(LIMITS).dialect(Dialect::Draft10);
    let mut history = Vec::new();
    for _ in 0..calls {
        let asked = real_ns();
        // Its instant is when it came; the store may hear of it later, and after those that came later.
        let decision = limiter
            .decide_in(store, caller, asked, &LimitedCall::default())
            .await?;
        let left = decision.headers.get("ratelimit");
        history.push(json!({
            "asked": asked, "answered": real_ns(), "now": asked, "status": decision.status,
            "wait_ns": decision.wait_ns, "left": left.and_then(|left| left.to_str().ok()),
        }));
        if decision.status == 429 {
            tokio::time::sleep(Duration::from_nanos(decision.wait_ns / 2)).await;
        }
    }
    Ok(history)
}

fn real_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
