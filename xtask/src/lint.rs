//! Formatting, clippy and docs, each crate alone: with features unified over the workspace, what one crate forgot to
//! ask for would be hidden by another that did.

use crate::report::Report;
use crate::workspace::{Crate, Workspace};

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    report.check("format", workspace.cargo("fmt").args(["--all", "--check"]));
    for member in &workspace.crates {
        for variant in variants(member) {
            let mut clippy = workspace.cargo("clippy");
            clippy
                .args(["--quiet", "--no-deps", "--package", &member.name])
                .args(*variant);
            let name = format!("clippy {} {}", member.name, variant.join(" "));
            report.check(name.trim_end(), clippy.args(["--", "-D", "warnings"]));
        }
    }
    for member in workspace.crates.iter().filter(|member| member.has_docs) {
        let mut doc = workspace.cargo("doc");
        doc.args(["--quiet", "--no-deps", "--package", &member.name]);
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
