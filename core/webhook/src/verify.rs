//! Verifies a whole body against a request's headers: the one verdict all languages share.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::VerifyError;
use crate::headers::Headers;
use crate::key::{VerifyKey, is_among};
use crate::key_error::KeyError;
use crate::limits::{DEFAULT_MAX_BODY, DEFAULT_TOLERANCE};
use crate::schemes::standard::{Envelope, SignatureList};
use crate::verified::{Algorithm, Verified};
use crate::verifier::Verifier;

/// Verifies webhooks with one or several secrets. Cheap to share between threads; make it once.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub(crate) keys: Vec<VerifyKey>,
    /// Seconds.
    pub(crate) past: u64,
    /// Seconds.
    pub(crate) future: u64,
    pub(crate) max_body: usize,
}

impl Webhook {
    /// A verifier for one or several secrets, each `whsec_…` (HMAC) or `whpk_…` (Ed25519), with
    /// every default. During a rotation give the new and the old one: either is accepted.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for a secret that is empty, too short, of the wrong kind or malformed.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        Self::builder().secrets(secrets).build()
    }

    /// A verifier with settings.
    #[must_use]
    pub fn builder() -> WebhookBuilder {
        WebhookBuilder {
            secrets: Vec::new(),
            past: DEFAULT_TOLERANCE,
            future: DEFAULT_TOLERANCE,
            max_body: DEFAULT_MAX_BODY,
        }
    }

    /// Verifies the raw `body` of a request that arrived with `headers` at `now` (unix seconds).
    ///
    /// Hand in the body as it came over the wire: parsed and written again, it is other bytes.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]. Answer status 400 and [`VerifyError::FOR_SENDER`]; log the error.
    pub fn verify<H: Headers + ?Sized>(
        &self,
        body: &[u8],
        headers: &H,
        now: i64,
    ) -> Result<Verified, VerifyError> {
        self.verify_envelope(body, &Envelope::read(headers)?, now)
    }

    pub(crate) fn verify_envelope(
        &self,
        body: &[u8],
        envelope: &Envelope<'_>,
        now: i64,
    ) -> Result<Verified, VerifyError> {
        envelope.check_clock(now, self.past, self.future)?;
        if body.len() > self.max_body {
            return Err(VerifyError::BodyTooLarge { max: self.max_body });
        }
        let [id, dot, timestamp, dot_again] = envelope.prefix();
        let message = [id, dot, timestamp, dot_again, body];
        let (key_index, algorithm) = self
            .signer_of(&message, envelope.signatures)
            .ok_or(VerifyError::BadSignature)?;
        Ok(envelope.proves(key_index, algorithm))
    }

    /// Begins to verify a body that arrives in chunks, after its headers. The body is not kept.
    ///
    /// # Errors
    ///
    /// [`VerifyError`], before a byte of the body is read, for headers that cannot be right.
    pub fn verifier<H: Headers + ?Sized>(
        &self,
        headers: &H,
        now: i64,
    ) -> Result<Verifier, VerifyError> {
        let envelope = Envelope::read(headers)?;
        envelope.check_clock(now, self.past, self.future)?;
        Ok(Verifier::new(&self.keys, &envelope, self.max_body))
    }

    /// The first key under which any of `signatures` fits `message`. All are tried.
    pub(crate) fn signer_of(
        &self,
        message: &[&[u8]],
        signatures: SignatureList<'_>,
    ) -> Option<(usize, Algorithm)> {
        self.keys
            .iter()
            .enumerate()
            .find_map(|(index, key)| match key {
                VerifyKey::Hmac(key) => {
                    let mut candidates = signatures.hmac().peekable();
                    // Without a candidate there is nothing to compute.
                    candidates.peek()?;
                    is_among(&key.mac(message), candidates)
                        .then_some((index, Algorithm::HmacSha256))
                }
                VerifyKey::Ed25519(key) => signatures
                    .ed25519()
                    .any(|signature| key.verify(message, &signature))
                    .then_some((index, Algorithm::Ed25519)),
            })
    }
}

/// Settings of a [`Webhook`], all optional but the secrets.
pub struct WebhookBuilder {
    secrets: Vec<Zeroizing<String>>,
    past: Duration,
    future: Duration,
    max_body: usize,
}

impl WebhookBuilder {
    /// Adds a secret, `whsec_…` or `whpk_…`.
    #[must_use]
    pub fn secret(self, secret: impl AsRef<str>) -> Self {
        self.secrets([secret])
    }

    /// Adds several secrets.
    #[must_use]
    pub fn secrets<S: AsRef<str>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets.extend(
            secrets
                .into_iter()
                .map(|secret| Zeroizing::new(secret.as_ref().to_owned())),
        );
        self
    }

    /// How far the timestamp may be from `now`, in the past and in the future; whole seconds,
    /// fractions are cut off. Default 300 s.
    #[must_use]
    pub const fn tolerance(mut self, tolerance: Duration) -> Self {
        self.past = tolerance;
        self.future = tolerance;
        self
    }

    /// How far the timestamp may be after `now`, where that should differ from
    /// [`tolerance`](Self::tolerance), which sets both. Default 300 s.
    #[must_use]
    pub const fn future_tolerance(mut self, tolerance: Duration) -> Self {
        self.future = tolerance;
        self
    }

    /// The largest body accepted, in bytes. Default 1 MiB.
    #[must_use]
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as [`Webhook::new`].
    pub fn build(self) -> Result<Webhook, KeyError> {
        Ok(Webhook {
            keys: VerifyKey::parse_all(self.secrets.iter().map(|secret| secret.as_str()))?,
            past: self.past.as_secs(),
            future: self.future.as_secs(),
            max_body: self.max_body,
        })
    }
}

impl std::fmt::Debug for WebhookBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookBuilder")
            .field(
                "secrets",
                &format_args!("[{} redacted]", self.secrets.len()),
            )
            .field("past", &self.past)
            .field("future", &self.future)
            .field("max_body", &self.max_body)
            .finish()
    }
}
