//! Webhooks: verification and signing for the host language, with JSON as answers. Needs nothing of the client.

use std::borrow::Cow;
use std::time::Duration;

use gatewright_webhook::{KeyError, Signer, Verified, Webhook};

use crate::json;

/// Verifies and signs webhooks.
#[derive(Debug)]
pub struct HostWebhook {
    verifier: Option<Webhook>,
    signer: Option<Signer>,
}

/// Headers as the host language hands them over: lines, a name and a value in turns. A value whose characters all go up to U+00FF has a byte
/// for each, as HTTP libraries read them.
fn fields(lines: &str) -> Vec<(&[u8], Cow<'_, [u8]>)> {
    let mut lines = lines.split('\n');
    let pairs = std::iter::from_fn(|| Some((lines.next()?, lines.next()?)));
    pairs
        .map(|(name, value)| (name.as_bytes(), wire_bytes(value)))
        .collect()
}

/// A header's text as the bytes that were on the wire.
fn wire_bytes(text: &str) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text.as_bytes());
    }
    let latin: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    latin.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}

/// An error as JSON, `{"code", "message"}`.
fn failed(code: &str, message: &str) -> String {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(b"{\"code\":");
    json::string(&mut out, code);
    json::member(&mut out, "message");
    json::string(&mut out, message);
    out.push(b'}');
    json::text(out)
}

/// Unix seconds, whole.
fn time(seconds: f64) -> Result<i64, String> {
    if !seconds.is_finite() {
        return Err(failed("bad_timestamp", "the time given is no time"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "float to integer saturates"
    )]
    Ok(seconds.floor() as i64)
}

impl HostWebhook {
    /// A webhook with these secrets: `whsec_` verifies and signs, `whpk_` verifies, `whsk_` signs. An infinite `max_body` is no limit.
    ///
    /// # Errors
    /// The error as JSON, `{"code", "message"}`.
    pub fn open<S: AsRef<str>>(
        secrets: &[S],
        tolerance_seconds: f64,
        max_body: f64,
    ) -> Result<Self, String> {
        let tolerance = Duration::try_from_secs_f64(tolerance_seconds).map_err(|_| {
            failed(
                "bad_tolerance",
                "`tolerance` must be a time of zero or more",
            )
        })?;
        if max_body.is_nan() || max_body < 0.0 {
            let message = "`maxBody` must be a number of bytes, zero or more";
            return Err(failed("bad_max_body", message));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "float to integer saturates"
        )]
        let max_body = max_body as usize;
        let wrong = |error: KeyError| failed(error.code(), &error.to_string());
        let of = |unfit: &str| -> Vec<&str> {
            secrets
                .iter()
                .map(AsRef::as_ref)
                .filter(|secret| !secret.starts_with(unfit))
                .collect()
        };
        let (verifying, signing) = (of("whsk_"), of("whpk_"));
        let verifier = if verifying.is_empty() && !secrets.is_empty() {
            None
        } else {
            let builder = Webhook::builder()
                .secrets(verifying)
                .tolerance(tolerance)
                .max_body(max_body);
            Some(builder.build().map_err(wrong)?)
        };
        let signer = if signing.is_empty() {
            None
        } else {
            Some(Signer::new(signing).map_err(wrong)?)
        };
        Ok(Self { verifier, signer })
    }

    fn verifier(&self) -> Result<&Webhook, String> {
        self.verifier.as_ref().ok_or_else(|| {
            failed(
                "signing_key_cannot_verify",
                "a whsk_ key is for signing; verify with its whpk_ key",
            )
        })
    }

    /// Verifies a request: what was proven as lines (see `proven`), or the error as JSON. `headers` are lines, a name and a value in turns.
    #[must_use]
    pub fn verify(&self, body: &[u8], headers: &str, now_seconds: f64) -> String {
        let verified = self.verifier().and_then(|verifier| {
            verifier
                .verify(body, &fields(headers), time(now_seconds)?)
                .map_err(|error| failed(error.code(), &error.to_string()))
        });
        verified.map_or_else(|error| error, |proof| proven(&proof))
    }

    /// Says why a request does not verify, in words for the developer; or the error as JSON where nothing could be looked at.
    #[must_use]
    pub fn explain(&self, body: &[u8], headers: &str, now_seconds: f64) -> String {
        let explained = self.verifier().and_then(|verifier| {
            let at = time(now_seconds)?;
            let explanation = verifier.explain(body, &fields(headers), at);
            Ok(explanation.to_string())
        });
        explained.unwrap_or_else(|error| error)
    }

    /// Signs a body: the headers as a JSON object, or the error as `{"code", "message"}`.
    #[must_use]
    pub fn sign(&self, body: &[u8], message_id: &str, timestamp_seconds: f64) -> String {
        let Some(signer) = &self.signer else {
            return failed(
                "public_key_cannot_sign",
                "a whpk_ key is for verifying; sign with a whsec_ secret or a whsk_ key",
            );
        };
        let at = match time(timestamp_seconds) {
            Ok(at) => at,
            Err(error) => return error,
        };
        match signer.sign(message_id, at, body) {
            Ok(signed) => {
                let mut out = vec![b'{'];
                for (name, value) in signed.headers() {
                    json::member(&mut out, name);
                    json::string(&mut out, value);
                }
                out.push(b'}');
                json::text(out)
            }
            Err(error) => failed(error.code(), &error.to_string()),
        }
    }
}

/// What was proven, a line each: scheme, algorithm, key index, timestamp, message id (empty where there is none), what is bound of the
/// body, and a digit for each of timestamp signed, id signed and URL bound. The host language takes this apart faster than JSON.
fn proven(proof: &Verified) -> String {
    let mut lines = Vec::with_capacity(128);
    let mut line = |text: &str| {
        lines.extend_from_slice(text.as_bytes());
        lines.push(b'\n');
    };
    line(proof.scheme.name());
    line(proof.algorithm.name());
    line(&decimal(u64::try_from(proof.key_index).unwrap_or(u64::MAX)));
    // No header has a time before 1970.
    line(
        &proof
            .timestamp
            .map_or_else(String::new, |seconds| decimal(seconds.unsigned_abs())),
    );
    line(proof.message_id.as_deref().unwrap_or_default());
    line(proof.body_bound.name());
    for proven in [proof.timestamp_signed, proof.id_signed, proof.url_bound] {
        lines.push(b'0' + u8::from(proven));
    }
    json::text(lines)
}

fn decimal(number: u64) -> String {
    let mut digits = Vec::with_capacity(20);
    json::number(&mut digits, number);
    json::text(digits)
}

/// A new `whsec_` secret of 32 bytes from a cryptographic source.
#[must_use]
pub fn generate_secret(random: &[u8; 32]) -> String {
    // 32 bytes are within its limits.
    gatewright_webhook::generate_secret(random).map_or_else(
        |error| failed(error.code(), &error.to_string()),
        |secret| secret.expose().to_owned(),
    )
}
