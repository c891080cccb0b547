//! `cargo xtask oracle webhooks`: the webhook corpus beside the providers' own libraries, in
//! pinned versions. What differs must have its reason in `conformance/webhooks/oracle/reasons.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::node::Node;
use crate::process::{quietly, show_code};
use crate::python::{Interpreter, Venv};
use crate::webhook_corpus::folder;
use crate::workspace::Workspace;
use crate::{Ended, Result, Usage};

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let mut record = false;
    for argument in arguments {
        match argument.as_str() {
            "webhooks" => {}
            "--record" => record = true,
            other => {
                return Err(Box::new(Usage(format!(
                    "there is no oracle for {other:?}; there is: webhooks"
                ))));
            }
        }
    }
    let out = workspace.scratch("oracle");
    fs::create_dir_all(&out)?;
    let python = Interpreter::find()?;
    println!("installing the libraries for Python");
    let venv = Venv::kept(
        workspace,
        &python,
        "oracle",
        "../conformance/webhooks/oracle/requirements.txt",
    );
    let mut answers = Vec::new();
    match venv {
        Ok(venv) => answers.push(asked(
            &out,
            "python",
            venv.python()
                .arg(folder(workspace).join("oracle/libraries.py")),
        )?),
        Err(error) => println!("skipped, the libraries for Python: {error}"),
    }
    println!("installing the libraries for Node");
    match Node::find().and_then(|node| Ok((install(workspace, &node, &out)?, node))) {
        Ok((modules, node)) => {
            let mut command = node.command();
            command
                .current_dir(&modules)
                .arg("libraries.mjs")
                .arg(folder(workspace));
            answers.push(asked(&out, "node", &mut command)?);
        }
        Err(error) => println!("skipped, the libraries for Node: {error}"),
    }
    let mut compare = Command::new(&python.path);
    compare
        .arg(folder(workspace).join("oracle/compare.py"))
        .args(answers);
    if record {
        compare.arg("--record");
    }
    Ok(match show_code(&mut compare)? {
        0 => Ended::Well,
        _ => Ended::Badly,
    })
}

/// Plays the corpus through the libraries of a language, and keeps what they answered in a file.
fn asked(out: &Path, language: &str, command: &mut Command) -> Result<PathBuf> {
    let file = out.join(format!("{language}.jsonl"));
    quietly(command.env("WEBHOOK_ANSWERS", &file))?;
    Ok(file)
}

/// The packages of `package-lock.json`, installed anew only when it has changed, and the player beside them: modules are looked for
/// from where it stands.
fn install(workspace: &Workspace, node: &Node, out: &Path) -> Result<PathBuf> {
    let pinned = folder(workspace).join("oracle");
    let modules = out.join("npm");
    fs::create_dir_all(&modules)?;
    fs::copy(pinned.join("libraries.mjs"), modules.join("libraries.mjs"))?;
    let stamp_file = modules.join("made-of");
    let lock = fs::read_to_string(pinned.join("package-lock.json"))?;
    if fs::read_to_string(&stamp_file).is_ok_and(|made_of| made_of == lock) {
        return Ok(modules);
    }
    for name in ["package.json", "package-lock.json"] {
        fs::copy(pinned.join(name), modules.join(name))?;
    }
    quietly(
        node.npm()
            .args(["ci", "--ignore-scripts"])
            .current_dir(&modules),
    )?;
    fs::write(stamp_file, lock)?;
    Ok(modules)
}
