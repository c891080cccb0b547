//! The examples, run as their first lines say, each against a gateway of its own; and the README's Python, as pasted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::gateway::{self, Gateway};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::report::Report;
use crate::workspace::Workspace;

/// The gateway's addresses when it is started as the README says.
const README_URLS: [&str; 2] = ["http://127.0.0.1:4010", "http://127.0.0.1:4011"];
const READMES: &[&str] = &["README.md", "bindings-python/README.md"];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    if !report.prepare(
        "build the gateway",
        &mut gateway::build_command(workspace, "dev"),
    ) {
        return;
    }
    for (name, mut command) in rust_examples(workspace) {
        run_one(workspace, report, &name, &mut command);
    }
    let Some(scripts) =
        report.prepare_by("collect the Python examples", || python_scripts(workspace))
    else {
        return;
    };
    if scripts.is_empty() {
        report.note("there are no Python examples");
        return;
    }
    let Some(venv) = report.prepare_by("install the wheel in a fresh venv", || {
        install_wheel(workspace)
    }) else {
        return;
    };
    for (name, script) in scripts {
        let text = match script {
            Script::File(path) => {
                run_one(workspace, report, &name, venv.python().arg(path));
                continue;
            }
            Script::Text(text) => text,
        };
        with_gateway(workspace, report, &name, |report, gateway| {
            let [url, admin_url] = README_URLS;
            let text = text
                .replace(url, &gateway.url)
                .replace(admin_url, &gateway.admin_url);
            report.check(&name, gateway.known_to(venv.python().args(["-c", &text])));
        });
    }
}

fn run_one(workspace: &Workspace, report: &mut Report, name: &str, command: &mut Command) {
    with_gateway(workspace, report, name, |report, gateway| {
        report.check(name, gateway.known_to(command))
    });
}

fn with_gateway(
    workspace: &Workspace,
    report: &mut Report,
    name: &str,
    run: impl FnOnce(&mut Report, &Gateway),
) {
    match Gateway::start(workspace, "dev") {
        Ok(gateway) => run(report, &gateway),
        Err(error) => report.fail(name, &error.to_string()),
    }
}

/// Programs and examples of the crates under `examples/`.
fn rust_examples(workspace: &Workspace) -> Vec<(String, Command)> {
    let folder = workspace.root.join("examples");
    let mut found = Vec::new();
    for member in workspace
        .crates
        .iter()
        .filter(|member| member.folder.starts_with(&folder))
    {
        let binaries = member.binaries.iter().map(|name| ("--bin", name));
        for (kind, name) in binaries.chain(member.examples.iter().map(|name| ("--example", name))) {
            let mut command = workspace.cargo("run");
            command.args(["--quiet", "--package", &member.name, kind, name]);
            found.push((format!("rust: {name}"), command));
        }
    }
    found
}

enum Script {
    File(PathBuf),
    Text(String),
}

fn python_scripts(workspace: &Workspace) -> Result<Vec<(String, Script)>> {
    let mut scripts = Vec::new();
    let folder = workspace.root.join("examples/python");
    if folder.is_dir() {
        let mut files = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        files.sort();
        let is_script =
            |path: &PathBuf| path.extension().is_some_and(|extension| extension == "py");
        scripts.extend(
            files
                .into_iter()
                .filter(is_script)
                .map(|path| (format!("python: {}", name_of(&path)), Script::File(path))),
        );
    }
    for name in READMES {
        let path = workspace.root.join(name);
        let text = if path.is_file() {
            fs::read_to_string(path)?
        } else {
            continue;
        };
        let blocks = python_blocks(&text).into_iter().enumerate();
        scripts.extend(blocks.map(|(at, block)| {
            (
                format!("python: {name}, block {}", at + 1),
                Script::Text(block),
            )
        }));
    }
    Ok(scripts)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The Python of a Markdown text. A block that is opened with `python no-run` is only to be read.
fn python_blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .collect();
            if language == "python" {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

fn install_wheel(workspace: &Workspace) -> Result<Venv> {
    let python = Interpreter::find()?;
    let wheel = build_wheel(workspace, &python, false)?;
    let venv = Venv::fresh(workspace, &python, "examples", &[])?;
    venv.install(&wheel)?;
    Ok(venv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_python_that_is_meant_to_run_is_taken() {
        let markdown = "# A\n```python\nprint(1)\n\nprint(2)\n```\n```sh\nls\n```\n```python no-run\n...\n```\n```python\nx = 1\n```\n";
        assert_eq!(python_blocks(markdown), ["print(1)\n\nprint(2)", "x = 1"]);
    }
}
