//! The crate `sfv`, which reads `RateLimit` and `RateLimit-Policy`, against the public vectors of structured fields.
//!
//! They are github.com/httpwg/structured-field-tests, which is not part of this repository: set
//! `STRUCTURED_FIELD_TESTS` to a folder with a copy. Without it only the examples below are played, which are of our own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use serde_json::Value;
use sfv::{Dictionary, FieldType as _, Item, List, Parser};

/// What limit headers are made of: numbers, strings, tokens, byte sequences, parameters, lists, dictionaries.
const FILES: [&str; 14] = [
    "binary.json",
    "boolean.json",
    "dictionary.json",
    "examples.json",
    "item.json",
    "key-generated.json",
    "list.json",
    "number.json",
    "number-generated.json",
    "param-dict.json",
    "param-list.json",
    "string.json",
    "string-generated.json",
    "token.json",
];

/// Whether `raw` is a field of that kind, and how it is written in its shortest form.
fn parsed(kind: &str, raw: &str) -> Option<String> {
    let parser = Parser::new(raw);
    match kind {
        "item" => parser.parse::<Item>().ok().map(|item| item.serialize()),
        "list" => parser
            .parse::<List>()
            .ok()
            .map(|list| list.serialize().unwrap_or_default()),
        "dictionary" => parser
            .parse::<Dictionary>()
            .ok()
            .map(|dictionary| dictionary.serialize().unwrap_or_default()),
        other => panic!("no kind of field: {other}"),
    }
}

#[test]
fn fields_of_limit_headers_are_read_and_written() {
    for (kind, raw, expected) in [
        ("list", "\"burst\";q=100;w=60", Some("\"burst\";q=100;w=60")),
        ("list", " \"a\" ; r=1 ,  \"b\";r=2", None),
        (
            "list",
            "\"a\"; r=1,  \"b\";r=2",
            Some("\"a\";r=1, \"b\";r=2"),
        ),
        ("list", "\"a\";pk=:QQ==:", Some("\"a\";pk=:QQ==:")),
        ("list", "\"a\";pk=:Q!:", None),
        ("list", "\"a\",", None),
        ("list", "\"a\";r=1;r=2", Some("\"a\";r=2")),
        ("list", "\"a\";r=1000000000000000", None),
        ("list", "\"a", None),
        (
            "dictionary",
            "limit=100, remaining=50",
            Some("limit=100, remaining=50"),
        ),
        ("dictionary", "limit=100, limit=1", Some("limit=1")),
        ("dictionary", "Limit=1", None),
        ("item", "10.0", Some("10.0")),
        ("item", "--1", None),
    ] {
        let got = parsed(kind, raw);
        assert_eq!(got.as_deref(), expected, "{kind} {raw:?}");
    }
}

#[test]
fn the_public_vectors_agree() {
    let Some(folder) = std::env::var_os("STRUCTURED_FIELD_TESTS") else {
        println!("STRUCTURED_FIELD_TESTS is not set: only the examples of our own were played");
        return;
    };
    let mut played = 0;
    for file in FILES {
        let text = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        for case in cases {
            let texts = |name: &str| -> Option<String> {
                let lines = case.get(name)?.as_array()?;
                let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                Some(lines.join(", "))
            };
            let of = |name: &str| case.get(name).and_then(Value::as_bool).unwrap_or(false);
            let Some(raw) = texts("raw") else { continue };
            let kind = case.get("header_type").and_then(Value::as_str).unwrap();
            let got = parsed(kind, &raw);
            let name = case.get("name").and_then(Value::as_str).unwrap_or("");
            played += 1;
            if of("must_fail") {
                assert_eq!(got, None, "{file}: {name}");
            } else if !of("can_fail") {
                let expected = texts("canonical").unwrap_or(raw);
                assert_eq!(got.as_deref(), Some(expected.as_str()), "{file}: {name}");
            }
        }
    }
    println!("{played} vectors agree");
    assert!(played > 500, "{played}");
}
