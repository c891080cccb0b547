//! The authorization server and the login of the gateway, over HTTPS, beside client libraries that nobody here wrote:
//! Authlib in a fresh venv and openid-client in a fresh project, against the profile of each provider.

use crate::Result;
use crate::closing_lines::{node_test, pytest};
use crate::gateway;
use crate::node::Node;
use crate::project::Project;
use crate::python::{Interpreter, Venv};
use crate::report::Report;
use crate::workspace::Workspace;

const FOLDER: &str = "conformance/oauth";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let program = gateway::program(workspace, "dev");
    let folder = workspace.root.join(FOLDER);
    let venv = report.prepare_by("make a fresh venv with Authlib", || -> Result<Venv> {
        let python = Interpreter::find()?;
        let requirements = ["../conformance/oauth/python/requirements.txt"];
        Venv::fresh(workspace, &python, "oauth-clients", &requirements)
    });
    if let Some(venv) = venv {
        let mut tests = venv.python();
        tests
            .args(["-m", "pytest", "-p", "no:cacheprovider", "."])
            .current_dir(folder.join("python"))
            .env("GATEWRIGHT_GATEWAY", &program);
        report.suite("pytest, Authlib against each provider", &mut tests, pytest);
    }
    let pinned = folder.join("node");
    let name = "install openid-client in a fresh project";
    let project = report.prepare_by(name, || -> Result<(Node, Project)> {
        let node = Node::find()?;
        let project = Project::pinned(workspace, &node, "oauth-clients", &pinned, &[])?;
        project.take(&pinned, "tests")?;
        Ok((node, project))
    });
    if let Some((node, project)) = project {
        let mut tests = node.command();
        tests
            .arg(project.folder().join("tests/run.mjs"))
            .env("GATEWRIGHT_GATEWAY", &program);
        report.suite(
            "node:test, openid-client against each provider",
            &mut tests,
            node_test,
        );
    }
}
