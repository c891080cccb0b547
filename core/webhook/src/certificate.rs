//! Verifies with certificates: where one is, handing it in, and keeping it for the messages after.

use crate::asymmetric::Certificate;
use crate::certificate_url::CertificateUrl;
use crate::error::VerifyError;
use crate::received::Received;
use crate::schemes::Scheme;
use crate::verified::Verified;
use crate::verify::Webhook;

impl Webhook {
    /// Where the certificate is that a request names, once that URL passed the rules of its scheme; `None` for schemes without
    /// certificates. [`verify`](Self::verify) says the same by [`VerifyError::MissingCertificate`], and only if it is needed.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] for a request that cannot be right, whatever its certificate.
    pub fn certificate_url(
        &self,
        request: &Received<'_>,
    ) -> Result<Option<CertificateUrl>, VerifyError> {
        self.with_envelope(request, |envelope, _| Ok(envelope.certificate.clone()))
    }

    /// Keeps the certificate that was fetched from `url`: `pem` is the body of an answer with status 200 that came over TLS, with no
    /// redirect followed. Clones of this verifier share what is kept: at most 16 certificates, each until it ends.
    ///
    /// # Errors
    ///
    /// [`VerifyError::BadCertificateUrl`] for a URL that is not the provider's, [`VerifyError::BadCertificate`] for what is not a
    /// certificate, or not good at `now` (unix seconds).
    pub fn add_certificate(&self, url: &str, pem: &[u8], now: i64) -> Result<(), VerifyError> {
        let checked = match self.scheme() {
            Scheme::Sns => CertificateUrl::of_sns(url),
            Scheme::PayPal => CertificateUrl::of_paypal(url),
            _ => None,
        };
        let url = checked.ok_or(VerifyError::BadCertificateUrl)?;
        let certificate = good(pem, now)?;
        self.parts.certificates.insert(url.as_str(), certificate);
        Ok(())
    }

    /// Verifies a request with a certificate at hand, which is not kept. For when you have it from elsewhere than its URL.
    ///
    /// # Errors
    ///
    /// [`VerifyError`], as [`verify`](Self::verify), and [`VerifyError::BadCertificate`].
    pub fn verify_with_certificate(
        &self,
        request: &Received<'_>,
        pem: &[u8],
        now: i64,
    ) -> Result<Verified, VerifyError> {
        self.with_envelope(request, |envelope, _| {
            self.check(request.body, envelope, now)?;
            let keys = [good(pem, now)?.verify_key()];
            let verified = envelope
                .certificate
                .as_ref()
                .and_then(|_| envelope.verify(&keys, request.body));
            verified.ok_or(VerifyError::BadSignature)
        })
    }
}

/// A certificate that is good at `now`.
fn good(pem: &[u8], now: i64) -> Result<Certificate, VerifyError> {
    let certificate = Certificate::from_pem(pem).map_err(|_| VerifyError::BadCertificate)?;
    let is_good = certificate.is_valid_at(now);
    is_good
        .then_some(certificate)
        .ok_or(VerifyError::BadCertificate)
}
