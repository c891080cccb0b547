//! The crate `sfv`, which reads `RateLimit` and `RateLimit-Policy`, against the public vectors of structured fields.
//!
//! They are github.com/httpwg/structured-field-tests, see `structured-field-tests/README.md` for which version and licence. The
//! examples below are of our own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use serde_json::Value;
use sfv::{Dictionary, FieldType as _, Item, List, Parser};

/// Where they are, with their licence. All files of it but `large-generated.json` and those for writing alone.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/structured-field-tests");

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
    let mut played = 0;
    for file in std::fs::read_dir(FOLDER).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let file = path.display();
        let text = std::fs::read_to_string(&path).unwrap();
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
    assert_eq!(played, 1_580, "vectors");
}
