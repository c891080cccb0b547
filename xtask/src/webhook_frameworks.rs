//! The adapters for webhooks as their users have them: the real frameworks, pinned in `xtask/webhook-frameworks`, and the packages, in a
//! fresh project, where the examples run.

use std::path::Path;

use crate::installed::Installed;
use crate::project::{Kit, Packages, Project};
use crate::report::Report;
use crate::workspace::Workspace;

/// The examples, which the tests start.
const EXAMPLES: &str = "examples/node";
const TESTS: &str = "bindings-node/framework-tests";

pub(crate) fn test(
    workspace: &Workspace,
    report: &mut Report,
    kit: &Kit,
    packages: &Packages,
    package: &str,
) {
    let tarballs: [&Path; 3] = packages.all();
    let pinned = workspace.root.join("xtask/webhook-frameworks");
    let name = "install the frameworks of the webhook adapters in a fresh project";
    let project = report.prepare_by(name, || {
        let project = Project::pinned(workspace, &kit.node, "frameworks", &pinned, &tarballs)?;
        project.take(&workspace.root.join(EXAMPLES), "bindings-node/examples")?;
        Ok(project)
    });
    let Some(project) = project else { return };
    let installed = Installed {
        workspace,
        kit,
        project: &project,
        package,
    };
    installed.test(report, "node:test, webhooks in frameworks", TESTS);
}
