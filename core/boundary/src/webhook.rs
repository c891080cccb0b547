//! Webhooks for the host language: verified, explained and signed, with texts as answers. Needs nothing of the client.
//!
//! | File | |
//! |---|---|
//! | `settings.rs` | reads a webhook's settings |
//! | `lines.rs` | reads a request |
//! | `verdict.rs` | says what was proven |
//! | `streamed.rs` | a body in pieces |
//! | `sent.rs` | signs |
//! | `replay.rs` | the replay guard in memory |
//! | `answer.rs` | errors |

mod answer;
mod lines;
mod replay;
mod sent;
mod settings;
mod streamed;
mod verdict;

use std::time::Duration;

use gatewright_webhook::{Challenge, Signer, Webhook};

use crate::json;
use answer::{failed, refused, text_member, time};
use lines::Lines;
use settings::{cannot_sign, unfit};
use verdict::{Verdict, proven};

pub use replay::HostReplayGuard;
pub use streamed::HostVerifier;

/// Verifies and signs webhooks.
#[derive(Debug)]
pub struct HostWebhook {
    verifier: Option<Webhook>,
    /// Or why it cannot sign, as JSON.
    signer: Result<Signer, String>,
}

impl HostWebhook {
    /// A webhook of Standard Webhooks with these secrets: `whsec_` verifies and signs, `whpk_` verifies, `whsk_` signs. An infinite
    /// `max_body` is no limit.
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
            Some(builder.build().map_err(|error| unfit(&error))?)
        };
        let signer = if signing.is_empty() {
            Err(cannot_sign())
        } else {
            Ok(Signer::new(signing).map_err(|error| unfit(&error))?)
        };
        Ok(Self { verifier, signer })
    }

    /// A webhook of any scheme. `json` is an object with these members, all optional; what [`WebhookBuilder`] says of each holds.
    ///
    /// | Member | |
    /// |---|---|
    /// | `scheme` | a name of [`Scheme`](gatewright_webhook::Scheme), default `standard-webhooks` |
    /// | `secrets` | a list of texts |
    /// | `signingSecrets` | those that sign, where they are others (Discord's private key) |
    /// | `tolerance`, `futureTolerance` | whole milliseconds, or `"Infinity"` |
    /// | `maxBody` | bytes, or `"Infinity"` |
    /// | `url`, `webhookId`, `topicArn` | texts |
    /// | `keyIds`, `components` | lists of texts; a key id for each of the secrets |
    /// | `template` | `signatureHeader`, `signed`, and any of `timestampHeader`, `timestampItem`, `idHeader`, `algorithm`, `encoding`, `prefix`, `separator`, `secretEncoding` |
    ///
    /// [`WebhookBuilder`]: gatewright_webhook::WebhookBuilder
    ///
    /// # Errors
    /// The error as JSON, `{"code", "message"}`. What hinders signing alone is told when something is to be signed.
    pub fn open_settings(json: &str) -> Result<Self, String> {
        let (verifier, signer) = settings::open(json)?;
        Ok(Self { verifier, signer })
    }

    fn verifier_half(&self) -> Result<&Webhook, String> {
        self.verifier.as_ref().ok_or_else(|| {
            failed(
                "signing_key_cannot_verify",
                "a whsk_ key is for signing; verify with its whpk_ key",
            )
        })
    }

    /// Verifies a request: what was proven as lines, or the error as JSON `{"code", "message"}`, with the certificate's `url` where the
    /// code is `missing_certificate`. `headers` are lines, a name and a value in turns, and may begin with `:url` and `:method`.
    #[must_use]
    pub fn verify(&self, body: &[u8], headers: &str, now_seconds: f64) -> String {
        let verified = self.verifier_half().and_then(|verifier| {
            let at = time(now_seconds)?;
            let request = Lines::read(headers);
            verifier
                .verify_request(&request.with(body), at)
                .map_err(|error| refused(&error))
        });
        verified.map_or_else(|error| error, |proof| proven(&proof))
    }

    /// Begins to verify a request whose body comes later.
    ///
    /// # Errors
    /// The error as JSON, as of [`verify`](Self::verify).
    pub fn verifier(&self, headers: &str, now_seconds: f64) -> Result<HostVerifier, String> {
        let at = time(now_seconds)?;
        let request = Lines::read(headers);
        let verifier = self.verifier_half()?.verifier_of(&request.with(b""), at);
        verifier
            .map(HostVerifier::of)
            .map_err(|error| refused(&error))
    }

    /// Says why a request does not verify, in words for the developer; or the error as JSON where nothing could be looked at.
    #[must_use]
    pub fn explain(&self, body: &[u8], headers: &str, now_seconds: f64) -> String {
        self.explained(body, headers, now_seconds)
            .map_or_else(|error| error, |(_, text)| text)
    }

    /// As [`explain`](Self::explain), with a stable code in a line of its own before the words.
    #[must_use]
    pub fn diagnose(&self, body: &[u8], headers: &str, now_seconds: f64) -> String {
        self.explained(body, headers, now_seconds)
            .map_or_else(|error| error, |(code, text)| [code, "\n", &text].concat())
    }

    fn explained(
        &self,
        body: &[u8],
        headers: &str,
        now_seconds: f64,
    ) -> Result<(&'static str, String), String> {
        let verifier = self.verifier_half()?;
        let at = time(now_seconds)?;
        let request = Lines::read(headers);
        let explanation = verifier.explain_request(&request.with(body), at);
        Ok((explanation.code(), explanation.to_string()))
    }

    /// The answer to a verified request that is a question to the endpoint: `{"status", "contentType", "body"}`, and `visit` where a URL
    /// confirms it; empty where it is none. `verdict` is what [`verify`](Self::verify) said of this `body`.
    #[must_use]
    pub fn challenge(&self, verdict: &str, body: &[u8]) -> String {
        let answer = || {
            let verifier = self.verifier.as_ref()?;
            let verdict = Verdict::read(verdict)?;
            (verdict.scheme == verifier.scheme())
                .then(|| verifier.challenge_by_key(verdict.key_index, body))?
        };
        answer().as_ref().map_or_else(String::new, answered)
    }

    /// The key of a verified message for replay guards, 64 hexadecimal digits; empty for what is no verdict. `sender` is the user's own
    /// name for who sends.
    #[must_use]
    pub fn replay_key(sender: &str, verdict: &str) -> String {
        Verdict::read(verdict).map_or_else(String::new, |verdict| {
            verdict.replay_key(sender).to_string()
        })
    }

    /// Keeps the certificate that was fetched from `url`: an empty text, or the error as JSON.
    #[must_use]
    #[cfg(feature = "native")]
    pub fn add_certificate(&self, url: &str, pem: &[u8], now_seconds: f64) -> String {
        let kept = self.verifier_half().and_then(|verifier| {
            let at = time(now_seconds)?;
            let kept = verifier.add_certificate(url, pem, at);
            kept.map_err(|error| refused(&error))
        });
        kept.err().unwrap_or_default()
    }

    /// Signs a body by Standard Webhooks or Svix: the headers as a JSON object, or the error as `{"code", "message"}`.
    #[must_use]
    pub fn sign(&self, body: &[u8], message_id: &str, timestamp_seconds: f64) -> String {
        match (&self.signer, time(timestamp_seconds)) {
            (Ok(signer), Ok(at)) => sent::sign(signer, body, message_id, at),
            (Err(error), _) => error.clone(),
            (_, Err(error)) => error,
        }
    }

    /// Signs a request of any scheme: `{"headers": [[name, value]...]}`, with `body` or `url` where others are to be sent; or the error as
    /// `{"code", "message"}`. An empty id or URL is none.
    #[must_use]
    pub fn sign_request(&self, body: &[u8], id: &str, url: &str, timestamp_seconds: f64) -> String {
        match (&self.signer, time(timestamp_seconds)) {
            (Ok(signer), Ok(at)) => sent::sign_request(signer, body, id, url, at),
            (Err(error), _) => error.clone(),
            (_, Err(error)) => error,
        }
    }
}

/// A challenge's answer as JSON.
fn answered(challenge: &Challenge) -> String {
    let mut out = vec![b'{'];
    json::member(&mut out, "status");
    json::number(&mut out, challenge.status.into());
    text_member(&mut out, "contentType", challenge.content_type);
    text_member(&mut out, "body", &challenge.body);
    if let Some(url) = &challenge.visit {
        text_member(&mut out, "visit", url);
    }
    out.push(b'}');
    json::text(out)
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
