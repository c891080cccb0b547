//! The command line of Gatewright, as the program `gatewright` and as `python -m gatewright`.
//!
//! `gatewright webhook verify | explain | sign | listen | trigger | resend | schemes`: what the SDKs do with webhooks, at a shell. Output is
//! for people, and with `--json` one JSON value a line for scripts. Errors go to standard error.
//!
//! | Exit code | Means |
//! |---|---|
//! | 0 | done; for `verify` and `explain`: genuine |
//! | 1 | not done; for `verify` and `explain`: refused |
//! | 2 | the arguments are wrong |

#![forbid(unsafe_code)]

mod arguments;
mod certificate;
mod gateway;
mod input;
mod listen;
mod output;
mod settings;
mod sign;
mod trigger;
mod verify;

use std::ffi::OsString;
use std::fmt;

use arguments::Command;
use output::Output;

/// Runs a command line without the program's name, and answers the exit code. Reads standard input and writes standard output and error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let command = match arguments::parse(arguments) {
        Ok(command) => command,
        Err(error) => {
            output::complain(&error);
            return 2;
        }
    };
    let out = Output::new(command.is_json());
    let done = match command {
        Command::Text(text) => out.text(&text).map(|()| Ended::Well).map_err(Failure::from),
        Command::Schemes { .. } => verify::schemes(&out),
        Command::Verify(inspect) => verify::verify(&inspect, &out),
        Command::Explain(inspect) => verify::explain(&inspect, &out),
        Command::Sign(sign) => sign::sign(&sign, &out),
        Command::Listen(listen) => listen::listen(&listen, &out),
        Command::Trigger(trigger) => trigger::trigger(&trigger, &out),
        Command::Resend(resend) => trigger::resend(&resend, &out),
    };
    match done {
        Ok(Ended::Well) => 0,
        Ok(Ended::Refused) => 1,
        Err(failure) => {
            output::complain(&failure);
            failure.code
        }
    }
}

/// How a command ended that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Well,
    /// The webhook is not genuine.
    Refused,
}

/// Why a command did not run to its end.
#[derive(Debug)]
struct Failure {
    what: String,
    code: u8,
}

impl Failure {
    /// Something outside is not as it should be.
    fn new(what: impl fmt::Display) -> Self {
        Self {
            what: what.to_string(),
            code: 1,
        }
    }

    /// The arguments cannot be.
    fn usage(what: impl fmt::Display) -> Self {
        Self {
            what: what.to_string(),
            code: 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

type Done = Result<Ended, Failure>;
