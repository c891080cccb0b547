//! Schemathesis plays the gateway by its own OpenAPI document: no answer of 5xx, none that the document does not have,
//! wrong requests refused, right ones taken. `GATEWRIGHT_SCHEMATHESIS_EXAMPLES=N` makes N examples of each operation in place
//! of a few.

use crate::gateway::with_gateway;
use crate::python::{Interpreter, Venv};
use crate::report::Report;
use crate::workspace::Workspace;

const NAME: &str = "Schemathesis, the document and the gateway";
const EXAMPLES: &str = "GATEWRIGHT_SCHEMATHESIS_EXAMPLES";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(python) = report.prepare_by("find Python", Interpreter::find) else {
        return;
    };
    let requirements = "requirements-schemathesis.txt";
    let make_venv = || Venv::kept(workspace, &python, "schemathesis", requirements);
    let Some(venv) = report.prepare_by("make a venv with Schemathesis", make_venv) else {
        return;
    };
    let examples = std::env::var(EXAMPLES).unwrap_or_else(|_| "2".into());
    let folder = workspace.root.join("server-mock/schemathesis");
    with_gateway(workspace, report, NAME, |report, gateway| {
        let mut command = venv.command("st");
        command
            .arg("--config-file")
            .arg(folder.join("schemathesis.toml"))
            .arg("run")
            .arg(format!("{}/openapi.json", gateway.url))
            .args(["--phases", "examples,coverage,fuzzing"])
            .args(["--max-examples", &examples])
            .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"));
        gateway.known_to(&mut command);
        report.check(NAME, &mut command);
    });
}
