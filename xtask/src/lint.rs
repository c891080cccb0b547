//! Formatting, clippy and docs, each crate alone: with features unified over the workspace, what one crate forgot to
//! ask for would be hidden by another that did.

use crate::report::Report;
use crate::workspace::{Crate, Workspace};

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    report.check("format", workspace.cargo("fmt").args(["--all", "--check"]));
    for member in &workspace.crates {
        for features in feature_sets(member) {
            let name = format!(
                "clippy {}{}{}",
                member.name,
                if features.is_empty() { "" } else { " " },
                features.join(" ")
            );
            let mut clippy = workspace.cargo("clippy");
            clippy
                .args(["--quiet", "--package", &member.name])
                .args(*features)
                .args(["--", "-D", "warnings"]);
            report.check(&name, &mut clippy);
        }
        let mut clippy = workspace.cargo("clippy");
        clippy.args([
            "--quiet",
            "--package",
            &member.name,
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]);
        report.check(
            &format!("clippy {} --all-targets", member.name),
            &mut clippy,
        );
    }
    for member in workspace.crates.iter().filter(|member| member.has_docs) {
        let mut doc = workspace.cargo("doc");
        doc.args(["--quiet", "--no-deps", "--package", &member.name])
            .env("RUSTDOCFLAGS", "-D warnings");
        report.check(&format!("doc {}", member.name), &mut doc);
    }
}

/// The ways to build a crate: as it is; where it has features, also without any and with all.
fn feature_sets(member: &Crate) -> &'static [&'static [&'static str]] {
    if member.has_features {
        &[&[], &["--no-default-features"], &["--all-features"]]
    } else {
        &[&[]]
    }
}
