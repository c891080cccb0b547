//! Formatting, clippy and docs, and then all of JavaScript. Each crate alone: with features unified over the workspace, what one crate forgot to
//! ask for would be hidden by another that did.
//!
//! Not with clippy's `--no-deps`: it leaves the crates below unlinted but marked as done, and when their own turn comes
//! cargo says nothing of them.

use crate::report::Report;
use crate::wasm::{MANIFEST, TARGET};
use crate::webhook_wasm::install_target;
use crate::workspace::{Crate, Workspace};
use crate::{lint_js, web_package};

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    report.check(
        "format",
        workspace
            .cargo("fmt")
            .args(["--all", "--check", "--", "--color", "never"]),
    );
    for member in &workspace.crates {
        for variant in variants(member) {
            let mut clippy = workspace.cargo("clippy");
            clippy
                .args(["--quiet", "--package", &member.name])
                .args(*variant);
            let name = format!("clippy {} {}", member.name, variant.join(" "));
            report.check(name.trim_end(), clippy.args(["--", "-D", "warnings"]));
        }
    }
    for member in workspace.crates.iter().filter(|member| member.has_docs) {
        let mut doc = workspace.cargo("doc");
        doc.args([
            "--quiet",
            "--no-deps",
            "--all-features",
            "--package",
            &member.name,
        ]);
        report.check(
            &format!("doc {}", member.name),
            doc.env("RUSTDOCFLAGS", "-D warnings"),
        );
    }
    lint_wasm(workspace, report);
    lint_js::run(workspace, report);
}

/// The crates of `gatewright-web` are only ever built for WebAssembly, and with them what the other crates have for it.
fn lint_wasm(workspace: &Workspace, report: &mut Report) {
    let mut format = workspace.cargo("fmt");
    format.args(["--all", "--check", "--manifest-path", MANIFEST]);
    report.check(
        "format bindings-wasm",
        format.args(["--", "--color", "never"]),
    );
    if !install_target(report) {
        return;
    }
    for module in web_package::MODULES {
        let mut clippy = workspace.cargo("clippy");
        clippy
            .args(["--quiet", "--manifest-path", MANIFEST, "--target", TARGET])
            .args(["--package", module.package, "--", "-D", "warnings"]);
        report.check(&format!("clippy {}", module.package), &mut clippy);
    }
    let mut clippy = workspace.cargo("clippy");
    clippy.args(["--quiet", "--package", "gatewright", "--target", TARGET]);
    clippy.args(["--no-default-features", "--features", "web"]);
    report.check(
        "clippy gatewright for the web",
        clippy.args(["--", "-D", "warnings"]),
    );
}

/// The ways to build a crate: as others use it, and with its tests, whose dependencies may bring features along; where
/// it has features, also without any and with all.
fn variants(member: &Crate) -> &'static [&'static [&'static str]] {
    if member.has_features {
        &[
            &[],
            &["--all-targets"],
            &["--no-default-features"],
            &["--all-features"],
        ]
    } else {
        &[&[], &["--all-targets"]]
    }
}
