//! `cargo xtask conformance`: the same scenarios against every SDK, through one adapter each.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::closing_lines::harness;
use crate::process::show;
use crate::python::{Interpreter, Venv, build_wheel};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{Ended, Result, Usage};

const HARNESS: &str = "gatewright-conformance";
const RUST_ADAPTER: &str = "gatewright-conformance-rust";
const LANGUAGES: &[&str] = &["rust", "python"];

/// What to play, with which SDKs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    languages: Vec<&'static str>,
    scenarios: Option<PathBuf>,
    only: Vec<String>,
}

impl Asked {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut asked = Self::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            let (flag, joined) = argument
                .split_once('=')
                .map_or((argument, None), |(flag, value)| (flag, Some(value)));
            let mut value = || {
                joined
                    .or_else(|| arguments.next())
                    .ok_or_else(|| usage(format!("{flag} needs a value")))
            };
            match flag {
                "--scenarios" => asked.scenarios = Some(value()?.into()),
                "--only" => asked.only.push(value()?.to_owned()),
                _ => match LANGUAGES.iter().find(|language| **language == argument) {
                    Some(language) => asked.languages.push(language),
                    None if flag.starts_with('-') => {
                        return Err(usage(format!("there is no option {flag}")));
                    }
                    None => {
                        let known = LANGUAGES.join(" ");
                        return Err(usage(format!(
                            "there is no adapter for {argument:?}; languages are: {known}"
                        )));
                    }
                },
            }
        }
        if asked.languages.is_empty() {
            asked.languages = LANGUAGES.to_vec();
        }
        Ok(asked)
    }
}

fn usage(what: String) -> crate::Error {
    Box::new(Usage(what))
}

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let mut asked = Asked::read(arguments)?;
    if let Some(folder) = &mut asked.scenarios {
        // Relative to where the user is, which the harness would not know.
        let found = folder
            .canonicalize()
            .map_err(|error| usage(format!("--scenarios {}: {error}", folder.display())))?;
        *folder = found;
    }
    println!("building the harness");
    show(build(workspace, &asked.languages).arg("--quiet"))?;
    let mut ended = Ended::Well;
    for language in &asked.languages {
        let adapters = match *language {
            "python" => {
                println!("building the wheel and installing it in a venv");
                python_clients(&python_adapter(workspace, &install_wheel(workspace)?)?).to_vec()
            }
            _ => vec![("rust", rust_adapter(workspace)?)],
        };
        for (name, adapter) in adapters {
            println!("\n== {name}");
            if crate::process::show_code(&mut play(workspace, name, &adapter, &asked))? != 0 {
                ended = Ended::Badly;
            }
        }
    }
    Ok(ended)
}

/// As a part of `cargo xtask test`.
pub(crate) fn test(workspace: &Workspace, report: &mut Report) {
    if !report.prepare(
        "build the harness and the Rust adapter",
        &mut build(workspace, LANGUAGES),
    ) {
        return;
    }
    let all = Asked::default();
    if let Some(adapter) = report.prepare_by("find the Rust adapter", || rust_adapter(workspace)) {
        report.suite(
            "rust",
            &mut play(workspace, "rust", &adapter, &all),
            harness,
        );
    }
    let prepared = report.prepare_by("install the wheel in a fresh venv", || {
        install_wheel(workspace).and_then(|venv| python_adapter(workspace, &venv))
    });
    if let Some(adapter) = prepared {
        for (name, adapter) in python_clients(&adapter) {
            report.suite(name, &mut play(workspace, name, &adapter, &all), harness);
        }
    }
}

/// The adapter drives the asynchronous client, or the synchronous one.
fn python_clients(adapter: &str) -> [(&'static str, String); 2] {
    [
        ("python", adapter.to_owned()),
        ("python-sync", format!("{adapter} --sync")),
    ]
}

fn build(workspace: &Workspace, languages: &[&str]) -> Command {
    let mut command = workspace.cargo("build");
    command.args(["--package", HARNESS]);
    if languages.contains(&"rust") {
        command.args(["--package", RUST_ADAPTER]);
    }
    command
}

fn play(workspace: &Workspace, language: &str, adapter: &str, asked: &Asked) -> Command {
    let mut command = Command::new(workspace.built("dev", HARNESS));
    command
        .current_dir(&workspace.root)
        .args(["--adapter", adapter, "--name", language]);
    let folder = asked
        .scenarios
        .clone()
        .unwrap_or_else(|| workspace.root.join("conformance/scenarios"));
    command.arg("--scenarios").arg(folder);
    for only in &asked.only {
        command.args(["--only", only]);
    }
    command
}

fn rust_adapter(workspace: &Workspace) -> Result<String> {
    let program = workspace.built("dev", RUST_ADAPTER);
    if !program.is_file() {
        return Err(format!("{} was not built", program.display()).into());
    }
    one_word(&program)
}

fn python_adapter(workspace: &Workspace, venv: &Venv) -> Result<String> {
    let script = workspace
        .root
        .join("conformance/adapters/python/adapter.py");
    Ok(format!(
        "{} {}",
        one_word(&venv.python_path())?,
        one_word(&script)?
    ))
}

/// The harness splits the adapter's command at spaces that are not in quotes.
fn one_word(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) if !text.contains('"') => Ok(format!("\"{text}\"")),
        _ => Err(format!(
            "{}: conformance cannot be run from a folder of this name",
            path.display()
        )
        .into()),
    }
}

fn install_wheel(workspace: &Workspace) -> Result<Venv> {
    let python = Interpreter::find()?;
    let wheel = build_wheel(workspace, &python, false)?;
    let venv = Venv::fresh(workspace, &python, "conformance", &[])?;
    venv.install(&wheel)?;
    Ok(venv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Asked> {
        Asked::read(
            &arguments
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn no_language_means_every_language() {
        assert_eq!(read(&[]).unwrap().languages, LANGUAGES);
    }

    #[test]
    fn options_may_be_joined_or_apart() {
        let wanted = Asked {
            languages: vec!["python"],
            scenarios: Some("a/b".into()),
            only: vec!["retry".to_owned()],
        };
        assert_eq!(
            read(&["python", "--scenarios", "a/b", "--only", "retry"]).unwrap(),
            wanted
        );
        assert_eq!(
            read(&["--scenarios=a/b", "--only=retry", "python"]).unwrap(),
            wanted
        );
    }

    #[test]
    fn misuse_is_said_exactly() {
        let said = |arguments: &[&str]| read(arguments).unwrap_err().to_string();
        assert_eq!(
            said(&["cobol"]),
            "there is no adapter for \"cobol\"; languages are: rust python"
        );
        assert_eq!(said(&["--scenario", "x"]), "there is no option --scenario");
        assert_eq!(said(&["--scenarios"]), "--scenarios needs a value");
    }
}
