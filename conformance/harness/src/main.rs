//! Plays the conformance scenarios against the adapter of an SDK and the reference gateway; see PROTOCOL.md.

mod adapter;
mod args;
mod corpus;
mod expectation;
mod judged;
mod pattern;
mod placeholders;
mod play;
mod protocol;
mod report;
mod runner;
mod scenario;
mod stage;
mod step;
mod wire;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::args::{Args, HELP};
use crate::play::{Failure, Outcome};
use crate::report::Sums;
use crate::runner::{Played, Run};
use crate::scenario::load;
use crate::stage::Stage;

/// Nothing could be played.
const UNUSABLE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(why) => {
            say_error(&why);
            ExitCode::from(UNUSABLE)
        }
    }
}

async fn run() -> Result<ExitCode, String> {
    let args = Args::read(std::env::args().skip(1))?;
    if args.help {
        say(HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let folder = args.scenarios.clone().unwrap_or_else(default_scenarios);
    let (mut scenarios, files) =
        load(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    if !args.only.is_empty() {
        scenarios.retain(|scenario| args.only.iter().any(|part| scenario.name.contains(part)));
    }
    if scenarios.is_empty() && files.is_empty() && args.webhooks.is_none() {
        return Err(format!(
            "there is no scenario to play in {}",
            folder.display()
        ));
    }
    if args.list {
        scenarios
            .iter()
            .for_each(|scenario| say(&format!("{}\n", scenario.name)));
        return Ok(ExitCode::SUCCESS);
    }
    let command = match &args.adapter {
        Some(command) => command.clone(),
        None => vec![default_adapter()?],
    };
    let stage = Stage::set()
        .await
        .map_err(|why| format!("the gateway cannot be started: {why}"))?;
    let started = Instant::now();
    let corpus = match &args.webhooks {
        Some(folder) => corpus::play(folder, &command, &args.only).await?,
        None => Vec::new(),
    };
    let results = Run::new(stage, command, args.jobs)
        .play_all(scenarios)
        .await
        .map_err(|gone| gone.0)?;
    let mut played = results.played;
    played.extend(files.into_iter().map(report::unreadable));
    played.extend(corpus);
    played.extend(secret_in_stderr(&results.stderr));
    let sums = Sums::of(&played);
    let name = args.name.unwrap_or(results.sdk);
    if args.json {
        played
            .iter()
            .for_each(|one| say(&format!("{}\n", report::object(one))));
        let whole = json!({
            "name": name, "passed": sums.passed, "failed": sums.failed, "skipped": sums.skipped,
            "took_ms": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        say(&format!("{whole}\n"));
    } else {
        say(&report::text(&played));
        say(&format!(
            "conformance of {name} in {:.1} s\n{sums}\n",
            started.elapsed().as_secs_f64()
        ));
    }
    Ok(if sums.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What SDKs log is no place for secrets either: scenarios that look for them use keys with `canary` in them.
fn secret_in_stderr(stderr: &str) -> Option<Played> {
    let line = stderr.lines().find(|line| line.contains("canary"))?;
    let shown: String = line.chars().take(300).collect();
    Some(Played {
        name: "standard error".to_owned(),
        about: "no secret is logged".to_owned(),
        source: "resilience.md, Auth".to_owned(),
        outcome: Outcome::Failed(Failure::of(format!("a secret is shown: {shown}"))),
        took: Duration::ZERO,
    })
}

/// `conformance/scenarios` of the folder one is in, else of the source this was built from.
fn default_scenarios() -> PathBuf {
    let here = PathBuf::from("conformance/scenarios");
    if here.is_dir() {
        here
    } else {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"))
    }
}

/// The Rust adapter beside this program.
fn default_adapter() -> Result<String, String> {
    let name = format!(
        "gatewright-conformance-rust{}",
        std::env::consts::EXE_SUFFIX
    );
    let program = std::env::current_exe()
        .map_err(|why| why.to_string())?
        .with_file_name(name);
    if program.exists() {
        return Ok(program.display().to_string());
    }
    Err("no --adapter is given, and the Rust adapter is not built: cargo build -p gatewright-conformance-rust".to_owned())
}

fn say(text: &str) {
    // Whoever closed our output does not want to read on.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn say_error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "gatewright-conformance: {text}");
}
