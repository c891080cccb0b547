//! The project's tasks, run as `cargo xtask COMMAND`. What CI does is what anybody can do here.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal speaks through them"
)]

mod android_package;
mod android_tests;
mod apple_package;
mod apt;
mod bench;
mod bus_tests;
mod chromium;
mod clang;
mod closing_lines;
mod conformance;
mod dashboard_tests;
mod demo;
mod elf;
mod examples;
mod fuzz;
mod gateway;
mod gateway_package;
mod gateway_tests;
mod guides;
mod installed;
mod kotlin_examples;
mod kotlin_frameworks;
mod kotlin_package;
mod kotlin_tests;
mod limit_tests;
mod lint;
mod lint_js;
mod maven;
mod mirror;
mod mobile_library;
mod node;
mod node_package;
mod node_tests;
mod npm_package;
mod oauth_clients;
mod oracle;
mod package;
mod process;
mod project;
mod public_types;
mod python;
mod python_tests;
mod redis;
mod report;
mod rust_tests;
mod schemathesis;
mod sim;
mod swift;
mod swift_examples;
mod swift_folder;
mod swift_package;
mod swift_tests;
mod target_checks;
mod test;
mod verdict_table;
mod wasm;
mod web_package;
mod web_tests;
mod webhook_corpus;
mod webhook_frameworks;
mod webhook_wasm;
#[cfg(test)]
mod workflows;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

/// Why a task could not go on, in words for the person at the terminal.
type Error = Box<dyn std::error::Error>;
type Result<T, E = Error> = std::result::Result<T, E>;

/// How a task ended.
enum Ended {
    /// Everything asked for was done, and was good.
    Well,
    /// It was done, and something was wrong; it has been said what.
    Badly,
    /// A program that was run for the user ended with this code.
    With(u8),
}

/// A misuse of the command line: exit code 2.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Result<Ended>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "[LANGUAGE]...",
        about: "build a package, install it as a user does, start the gateway, run the quickstart; for all or only: python node web swift kotlin",
        run: demo::run,
    },
    Command {
        name: "test",
        arguments: "[PART...]",
        about: "everything CI checks, or only these parts: lint rust sim fuzz corpus webhook-wasm targets python node web swift kotlin conformance examples",
        run: test::run,
    },
    Command {
        name: "conformance",
        arguments: "[LANGUAGE]... [--scenarios DIR] [--only TEXT]...",
        about: "play the conformance scenarios, with every SDK or only these: rust python node web chromium swift kotlin",
        run: conformance::run,
    },
    Command {
        name: "bench",
        arguments: "[PART...]",
        about: "measure, side by side with others, everything or only these parts: engine client fleet python node web mobile (the last four have parts of their own)",
        run: bench::run,
    },
    Command {
        name: "verdict-table",
        arguments: "[--write]",
        about: "have our clients and others play against the gateway with faults, and print its verdict on each; --write puts the table into docs/verdicts.md",
        run: verdict_table::run,
    },
    Command {
        name: "sim",
        arguments: "[--seeds N] [--calls M] [--seed S] [--trace] [--script FILE] [--broken RULE] [--threads N]",
        about: "play the engine against a modelled gateway and network on a virtual clock, and check what must hold; a failing seed is printed as the smallest script that still fails (docs/simulation.md)",
        run: sim::run,
    },
    Command {
        name: "fuzz",
        arguments: "[TARGET]... [--minutes N]",
        about: "run libFuzzer on all parsers or only these, for N minutes each (default 5), with a nightly compiler; without one the corpus in fuzz/corpus is played and changed at random",
        run: fuzz::run,
    },
    Command {
        name: "oracle",
        arguments: "webhooks [--record]",
        about: "play the webhook corpus through the providers' own libraries of PyPI and npm, and say where they disagree with it and why it is right; --record writes the list of disagreements anew",
        run: oracle::run,
    },
    Command {
        name: "package",
        arguments: "[LANGUAGE]... [--natives DIR] [--libs DIR] [--url URL]",
        about: "build what is published, into dist/, for all languages or only these: python node web swift kotlin; and, with an NDK or with the libraries of --libs: android. --natives has the libraries of other platforms for kotlin; --url is where a release will have the framework that swift makes on a Mac",
        run: package::run,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next();
    let rest: Vec<String> = arguments.collect();
    match dispatch(name.as_deref(), &rest) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::FAILURE,
        Ok(Ended::With(code)) => ExitCode::from(code),
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn dispatch(name: Option<&str>, arguments: &[String]) -> Result<Ended> {
    let asks_for_help = |text: &str| matches!(text, "-h" | "--help" | "help");
    let Some(name) = name.filter(|name| !asks_for_help(name)) else {
        print!("{}", help());
        return Ok(Ended::Well);
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Box::new(Usage(format!(
            "there is no command {name:?}\n\n{}",
            help()
        ))));
    };
    if arguments.iter().any(|argument| asks_for_help(argument)) {
        println!(
            "cargo xtask {} {}\n  {}",
            command.name, command.arguments, command.about
        );
        return Ok(Ended::Well);
    }
    let workspace = Workspace::find()?;
    let _alone = workspace.lock()?;
    (command.run)(&workspace, arguments)
}

fn help() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND\n\n");
    for command in COMMANDS {
        let usage = format!("{} {}", command.name, command.arguments);
        text.push_str(&format!(
            "  {}\n      {}\n",
            usage.trim_end(),
            command.about
        ));
    }
    text.push_str(
        "\nPython is `python3`, Node is `node`, Swift is `swift`, Maven is `mvn`, Chromium is what is found under its names; or\n\
         what GATEWRIGHT_PYTHON, GATEWRIGHT_NODE, GATEWRIGHT_SWIFT, GATEWRIGHT_MAVEN and GATEWRIGHT_CHROMIUM name.\n\
         Builds go where CARGO_TARGET_DIR says.\n",
    );
    text
}

/// The named parts in the order of `all`; all of them where none is named.
fn chosen_parts(all: &[&'static str], asked: &[String]) -> Result<Vec<&'static str>> {
    if let Some(unknown) = asked.iter().find(|asked| !all.contains(&asked.as_str())) {
        return Err(Box::new(Usage(format!(
            "there is no part {unknown:?}; parts are: {}",
            all.join(" ")
        ))));
    }
    let wanted = |part: &&str| asked.is_empty() || asked.iter().any(|asked| asked == part);
    Ok(all.iter().copied().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_named_means_all() {
        assert_eq!(
            chosen_parts(&["lint", "rust"], &[]).unwrap(),
            ["lint", "rust"]
        );
    }

    #[test]
    fn parts_run_in_their_own_order_and_once() {
        let asked = ["rust", "lint", "rust"].map(String::from);
        assert_eq!(
            chosen_parts(&["lint", "rust", "python"], &asked).unwrap(),
            ["lint", "rust"]
        );
    }

    #[test]
    fn an_unknown_part_is_a_misuse() {
        let error = chosen_parts(&["lint"], &["lnit".to_owned()]).unwrap_err();
        assert!(error.is::<Usage>());
        assert_eq!(
            error.to_string(),
            "there is no part \"lnit\"; parts are: lint"
        );
    }

    #[test]
    fn an_unknown_command_is_a_misuse_that_lists_the_commands() {
        let Err(error) = dispatch(Some("tset"), &[]) else {
            panic!("accepted")
        };
        assert!(error.is::<Usage>());
        let text = error.to_string();
        assert!(text.starts_with("there is no command \"tset\"\n"), "{text}");
        for command in COMMANDS {
            assert!(text.contains(command.about), "{text}");
        }
    }
}
