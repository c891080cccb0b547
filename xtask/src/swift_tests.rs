//! The Swift package as a user gets it: formatted, tested where it is staged, played through all scenarios; and its
//! archive unpacked and used by a fresh package outside of the repository.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::closing_lines::xctest;
use crate::gateway::{self, with_gateway};
use crate::npm_package::{copy_folder, make_empty};
use crate::process::quietly;
use crate::report::Report;
use crate::swift::{Swift, temporary};
use crate::swift_package::{SwiftPackage, unpack};
use crate::workspace::Workspace;
use crate::{Result, conformance};

/// Everything swift-format reads.
const FOLDERS: &[&str] = &[
    "bindings-mobile/swift",
    "conformance/adapters/swift",
    "examples/swift",
    "bench/mobile/swift",
];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some((swift, package)) = prepare(workspace, report) else {
        return;
    };
    report.note(&package.library.size().unwrap_or_default());
    lint(workspace, report, &swift);
    let build = workspace.scratch("swift/test-build");
    let mut test = swift.command(&package.folder);
    test.args(["test", "--scratch-path"])
        .arg(build)
        .env("GATEWRIGHT_GATEWAY", gateway::program(workspace, "dev"));
    report.suite("swift test", &mut test, xctest);
    let name = "the quickstart, in a fresh package outside of the repository";
    let fresh = report.prepare_by("use the packed package in a fresh one", || {
        let fresh = FreshPackage::unpacked(workspace, &package)?;
        fresh.take_quickstart(workspace)?;
        fresh.build(workspace, &swift, "quickstart")?;
        Ok(fresh)
    });
    if let Some(fresh) = fresh {
        let mut quickstart = fresh.program(workspace, &swift, "quickstart");
        with_gateway(workspace, report, name, |report, gateway| {
            report.check(name, gateway.known_to(&mut quickstart));
        });
    }
    conformance::test_language(workspace, report, "swift");
}

/// What each part with Swift begins with. Where there is no Swift and can be none, the part is skipped.
pub(crate) fn prepare(workspace: &Workspace, report: &mut Report) -> Option<(Swift, SwiftPackage)> {
    let swift = match Swift::find_or_install(workspace) {
        Ok(swift) => swift,
        Err(why) => {
            report.skip("everything in Swift", &why.to_string());
            return None;
        }
    };
    report.note(&format!("Swift {} at {}", swift.version, swift.place()));
    if !report.prepare(
        "build the gateway",
        &mut gateway::build_command(workspace, "dev"),
    ) {
        return None;
    }
    let package = report.prepare_by("build the native library, stage the package", || {
        SwiftPackage::stage(workspace, false)
    })?;
    Some((swift, package))
}

fn lint(workspace: &Workspace, report: &mut Report, swift: &Swift) {
    let name = "swift format";
    let mut version = swift.command(&workspace.root);
    if let Err(why) = quietly(version.args(["format", "--version"])) {
        let why = why.to_string();
        let why = why.lines().last().unwrap_or_default();
        return report.skip(name, &format!("this Swift has no swift-format: {why}"));
    }
    let mut lint = swift.command(&workspace.root);
    lint.args(["format", "lint", "--strict", "--recursive"]);
    lint.args(
        FOLDERS
            .iter()
            .filter(|folder| workspace.root.join(folder).is_dir()),
    );
    report.check(name, &mut lint);
}

/// A package outside of the repository that takes `Gatewright` from its archive. It is deleted when this goes away.
pub(crate) struct FreshPackage {
    folder: PathBuf,
}

impl FreshPackage {
    /// One with no program yet.
    pub(crate) fn unpacked(workspace: &Workspace, package: &SwiftPackage) -> Result<Self> {
        let archive = package.pack(workspace)?;
        let folder = temporary(workspace).join("fresh");
        make_empty(&folder)?;
        let fresh = Self {
            folder: folder.canonicalize()?,
        };
        unpack(&archive, &fresh.folder.join("unpacked"))?;
        fresh.write_manifest(&[])?;
        Ok(fresh)
    }

    /// Makes these programs its own; each has a folder in `Sources`.
    pub(crate) fn write_manifest(&self, programs: &[String]) -> Result<()> {
        let targets: Vec<String> = programs
            .iter()
            .map(|name| {
                format!(
                    "        .executableTarget(name: \"{name}\", dependencies: [.product(name: \"Gatewright\", package: \"Gatewright\")]),\n"
                )
            })
            .collect();
        let manifest = format!(
            "// swift-tools-version: 6.0\nimport PackageDescription\n\nlet package = Package(\n    name: \"fresh\",\n    \
             platforms: [.macOS(.v13)],\n    dependencies: [.package(path: \"unpacked/Gatewright\")],\n    targets: [\n{}    ]\n)\n",
            targets.concat()
        );
        Ok(fs::write(self.folder.join("Package.swift"), manifest)?)
    }

    /// Takes over the quickstart of the examples.
    pub(crate) fn take_quickstart(&self, workspace: &Workspace) -> Result<()> {
        let from = workspace.root.join("examples/swift/Sources/quickstart");
        copy_folder(&from, &self.sources("quickstart"), &|_| true)?;
        self.write_manifest(&["quickstart".to_owned()])
    }

    /// Where a program's sources are.
    pub(crate) fn sources(&self, name: &str) -> PathBuf {
        self.folder.join("Sources").join(name)
    }

    /// Builds a program.
    pub(crate) fn build(&self, workspace: &Workspace, swift: &Swift, name: &str) -> Result<()> {
        quietly(&mut self.build_command(workspace, swift, name))
    }

    pub(crate) fn build_command(
        &self,
        workspace: &Workspace,
        swift: &Swift,
        name: &str,
    ) -> Command {
        let mut build = swift.command(&self.folder);
        build
            .args(["build", "--product", name, "--scratch-path"])
            .arg(scratch(workspace));
        build
    }

    /// Builds all of its programs.
    pub(crate) fn build_all(&self, workspace: &Workspace, swift: &Swift) -> Result<()> {
        let mut build = swift.command(&self.folder);
        build.args(["build", "--scratch-path"]);
        quietly(build.arg(scratch(workspace)))
    }

    /// A program, built.
    pub(crate) fn program(&self, workspace: &Workspace, swift: &Swift, name: &str) -> Command {
        swift.program(&scratch(workspace).join("debug").join(name), &self.folder)
    }
}

/// Where fresh packages build. They come and go; what was built of the library stays.
fn scratch(workspace: &Workspace) -> PathBuf {
    workspace.scratch("swift/fresh-build")
}

impl Drop for FreshPackage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
