//! `cargo xtask fuzz`: libFuzzer on every parser, by cargo-fuzz with a nightly compiler; and its short run for `test`.
//!
//! Where there is no nightly compiler, or cargo-fuzz cannot be installed, the corpus is played and changed at random with
//! the stable one (`fuzz/src/bin/replay.rs`). What libFuzzer finds on the way stays in the target folder; the corpus in
//! `fuzz/corpus` is only read. The short run begins with that corpus and one seed each time: what fails in it fails again.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::{quietly, show};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{Ended, Result, Usage};

/// The version that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.2";
/// The short run: for each target, so that all take about a minute.
const SHORT: Duration = Duration::from_secs(2);
/// Where its dice begin.
const SEED: u32 = 1;
/// The long run without `--minutes`: for each target.
const LONG: Duration = Duration::from_secs(5 * 60);
/// Inputs that `replay` makes of each target's corpus in the short run, and for each minute of a long one.
const RUNS: u64 = 20_000;
const RUNS_IN_A_MINUTE: u64 = 2_000_000;
/// No input is longer: parsers of header fields and events are what is looked for, not memory.
const LONGEST: &str = "-max_len=2048";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let all = targets(workspace)?;
    let (chosen, time) = read(&all, arguments)?;
    let fuzzer = match Fuzzer::find(workspace) {
        Ok(fuzzer) => fuzzer,
        Err(why) => {
            eprintln!("xtask: {why}\nxtask: the corpus is played and changed at random instead");
            let runs = (time.as_secs() * RUNS_IN_A_MINUTE / 60).max(RUNS);
            show(replay(workspace, runs).args(&chosen))?;
            return Ok(Ended::Well);
        }
    };
    show(&mut fuzzer.build(workspace))?;
    for target in &chosen {
        show(&mut fuzzer.long(workspace, target, time)?)?;
    }
    println!(
        "new inputs are in {}",
        workspace.scratch("fuzz-corpus").display()
    );
    Ok(Ended::Well)
}

pub(crate) fn test(workspace: &Workspace, report: &mut Report) {
    let Some(targets) = report.needed("the fuzz targets", targets(workspace)) else {
        return;
    };
    let found = Fuzzer::find(workspace).and_then(|fuzzer| {
        // A nightly compiler may be too new or too old for what is fuzzed.
        quietly(&mut fuzzer.build(workspace))?;
        Ok(fuzzer)
    });
    let fuzzer = match found {
        Ok(fuzzer) => fuzzer,
        Err(why) => {
            report.note(&format!("without libFuzzer: {}", first_line(&why)));
            for target in &targets {
                report.check(
                    &format!("replay {target}"),
                    replay(workspace, RUNS).arg(target),
                );
            }
            return;
        }
    };
    for target in &targets {
        if let Some(mut command) = report.needed(target, fuzzer.short(workspace, target)) {
            report.check(&format!("fuzz {target}"), &mut command);
        }
    }
}

fn first_line(why: &crate::Error) -> String {
    why.to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The targets: those that have a corpus, in the order of their names.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(corpus(workspace))? {
        targets.push(entry?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}

fn corpus(workspace: &Workspace) -> PathBuf {
    workspace.root.join("fuzz").join("corpus")
}

/// The targets that were named, or all, and the time for each.
fn read(all: &[String], arguments: &[String]) -> Result<(Vec<String>, Duration)> {
    let (mut chosen, mut time) = (Vec::new(), LONG);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--minutes" {
            let minutes = arguments.next().and_then(|text| text.parse().ok());
            let minutes: u64 =
                minutes.ok_or_else(|| Usage("--minutes needs a number".to_owned()))?;
            time = Duration::from_secs(minutes.saturating_mul(60).max(1));
        } else if all.contains(argument) {
            chosen.push(argument.clone());
        } else {
            let text = format!(
                "there is no target {argument:?}; targets are: {}",
                all.join(" ")
            );
            return Err(Box::new(Usage(text)));
        }
    }
    if chosen.is_empty() {
        chosen = all.to_vec();
    }
    Ok((chosen, time))
}

/// The stable way.
fn replay(workspace: &Workspace, runs: u64) -> Command {
    let mut command = workspace.cargo("run");
    command
        .args(["--quiet", "--release", "--bin", "replay", "--manifest-path"])
        .arg(workspace.root.join("fuzz").join("Cargo.toml"))
        .arg("--target-dir")
        .arg(workspace.scratch("fuzz-replay"))
        .args(["--", "--runs", &runs.to_string()]);
    command
}

/// cargo-fuzz, with a nightly compiler.
struct Fuzzer {
    /// The folder of the program `cargo-fuzz`, where it is not on the path.
    tools: Option<PathBuf>,
}

impl Fuzzer {
    /// What is there, or can be installed.
    fn find(workspace: &Workspace) -> Result<Self> {
        let nightly = ["run", "nightly", "rustc", "--version"];
        quietly(Command::new("rustup").args(nightly))
            .map_err(|_| "there is no nightly compiler: rustup toolchain install nightly")?;
        if quietly(Command::new("cargo-fuzz").arg("--version")).is_ok() {
            return Ok(Self { tools: None });
        }
        let root = workspace.scratch("cargo-fuzz");
        let tools = root.join("bin");
        let program = tools.join(format!("cargo-fuzz{}", std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            println!("installing cargo-fuzz {CARGO_FUZZ} into {}", root.display());
            let mut install = workspace.cargo("install");
            install
                .args(["cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"])
                .arg(&root)
                .env("CARGO_TARGET_DIR", workspace.scratch("cargo-fuzz-build"));
            let installed = quietly(&mut install);
            let _ = fs::remove_dir_all(workspace.scratch("cargo-fuzz-build"));
            installed.map_err(|why| format!("cargo-fuzz cannot be installed: {why}"))?;
        }
        Ok(Self { tools: Some(tools) })
    }

    fn command(&self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut command = Command::new("rustup");
        workspace.prepare_build(&mut command);
        command.args(["run", "nightly", "cargo", "fuzz", subcommand]);
        command.args(["--features", "libfuzzer", "--fuzz-dir"]);
        command.arg(workspace.root.join("fuzz"));
        command.arg("--target-dir").arg(workspace.scratch("fuzz"));
        // What runs this program is another toolchain.
        for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS"] {
            command.env_remove(name);
        }
        if let Some(tools) = &self.tools {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(tools.clone()).chain(std::env::split_paths(&path));
            if let Ok(path) = std::env::join_paths(folders) {
                command.env("PATH", path);
            }
        }
        command
    }

    fn build(&self, workspace: &Workspace) -> Command {
        self.command(workspace, "build")
    }

    /// Runs one target for so long, from where the last long run of it ended.
    fn long(&self, workspace: &Workspace, target: &str, time: Duration) -> Result<Command> {
        let found = workspace.scratch("fuzz-corpus").join(target);
        self.fuzz(workspace, target, (found, time))
    }

    /// Runs one target shortly, the same way each time: a faster machine only comes further.
    fn short(&self, workspace: &Workspace, target: &str) -> Result<Command> {
        let found = workspace.scratch("fuzz-short").join(target);
        if found.exists() {
            fs::remove_dir_all(&found)?;
        }
        let mut command = self.fuzz(workspace, target, (found, SHORT))?;
        command.arg(format!("-seed={SEED}"));
        Ok(command)
    }

    /// Runs one target for so long. What it finds new goes into the folder.
    fn fuzz(
        &self,
        workspace: &Workspace,
        target: &str,
        (new, time): (PathBuf, Duration),
    ) -> Result<Command> {
        let crashes = workspace.scratch("fuzz-artifacts").join(target);
        fs::create_dir_all(&new)?;
        fs::create_dir_all(&crashes)?;
        let mut command = self.command(workspace, "run");
        command
            .arg(target)
            .arg(&new)
            .arg(corpus(workspace).join(target))
            .arg("--");
        command.arg(format!("-max_total_time={}", time.as_secs()));
        command.arg(format!("-artifact_prefix={}/", crashes.display()));
        command.args([
            LONGEST,
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
        ]);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str]) -> Result<(Vec<String>, Duration)> {
        let all = ["sse", "url"].map(String::from);
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        read(&all, &words)
    }

    #[test]
    fn all_targets_run_where_none_is_named() {
        assert_eq!(
            read_words(&[]).unwrap(),
            (vec!["sse".into(), "url".into()], LONG)
        );
    }

    #[test]
    fn targets_and_minutes_can_be_named() {
        let (chosen, time) = read_words(&["url", "--minutes", "2"]).unwrap();
        assert_eq!((chosen, time.as_secs()), (vec!["url".to_owned()], 120));
    }

    #[test]
    fn what_is_not_known_is_a_misuse() {
        assert!(read_words(&["uri"]).unwrap_err().is::<Usage>());
        assert!(read_words(&["--minutes"]).unwrap_err().is::<Usage>());
    }
}
