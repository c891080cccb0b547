//! The sans-io crates must build for WebAssembly: browsers, workers and edge get their decisions from the same code.

use std::path::Path;
use std::process::Command;

use crate::process::{answer, in_short};
use crate::report::Report;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";
const CRATES: &[&str] = &["gatewright-engine", "gatewright-webhook"];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    if !is_installed() {
        let mut add = Command::new("rustup");
        add.args(["target", "add", TARGET]);
        report.note(&format!("{TARGET} is not installed: {}", in_short(&add)));
        if !report.prepare(&format!("install {TARGET}"), &mut add) {
            return;
        }
    }
    for name in CRATES {
        let mut check = workspace.cargo("check");
        check.args(["--quiet", "--target", TARGET, "--package", name]);
        report.check(&format!("check {name} for {TARGET}"), &mut check);
    }
}

fn is_installed() -> bool {
    let folder =
        answer(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| Path::new(&folder).is_dir())
}
