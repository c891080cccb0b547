//! The examples in Swift, and the blocks of Swift in the guides, as pasted into a package that uses the packed library.

use std::fs;

use crate::Result;
use crate::closing_lines::xctest;
use crate::examples::{beside, blocks_of};
use crate::gateway::{Gateway, with_gateway};
use crate::report::Report;
use crate::swift_package::SwiftPackage;
use crate::swift_tests::{self, FreshPackage};
use crate::workspace::Workspace;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "bindings-mobile/swift/README.md",
    "docs/swift.md",
];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let Some((swift, package)) = swift_tests::prepare(workspace, report) else {
        return;
    };
    // The quickstart is compiled with them; it runs in the part `swift`.
    let mut test = swift.command(&workspace.root.join("examples/swift"));
    test.args(["test", "--scratch-path"])
        .arg(workspace.scratch("swift/examples-build"))
        .env("GATEWRIGHT_SWIFT_PACKAGE", &package.folder);
    let name = "swift: examples/swift";
    with_gateway(workspace, report, name, |report, gateway| {
        report.suite(name, gateway.known_to(&mut test), xctest);
    });
    let pasted = report.prepare_by("paste the blocks of Swift into a fresh package", || {
        paste(workspace, &package)
    });
    let Some(pasted) = pasted else { return };
    // All at once; what does not compile is then built, and said, alone.
    let all = pasted.fresh.build_all(workspace, &swift);
    for (name, program) in &pasted.programs {
        let built = match &all {
            Ok(()) => Ok(()),
            Err(_) => pasted.fresh.build(workspace, &swift, program),
        };
        if report.needed(name, built).is_some() {
            let mut run = pasted.fresh.program(workspace, &swift, program);
            report.check(name, pasted.gateway.known_to(&mut run));
        }
    }
}

/// The blocks as programs, beside a gateway whose addresses are in them.
struct Pasted {
    fresh: FreshPackage,
    gateway: Gateway,
    /// What each is, and its program's name.
    programs: Vec<(String, String)>,
}

fn paste(workspace: &Workspace, package: &SwiftPackage) -> Result<Pasted> {
    let gateway = Gateway::start(workspace, "dev")?;
    let fresh = FreshPackage::unpacked(workspace, package)?;
    let mut programs = Vec::new();
    for (name, block) in blocks_of(workspace, DOCUMENTS, "swift")? {
        let program = format!("block{}", programs.len() + 1);
        let sources = fresh.sources(&program);
        fs::create_dir_all(&sources)?;
        fs::write(sources.join("main.swift"), beside(&block, &gateway))?;
        programs.push((format!("swift: {name}"), program));
    }
    let names: Vec<String> = programs
        .iter()
        .map(|(_, program)| program.clone())
        .collect();
    fresh.write_manifest(&names)?;
    Ok(Pasted {
        fresh,
        gateway,
        programs,
    })
}
