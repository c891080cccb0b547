//! `cargo xtask test`: everything CI checks, in parts that can be run alone.

use crate::report::Report;
use crate::workspace::Workspace;
use crate::{
    Ended, Result, chosen_parts, conformance, examples, fuzz, gateway_tests, kotlin_tests, lint,
    node_tests, python_tests, rust_tests, sim, swift_tests, target_checks, web_tests,
    webhook_corpus, webhook_wasm,
};

/// Runs a part's steps and reports each.
type Part = fn(&Workspace, &mut Report);

/// Cheap before dear; what only lints comes first.
const PARTS: &[(&str, Part)] = &[
    ("lint", lint::run),
    ("rust", rust_tests::run),
    ("sim", sim::test),
    ("fuzz", fuzz::test),
    ("corpus", webhook_corpus::test),
    ("webhook-wasm", webhook_wasm::run),
    ("targets", target_checks::run),
    ("python", python_tests::run),
    ("node", node_tests::run),
    ("web", web_tests::run),
    ("swift", swift_tests::run),
    ("kotlin", kotlin_tests::run),
    ("gateway", gateway_tests::run),
    ("conformance", conformance::test),
    ("examples", examples::run),
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let names: Vec<&'static str> = PARTS.iter().map(|(name, _)| *name).collect();
    let chosen = chosen_parts(&names, arguments)?;
    let mut report = Report::new(workspace)?;
    for (name, part) in PARTS.iter().filter(|(name, _)| chosen.contains(name)) {
        report.part(name);
        part(workspace, &mut report);
    }
    Ok(report.finish())
}
