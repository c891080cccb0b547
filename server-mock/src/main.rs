//! The gateway as a program: `gatewright-gateway serve`, and commands that ask a running one.

mod arguments;
mod bus_flags;
mod commands;
mod flags;
mod https_flags;
mod limits_flags;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(std::env::args_os().skip(1))
}
