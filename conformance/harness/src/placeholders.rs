//! Fills `{name}` in a scenario: addresses and tokens that are known only when it is played, and its own table.
//!
//! A text that is nothing but a placeholder becomes the value itself, a number for instance. Braces around anything but
//! a plain name are left alone, so that JSON can be written in texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What names stand for.
pub(crate) type Names = BTreeMap<String, Value>;

/// Fills the placeholders in `value`. Names that are not known are left as they are.
pub(crate) fn fill(value: &Value, names: &Names) -> Value {
    match value {
        Value::String(text) => fill_text(text, names),
        Value::Array(items) => items.iter().map(|item| fill(item, names)).collect(),
        Value::Object(members) => {
            let filled: Map<String, Value> = members
                .iter()
                .map(|(name, value)| (text_of(&fill_text(name, names)), fill(value, names)))
                .collect();
            Value::Object(filled)
        }
        plain => plain.clone(),
    }
}

/// The first placeholder in `value` that is not among `names`.
pub(crate) fn unknown(value: &Value, names: &Names) -> Option<String> {
    match value {
        Value::String(text) => pieces(text).find_map(|piece| match piece {
            Piece::Name(name) if !names.contains_key(name) => Some(name.to_owned()),
            _ => None,
        }),
        Value::Array(items) => items.iter().find_map(|item| unknown(item, names)),
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            unknown(&Value::String(name.clone()), names).or_else(|| unknown(value, names))
        }),
        _ => None,
    }
}

fn fill_text(text: &str, names: &Names) -> Value {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(part) => filled.push_str(part),
            Piece::Name(name) => match names.get(name) {
                Some(value) if text.len() == name.len() + 2 => return value.clone(),
                Some(value) => filled.push_str(&text_of(value)),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            },
        }
    }
    Value::String(filled)
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Cuts a text at its placeholders: `{`, a name of lower-case letters, digits, `_` and `.`, `}`.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = placeholder(rest) {
            rest = after;
            return Some(Piece::Name(name));
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(at, c)| *c == '{' && rest.get(*at..).and_then(placeholder).is_some());
        let (part, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Piece::Text(part))
    })
}

fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.')
    };
    (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(plain))
        .then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        Names::from([
            ("n".to_owned(), json!(3)),
            ("url".to_owned(), json!("http://h")),
        ])
    }

    #[test]
    fn names_are_filled_in_texts_and_alone_keep_their_type() {
        let filled = fill(
            &json!({"a": "{n}", "b": ["{url}/x/{n}"], "{n}": null}),
            &names(),
        );
        assert_eq!(filled, json!({"a": 3, "b": ["http://h/x/3"], "3": null}));
    }

    #[test]
    fn json_in_texts_is_left_alone() {
        for text in [r#"{"a":1}"#, "{}", "{", "{{}}", "{A}", "a{b c}d", "é{"] {
            assert_eq!(fill(&json!(text), &names()), json!(text));
        }
        assert_eq!(fill(&json!("{{n}}"), &names()), json!("{3}"));
    }

    #[test]
    fn unknown_names_are_found() {
        assert_eq!(
            unknown(&json!([{"a": "x{nope}"}]), &names()).as_deref(),
            Some("nope")
        );
        assert_eq!(unknown(&json!("{n}{url}"), &names()), None);
    }
}
