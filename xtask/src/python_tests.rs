//! The Python SDK as a user gets it: the wheel in a fresh venv; linted, type-checked and tested there, and tested again
//! with the oldest and newest other Python that is installed.

use std::path::Path;
use std::process::Command;

use crate::closing_lines::pytest;
use crate::gateway;
use crate::python::{Interpreter, Venv, build_gateway_wheel, build_wheel};
use crate::report::Report;
use crate::workspace::Workspace;

/// Everything ruff reads. Its rules are those of the package.
const PYTHON_FOLDERS: &[&str] = &[
    "bindings-python",
    "examples/python",
    "conformance/adapters/python",
    "conformance/webhooks",
    "conformance/oauth",
    "bench",
    "core/webhook/tests",
    "xtask/installed/python",
    "server-mock/python-tests",
    "server-mock/schemathesis",
];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(python) = report.prepare_by("find Python", Interpreter::find) else {
        return;
    };
    report.note(&format!(
        "Python {} at {}",
        python.full_version,
        python.path.display()
    ));
    report.prepare(
        "build the gateway",
        &mut gateway::build_command(workspace, "dev"),
    );
    let wheel = report.prepare_by("build the wheel (maturin in a venv)", || {
        build_wheel(workspace, &python, false)
    });
    let requirements = ["requirements-lint.txt", "requirements-test.txt"];
    let make_venv = || Venv::fresh(workspace, &python, "test", &requirements);
    let Some(venv) = report.prepare_by(
        "make a fresh venv with pytest, ruff, mypy, pyright",
        make_venv,
    ) else {
        return;
    };
    lint(workspace, report, &venv);
    let Some(wheel) = wheel else { return };
    if report
        .prepare_by("install the wheel", || venv.install(&wheel))
        .is_none()
    {
        return;
    }
    check_types(workspace, report, &venv);
    report.suite("pytest", &mut pytest_of(workspace, &venv), pytest);
    embedded(workspace, report, &python, &wheel);
    let others = python.others();
    if others.is_empty() {
        report.note("no other supported Python is installed: tested with this one only");
    }
    for other in oldest_and_newest(others) {
        test_with(workspace, report, &other, &wheel);
    }
}

fn lint(workspace: &Workspace, report: &mut Report, venv: &Venv) {
    let ruff = |arguments: &[&str]| {
        let mut command = venv.command("ruff");
        command
            .current_dir(&workspace.root)
            .args(arguments)
            .arg("--no-cache");
        command.args(
            PYTHON_FOLDERS
                .iter()
                .filter(|folder| workspace.root.join(folder).is_dir()),
        );
        command
    };
    report.check("ruff check", &mut ruff(&["check"]));
    report.check("ruff format", &mut ruff(&["format", "--check"]));
}

fn check_types(workspace: &Workspace, report: &mut Report, venv: &Venv) {
    let package = workspace.root.join("bindings-python");
    let in_package = |program: &str, arguments: &[&str]| {
        let mut command = venv.command(program);
        command.current_dir(&package).args(arguments);
        command
    };
    let cache = workspace.scratch("mypy");
    let mypy = |arguments: &[&str]| {
        let mut command = in_package("mypy", &["--config-file", "pyproject.toml"]);
        command.arg("--cache-dir").arg(&cache).args(arguments);
        command
    };
    report.check("mypy, the package", &mut mypy(&["python/gatewright"]));
    // These see the installed package, as a user's code does.
    report.check(
        "mypy, tests and examples",
        &mut mypy(&["tests", "../examples/python"]),
    );
    let mut stubtest = in_package(
        "stubtest",
        &["gatewright", "--mypy-config-file", "pyproject.toml"],
    );
    if package.join("stubtest-allowlist.txt").is_file() {
        stubtest.args(["--allowlist", "stubtest-allowlist.txt"]);
    }
    report.check("stubtest", &mut stubtest);
    // pyright takes the Python that is first on the path: the venv's.
    report.check("pyright", &mut in_package("pyright", &[]));
    let complete = ["--verifytypes", "gatewright", "--ignoreexternal"];
    report.check(
        "pyright, every public name has a type",
        &mut in_package("pyright", &complete),
    );
}

fn pytest_of(workspace: &Workspace, venv: &Venv) -> Command {
    let mut command = venv.python();
    command
        .current_dir(workspace.root.join("bindings-python"))
        .args(["-m", "pytest", "-p", "no:cacheprovider", "tests"]);
    command.env("GATEWRIGHT_GATEWAY", gateway::program(workspace, "dev"));
    command
}

/// The gateway in a user's tests: both wheels in a fresh venv, and nothing that says where the program is.
fn embedded(workspace: &Workspace, report: &mut Report, python: &Interpreter, wheel: &Path) {
    let make_venv = || {
        let venv = Venv::fresh(workspace, python, "embedded", &[])?;
        venv.install_named(&["pytest==9.2.0"])?;
        venv.install(wheel)?;
        venv.install(&build_gateway_wheel(workspace, python, "dev", false)?)?;
        Ok(venv)
    };
    let name = "install the wheel and that of the gateway";
    if let Some(venv) = report.prepare_by(name, make_venv) {
        let mut command = venv.python();
        command
            .current_dir(workspace.root.join("xtask/installed/python"))
            .args(["-m", "pytest", "-p", "no:cacheprovider", "."])
            .env_remove("GATEWRIGHT_GATEWAY");
        report.suite("pytest, the gateway embedded", &mut command, pytest);
    }
}

fn test_with(workspace: &Workspace, report: &mut Report, python: &Interpreter, wheel: &Path) {
    let version = &python.full_version;
    let make_venv = || {
        let venv = Venv::fresh(
            workspace,
            python,
            &format!("test-{version}"),
            &["requirements-test.txt"],
        )?;
        venv.install(wheel)?;
        Ok(venv)
    };
    if let Some(venv) =
        report.prepare_by(&format!("install the wheel in Python {version}"), make_venv)
    {
        report.suite(
            &format!("pytest, Python {version}"),
            &mut pytest_of(workspace, &venv),
            pytest,
        );
    }
}

/// The wheel is one for all versions (abi3): what differs shows at the ends.
fn oldest_and_newest(mut others: Vec<Interpreter>) -> Vec<Interpreter> {
    if others.len() > 2 {
        others.drain(1..others.len() - 1);
    }
    others
}
