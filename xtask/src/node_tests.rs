//! The npm package `gatewright` as a user gets it: its tarballs in a fresh project, used as an ES module, by `require`, in a
//! worker thread and from TypeScript; its tests there; and the same without an addon that fits.

use std::path::Path;

use crate::closing_lines::node_test;
use crate::gateway;
use crate::gateway_package;
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
    installed.check_types(report, &["program"], &["node_program", "testing_program"]);
    installed.check_programs(
        report,
        &[
            ("esm.mjs", "an ES module"),
            ("cjs.cjs", "CommonJS"),
            ("worker.mjs", "a worker thread"),
        ],
    );
    installed.test(report, "node:test", "bindings-node/tests");
    embedded(workspace, report, &kit, &packages);
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

/// The gateway in a user's tests: its packages beside the others, and nothing that says where the program is.
fn embedded(workspace: &Workspace, report: &mut Report, kit: &Kit, packages: &Packages) {
    let make_project = || {
        let gateway = gateway_package::build(workspace, &kit.node, "dev", false)?.all();
        let mut tarballs = packages.all().to_vec();
        tarballs.extend(gateway.iter().map(std::path::PathBuf::as_path));
        Project::fresh(workspace, &kit.node, "embedded", &tarballs)
    };
    let name = "install the packages and those of the gateway";
    let Some(project) = report.prepare_by(name, make_project) else {
        return;
    };
    let file = "embedded.test.mjs";
    let from = workspace.root.join("xtask/installed").join(file);
    let copied = std::fs::copy(from, project.folder().join(file));
    if report
        .needed(
            "node:test, the gateway embedded",
            copied.map_err(Into::into),
        )
        .is_some()
    {
        let mut command = kit.node.command();
        command
            .args(["--test", "--test-reporter=spec", file])
            .current_dir(project.folder())
            .env_remove("GATEWRIGHT_GATEWAY");
        report.suite("node:test, the gateway embedded", &mut command, node_test);
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
