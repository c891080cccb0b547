//! `cargo xtask bench`: measurements beside others, as Markdown tables. The programs are in `bench/`.

mod gateway;
mod javascript;
pub(crate) mod machine;
mod mobile;
mod python;
mod server;
mod size;

use std::process::Command;

use crate::process::show_code;
use crate::workspace::Workspace;
use crate::{Ended, Result, chosen_parts};

use javascript::JavaScript;
use machine::{Machine, busy};
use mobile::Mobile;
use python::Python;
use server::Server;

/// What is written in Rust alone.
const RUST_PARTS: &[&str] = &["engine", "client", RUST_WEBHOOKS, FLEET];
const RUST_WEBHOOKS: &str = "rust-webhooks";
/// Starts gateways and Redis servers of its own.
const FLEET: &str = "fleet";
/// The reference gateway beside other stand-ins for an API.
const GATEWAY: &str = "gateway";
/// A program in Rust that starts the Python clients as well.
const DEAD_SERVER: &str = "dead-server";
const PYTHON_PARTS: &[&str] = &["python-sync", "python-async", "python-webhooks", "import"];
const NODE_PARTS: &[&str] = &["node-http", "node-bodies", "node-webhooks", "node-start"];
const WEB_PARTS: &[&str] = &["web-size", "web-first-call", "web-calls", "web-webhooks"];
const MOBILE_PARTS: &[&str] = &["kotlin", "swift", SIZE];
const SIZE: &str = "mobile-size";

/// The same deliveries in each language.
const WEBHOOK_PARTS: &[&str] = &[
    RUST_WEBHOOKS,
    "python-webhooks",
    "node-webhooks",
    "web-webhooks",
];

/// Names for all parts of a language, or of a subject.
const GROUPS: &[(&str, &[&str])] = &[
    ("python", PYTHON_PARTS),
    ("node", NODE_PARTS),
    ("web", WEB_PARTS),
    ("mobile", MOBILE_PARTS),
    ("webhooks", WEBHOOK_PARTS),
];

const CRATE: &str = "gatewright-bench";

/// A proxy between client and server would be measured too.
const PROXY_VARIABLES: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Ended> {
    let parts = parts_of(arguments)?;
    let any_of = |wanted: &[&str]| parts.iter().any(|part| wanted.contains(part));
    build(workspace, &parts)?;
    let python = if any_of(PYTHON_PARTS) || parts.contains(&DEAD_SERVER) {
        Some(Python::prepare(workspace)?)
    } else {
        None
    };
    let javascript = if any_of(NODE_PARTS) || any_of(WEB_PARTS) {
        Some(JavaScript::prepare(workspace, any_of(WEB_PARTS))?)
    } else {
        None
    };
    let mut mobile = Vec::new();
    if parts.contains(&"kotlin") {
        mobile.push(("kotlin", Mobile::kotlin(workspace)?));
    }
    if parts.contains(&"swift") {
        mobile.push(("swift", Mobile::swift(workspace)?));
    }
    let mut hosts = vec![
        python.as_ref().map(Python::version),
        javascript.as_ref().map(JavaScript::version),
    ];
    hosts.extend(mobile.iter().map(|(_, mobile)| Some(mobile.version())));
    let machine = Machine::ask(hosts.into_iter().flatten().collect());
    println!("\n{}", machine.in_words());
    if let Some(load) = busy() {
        println!(
            "\n**This machine is busy with other things: its load is {load}. Figures are not to be relied on.**"
        );
    }
    let mut ended = Ended::Well;
    for part in parts {
        println!("\n### {part}\n");
        if part == GATEWAY {
            gateway::print(workspace)?;
            continue;
        }
        if part == SIZE {
            size::print(workspace)?;
            continue;
        }
        let well = match (&python, &javascript) {
            (Some(python), _) if part == DEAD_SERVER => measure(
                &mut python
                    .dead_server(&workspace.built("release", &format!("bench-{DEAD_SERVER}"))),
            )?,
            (Some(python), _) if PYTHON_PARTS.contains(&part) => {
                let server = Server::start(workspace)?;
                measure(&mut python.command(part, &server.url))?
            }
            (_, Some(javascript)) if NODE_PARTS.contains(&part) || WEB_PARTS.contains(&part) => {
                measure(&mut javascript.command(part))?
            }
            _ => match mobile.iter().find(|(language, _)| *language == part) {
                Some((_, mobile)) => side_by_side(workspace, mobile)?,
                None => in_rust(workspace, part)?,
            },
        };
        if !well {
            ended = Ended::Badly;
        }
    }
    Ok(ended)
}

/// All parts in order, or those asked for, by name or by language.
fn parts_of(asked: &[String]) -> Result<Vec<&'static str>> {
    let all = [
        RUST_PARTS,
        &[DEAD_SERVER, GATEWAY],
        PYTHON_PARTS,
        NODE_PARTS,
        WEB_PARTS,
        MOBILE_PARTS,
    ]
    .concat();
    let mut names = Vec::new();
    for name in asked {
        match GROUPS.iter().find(|(group, _)| group == name) {
            Some((_, parts)) => names.extend(parts.iter().map(|part| (*part).to_owned())),
            None => names.push(name.clone()),
        }
    }
    chosen_parts(&all, &names)
}

/// Runs what measures and prints a table, and tells whether all of it could be measured.
fn measure(command: &mut Command) -> Result<bool> {
    for name in PROXY_VARIABLES {
        command.env_remove(name);
    }
    Ok(show_code(command)? == 0)
}

/// One at a time, and 64 at once.
fn side_by_side(workspace: &Workspace, mobile: &Mobile) -> Result<bool> {
    let server = Server::start(workspace)?;
    let one = measure(&mut mobile.command(&server.url, 1))?;
    println!();
    let many = measure(&mut mobile.command(&server.url, 64))?;
    Ok(one && many)
}

fn in_rust(workspace: &Workspace, part: &str) -> Result<bool> {
    let mut command = Command::new(workspace.built("release", &format!("bench-{part}")));
    if part == FLEET {
        crate::redis::ensure();
    }
    if matches!(part, "engine" | RUST_WEBHOOKS | FLEET) {
        return measure(&mut command);
    }
    let server = Server::start(workspace)?;
    measure(command.arg(&server.url))
}

fn build(workspace: &Workspace, parts: &[&str]) -> Result<()> {
    let mut command = workspace.cargo("build");
    command.args(["--release", "--package", CRATE, "--bin", server::NAME]);
    if parts.iter().any(|part| MOBILE_PARTS.contains(part)) {
        command.args(["--bin", mobile::DRIVER]);
    }
    let in_rust = |part: &&&str| RUST_PARTS.contains(part) || **part == DEAD_SERVER;
    for part in parts.iter().filter(in_rust) {
        command.args(["--bin", &format!("bench-{part}")]);
    }
    crate::process::show(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(asked: &[&str]) -> Vec<&'static str> {
        parts_of(&asked.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_language_stands_for_all_its_parts() {
        assert_eq!(parts(&["web", "client"]), [&["client"], WEB_PARTS].concat());
        assert_eq!(parts(&["node-http", "node"]), NODE_PARTS);
        let all = parts(&[]);
        for (_, of_group) in GROUPS {
            assert!(of_group.iter().all(|part| all.contains(part)));
        }
    }

    #[test]
    fn what_is_neither_part_nor_language_is_a_misuse() {
        let error = parts_of(&["nodes".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("node-http"), "{error}");
    }
}
