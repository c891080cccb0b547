//! The examples in Kotlin, and the blocks of Kotlin in the guides, as pasted into a project that uses the installed library.

use std::fs;

use crate::Result;
use crate::closing_lines::surefire;
use crate::examples::{beside, blocks_of};
use crate::gateway::{self, Gateway};
use crate::kotlin_package::KotlinPackage;
use crate::kotlin_tests::{self, FreshProject};
use crate::report::Report;
use crate::workspace::Workspace;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "bindings-mobile/kotlin/README.md",
    "docs/kotlin.md",
];

/// What the Android example derives from; as its `pom.xml` has it.
const VIEW_MODEL: &str = "androidx.lifecycle:lifecycle-viewmodel-desktop:2.11.0";

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some(maven) = kotlin_tests::prepare(workspace, report) else {
        return;
    };
    let installed = report.prepare_by("build the Kotlin library, install it", || {
        KotlinPackage::install(workspace, &maven, false)
    });
    if installed.is_none() {
        return;
    }
    // The quickstart runs in the part `kotlin`; this is also what else there is.
    let name = "kotlin: examples/kotlin/android";
    if maven.resolves(VIEW_MODEL) {
        let mut android = maven.command(
            &workspace.root.join("examples/kotlin/android"),
            &workspace.scratch("kotlin/android-example-build"),
        );
        android
            .args(["clean", "test"])
            .env("GATEWRIGHT_GATEWAY", gateway::program(workspace, "dev"));
        report.suite(name, &mut android, surefire);
    } else {
        report.skip(name, &kotlin_tests::not_resolved(VIEW_MODEL));
    }
    let pasted = report.prepare_by("paste the blocks of Kotlin into a fresh project", || {
        paste(workspace)
    });
    let Some(pasted) = pasted else { return };
    let project = || pasted.fresh.maven(workspace, &maven);
    if !report.prepare("compile them", project().args(["clean", "compile"])) {
        return;
    }
    for (name, package) in &pasted.packages {
        let mut run = project();
        run.arg("exec:java")
            .arg(format!("-Dexec.mainClass={package}.PastedKt"));
        report.check(name, pasted.gateway.known_to(&mut run));
    }
}

/// The blocks as programs, beside a gateway whose addresses are in them.
struct Pasted {
    fresh: FreshProject,
    gateway: Gateway,
    /// What each is, and its package.
    packages: Vec<(String, String)>,
}

fn paste(workspace: &Workspace) -> Result<Pasted> {
    let gateway = Gateway::start(workspace, "dev")?;
    let fresh = FreshProject::without_programs(workspace)?;
    let mut packages = Vec::new();
    for (name, block) in blocks_of(workspace, DOCUMENTS, "kotlin")? {
        let package = format!("block{}", packages.len() + 1);
        let sources = fresh.sources(&package);
        fs::create_dir_all(&sources)?;
        let block = beside(&block, &gateway);
        // Each in a package of its own, so that blocks may have the same names.
        fs::write(
            sources.join("Pasted.kt"),
            format!("package {package}\n{block}\n"),
        )?;
        packages.push((format!("kotlin: {name}"), package));
    }
    Ok(Pasted {
        fresh,
        gateway,
        packages,
    })
}
