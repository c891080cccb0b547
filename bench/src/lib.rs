//! Measures Gatewright in Rust: programs in `bin/`, started by `cargo xtask bench`. The Python side is in `python/`.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

pub mod rounds;
