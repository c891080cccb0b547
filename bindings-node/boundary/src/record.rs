//! What JavaScript has of answers and errors, back into texts.

use gatewright::ErrorKind;

/// The codes of all kinds of errors.
#[must_use]
pub fn error_codes() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.code()).collect()
}

/// The error, as JSON, of an answer that was delivered and cannot be decoded. `meta` is the answer's meta JSON.
#[must_use]
pub fn answer_error(meta: &str, code: &str, what: &str) -> String {
    let _ = (meta, code, what);
    "{}".to_owned()
}

/// The attempts (JSON) as a picture in text.
#[must_use]
pub fn timeline(attempts: &str) -> String {
    let _ = attempts;
    String::new()
}
