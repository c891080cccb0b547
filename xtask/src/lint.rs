//! Formatting, clippy and docs, each crate alone: with features unified over the workspace, what one crate forgot to
//! ask for would be hidden by another that did.
//!
//! Not with clippy's `--no-deps`: it leaves the crates below unlinted but marked as done, and when their own turn comes
//! cargo says nothing of them.

use crate::report::Report;
use crate::workspace::{Crate, Workspace};

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
