//! The sans-io crates must build for WebAssembly: browsers, workers and edge get their decisions from the same code.

use crate::process::in_short;
use crate::report::Report;
use crate::wasm::{TARGET, missing_target};
use crate::workspace::Workspace;

const CRATES: &[&str] = &["gatewright-engine", "gatewright-webhook"];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    if !install_target(report) {
        return;
    }
    for name in CRATES {
        let mut check = workspace.cargo("check");
        check.args(["--quiet", "--target", TARGET, "--package", name]);
        report.check(&format!("check {name} for {TARGET}"), &mut check);
    }
}

/// Installs the compiler's target for WebAssembly where it is missing, and says so.
pub(crate) fn install_target(report: &mut Report) -> bool {
    let Some(mut add) = missing_target(TARGET) else {
        return true;
    };
    report.note(&format!("{TARGET} is not installed: {}", in_short(&add)));
    report.prepare(&format!("install {TARGET}"), &mut add)
}
