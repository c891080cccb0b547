//! The gateway's event bus and its workers, beside NATS and Redis: Debian's, installed where they are missing.
//!
//! The small proof; the full one is in `docs/gateway.md`.

use crate::closing_lines::cargo_test;
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{apt, redis};

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    redis::ensure();
    ensure_nats();
    let suites: [(&str, &[&str]); 2] = [
        ("every bus passes the suite", &["--lib", "bus::"]),
        ("webhooks by workers that are killed", &["--test", "bus"]),
    ];
    for (name, which) in suites {
        let mut tests = workspace.cargo("test");
        tests
            .args(["--package", "gatewright-server-mock"])
            .args(["--features", "nats,redis"])
            .args(which);
        report.suite(name, &mut tests, cargo_test);
    }
}

/// Sees to it that `nats-server` is there. Where it cannot be, it is said, and the tests that need one skip themselves.
fn ensure_nats() {
    const NAMES: &[&str] = &["nats-server"];
    let nothing = "no nats-server was found";
    if apt::on_path(NAMES).is_some() || std::env::var_os("GATEWRIGHT_NATS_SERVER").is_some() {
        return;
    }
    if !apt::may_install() {
        println!(
            "   note: {nothing}, and none may be installed here: the tests on NATS skip themselves"
        );
        return;
    }
    if let Err(error) = apt::install(nothing, NAMES) {
        println!("   note: {error}: the tests on NATS skip themselves");
    }
}
