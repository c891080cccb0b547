//! `verdict`: how a client behaved, as a report and as an exit code.

use std::process::ExitCode;

use gatewright_server_mock::Grade;
use http::Method;

use super::admin_port::{self, AdminPort};
use super::{Failure, Subcommand, print, print_json};
use crate::arguments::Arguments;

pub(super) const COMMAND: Subcommand = Subcommand {
    name: "verdict",
    summary: "Grade how a client behaved against a running gateway",
    help: HELP,
    run,
};

const HELP: &str = concat!(
    "\
Grades how the client of a session behaved, from what arrived on the wire: A to F, with reasons and advice.

Usage: gatewright-gateway verdict [OPTIONS]

",
    admin_port::help!(),
    "  --fail-below GRADE Exit with 1 where the grade is worse, or where nothing arrived
  --calls            List every call, not only those that were not all right
  --html             Print the page, with pictures
  --json             Print one line of JSON
  -h, --help         Print this

Exit code: 0; with --fail-below 1 for a worse grade; 1 where there is no gateway.
"
);

fn run(mut arguments: Arguments) -> Result<ExitCode, Failure> {
    let mut admin = AdminPort::default();
    let (mut json, mut html, mut calls) = (false, false, false);
    let mut worst: Option<Grade> = None;
    while let Some(argument) = arguments.next() {
        if admin.take(&argument, &mut arguments)? {
            continue;
        }
        match argument.name() {
            "--fail-below" => worst = Some(arguments.number(&argument)?),
            "--calls" if argument.is_bare() => calls = true,
            "--html" if argument.is_bare() => html = true,
            "--json" if argument.is_bare() => json = true,
            _ => return Err(arguments.unknown(&argument).into()),
        }
    }
    let verdict = admin.get("verdict")?;
    if json {
        print_json(&verdict)?;
    } else {
        let path = match (html, calls) {
            (true, _) => "verdict.html",
            (false, true) => "verdict.txt?name=calls",
            (false, false) => "verdict.txt",
        };
        let text = admin.text(Method::GET, path, None)?;
        print(&String::from_utf8_lossy(&text))?;
    }
    let grade = verdict
        .get("grade")
        .and_then(|grade| grade.as_str())
        .and_then(|grade| grade.parse::<Grade>().ok());
    let is_good_enough = worst.is_none_or(|worst| grade.is_some_and(|grade| grade <= worst));
    Ok(if is_good_enough {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
