//! Bodies as people may see them: JSON in lines, without the values of members that hold secrets.

use serde_json::Value;

/// What is shown of a body.
const MAX_SHOWN_BYTES: usize = 16 * 1024;
/// Names of members, or parts of them, whose values are not shown.
const SECRET: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "authorization",
    "credential",
];
const HIDDEN: &str = "***";

/// A body of `length` bytes as text; nothing where there is none.
pub(super) fn readable(body: &[u8], length: u64) -> Option<String> {
    if length == 0 {
        return None;
    }
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            hide(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        Err(_) => match std::str::from_utf8(body) {
            Ok(text) => hide_in_form(text),
            Err(_) => return Some(format!("{length} bytes that are no text")),
        },
    };
    if text.len() <= MAX_SHOWN_BYTES {
        return Some(text);
    }
    let end = (0..=MAX_SHOWN_BYTES)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    let shown = text.get(..end).unwrap_or_default();
    Some(format!("{shown}\n… cut here: {length} bytes"))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|secret| name.contains(secret))
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if is_secret(name) && !value.is_null() {
                    *value = HIDDEN.into();
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// `a=1&password=x` and text that is no form.
fn hide_in_form(text: &str) -> String {
    text.split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
            _ => pair.to_owned(),
        })
        .collect::<Vec<String>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        let body = br#"{"name":"Ada","Password":"x1","list":[{"refresh_token":"x2","id":3}],"apiKey":{"a":"x3"}}"#;
        let shown = readable(body, body.len() as u64).unwrap();
        assert!(shown.contains("Ada") && shown.contains("\"id\": 3"));
        assert!(
            !shown.contains("x1") && !shown.contains("x2") && !shown.contains("x3"),
            "{shown}"
        );
        let form = readable(b"user=ada&password=x1&a=2", 24).unwrap();
        assert_eq!(form, "user=ada&password=***&a=2");
    }

    #[test]
    fn what_is_long_or_no_text_is_said() {
        assert_eq!(readable(b"", 0), None);
        assert_eq!(
            readable(b"\xff\xfe", 2).unwrap(),
            "2 bytes that are no text"
        );
        let long = "ü".repeat(MAX_SHOWN_BYTES);
        let shown = readable(long.as_bytes(), long.len() as u64).unwrap();
        assert!(shown.len() < MAX_SHOWN_BYTES + 50 && shown.ends_with("32768 bytes"));
    }
}
