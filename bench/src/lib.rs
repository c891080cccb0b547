//! Measures Gatewright in Rust: programs in `bin/`, started by `cargo xtask bench`. What measures in other languages is in
//! `python/`, `node/`, `web/` and `mobile/`.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

pub mod peer;
pub mod rounds;
pub mod site;
