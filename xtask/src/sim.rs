//! `cargo xtask sim`: the simulator, built for speed and run before the user's eyes; and its short run for `test`.

use std::process::Command;

use crate::process::{quietly, show, show_code};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{Ended, Result};

const PACKAGE: &str = "gatewright-simulation";
const PROGRAM: &str = "simulate";
const PROFILE: &str = "simulation";

/// The run of `test`: a million calls.
const SEEDS: &str = "1000";
const CALLS: &str = "1000";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    show(&mut build(workspace))?;
    let mut program = program(workspace);
    match show_code(program.args(arguments))? {
        0 => Ok(Ended::Well),
        code => Ok(Ended::With(code)),
    }
}

pub(crate) fn test(workspace: &Workspace, report: &mut Report) {
    let built = report.prepare_by("build the simulator", || quietly(&mut build(workspace)));
    if built.is_none() {
        return;
    }
    let name = format!("{SEEDS} seeds of {CALLS} calls");
    let arguments = ["--seeds", SEEDS, "--calls", CALLS];
    report.check(&name, program(workspace).args(arguments));
}

fn build(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo("build");
    command.args(["--profile", PROFILE, "--package", PACKAGE]);
    command
}

fn program(workspace: &Workspace) -> Command {
    Command::new(workspace.built(PROFILE, PROGRAM))
}
