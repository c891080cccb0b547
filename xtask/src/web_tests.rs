//! The npm package `gatewright-web` as a user gets it: its tarball in a fresh project, used in Node in all ways and tested
//! there; and tested in a real Chromium, also as Vite serves and builds it.

use crate::chromium;
use crate::installed::Installed;
use crate::project::Project;
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{node_tests, web_package};

const PACKAGE: &str = "gatewright-web";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(kit) = node_tests::prepare(workspace, report) else {
        return;
    };
    let Some(package) = report.prepare_by("build the package", || {
        web_package::build(workspace, &kit.node, &kit.tools, false)
    }) else {
        return;
    };
    let Some(project) = report.prepare_by("install the package in a fresh project", || {
        Project::fresh(workspace, &kit.node, "web", &[&package])
    }) else {
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
            return report.skip(
                "gatewright-web in Chromium and under Vite",
                &why.to_string(),
            );
        }
    };
    installed.test_in_chromium(
        report,
        "node:test, in Chromium and under Vite",
        "bindings-wasm/browser-tests",
        &chromium,
    );
}
