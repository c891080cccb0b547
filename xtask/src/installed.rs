//! What is checked of an npm package as it is installed, whichever of them it is: programs that use it run, programs that
//! should compile against its types do, and its node:test suites pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::Result;
use crate::chromium;
use crate::closing_lines::node_test;
use crate::gateway::{self, with_gateway};
use crate::project::{Kit, Project};
use crate::report::Report;
use crate::workspace::Workspace;

/// The programs name this package; for another its name is put in its place.
const NAMED: &str = "gatewright";

/// A file of tests that takes longer hangs.
const TEST_TIMEOUT: &str = "--test-timeout=1200000";

/// An installed package under test.
pub(crate) struct Installed<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) kit: &'a Kit,
    pub(crate) project: &'a Project,
    /// The package's name.
    pub(crate) package: &'a str,
}

impl Installed<'_> {
    /// Runs programs of `xtask/installed` in the project, each beside a gateway of its own.
    pub(crate) fn check_programs(&self, report: &mut Report, programs: &[(&str, &str)]) {
        for (file, what) in programs {
            let name = format!("{}: {what}", self.package);
            let copied = self.copy_program(file, file);
            let Some(program) = report.needed(&name, copied) else {
                continue;
            };
            let mut command = self.kit.node.command();
            command.arg(program).current_dir(self.project.folder());
            with_gateway(self.workspace, report, &name, |report, gateway| {
                report.check(&name, gateway.known_to(&mut command))
            });
        }
    }

    /// Compiles programs of `xtask/installed/types` in the ways TypeScript is used, always strict and with the package's
    /// own declarations checked.
    /// With the types of the browser alone, the programs in `node_only` are left out.
    pub(crate) fn check_types(&self, report: &mut Report, programs: &[&str], node_only: &[&str]) {
        let declarations = self
            .project
            .folder()
            .join("node_modules")
            .join(self.package);
        report.check_by(&format!("{}: no any in public types", self.package), || {
            crate::public_types::check(&declarations)
        });
        for way in WAYS {
            let name = format!("{}: types, {}", self.package, way.name);
            let more = if way.types.is_empty() { &[] } else { node_only };
            let config = self.write_config(way, &[programs, more].concat());
            if let Some(config) = report.needed(&name, config) {
                let mut tsc = self.kit.tools.tsc(&self.kit.node);
                report.check(&name, tsc.arg("--project").arg(config));
            }
        }
    }

    fn write_config(&self, way: &Way, programs: &[&str]) -> Result<PathBuf> {
        let mut files = Vec::new();
        for program in programs {
            let to = format!("types/{}/{program}.{}", way.folder(), way.extension);
            files.push(self.copy_program(&format!("types/{program}.ts"), &to)?);
        }
        let config = json!({
            "compilerOptions": {
                "strict": true,
                "exactOptionalPropertyTypes": true,
                "noUncheckedIndexedAccess": true,
                "skipLibCheck": false,
                "noEmit": true,
                "target": "es2022",
                "module": way.module,
                "moduleResolution": way.resolution,
                "lib": way.lib,
                "types": way.types,
                "typeRoots": [self.kit.tools.modules().join("@types")],
            },
            "files": files,
        });
        let path = self
            .project
            .folder()
            .join(format!("types/{}/tsconfig.json", way.folder()));
        fs::write(&path, serde_json::to_string_pretty(&config)?)?;
        Ok(path)
    }

    /// Copies a program into the project, made to use this package.
    fn copy_program(&self, file: &str, to: &str) -> Result<PathBuf> {
        let from = self.workspace.root.join("xtask/installed").join(file);
        let text =
            fs::read_to_string(&from).map_err(|error| format!("{}: {error}", from.display()))?;
        let to = self.project.folder().join(to);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&to, use_package(&text, self.package))?;
        Ok(to)
    }

    /// Runs the node:test suites of a folder, copied into the project so that they import what is installed.
    pub(crate) fn test(&self, report: &mut Report, name: &str, folder: &str) {
        let copied = self
            .project
            .take(&self.workspace.root.join(folder), folder)
            .and_then(|folder| test_files(&folder));
        if let Some(files) = report.needed(name, copied) {
            report.suite(name, self.node_test().args(files), node_test);
        }
    }

    /// Runs them where they are, told by `GATEWRIGHT_PROJECT` where the package is installed.
    pub(crate) fn test_in_chromium(
        &self,
        report: &mut Report,
        name: &str,
        folder: &str,
        chromium: &Path,
    ) {
        let found = test_files(&self.workspace.root.join(folder));
        if let Some(files) = report.needed(name, found) {
            let mut command = self.node_test();
            // Pictures and frames are measured there: one browser at a time.
            command
                .arg("--test-concurrency=1")
                .env(chromium::VARIABLE, chromium);
            report.suite(name, command.args(files), node_test);
        }
    }

    fn node_test(&self) -> Command {
        let mut command = self.kit.node.command();
        command
            .args(["--test", "--test-reporter=spec", TEST_TIMEOUT])
            .current_dir(self.project.folder())
            .env("GATEWRIGHT_PACKAGE", self.package)
            .env("GATEWRIGHT_PROJECT", self.project.folder())
            .env("GATEWRIGHT_DOCS", self.workspace.root.join("docs"))
            .env(
                "GATEWRIGHT_GATEWAY",
                gateway::program(self.workspace, "dev"),
            );
        self.kit.tools.known_to(&mut command);
        command
    }
}

/// The test files of a folder and those below it. None at all is an error: nothing would be tested, and all well.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect_test_files(folder, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(format!("there are no tests in {}", folder.display()).into());
    }
    Ok(files)
}

fn collect_test_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            collect_test_files(&path, files)?;
        } else if [".test.mjs", ".test.cjs", ".test.js"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Replaces the package that a program names: `"gatewright"`, and entries below it.
fn use_package(program: &str, package: &str) -> String {
    program
        .replace(&format!("\"{NAMED}\""), &format!("\"{package}\""))
        .replace(&format!("\"{NAMED}/"), &format!("\"{package}/"))
}

/// A way to use TypeScript.
struct Way {
    name: &'static str,
    module: &'static str,
    resolution: &'static str,
    /// Of the program: it decides whether Node takes it for an ES module.
    extension: &'static str,
    lib: &'static [&'static str],
    types: &'static [&'static str],
}

const BARE: &[&str] = &["es2022"];
const DOM: &[&str] = &["es2022", "dom", "dom.iterable", "dom.asynciterable"];

const WAYS: &[Way] = &[
    Way {
        name: "node16, ES module",
        module: "node16",
        resolution: "node16",
        extension: "mts",
        lib: BARE,
        types: &["node"],
    },
    Way {
        name: "node16, CommonJS",
        module: "node16",
        resolution: "node16",
        extension: "cts",
        lib: BARE,
        types: &["node"],
    },
    Way {
        name: "bundler, Node's types",
        module: "esnext",
        resolution: "bundler",
        extension: "ts",
        lib: BARE,
        types: &["node"],
    },
    Way {
        name: "bundler, the browser's types",
        module: "esnext",
        resolution: "bundler",
        extension: "ts",
        lib: DOM,
        types: &[],
    },
    Way {
        name: "bundler, Node's and the browser's types",
        module: "esnext",
        resolution: "bundler",
        extension: "ts",
        lib: DOM,
        types: &["node"],
    },
];

impl Way {
    fn folder(&self) -> String {
        let with = [self.types, self.lib].concat();
        format!("{}-{}-{}", self.resolution, self.extension, with.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_made_to_use_another_package() {
        let program =
            r#"import { Client } from "gatewright"; import "gatewright/webhooks"; // gatewright"#;
        assert_eq!(
            use_package(program, "gatewright-web"),
            r#"import { Client } from "gatewright-web"; import "gatewright-web/webhooks"; // gatewright"#
        );
    }

    #[test]
    fn ways_do_not_share_a_folder() {
        let mut folders: Vec<String> = WAYS.iter().map(Way::folder).collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), WAYS.len());
    }
}
