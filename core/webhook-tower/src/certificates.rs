//! Fetches the certificate that a request of AWS SNS or PayPal names, by the caller's own means.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use gatewright_webhook::{Verified, VerifyError};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reading::Request;
use crate::receiver::Receiver;
use crate::{BoxError, BoxFuture};

pub(crate) type Fetch = dyn Fn(String) -> BoxFuture<'static, Result<Bytes, BoxError>> + Send + Sync;

/// The largest file of certificates.
const MAX_CERTIFICATE: usize = 64 * 1024;

impl Receiver {
    /// How to fetch the certificates of AWS SNS and PayPal. The URL is one of the provider's. Use `https`, follow no redirect, take
    /// only status 200 and at most 64 KiB, and set a deadline. Without it, what names an unknown certificate is refused.
    #[must_use]
    pub fn fetch_certificate<F>(
        mut self,
        fetch: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Bytes, BoxError>> + Send + 'static,
    {
        self.fetch = Some(Arc::new(move |url| Box::pin(fetch(url))));
        self
    }

    /// The verdict, once the certificate that it lacked is there.
    pub(crate) async fn certified(
        &self,
        request: &Request<'_>,
        verdict: Result<Verified, VerifyError>,
        body: &[u8],
    ) -> Result<Result<Verified, VerifyError>, Answer> {
        let (Err(VerifyError::MissingCertificate { url }), Some(fetch)) = (&verdict, &self.fetch)
        else {
            return Ok(verdict);
        };
        let fetched = match fetch(url.clone()).await {
            Ok(pem) if pem.len() > MAX_CERTIFICATE => Err("it is larger than 64 KiB".into()),
            fetched => fetched,
        };
        let pem =
            fetched.map_err(|error| self.try_again(&Failure::CertificateNotFetched(error)))?;
        let kept = self.webhook.add_certificate(url, &pem, request.now);
        Ok(kept.and_then(|()| {
            self.webhook
                .verify_request(&request.with(body), request.now)
        }))
    }
}
