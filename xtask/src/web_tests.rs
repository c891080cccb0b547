//! The npm package `gatewright-web` as a user gets it: its tarball in a fresh project, used in Node in all ways and tested
//! there; under Vite; and tested in a real Chromium.

use std::path::Path;

use crate::chromium;
use crate::gateway::with_gateway;
use crate::installed::Installed;
use crate::project::{Kit, Project};
use crate::report::Report;
use crate::workspace::Workspace;

const PACKAGE: &str = "gatewright-web";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some((kit, packages)) = crate::node_tests::prepare(workspace, report) else {
        return;
    };
    let install = |name: &str| Project::fresh(workspace, &kit.node, name, &[&packages.web]);
    let Some(project) =
        report.prepare_by("install the package in a fresh project", || install("web"))
    else {
        return;
    };
    let installed = Installed {
        workspace,
        kit: &kit,
        project: &project,
        package: PACKAGE,
    };
    installed.check_types(report, &["program"], &[]);
    installed.check_programs(
        report,
        &[
            ("esm.mjs", "an ES module"),
            ("cjs.cjs", "CommonJS"),
            ("worker.mjs", "a worker thread"),
        ],
    );
    installed.test(
        report,
        "node:test, the tests of both packages",
        "bindings-node/tests",
    );
    installed.test(report, "node:test, its own", "bindings-wasm/tests");
    let chromium = match chromium::find_or_install() {
        Ok(found) => found,
        Err(why) => {
            let why = why.to_string();
            report.skip("gatewright-web under Vite", &why);
            report.skip("gatewright-web in Chromium", &why);
            return;
        }
    };
    if let Some(project) = report.prepare_by("install the package in a fresh Vite project", || {
        let project = install("vite")?;
        project.take(&workspace.root.join("xtask/installed/vite"), "")?;
        Ok(project)
    }) {
        check_vite(workspace, report, &kit, &project, &chromium);
    }
    installed.test_in_chromium(
        report,
        "node:test, in Chromium",
        "bindings-wasm/browser-tests",
        &chromium,
    );
}

fn check_vite(
    workspace: &Workspace,
    report: &mut Report,
    kit: &Kit,
    project: &Project,
    chromium: &Path,
) {
    let name = "Vite: its development server and its build, in Chromium";
    let mut command = kit.node.command();
    command
        .arg(project.folder().join("check.mjs"))
        .current_dir(project.folder())
        .env(chromium::VARIABLE, chromium);
    kit.tools.known_to(&mut command);
    with_gateway(workspace, report, name, |report, gateway| {
        report.check(name, gateway.known_to(&mut command))
    });
}
