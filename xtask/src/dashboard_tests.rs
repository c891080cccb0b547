//! The gateway's dashboard and its Swagger UI in Chromium, with axe-core; and its metrics, read by Prometheus' own parser for Python.

use std::path::PathBuf;

use crate::closing_lines::{node_test, pytest};
use crate::project::Kit;
use crate::python::{Interpreter, Venv};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{chromium, gateway};

const BROWSER_TESTS: &[&str] = &["dashboard.test.mjs", "accessible.test.mjs", "docs.test.mjs"];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    in_chromium(workspace, report);
    by_parsers(workspace, report);
}

fn in_chromium(workspace: &Workspace, report: &mut Report) {
    let name = "node:test, the dashboard in Chromium";
    let chromium = match chromium::find_or_install() {
        Ok(found) => found,
        Err(why) => return report.skip(name, &why.to_string()),
    };
    let kit = report.prepare_by("find Node, install the tools", || Kit::find(workspace));
    let Some(kit) = kit else { return };
    let folder = workspace.root.join("server-mock/browser-tests");
    let files: Vec<PathBuf> = BROWSER_TESTS.iter().map(|file| folder.join(file)).collect();
    let mut command = kit.node.command();
    command
        .args(["--test", "--test-reporter=spec", "--test-timeout=1200000"])
        // One browser at a time.
        .arg("--test-concurrency=1")
        .args(files)
        .current_dir(folder)
        .env(chromium::VARIABLE, chromium)
        .env("GATEWRIGHT_GATEWAY", gateway::program(workspace, "dev"));
    kit.tools.known_to(&mut command);
    report.suite(name, &mut command, node_test);
}

fn by_parsers(workspace: &Workspace, report: &mut Report) {
    let Some(python) = report.prepare_by("find Python", Interpreter::find) else {
        return;
    };
    let folder = workspace.root.join("server-mock/python-tests");
    let requirements = "requirements-gateway.txt";
    let make_venv = || Venv::kept(workspace, &python, "gateway", requirements);
    let Some(venv) = report.prepare_by("make a venv with Prometheus' parser", make_venv) else {
        return;
    };
    let mut command = venv.python();
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(&folder)
        .current_dir(&folder)
        .env("GATEWRIGHT_GATEWAY", gateway::program(workspace, "dev"));
    report.suite(
        "pytest, metrics by Prometheus' parser",
        &mut command,
        pytest,
    );
}
