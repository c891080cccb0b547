//! The program `gatewright`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(gatewright_cli::run(std::env::args_os().skip(1)))
}
