//! `python -m gatewright`: the command line that the program `gatewright` is.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs a command line without the program's name, on this process's standard streams, and answers the exit code.
#[pyfunction]
pub(crate) fn run_command_line(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| gatewright_cli::run(arguments))
}
