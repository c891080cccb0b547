//! What the host language is told of webhooks: errors as JSON, times as whole seconds.

use gatewright_webhook::VerifyError;

use crate::json;

/// An error as JSON, `{"code", "message"}`.
pub(super) fn failed(code: &str, message: &str) -> String {
    with_url(code, message, None)
}

/// Why a request is refused: `{"code", "message"}`, and where a certificate is to be fetched its `url`.
pub(super) fn refused(error: &VerifyError) -> String {
    let url = match error {
        VerifyError::MissingCertificate { url } => Some(url.as_str()),
        _ => None,
    };
    with_url(error.code(), &error.to_string(), url)
}

fn with_url(code: &str, message: &str, url: Option<&str>) -> String {
    let mut out = vec![b'{'];
    text_member(&mut out, "code", code);
    text_member(&mut out, "message", message);
    if let Some(url) = url {
        text_member(&mut out, "url", url);
    }
    out.push(b'}');
    json::text(out)
}

/// Writes a member whose value is a text.
pub(super) fn text_member(out: &mut Vec<u8>, name: &str, value: &str) {
    json::member(out, name);
    json::string(out, value);
}

/// Unix seconds, whole.
pub(super) fn time(seconds: f64) -> Result<i64, String> {
    if !seconds.is_finite() {
        return Err(failed("bad_timestamp", "the time given is no time"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "float to integer saturates"
    )]
    Ok(seconds.floor() as i64)
}
