//! `simulate`: plays seeds or a script, and prints what did not hold, with a script as small as it gets.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal speaks through them"
)]

use std::process::ExitCode;
use std::time::Instant;

use gatewright_simulation::{BrokenRule, Played, Script, derive, minimise, play, play_many};

const USAGE: &str = "usage: simulate [--seeds N] [--calls M] [--seed S] [--trace] [--script FILE] [--broken RULE] [--threads N]

  --seeds N      play N seeds (default 100, or 1 with --seed)
  --calls M      calls in each (default 1000)
  --seed S       begin with seed S (default 0)
  --trace        print every event; for one seed or a script
  --script FILE  play the script in FILE
  --broken RULE  switch a rule off, to see it noticed
  --threads N    use N threads (default: as many as the machine has)";

struct Options {
    seeds: Option<u64>,
    calls: u32,
    seed: Option<u64>,
    trace: bool,
    script: Option<String>,
    broken: Option<BrokenRule>,
    threads: usize,
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("simulate: {why}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        seeds: None,
        calls: 1_000,
        seed: None,
        trace: false,
        script: None,
        broken: None,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    while let Some(name) = arguments.next() {
        if name == "--trace" {
            options.trace = true;
            continue;
        }
        let value = arguments.next().ok_or(format!("{name} has no value"))?;
        let bad = || format!("{name} {value}: that cannot be");
        match name.as_str() {
            "--seeds" => options.seeds = Some(value.parse().map_err(|_| bad())?),
            "--calls" => options.calls = value.parse().map_err(|_| bad())?,
            "--seed" => options.seed = Some(value.parse().map_err(|_| bad())?),
            "--threads" => options.threads = value.parse().map_err(|_| bad())?,
            "--script" => options.script = Some(value),
            "--broken" => {
                let rule = BrokenRule::ALL
                    .iter()
                    .find(|rule| rule.to_string() == value);
                let all: Vec<String> = BrokenRule::ALL.iter().map(ToString::to_string).collect();
                let rule = rule.ok_or_else(|| format!("{value} is none of {}", all.join(" ")))?;
                options.broken = Some(*rule);
            }
            _ => return Err(format!("there is no {name}")),
        }
    }
    Ok(options)
}

/// Whether all held.
fn run(options: &Options) -> Result<bool, String> {
    if let Some(file) = &options.script {
        let text = std::fs::read_to_string(file).map_err(|why| format!("{file}: {why}"))?;
        let script: Script = text.parse().map_err(|why| format!("{file}: {why}"))?;
        let played = play(&script, options.broken, options.trace);
        return Ok(told(&script, &played, options.broken, false));
    }
    let first = options.seed.unwrap_or(0);
    let seeds = options
        .seeds
        .unwrap_or(if options.seed.is_some() { 1 } else { 100 });
    if seeds == 1 {
        let script = derive(first, options.calls);
        let played = play(&script, options.broken, options.trace);
        return Ok(told(&script, &played, options.broken, true));
    }
    if options.trace {
        return Err("--trace is for one seed".to_owned());
    }
    let begun = Instant::now();
    let sum = play_many(first, seeds, options.calls, options.broken, options.threads);
    println!(
        "{} seeds, {} calls, {} attempts, {} succeeded, {} refused by quotas, {} hours of virtual time in {:.1} s",
        sum.seeds,
        sum.calls,
        sum.attempts,
        sum.succeeded,
        sum.refused,
        sum.seconds / 3_600,
        begun.elapsed().as_secs_f64()
    );
    let Some((seed, _)) = sum.violations.first() else {
        println!("no violation");
        return Ok(true);
    };
    for (seed, violation) in sum.violations.iter().take(20) {
        println!("seed {seed}: {violation}");
    }
    if sum.violations.len() > 20 {
        println!("and {} more", sum.violations.len() - 20);
    }
    let script = derive(*seed, options.calls);
    let played = play(&script, options.broken, false);
    Ok(told(&script, &played, options.broken, true))
}

/// Prints what came of one script. `smaller`: and makes it small where it failed.
fn told(script: &Script, played: &Played, broken: Option<BrokenRule>, smaller: bool) -> bool {
    print!("{}", played.trace);
    println!(
        "seed {}: {} calls, {} attempts, {} succeeded, {} refused by quotas, {:.3} s of virtual time",
        script.seed,
        played.calls,
        played.attempts,
        played.succeeded,
        played.refused,
        std::time::Duration::from_millis(played.took).as_secs_f64()
    );
    let Some(first) = played.violations.first() else {
        println!("no violation");
        return true;
    };
    for violation in &played.violations {
        println!("{violation}");
    }
    if smaller {
        let small = minimise(script, first.invariant, broken);
        let again = play(&small, broken, true);
        println!(
            "\n# {}: the smallest script (play it with --script FILE)",
            first.invariant
        );
        print!("{small}");
        println!("\n# what happens in it");
        print!("{}", again.trace);
        for violation in &again.violations {
            println!("# {violation}");
        }
    }
    false
}
