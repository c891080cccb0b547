//! Measures Gatewright in Rust: programs in `bin/`, started by `cargo xtask bench`. What measures in other languages is in
//! `python/`, `node/` and `web/`.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

pub mod rounds;
pub mod site;
