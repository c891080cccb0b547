//! Webhooks: verification and signing for JavaScript, with JSON as answers.

/// Verifies and signs webhooks.
#[derive(Debug)]
pub struct JsWebhook {}

impl JsWebhook {
    /// A webhook with these secrets.
    ///
    /// # Errors
    /// The error as JSON, `{"code", "message"}`.
    pub fn open<S: AsRef<str>>(
        secrets: &[S],
        tolerance_seconds: f64,
        max_body: f64,
    ) -> Result<Self, String> {
        let _ = (secrets, tolerance_seconds, max_body);
        Err("{}".to_owned())
    }

    /// Verifies a request: `Verified` as JSON, or the error, which alone has a `code`. `headers` is flat: name, value, name, value.
    #[must_use]
    pub fn verify<S: AsRef<str>>(&self, body: &[u8], headers: &[S], now_seconds: f64) -> String {
        let _ = (body, headers, now_seconds);
        "{}".to_owned()
    }

    /// Says why a request does not verify, in words for the developer.
    #[must_use]
    pub fn explain<S: AsRef<str>>(&self, body: &[u8], headers: &[S], now_seconds: f64) -> String {
        let _ = (body, headers, now_seconds);
        String::new()
    }

    /// Signs a body: the headers as a JSON object, or the error as `{"code", "message"}`.
    #[must_use]
    pub fn sign(&self, body: &[u8], message_id: &str, timestamp_seconds: f64) -> String {
        let _ = (body, message_id, timestamp_seconds);
        "{}".to_owned()
    }
}

/// A new `whsec_` secret of 32 bytes from a cryptographic source.
#[must_use]
pub fn generate_secret(random: &[u8; 32]) -> String {
    gatewright_webhook::generate_secret(random).map_or_else(
        |error| error.to_string(),
        |secret| secret.expose().to_owned(),
    )
}
