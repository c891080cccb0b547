//! The commands of the program: which there are, and what each ends with.
//!
//! A command is a file in `commands/` with a [`Subcommand`] named `COMMAND`, and a line in [`ALL`]. The exit code is 0
//! when it is done, 1 when it is not (a command says in its help what that means for it), 2 for words it cannot read.

mod admin_port;
mod faults;
mod keys;
mod serve;
mod verdict;
mod verify_ratelimit;
mod worker;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::arguments::{Arguments, UsageError};

/// What the program can do, in the order of its help.
const ALL: [&Subcommand; 6] = [
    &serve::COMMAND,
    &keys::COMMAND,
    &faults::COMMAND,
    &verdict::COMMAND,
    &worker::COMMAND,
    &verify_ratelimit::COMMAND,
];

/// One command.
pub(crate) struct Subcommand {
    pub(crate) name: &'static str,
    /// A line for the list of commands.
    pub(crate) summary: &'static str,
    /// What `--help` prints.
    pub(crate) help: &'static str,
    pub(crate) run: fn(Arguments) -> Result<ExitCode, Failure>,
}

/// Why a command is not done.
#[derive(Debug)]
pub(crate) enum Failure {
    Io(io::Error),
    /// What happened and what to do.
    Said(String),
    Usage(UsageError),
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(UsageError(text.into()))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Said(text) => f.write_str(text),
            Self::Usage(error) => error.fmt(f),
        }
    }
}

/// The text of the file that `--trust-ca` names.
fn pem_of(file: &Path) -> io::Result<String> {
    std::fs::read_to_string(file).map_err(|error| {
        let said = format!(
            "--trust-ca {}: {error}; name a file of certificates in PEM",
            file.display()
        );
        io::Error::new(error.kind(), said)
    })
}

/// Runs the command that the words after the program's name ask for.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let done = words
        .map(|word| {
            word.into_string()
                .map_err(|word| Failure::usage(format!("got {word:?}, which is not Unicode")))
        })
        .collect::<Result<Vec<String>, Failure>>()
        .and_then(dispatch);
    match done {
        Ok(code) => code,
        // Whoever read the output has left: nothing is wrong with the command.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "gatewright-gateway: {failure}");
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                Failure::Io(_) | Failure::Said(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn dispatch(words: Vec<String>) -> Result<ExitCode, Failure> {
    let mut words = words.into_iter();
    match words.next().as_deref() {
        None | Some("-h" | "--help") => print(&overview()),
        Some("help") => match words.next() {
            Some(name) => print(find(&name)?.help),
            None => print(&overview()),
        },
        Some("-V" | "--version") => print(concat!(
            "gatewright-gateway ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Some(name) => {
            let command = find(name)?;
            let words: Vec<String> = words.collect();
            if words.iter().any(|word| word == "-h" || word == "--help") {
                return print(command.help);
            }
            (command.run)(Arguments::new(command.name, words))
        }
    }
}

fn find(name: &str) -> Result<&'static Subcommand, UsageError> {
    let found = ALL.into_iter().find(|command| command.name == name);
    found.ok_or_else(|| {
        let names = ALL.map(|command| command.name).join(", ");
        UsageError(format!(
            "got {name:?} when expecting one of the commands {names}"
        ))
    })
}

/// What `--help` prints without a command.
fn overview() -> String {
    let mut text = String::from(
        "A correct, deterministic API gateway on your own machine.\n\nUsage: gatewright-gateway COMMAND [OPTIONS]\n\nCommands:\n",
    );
    for command in ALL {
        text.push_str(&format!("  {:<18}{}\n", command.name, command.summary));
    }
    text.push_str(
        "\nOptions:\n  -h, --help        Print this, or after a command its options\n  -V, --version     Print the version\n\nStart with: gatewright-gateway serve\n",
    );
    text
}

/// Prints a text and is done.
pub(crate) fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints JSON on one line and is done.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<ExitCode, Failure> {
    print(&format!("{value}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_none_is_named_with_those_there_are() {
        let Err(error) = find("server") else { panic!() };
        let text = error.to_string();
        assert!(
            text.starts_with("got \"server\" when expecting one of the commands serve, "),
            "{text}"
        );
    }

    #[test]
    fn every_command_is_in_the_overview_and_has_help_of_its_own() {
        let overview = overview();
        for command in ALL {
            assert!(overview.contains(command.summary), "{}", command.name);
            let usage = format!("Usage: gatewright-gateway {}", command.name);
            assert!(command.help.contains(&usage), "{}", command.name);
        }
    }
}
