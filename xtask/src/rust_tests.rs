//! The tests and doctests of all crates.

use std::process::Command;

use crate::closing_lines::cargo_test;
use crate::process::quietly;
use crate::report::Report;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    crate::redis::ensure();
    if quietly(Command::new("valgrind").arg("--version")).is_err() {
        report.skip(
            "instructions of comparisons (core/webhook/tests/timing.rs)",
            "valgrind is not installed: what is counted is only run",
        );
    }
    // All at once: dependencies are then built once, with one set of features.
    if report.suite_if_it_starts(
        "cargo test",
        &mut cargo_test_of(workspace, &["--workspace"]),
        cargo_test,
    ) {
        return;
    }
    // One crate that does not compile must not keep the others' tests from running.
    for member in workspace.crates.iter().filter(|member| member.has_tests) {
        let mut one = cargo_test_of(workspace, &["--package", &member.name]);
        report.suite(&format!("cargo test {}", member.name), &mut one, cargo_test);
    }
}

fn cargo_test_of(workspace: &Workspace, what: &[&str]) -> Command {
    let mut command = workspace.cargo("test");
    command.arg("--no-fail-fast").args(what);
    command
}
