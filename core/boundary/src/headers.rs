//! Header values of the host language's, which are characters up to U+00FF, a byte each.

use gatewright::{Error, ErrorKind, checked_header};
use http::HeaderMap;

/// A header value's bytes, as fetch takes them.
///
/// # Errors
/// `invalid_request` for a character that no byte is. The value is not shown: it may be a secret.
pub(crate) fn bytes_of(name: &str, value: &str) -> Result<Vec<u8>, Error> {
    if value.is_ascii() {
        return Ok(value.as_bytes().to_vec());
    }
    let bytes: Option<Vec<u8>> = value
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    bytes.ok_or_else(|| {
        // The name is checked where the bytes go; here it is only shown.
        let shown: String = name.chars().take(60).flat_map(char::escape_default).collect();
        let what = format!("the value of the header {shown} has a character that no header can carry (above U+00FF)");
        Error::new(ErrorKind::InvalidRequest, what)
    })
}

/// Reads pairs.
pub(crate) fn read(pairs: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let (name, value) = checked_header(name, &bytes_of(name, value)?)?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_bytes() {
        assert_eq!(bytes_of("x", "café").unwrap(), b"caf\xe9");
        let error = bytes_of("x", "canary€").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
