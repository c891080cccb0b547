//! Plays cases of `conformance/webhooks` from standard input, one JSON object on each line, and writes the verdict on each, whole
//! and streamed, for `conformance/webhooks/fuzz.py`.
#![allow(clippy::print_stdout, reason = "its answers are its output")]

use std::io::BufRead as _;

use serde_json::{Value, json};

#[path = "../tests/corpus/player.rs"]
mod player;

use player::{Body, play};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let verdict = |body| play(&case, body).unwrap_or_else(|error| json!({"error": error}));
        println!("{}", json!([verdict(Body::Whole), verdict(Body::Streamed)]));
    }
    Ok(())
}
