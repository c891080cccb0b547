//! A JSON value as YAML 1.2 in block style. Text is written as JSON writes it, which is YAML too.

use serde_json::Value;

/// The value as a YAML document.
pub(super) fn written(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// Writes `value` from the beginning of a line.
fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                indent(depth, text);
                text.push_str(&key(name));
                text.push(':');
                after(member, depth, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                indent(depth, text);
                text.push('-');
                after(item, depth, text);
            }
        }
        scalar => {
            indent(depth, text);
            text.push_str(&scalar.to_string());
            text.push('\n');
        }
    }
}

/// Writes `value` behind a `:` or a `-`.
fn after(value: &Value, depth: usize, text: &mut String) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        text.push('\n');
        block(value, depth + 1, text);
    } else {
        text.push(' ');
        text.push_str(&value.to_string());
        text.push('\n');
    }
}

/// A name, quoted where YAML could read it as something else.
fn key(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| first.is_ascii_alphabetic());
    // Words such as `true` and `no` would not stay text; names of the document that look like them are quoted.
    if plain && name.len() > 5 {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

fn indent(depth: usize, text: &mut String) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_in_blocks() {
        let value = json!({
            "openapi": "3.1.0", "no": [], "responses": {"200": [1, {"a: b": "x\ny"}, []]}
        });
        assert_eq!(
            written(&value),
            "\"no\": []\nopenapi: \"3.1.0\"\nresponses:\n  \"200\":\n    - 1\n    -\n      \"a: b\": \"x\\ny\"\n    - []\n"
        );
    }
}
