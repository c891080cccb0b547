//! `cargo xtask verdict-table`: our clients and those of others against the gateway with faults, and its verdict on each.
//! The programs and the plan are in `bench/verdict`; the table is in `docs/verdicts.md`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::bench::machine::{Machine, busy};
use crate::gateway::{self, Gateway};
use crate::npm_package::VERSION;
use crate::process::show_code;
use crate::project::{Kit, Packages, Project};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::workspace::Workspace;
use crate::{Ended, Result, Usage};

/// Each client and the package that has its version.
const PYTHON: &[(&str, &str)] = &[
    ("gatewright-python", "gatewright"),
    ("stripe-python", "stripe"),
    ("openai-python", "openai"),
    ("urllib3", "urllib3"),
];
const NODE: &[(&str, &str)] = &[
    ("gatewright-node", "gatewright"),
    ("got", "got"),
    ("axios-retry", "axios-retry"),
];
const RUST: &[(&str, &str)] = &[
    ("gatewright-rust", "gatewright"),
    ("reqwest-retry", "reqwest-retry"),
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let write = match arguments {
        [] => false,
        [only] if only == "--write" => true,
        _ => {
            let text = "verdict-table takes --write or nothing".to_owned();
            return Err(Box::new(Usage(text)));
        }
    };
    let folder = workspace.root.join("bench/verdict");
    let mut clients = Map::new();
    let interpreter = Interpreter::find()?;
    let wheel = build_wheel(workspace, &interpreter, true)?;
    println!("making a venv with the others");
    let venv = Venv::kept(workspace, &interpreter, "bench", "requirements-bench.txt")?;
    venv.install(&wheel)?;
    let python = venv.python();
    let python = Path::new(python.get_program());
    let pinned = fs::read_to_string(workspace.root.join("xtask/requirements-bench.txt"))?;
    for (name, package) in PYTHON {
        let version = after(&pinned, &format!("{package}=="));
        let command = [python, &folder.join("client.py")].map(text);
        add(&mut clients, name, &command, &folder, version);
    }
    let kit = Kit::find(workspace)?;
    let packages = Packages::build(workspace, &kit, true)?;
    println!("making a project with the others");
    let peers = workspace.root.join("bench/node");
    let project = Project::pinned(workspace, &kit.node, "verdict", &peers, &packages.all())?;
    let pinned = fs::read_to_string(peers.join("package.json"))?;
    for (name, package) in NODE {
        let version = after(&pinned, &format!("\"{package}\": \""));
        let command = [kit.node.path(), &folder.join("client.mjs")].map(text);
        add(&mut clients, name, &command, project.folder(), version);
    }
    let manifest = folder.join("rust/Cargo.toml");
    let mut build = workspace.cargo("build");
    build.args(["--locked", "--manifest-path"]).arg(&manifest);
    crate::process::show(&mut build)?;
    crate::process::show(&mut gateway::build_command(workspace, "dev"))?;
    let lock = fs::read_to_string(manifest.with_file_name("Cargo.lock"))?;
    for (name, package) in RUST {
        let version = after(&lock, &format!("name = \"{package}\"\nversion = \""));
        let program = workspace.built("dev", "verdict-clients");
        let plan = text(folder.join("plan.json"));
        let command = [text(&program)];
        add(&mut clients, name, &command, &folder, version);
        if let Some(Value::Array(words)) = clients
            .get_mut(*name)
            .and_then(|client| client.get_mut("command"))
        {
            words.push(plan.into());
        }
    }
    let hosts = vec![
        format!("Python {}", interpreter.full_version),
        format!("Node {}", kit.node.version),
    ];
    let mut measured = Machine::ask(hosts).in_words();
    if let Some(load) = busy() {
        measured.push_str(&format!(
            " **The machine was busy with other things, its load {load}: waits that are the same may look spread.**"
        ));
    }
    let gateway = Gateway::start(workspace, "dev")?;
    let mut table = Command::new(python);
    table
        .arg(folder.join("table.py"))
        .args([&gateway.admin_url, &gateway.url])
        .arg(Value::Object(clients).to_string())
        .args(["--measured", &measured])
        .arg("--journals")
        .arg(workspace.scratch("verdict-journals"));
    if write {
        table
            .arg("--docs")
            .arg(workspace.root.join("docs/verdicts.md"));
    }
    println!();
    match show_code(&mut table)? {
        0 => Ok(Ended::Well),
        _ => Ok(Ended::Badly),
    }
}

/// A client: what runs it, with its name, the gateway's URL and its sessions' prefix behind.
fn add(
    clients: &mut Map<String, Value>,
    name: &str,
    command: &[String],
    folder: &Path,
    version: &str,
) {
    let mut words = command.to_vec();
    words.extend(["{name}", "{url}", "{name}"].map(str::to_owned));
    // Our own are not pinned: they are of this workspace.
    let version = match version {
        "" => VERSION,
        pinned => pinned,
    };
    let client = json!({ "command": words, "cwd": folder, "version": version });
    clients.insert(name.to_owned(), client);
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

/// What stands behind a text, up to the end of a word; empty for what is not pinned: our own.
fn after<'a>(all: &'a str, before: &str) -> &'a str {
    let rest = all.split_once(before).map_or("", |(_, rest)| rest);
    let end = rest.find(['"', '\n', ';', ' ']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_are_pinned() {
        assert_eq!(after("a==1\nurllib3==2.8.0\n", "urllib3=="), "2.8.0");
        assert_eq!(after("{\"got\": \"14.6.6\",", "\"got\": \""), "14.6.6");
        assert_eq!(after("", "x"), "");
    }
}
