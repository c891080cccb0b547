//! Verifies a whole body against a request's headers: the one verdict all languages share.

use std::sync::Arc;

#[cfg(feature = "asymmetric")]
use crate::CertificateCache;
use crate::builder::WebhookBuilder;
use crate::envelope::Envelope;
use crate::error::VerifyError;
use crate::headers::Headers;
use crate::key::VerifyKey;
use crate::key_error::KeyError;
use crate::received::Received;
use crate::schemes::{Scheme, Settings, http_signature};
use crate::url;
use crate::verified::Verified;
use crate::verifier::Verifier;

/// Verifies webhooks with one or several secrets. Cheap to clone and to share between threads; make it once.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub(crate) parts: Arc<Parts>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) keys: Vec<VerifyKey>,
    /// Seconds.
    pub(crate) past: u64,
    /// Seconds.
    pub(crate) future: u64,
    pub(crate) max_body: usize,
    pub(crate) settings: Settings,
    #[cfg(feature = "asymmetric")]
    pub(crate) certificates: CertificateCache,
}

impl Webhook {
    /// A verifier of Standard Webhooks for one or several secrets, each `whsec_…` (HMAC) or `whpk_…` (Ed25519), with
    /// every default. During a rotation give the new and the old one: either is accepted.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for a secret that is empty, too short, of the wrong kind or malformed.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        Self::builder().secrets(secrets).build()
    }

    /// A verifier of any scheme, for one or several secrets, with every default.
    ///
    /// # Errors
    ///
    /// [`KeyError`], as [`Webhook::new`], and for a scheme that needs more than secrets (PayPal's webhook id, a template).
    pub fn of<S: AsRef<str>>(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyError> {
        Self::builder().scheme(scheme).secrets(secrets).build()
    }

    /// A verifier with settings.
    #[must_use]
    pub const fn builder() -> WebhookBuilder {
        WebhookBuilder::new()
    }

    /// How the sender signs.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.parts.settings.layout.scheme
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
        self.verify_request(&Received::new(body, &headers), now)
    }

    /// Verifies a request with its URL, which some schemes sign (Twilio, Square).
    ///
    /// # Errors
    ///
    /// [`VerifyError`], as [`verify`](Self::verify).
    pub fn verify_request(
        &self,
        request: &Received<'_>,
        now: i64,
    ) -> Result<Verified, VerifyError> {
        if self.scheme() == Scheme::HttpSignature {
            return self.verify_message_signatures(request, now);
        }
        self.with_envelope(request, |envelope, keys| {
            self.check(request.body, envelope, now)?;
            let certified = self.certified(envelope, now)?;
            let verified = envelope.verify(certified.as_deref().unwrap_or(keys), request.body);
            verified.ok_or(VerifyError::BadSignature)
        })
    }

    /// Begins to verify a body that arrives in chunks, after its headers. The body is not kept, but where the scheme or the
    /// signature's algorithm needs it as a whole (see [`Verifier`]).
    ///
    /// # Errors
    ///
    /// [`VerifyError`], before a byte of the body is read, for headers that cannot be right.
    pub fn verifier<H: Headers + ?Sized>(
        &self,
        headers: &H,
        now: i64,
    ) -> Result<Verifier, VerifyError> {
        self.verifier_of(&Received::new(b"", &headers), now)
    }

    /// As [`verifier`](Self::verifier), for a request with its URL. Its body is not looked at.
    ///
    /// # Errors
    ///
    /// [`VerifyError`], as [`verifier`](Self::verifier).
    pub fn verifier_of(&self, request: &Received<'_>, now: i64) -> Result<Verifier, VerifyError> {
        if self.scheme().reads_body() {
            return Ok(Verifier::keeping(self, request, now));
        }
        self.with_envelope(request, |envelope, keys| {
            envelope.check_clock(now, self.parts.past, self.parts.future)?;
            Verifier::running(self, keys, request, envelope, now)
        })
    }

    /// HTTP Message Signatures: a request may have several, each over other components and of another time.
    fn verify_message_signatures(
        &self,
        request: &Received<'_>,
        now: i64,
    ) -> Result<Verified, VerifyError> {
        let Parts {
            keys,
            settings,
            past,
            future,
            ..
        } = &*self.parts;
        self.check_size(request.body)?;
        let url = url::effective(settings.url.as_deref(), request.url);
        let request = Received {
            url: url.as_deref(),
            ..*request
        };
        http_signature::verify(keys, settings, (*past, *future), &request, now)
    }

    /// The key of the certificate that the request names, where the scheme has certificates.
    #[cfg(feature = "asymmetric")]
    pub(crate) fn certified(
        &self,
        envelope: &Envelope<'_>,
        now: i64,
    ) -> Result<Option<Vec<VerifyKey>>, VerifyError> {
        let Some(url) = &envelope.certificate else {
            return Ok(None);
        };
        let kept = self.parts.certificates.get(url.as_str(), now);
        match kept {
            Some(certificate) => Ok(Some(vec![certificate.verify_key()])),
            None => Err(VerifyError::MissingCertificate {
                url: url.as_str().to_owned(),
            }),
        }
    }

    /// No scheme of this build has certificates.
    #[cfg(not(feature = "asymmetric"))]
    pub(crate) fn certified(
        &self,
        _: &Envelope<'_>,
        _: i64,
    ) -> Result<Option<Vec<VerifyKey>>, VerifyError> {
        Ok(None)
    }

    /// Reads a request, with the URL that counts in it.
    pub(crate) fn with_envelope<T>(
        &self,
        request: &Received<'_>,
        then: impl FnOnce(&Envelope<'_>, &[VerifyKey]) -> Result<T, VerifyError>,
    ) -> Result<T, VerifyError> {
        let settings = &self.parts.settings;
        if settings.layout.scheme.reads_body() {
            self.check_size(request.body)?;
        }
        let url = url::effective(settings.url.as_deref(), request.url);
        let request = Received {
            url: url.as_deref(),
            ..*request
        };
        then(&settings.read(&request)?, &self.parts.keys)
    }

    /// The checks that come before any signature is looked at.
    pub(crate) fn check(
        &self,
        body: &[u8],
        envelope: &Envelope<'_>,
        now: i64,
    ) -> Result<(), VerifyError> {
        envelope.check_clock(now, self.parts.past, self.parts.future)?;
        self.check_size(body)
    }

    fn check_size(&self, body: &[u8]) -> Result<(), VerifyError> {
        let max = self.parts.max_body;
        if body.len() > max {
            return Err(VerifyError::BodyTooLarge { max });
        }
        Ok(())
    }
}
