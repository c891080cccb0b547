//! `cargo xtask conformance`: the same scenarios against every SDK, through one adapter each.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::closing_lines::harness;
use crate::kotlin_package::KotlinPackage;
use crate::maven::Maven;
use crate::process::{quietly, show};
use crate::project::{Kit, Packages, Project};
use crate::python::{Interpreter, Venv, build_wheel};
use crate::report::Report;
use crate::swift::Swift;
use crate::swift_package::SwiftPackage;
use crate::workspace::Workspace;
use crate::{Ended, Result, Usage, chromium};

const HARNESS: &str = "gatewright-conformance";
const RUST_ADAPTER: &str = "gatewright-conformance-rust";
const LANGUAGES: &[&str] = &[
    "rust", "python", "node", "web", "chromium", "swift", "kotlin",
];

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
    let mut packages = InstalledPackages::default();
    let mut ended = Ended::Well;
    for language in &asked.languages {
        println!("\npreparing the adapter for {language}");
        for adapter in packages.adapters(workspace, language)? {
            println!("\n== {}", adapter.name);
            if crate::process::show_code(&mut play(workspace, &adapter, &asked))? != 0 {
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
    let mut packages = InstalledPackages::default();
    for language in LANGUAGES {
        if report.has_done(&format!("conformance {language}")) {
            report.note(&format!("{language} was played by its own part"));
            continue;
        }
        play_all(workspace, report, &mut packages, language);
    }
}

/// As a step of a language's own part.
pub(crate) fn test_language(workspace: &Workspace, report: &mut Report, language: &'static str) {
    if report.prepare("build the harness", &mut build(workspace, &[language])) {
        play_all(
            workspace,
            report,
            &mut InstalledPackages::default(),
            language,
        );
    }
    report.done(format!("conformance {language}"));
}

fn play_all(
    workspace: &Workspace,
    report: &mut Report,
    packages: &mut InstalledPackages,
    language: &'static str,
) {
    let missing = match language {
        "chromium" => chromium::find_or_install().err(),
        "swift" => Swift::find_or_install(workspace).err(),
        "kotlin" => Maven::find_or_install(workspace).err(),
        _ => None,
    };
    if let Some(why) = missing {
        return report.skip(language, &why.to_string());
    }
    let adapters = report.prepare_by(&format!("prepare the adapter for {language}"), || {
        packages.adapters(workspace, language)
    });
    for adapter in adapters.into_iter().flatten() {
        let mut play = play(workspace, &adapter, &Asked::default());
        report.suite(
            &format!("conformance: {}", adapter.name),
            &mut play,
            harness,
        );
    }
}

/// A program that plays what the harness says, with one SDK in one way.
struct Adapter {
    name: &'static str,
    /// As the harness takes it.
    command: String,
    environment: Vec<(&'static str, PathBuf)>,
}

/// The packages that adapters use, installed as a user does; kept as long as this lives.
#[derive(Default)]
struct InstalledPackages {
    javascript: Option<(Kit, Project)>,
}

impl InstalledPackages {
    fn adapters(&mut self, workspace: &Workspace, language: &str) -> Result<Vec<Adapter>> {
        let adapter = |name: &'static str, command: String| Adapter {
            name,
            command,
            environment: Vec::new(),
        };
        Ok(match language {
            // It drives the asynchronous client, or the synchronous one.
            "python" => {
                let command = python_adapter(workspace, &install_wheel(workspace)?)?;
                let sync = format!("{command} --sync");
                vec![adapter("python", command), adapter("python-sync", sync)]
            }
            "node" => {
                let command = self.javascript_adapter(workspace, "node/adapter.mjs")?;
                vec![adapter("node", command)]
            }
            "web" => {
                let command = self.javascript_adapter(workspace, "web/adapter.mjs")?;
                vec![adapter("web", command)]
            }
            "chromium" => {
                let chromium = chromium::find_or_install()?;
                let command = self.javascript_adapter(workspace, "web/chromium.mjs")?;
                let in_worker = format!("{command} --worker");
                let (kit, _) = self.installed(workspace)?;
                let environment = vec![
                    (chromium::VARIABLE, chromium),
                    ("NODE_TOOLS", kit.tools.folder().to_owned()),
                ];
                let mut adapters = vec![
                    adapter("chromium", command),
                    adapter("chromium-worker", in_worker),
                ];
                for adapter in &mut adapters {
                    adapter.environment.clone_from(&environment);
                }
                adapters
            }
            "swift" => vec![adapter("swift", swift_adapter(workspace)?)],
            "kotlin" => vec![adapter("kotlin", kotlin_adapter(workspace)?)],
            _ => vec![adapter("rust", rust_adapter(workspace)?)],
        })
    }

    /// The npm packages in a project, from which the adapters take them.
    fn installed(&mut self, workspace: &Workspace) -> Result<&(Kit, Project)> {
        if self.javascript.is_none() {
            let kit = Kit::find(workspace)?;
            let packages = Packages::build(workspace, &kit, false)?;
            let project = Project::fresh(workspace, &kit.node, "conformance", &packages.all())?;
            self.javascript = Some((kit, project));
        }
        self.javascript
            .as_ref()
            .ok_or_else(|| "the packages are not installed".into())
    }

    fn javascript_adapter(&mut self, workspace: &Workspace, script: &str) -> Result<String> {
        let script = workspace.root.join("conformance/adapters").join(script);
        let (kit, project) = self.installed(workspace)?;
        Ok(format!(
            "{} {} --project {}",
            one_word(kit.node.path())?,
            one_word(&script)?,
            one_word(project.folder())?
        ))
    }
}

fn build(workspace: &Workspace, languages: &[&str]) -> Command {
    let mut command = workspace.cargo("build");
    command.args(["--package", HARNESS]);
    if languages.contains(&"rust") {
        command.args(["--package", RUST_ADAPTER]);
    }
    command
}

fn play(workspace: &Workspace, adapter: &Adapter, asked: &Asked) -> Command {
    let mut command = Command::new(workspace.built("dev", HARNESS));
    command
        .current_dir(&workspace.root)
        .args(["--adapter", &adapter.command, "--name", adapter.name])
        .envs(adapter.environment.iter().cloned());
    let folder = asked
        .scenarios
        .clone()
        .unwrap_or_else(|| workspace.root.join("conformance/scenarios"));
    command.arg("--scenarios").arg(folder);
    if asked.scenarios.is_none() {
        command
            .arg("--webhooks")
            .arg(crate::webhook_corpus::folder(workspace));
    }
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

fn swift_adapter(workspace: &Workspace) -> Result<String> {
    const PROGRAM: &str = "gatewright-conformance-swift";
    let swift = Swift::find_or_install(workspace)?;
    let package = SwiftPackage::stage(workspace, false)?;
    let folder = workspace.root.join("conformance/adapters/swift");
    let built = workspace.scratch("swift/adapter-build");
    let mut build = swift.command(&folder);
    build
        .args(["build", "--configuration", "release", "--product", PROGRAM])
        .arg("--scratch-path")
        .arg(&built)
        .env("GATEWRIGHT_SWIFT_PACKAGE", &package.folder);
    quietly(&mut build)?;
    in_words(&swift.program(&built.join("release").join(PROGRAM), &workspace.root))
}

fn kotlin_adapter(workspace: &Workspace) -> Result<String> {
    let maven = Maven::find_or_install(workspace)?;
    KotlinPackage::install(workspace, &maven, false)?;
    let built = workspace.scratch("kotlin/adapter-build");
    let folder = workspace.root.join("conformance/adapters/kotlin");
    quietly(maven.command(&folder, &built).args(["clean", "package"]))?;
    let mut java = maven.java();
    java.arg("-jar")
        .arg(built.join("gatewright-conformance-kotlin.jar"));
    in_words(&java)
}

/// A command as the harness takes it.
fn in_words(command: &Command) -> Result<String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Result<Vec<String>> = words.map(|word| one_word(Path::new(word))).collect();
    Ok(words?.join(" "))
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
            "there is no adapter for \"cobol\"; languages are: rust python node web chromium swift kotlin"
        );
        assert_eq!(said(&["--scenario", "x"]), "there is no option --scenario");
        assert_eq!(said(&["--scenarios"]), "--scenarios needs a value");
    }
}
