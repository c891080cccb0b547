//! The webhook corpus of `conformance/webhooks`: that its files are what `generate.py` makes, that every disagreement with a
//! provider's library has its reason, and that the reference and the Rust verifier agree about cases changed at random.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::python::{Interpreter, Venv};
use crate::report::Report;
use crate::workspace::Workspace;

/// Cases that are made at random, about ten seconds' worth; the seed is fixed, so that a failure comes again.
const RUNS: &str = "20000";
const PLAYER: &str = "play_cases";

/// Where the corpus is.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("conformance/webhooks")
}

/// The part `corpus` of `cargo xtask test`.
pub(crate) fn test(workspace: &Workspace, report: &mut Report) {
    let Some(venv) = report.prepare_by(
        "find Python, make a venv with cryptography and mypy",
        || venv(workspace),
    ) else {
        return;
    };
    let python = |arguments: &[&str]| {
        let mut command = venv.python();
        command.current_dir(folder(workspace)).args(arguments);
        command
    };
    report.check(
        "the corpus is what generate.py makes",
        &mut python(&["generate.py", "--check"]),
    );
    let mut mypy = venv.command("mypy");
    mypy.current_dir(folder(workspace)).arg("--cache-dir");
    mypy.arg(workspace.scratch("mypy-webhooks"));
    mypy.args(["--strict", "--python-version", "3.10"]);
    report.check(
        "mypy",
        mypy.args([
            "reference",
            "cases",
            "generate.py",
            "fuzz.py",
            "oracle/compare.py",
        ]),
    );
    report.check(
        "each disagreement with a library has its reason",
        &mut python(&["oracle/compare.py", "--offline"]),
    );
    if !report.prepare("build the player", &mut build(workspace)) {
        return;
    }
    let player = workspace.built("dev", &format!("examples/{PLAYER}"));
    let mut fuzz = python(&["fuzz.py"]);
    fuzz.arg(player).args(["--runs", RUNS]);
    report.check(
        "the reference and the verifier agree about cases changed at random",
        &mut fuzz,
    );
}

fn venv(workspace: &Workspace) -> Result<Venv> {
    let python = Interpreter::find()?;
    Venv::kept(workspace, &python, "webhooks", "requirements-webhooks.txt")
}

fn build(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo("build");
    command.args([
        "--quiet",
        "--package",
        "gatewright-webhook",
        "--example",
        PLAYER,
    ]);
    command
}
