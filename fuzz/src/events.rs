//! Filters on webhook events.

use gatewright_event_filter::{Filter, MAX_BYTES};
use serde_json::Value;

/// A filter, and after the first NUL an event: neither makes it panic, what is written is read as it was, evaluating twice says
/// the same, and its opposite says the opposite.
pub(crate) fn event_filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (text, event) = text.split_once('\0').unwrap_or((&text, "null"));
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!((1..=text.chars().count() + 1).contains(&error.at), "{error}");
            let _ = error.pointing(text);
            return;
        }
    };
    assert!(text.len() <= MAX_BYTES);
    let written = filter.to_string();
    if written.len() <= MAX_BYTES {
        assert_eq!(Filter::parse(&written).as_ref(), Ok(&filter), "{written}");
    }
    let event: Value = serde_json::from_str(event).unwrap_or_else(|_| Value::from(event));
    let wanted = filter.matches(&event);
    assert_eq!(wanted, filter.matches(&event));
    if let (Ok(wanted), Ok(opposite)) = (wanted, Filter::parse(&format!("!({written})"))) {
        assert_eq!(opposite.matches(&event), Ok(!wanted));
    }
}
