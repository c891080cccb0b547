//! The Kotlin library as a user gets it: linted, tested, played through all scenarios; and its jar used by a fresh Maven
//! project outside of the repository. And the archive for Android, laid out as its tools want it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::closing_lines::surefire;
use crate::gateway::{self, with_gateway};
use crate::kotlin_package::KotlinPackage;
use crate::maven::Maven;
use crate::npm_package::{copy_folder, make_empty};
use crate::project;
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{Result, android_tests, conformance, kotlin_frameworks};

/// Everything ktlint reads, as seen from the library's folder.
const LINTED: &[&str] = &[
    "src/**/*.kt",
    "ktor/src/**/*.kt",
    "spring/src/**/*.kt",
    "receiving-contract/**/*.kt",
    "../../conformance/adapters/kotlin/src/**/*.kt",
    "../../examples/kotlin/**/src/**/*.kt",
    "../../bench/mobile/kotlin/src/**/*.kt",
];

/// The shrinker that the check of what Android has uses; as its `pom.xml` has it.
const R8: &str = "com.android.tools:r8:9.5.28";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(maven) = prepare(workspace, report) else {
        return;
    };
    let Some(package) = report.prepare_by("build the native library", || {
        KotlinPackage::prepare(workspace, false)
    }) else {
        return;
    };
    report.note(&package.library.size().unwrap_or_default());
    let library = || package.maven(workspace, &maven);
    let files = format!("-Dktlint.files={}", LINTED.join(" "));
    report.check("ktlint", library().args(["-Pktlint", "validate", &files]));
    // What is installed is what was tested.
    let mut install = library();
    install
        .arg("install")
        .env("GATEWRIGHT_GATEWAY", gateway::program(workspace, "dev"));
    if report.suite("mvn install, with its tests", &mut install, surefire) {
        KotlinPackage::is_installed();
    }
    kotlin_frameworks::test(workspace, report, &maven);
    android_tests::run(workspace, report, &maven, &package);
    let name = "what Android lacks is not used, and an app that was shrunk runs";
    if maven.resolves(R8) {
        let mut check = maven.command(
            &workspace.root.join("bindings-mobile/kotlin/android/check"),
            &workspace.scratch("kotlin/android-check-build"),
        );
        check.arg("verify");
        with_gateway(workspace, report, name, |report, gateway| {
            report.check(name, gateway.known_to(&mut check));
        });
    } else {
        report.skip(name, &not_resolved(R8));
    }
    let name = "the quickstart, in a fresh project outside of the repository";
    let fresh = FreshProject::with_quickstart(workspace);
    if let Some(fresh) = report.needed(name, fresh) {
        let mut quickstart = fresh.quickstart(workspace, &maven);
        with_gateway(workspace, report, name, |report, gateway| {
            report.check(name, gateway.known_to(&mut quickstart));
        });
    }
    conformance::test_language(workspace, report, "kotlin");
}

/// Why what needs an artifact of Google's repository is skipped.
pub(crate) fn not_resolved(artifact: &str) -> String {
    format!("Maven's settings name no repository that has {artifact}; Google's has it")
}

/// What each part with Kotlin begins with. Where there is no Java and can be none, the part is skipped.
pub(crate) fn prepare(workspace: &Workspace, report: &mut Report) -> Option<Maven> {
    let maven = match Maven::find_or_install(workspace) {
        Ok(maven) => maven,
        Err(why) => {
            report.skip("everything in Kotlin", &why.to_string());
            return None;
        }
    };
    report.note(&maven.versions());
    report
        .prepare(
            "build the gateway",
            &mut gateway::build_command(workspace, "dev"),
        )
        .then_some(maven)
}

/// A Maven project outside of the repository. It is deleted when this goes away.
pub(crate) struct FreshProject {
    folder: PathBuf,
}

impl FreshProject {
    /// The quickstart's project, elsewhere.
    pub(crate) fn with_quickstart(workspace: &Workspace) -> Result<Self> {
        let folder = project::temporary(workspace).join("kotlin");
        make_empty(&folder)?;
        let fresh = Self {
            folder: folder.canonicalize()?,
        };
        let from = workspace.root.join("examples/kotlin/quickstart");
        copy_folder(&from, &fresh.folder, &|name| name != "target")?;
        Ok(fresh)
    }

    /// The same project with other programs.
    pub(crate) fn without_programs(workspace: &Workspace) -> Result<Self> {
        let fresh = Self::with_quickstart(workspace)?;
        fs::remove_dir_all(fresh.folder.join("src"))?;
        Ok(fresh)
    }

    /// Where a package's sources are.
    pub(crate) fn sources(&self, package: &str) -> PathBuf {
        self.folder.join("src/main/kotlin").join(package)
    }

    /// Maven in its folder.
    pub(crate) fn maven(&self, workspace: &Workspace, maven: &Maven) -> Command {
        let mut command = maven.command(&self.folder, &workspace.scratch("kotlin/fresh-build"));
        command.arg("--quiet");
        command
    }

    /// Compiles the quickstart and runs it.
    pub(crate) fn quickstart(&self, workspace: &Workspace, maven: &Maven) -> Command {
        let mut command = self.maven(workspace, maven);
        command.args(["clean", "compile", "exec:java"]);
        command
    }
}

impl Drop for FreshProject {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
