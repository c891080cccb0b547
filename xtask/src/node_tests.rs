//! The npm package `gatewright` as a user gets it: its tarballs in a fresh project, used as an ES module, by `require`, in a
//! worker thread and from TypeScript; its tests there; and the same without an addon that fits.

use std::path::Path;

use crate::gateway;
use crate::installed::Installed;
use crate::project::{Kit, Packages, Project};
use crate::report::Report;
use crate::webhook_frameworks;
use crate::workspace::Workspace;

const PACKAGE: &str = "gatewright";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(kit) = prepare(workspace, report) else {
        return;
    };
    let Some(packages) = report.prepare_by("build the packages", || {
        Packages::build(workspace, &kit, false)
    }) else {
        return;
    };
    let install =
        |name: &str, tarballs: &[&Path]| Project::fresh(workspace, &kit.node, name, tarballs);
    let Some(project) = report.prepare_by("install the packages in a fresh project", || {
        install("node", &packages.all())
    }) else {
        return;
    };
    let installed = Installed {
        workspace,
        kit: &kit,
        project: &project,
        package: PACKAGE,
    };
    installed.check_types(report, &["program"], &["node_program"]);
    installed.check_programs(
        report,
        &[
            ("esm.mjs", "an ES module"),
            ("cjs.cjs", "CommonJS"),
            ("worker.mjs", "a worker thread"),
        ],
    );
    installed.test(report, "node:test", "bindings-node/tests");
    webhook_frameworks::test(workspace, report, &kit, &packages, PACKAGE);
    let without_addon = [packages.node.main.as_path(), packages.web.as_path()];
    if let Some(project) = report.prepare_by("install without the addon", || {
        install("fallback", &without_addon)
    }) {
        let fallback = Installed {
            project: &project,
            ..installed
        };
        fallback.check_programs(report, &[("fallback.mjs", "without an addon, on WASM")]);
    }
}

/// What the parts `node` and `web` both begin with.
pub(crate) fn prepare(workspace: &Workspace, report: &mut Report) -> Option<Kit> {
    let kit = report.prepare_by("find Node, install the tools", || Kit::find(workspace))?;
    report.note(&format!(
        "Node {} for {}",
        kit.node.version,
        kit.node.platform.name()
    ));
    let ready = report.prepare(
        "build the gateway",
        &mut gateway::build_command(workspace, "dev"),
    ) && crate::webhook_wasm::install_target(report);
    ready.then_some(kit)
}
