//! The examples, run as their first lines say, each against a gateway of its own; and the blocks of the READMEs, as pasted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::gateway::{self, Gateway, with_gateway};
use crate::npm_package::make_empty;
use crate::project::{Kit, Packages, Project, temporary};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{kotlin_examples, swift_examples};

/// The gateway's addresses when it is started as the README says.
const README_URLS: [&str; 2] = ["http://127.0.0.1:4010", "http://127.0.0.1:4011"];

/// Where the programs of a language are.
struct Language {
    name: &'static str,
    /// Of its examples' folder.
    folder: &'static str,
    /// Of its examples' files.
    extension: &'static str,
    /// What ends only when it is told to, and is tested otherwise.
    servers: &'static [&'static str],
    /// Texts with blocks of it, which run as pasted; or a folder of such texts.
    documents: &'static [&'static str],
    /// How such a block is opened. With more than that behind the fence it is only to be read.
    fence: &'static str,
}

const PYTHON: &Language = &Language {
    name: "python",
    folder: "examples/python",
    extension: "py",
    servers: &[],
    documents: &["README.md", "bindings-python/README.md", "docs/webhooks"],
    fence: "python",
};

const JAVASCRIPT: &Language = &Language {
    name: "node",
    folder: "examples/node",
    extension: "mjs",
    // The last five by the tests of the adapters for webhooks, which have their frameworks.
    servers: &[
        "webhook_server.mjs",
        "webhooks_express.mjs",
        "webhooks_fastify.mjs",
        "webhooks_hono.mjs",
        "webhooks_next_route.mjs",
        "webhooks_worker.mjs",
    ],
    documents: &[
        "README.md",
        "bindings-node/README.md",
        "bindings-wasm/README.md",
        "docs/javascript.md",
        "docs/webhooks",
    ],
    fence: "js",
};

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    if !report.prepare(
        "build the gateway",
        &mut gateway::build_command(workspace, "dev"),
    ) {
        return;
    }
    run_rust(workspace, report);
    run_python(workspace, report);
    run_javascript(workspace, report);
    swift_examples::run(workspace, report);
    kotlin_examples::run(workspace, report);
}

fn run_rust(workspace: &Workspace, report: &mut Report) {
    // What one keeps in the folder for temporary files is its own: no earlier run's, nor that of another at the same time.
    let kept = temporary(workspace).join("examples-rust");
    let made = report.prepare_by("make a folder for what the Rust examples keep", || {
        make_empty(&kept)
    });
    if made.is_none() {
        return;
    }
    for (name, mut command) in rust_examples(workspace) {
        run_one(workspace, report, &name, command.env("TMPDIR", &kept));
    }
    let _ = fs::remove_dir_all(&kept);
}

fn run_python(workspace: &Workspace, report: &mut Report) {
    let Some(scripts) =
        report.prepare_by("collect the Python examples", || scripts(workspace, PYTHON))
    else {
        return;
    };
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
            let text = beside(&text, gateway);
            report.check(&name, gateway.known_to(venv.python().args(["-c", &text])));
        });
    }
}

fn run_javascript(workspace: &Workspace, report: &mut Report) {
    let Some(scripts) = report.prepare_by("collect the JavaScript examples", || {
        scripts(workspace, JAVASCRIPT)
    }) else {
        return;
    };
    let installed = report.prepare_by("install the npm packages in a fresh project", || {
        let kit = Kit::find(workspace)?;
        let packages = Packages::build(workspace, &kit, false)?;
        let project = Project::fresh(workspace, &kit.node, "examples", &packages.all())?;
        Ok((kit, project))
    });
    let Some((kit, project)) = installed else {
        return;
    };
    // What a script imports is looked for where the script is.
    let run = |report: &mut Report, name: &str, text: &str| {
        with_gateway(workspace, report, name, |report, gateway| {
            let text = beside(text, gateway);
            let kind = if is_module(&text) { "mjs" } else { "cjs" };
            let file = project.folder().join(format!("example.{kind}"));
            if let Err(error) = fs::write(&file, text) {
                return report.fail(name, &error.to_string());
            }
            let mut node = kit.node.command();
            node.arg(file).current_dir(project.folder());
            report.check(name, gateway.known_to(&mut node));
        });
    };
    for (name, script) in scripts {
        match script {
            Script::Text(text) => run(report, &name, &text),
            Script::File(path) => match fs::read_to_string(&path) {
                Ok(text) => run(report, &name, &text),
                Err(error) => report.fail(&name, &error.to_string()),
            },
        }
    }
}

/// A text that names the gateway's usual addresses, for a gateway that has others.
pub(crate) fn beside(text: &str, gateway: &Gateway) -> String {
    let [url, admin_url] = README_URLS;
    text.replace(url, &gateway.url)
        .replace(admin_url, &gateway.admin_url)
}

fn run_one(workspace: &Workspace, report: &mut Report, name: &str, command: &mut Command) {
    with_gateway(workspace, report, name, |report, gateway| {
        report.check(name, gateway.known_to(command))
    });
}

/// Programs and examples of the crates under `examples/`.
/// Examples that wait for a person, and what tells them to do without.
const ALONE: &[(&str, &str)] = &[("login", "--visit")];

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
            if let Some((_, argument)) = ALONE.iter().find(|(waits, _)| waits == name) {
                command.args(["--", argument]);
            }
            found.push((format!("rust: {name}"), command));
        }
    }
    found
}

enum Script {
    File(PathBuf),
    Text(String),
}

fn scripts(workspace: &Workspace, language: &Language) -> Result<Vec<(String, Script)>> {
    let mut scripts = Vec::new();
    let folder = workspace.root.join(language.folder);
    if folder.is_dir() {
        let mut files = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        files.sort();
        let is_script = |path: &PathBuf| {
            path.extension()
                .is_some_and(|extension| extension == language.extension)
                && !language.servers.contains(&name_of(path).as_str())
        };
        scripts.extend(files.into_iter().filter(is_script).map(|path| {
            (
                format!("{}: {}", language.name, name_of(&path)),
                Script::File(path),
            )
        }));
    }
    let blocks = blocks_of(workspace, language.documents, language.fence)?.into_iter();
    scripts.extend(
        blocks.map(|(name, block)| (format!("{}: {name}", language.name), Script::Text(block))),
    );
    Ok(scripts)
}

/// The blocks of a language in these texts: for each where it stands, and itself.
pub(crate) fn blocks_of(
    workspace: &Workspace,
    documents: &[&str],
    fence: &str,
) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for name in texts(workspace, documents)? {
        let path = workspace.root.join(&name);
        if path.is_file() {
            let blocks = blocks(&fs::read_to_string(path)?, fence)
                .into_iter()
                .enumerate();
            found.extend(blocks.map(|(at, block)| (format!("{name}, block {}", at + 1), block)));
        }
    }
    Ok(found)
}

/// These texts; for a folder, the Markdown texts in it.
fn texts(workspace: &Workspace, documents: &[&str]) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for &name in documents {
        let path = workspace.root.join(name);
        if !path.is_dir() {
            texts.push(name.to_owned());
            continue;
        }
        let mut pages = fs::read_dir(&path)?
            .map(|entry| Ok(name_of(&entry?.path())))
            .collect::<Result<Vec<_>>>()?;
        pages.retain(|page| page.ends_with(".md"));
        pages.sort();
        texts.extend(pages.iter().map(|page| format!("{name}/{page}")));
    }
    Ok(texts)
}

/// What is pasted has no file's name that would tell.
fn is_module(javascript: &str) -> bool {
    let has_import = |line: &str| line.starts_with("import ") || line.starts_with("export ");
    javascript.lines().any(has_import) || !javascript.contains("require(")
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The blocks of a language in a Markdown text. One that is opened with more than the language is only to be read.
fn blocks(markdown: &str, fence: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .collect();
            if language == fence {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

fn install_wheel(workspace: &Workspace) -> Result<Venv> {
    let python = Interpreter::find()?;
    let wheel = build_wheel(workspace, &python, false)?;
    let venv = Venv::fresh(
        workspace,
        &python,
        "examples",
        &["requirements-examples.txt"],
    )?;
    venv.install(&wheel)?;
    Ok(venv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_imports_is_a_module() {
        assert!(is_module(
            "// a\nimport { a } from \"a\"; // or: require(\"a\")"
        ));
        assert!(is_module("await fetch(\"/\");"));
        assert!(!is_module("const { a } = require(\"a\");"));
    }

    #[test]
    fn only_blocks_that_are_meant_to_run_are_taken() {
        let markdown = "# A\n```python\nprint(1)\n\nprint(2)\n```\n```sh\nls\n```\n```python no-run\n...\n```\n```python\nx = 1\n```\n";
        assert_eq!(
            blocks(markdown, "python"),
            ["print(1)\n\nprint(2)", "x = 1"]
        );
    }
}
