//! The corpus of `conformance/webhooks`: every case has the verdict, and proves what, the reference says; whole and streamed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

#[path = "corpus/player.rs"]
mod player;

use player::{Body, play};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/webhooks")
}

fn cases(scheme: &str) -> Vec<Value> {
    let file = folder().join(format!("{scheme}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Plays all cases of a scheme, and tells of all that differ at once.
fn everyone_agrees(scheme: &str) {
    let cases = cases(scheme);
    assert!(cases.len() > 50, "{scheme} has {} cases", cases.len());
    let mut differing = String::new();
    for case in &cases {
        for body in [Body::Whole, Body::Streamed] {
            let found =
                play(case, body).unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
            if found != case["expect"] {
                writeln!(
                    differing,
                    "{} {body:?}: {found}, expected {}",
                    case["name"], case["expect"]
                )
                .unwrap();
            }
        }
    }
    assert!(differing.is_empty(), "{scheme}:\n{differing}");
}

macro_rules! schemes {
    ($($test:ident $name:literal,)*) => {
        $(#[test]
        fn $test() {
            everyone_agrees($name);
        })*

        #[test]
        fn every_file_of_the_corpus_is_played() {
            let played = [$(concat!($name, ".json")),*];
            for entry in std::fs::read_dir(folder()).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".json") {
                    assert!(played.contains(&name.as_str()) || WAITING.contains(&name.as_str()), "{name}");
                }
            }
        }
    };
}

/// Schemes of the corpus that the crate does not have yet.
const WAITING: &[&str] = &[];

schemes! {
    standard_webhooks "standard-webhooks",
    svix "svix",
    http_signature "http-signature",
    paypal "paypal",
    sns "sns",
    sendgrid "sendgrid",
    discord "discord",
    stripe "stripe",
    github "github",
    slack "slack",
    zoom "zoom",
    shopify "shopify",
    twilio "twilio",
    square "square",
    linear "linear",
    paddle "paddle",
    mailgun "mailgun",
    custom "custom",
}
