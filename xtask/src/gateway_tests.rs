//! The reference gateway beside programs that nobody here wrote, installed in pinned versions: a subject each.

use crate::report::Report;
use crate::workspace::Workspace;
use crate::{
    bus_tests, dashboard_tests, gateway, guides, limit_tests, oauth_clients, schemathesis,
};

/// Runs a subject's steps and reports each. The gateway has been built.
type Subject = fn(&Workspace, &mut Report);

const SUBJECTS: &[Subject] = &[
    guides::run,
    dashboard_tests::run,
    oauth_clients::run,
    schemathesis::run,
    limit_tests::run,
    bus_tests::run,
];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    let mut build = gateway::build_command(workspace, "dev");
    if report.prepare("build the gateway", &mut build) {
        for subject in SUBJECTS {
            subject(workspace, report);
        }
    }
}
