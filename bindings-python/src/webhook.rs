//! Webhooks: verification and signing, usable without any client. This file has the verifier's class; the idea of each other file is in
//! its name.

use gatewright_webhook::{
    KeyError, Scheme, Signer as CoreSigner, Verified as Proof, VerifyError, Webhook as Core,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

mod certificates;
mod challenge;
mod error;
mod headers;
mod replay;
mod request;
mod settings;
mod signer;
mod signing;
mod verified;
mod verifier;

pub(crate) use challenge::Challenge;
pub(crate) use replay::{NativeMemoryGuard, NativeRedisGuard, replay_statements};
pub(crate) use settings::Template;
pub(crate) use signer::{SignedRequest, Signer};
pub(crate) use verified::Verified;
pub(crate) use verifier::WebhookVerifier;

use certificates::Fetch;
use error::{declared, refused, unusable_key, wrong_key};
use headers::Kept;
use request::{Request, with_body};
use settings::{duration, scheme, secrets};
use signing::{Signing, prefixed, signing};

/// From here on a body is hashed without the GIL.
const LARGE: usize = 64 * 1024;

/// Verifies webhooks of one scheme.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Webhook {
    verifier: Option<Core>,
    signer: Signing,
    scheme: Scheme,
    max_body: usize,
    certificates: Fetch,
}

#[pymethods]
impl Webhook {
    #[new]
    #[pyo3(signature = (secret=None, *, scheme=None, tolerance=None, future_tolerance=None, max_body=1_048_576, url=None,
        webhook_id=None, topic_arn=None, key_ids=None, components=None, template=None, fetch_certificate=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the keywords of a Python constructor"
    )]
    fn new(
        py: Python<'_>,
        secret: Option<&Bound<'_, PyAny>>,
        scheme: Option<&str>,
        tolerance: Option<f64>,
        future_tolerance: Option<f64>,
        max_body: usize,
        url: Option<String>,
        webhook_id: Option<String>,
        topic_arn: Option<String>,
        key_ids: Option<Vec<String>>,
        components: Option<Vec<String>>,
        template: Option<&Bound<'_, Template>>,
        fetch_certificate: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let template = template.map(Bound::get);
        let scheme = self::scheme(scheme, template)?;
        let secrets = self::secrets(secret)?;
        let wrong = |error: KeyError| wrong_key(py, &error);
        let (verifying, signer) = match scheme {
            Scheme::StandardWebhooks | Scheme::Svix => prefixed(scheme, &secrets).map_err(wrong)?,
            Scheme::HttpSignature => {
                let signs = secrets.iter().all(|secret| secret.starts_with("whsk_"));
                let verifying = if signs && !secrets.is_empty() {
                    None
                } else {
                    Some(secrets.iter().map(String::as_str).collect())
                };
                (verifying, signing(scheme, None, &secrets))
            }
            Scheme::Discord => (Some(texts(&secrets)), Signing::OtherKey),
            _ => {
                let asymmetric = template.is_some_and(|template| template.1.is_asymmetric());
                let signer = if asymmetric {
                    Signing::OtherKey
                } else {
                    signing(scheme, template, &secrets)
                };
                (Some(texts(&secrets)), signer)
            }
        };
        let build = |verifying: Vec<&str>| -> PyResult<Core> {
            let mut builder = Core::builder().scheme(scheme);
            if let Some(template) = template {
                builder = builder.template(template.0.clone());
            }
            builder = builder.secrets(verifying).max_body(max_body);
            if let Some(tolerance) = duration("tolerance", tolerance)? {
                builder = builder.tolerance(tolerance);
            }
            if let Some(tolerance) = duration("future_tolerance", future_tolerance)? {
                builder = builder.future_tolerance(tolerance);
            }
            if let Some(url) = url {
                builder = builder.url(url);
            }
            if let Some(id) = webhook_id {
                builder = builder.webhook_id(id);
            }
            if let Some(arn) = topic_arn {
                builder = builder.topic_arn(arn);
            }
            if let Some(ids) = key_ids {
                builder = builder.key_ids(ids);
            }
            if let Some(components) = components {
                builder = builder.components(components);
            }
            builder.build().map_err(wrong)
        };
        Ok(Self {
            verifier: verifying.map(build).transpose()?,
            signer,
            scheme,
            max_body,
            certificates: fetch_certificate.map_or(Ok(Fetch::Own), Fetch::read)?,
        })
    }

    /// Its scheme's name.
    #[getter]
    fn scheme(&self) -> &'static str {
        self.scheme.name()
    }

    /// The longest body that is verified, in bytes.
    #[getter]
    const fn max_body(&self) -> usize {
        self.max_body
    }

    /// Verifies a request's raw body and headers. Raises `WebhookVerificationError`.
    #[pyo3(signature = (body, headers, *, url=None, method=None, now=None))]
    fn verify(
        &self,
        body: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        url: Option<String>,
        method: Option<String>,
        now: Option<f64>,
    ) -> PyResult<Verified> {
        let kept = Kept::for_verifying(self.scheme);
        let request = Request::read(headers, kept, url, method, now)?;
        let proof = self.prove(body, &request)?;
        Ok(Verified {
            proof,
            body: Some(body.clone().unbind()),
        })
    }

    /// Begins to verify a body that arrives in pieces. Raises `WebhookVerificationError` for headers that cannot be right.
    #[pyo3(signature = (headers, *, url=None, method=None, now=None))]
    fn verifier(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        url: Option<String>,
        method: Option<String>,
        now: Option<f64>,
    ) -> PyResult<WebhookVerifier> {
        let this = slf.get();
        let kept = Kept::for_verifying(this.scheme);
        let request = Request::read(headers, kept, url, method, now)?;
        let core = this.verifying(slf.py())?;
        WebhookVerifier::begin(slf, core, request)
    }

    /// Says why a request does not verify, in words for the developer. Never show it to the sender.
    #[pyo3(signature = (body, headers, *, url=None, method=None, now=None))]
    fn explain<'py>(
        &self,
        body: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        url: Option<String>,
        method: Option<String>,
        now: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = body.py();
        let request = Request::read(headers, Kept::All, url, method, now)?;
        let core = self.verifying(py)?;
        // It may take a tenth of a second.
        let explained = with_body(body, |bytes| {
            py.detach(|| core.explain_request(&request.with(bytes), request.now))
        })?;
        let text = explained.to_string();
        declared(py, "WebhookExplanation")?.call1((text, explained.code()))
    }

    /// The answer to a request that is a question to the endpoint and no event.
    #[pyo3(signature = (verified, body=None))]
    fn challenge(
        &self,
        verified: &Bound<'_, Verified>,
        body: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Challenge>> {
        let py = verified.py();
        let core = self.verifying(py)?;
        let verified = verified.get();
        let Some(body) = body.or_else(|| verified.body.as_ref().map(|body| body.bind(py))) else {
            return Err(PyTypeError::new_err(
                "the body was verified as it arrived, and not kept: hand it in",
            ));
        };
        let answer = with_body(body, |bytes| core.challenge(&verified.proof, bytes))?;
        Ok(answer.map(Challenge))
    }

    /// Keeps the certificate that was fetched from a URL.
    #[pyo3(signature = (url, pem, *, now=None))]
    fn add_certificate(&self, url: &str, pem: &Bound<'_, PyAny>, now: Option<f64>) -> PyResult<()> {
        let (py, at) = (pem.py(), request::now(now)?);
        let core = self.verifying(py)?;
        with_body(pem, |bytes| core.add_certificate(url, bytes, at))?
            .map_err(|error| refused(py, &error))
    }

    /// Signs a body, for tests and for senders: the three headers to send with it.
    #[pyo3(signature = (body, *, message_id, timestamp=None))]
    fn sign<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
        message_id: &str,
        timestamp: Option<f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        signer::sign(py, self.signing(py)?, body, message_id, timestamp)
    }

    /// Signs a request of any scheme that has shared secrets.
    #[pyo3(signature = (body, *, message_id=None, timestamp=None, url=None))]
    fn sign_request(
        &self,
        body: &Bound<'_, PyAny>,
        message_id: Option<&str>,
        timestamp: Option<f64>,
        url: Option<&str>,
    ) -> PyResult<SignedRequest> {
        let signer = self.signing(body.py())?;
        signer::sign_request(signer, body, message_id, timestamp, url)
    }

    fn __repr__(&self) -> String {
        format!("<Webhook {}>", self.scheme)
    }
}

impl Webhook {
    fn verifying(&self, py: Python<'_>) -> PyResult<&Core> {
        self.verifier.as_ref().ok_or_else(|| {
            let text = "a whsk_ key is for signing; verify with its whpk_ key";
            unusable_key(py, "signing_key_cannot_verify", text)
        })
    }

    fn signing(&self, py: Python<'_>) -> PyResult<&CoreSigner> {
        self.signer.get(py)
    }

    /// The verdict, with the certificate that it needs.
    fn prove(&self, body: &Bound<'_, PyAny>, request: &Request) -> PyResult<Proof> {
        let py = body.py();
        let core = self.verifying(py)?;
        let verdict = || {
            with_body(body, |bytes| {
                let received = || core.verify_request(&request.with(bytes), request.now);
                if bytes.len() < LARGE {
                    received()
                } else {
                    py.detach(received)
                }
            })
        };
        let verdict = match verdict()? {
            Err(VerifyError::MissingCertificate { url }) => {
                let pem = self.certificates.fetch(py, &url)?;
                let kept = core.add_certificate(&url, &pem, request.now);
                kept.map_err(|error| refused(py, &error))?;
                verdict()?
            }
            verdict => verdict,
        };
        verdict.map_err(|error| refused(py, &error))
    }

    /// The verdict on a body that was kept.
    fn prove_bytes(
        &self,
        py: Python<'_>,
        body: &[u8],
        request: &Request,
    ) -> PyResult<(Proof, Py<PyBytes>)> {
        let body = PyBytes::new(py, body);
        let proof = self.prove(body.as_any(), request)?;
        Ok((proof, body.unbind()))
    }
}

fn texts(secrets: &[String]) -> Vec<&str> {
    secrets.iter().map(String::as_str).collect()
}

/// A new `whsec_` secret with 32 random bytes.
#[pyfunction]
pub(crate) fn generate_secret(py: Python<'_>) -> PyResult<String> {
    let random: Vec<u8> = py
        .import("secrets")?
        .getattr("token_bytes")?
        .call1((32,))?
        .extract()?;
    let secret =
        gatewright_webhook::generate_secret(&random).map_err(|error| wrong_key(py, &error))?;
    Ok(secret.expose().to_owned())
}

/// The names of all schemes.
#[pyfunction]
pub(crate) fn webhook_schemes() -> Vec<&'static str> {
    Scheme::ALL.iter().map(|scheme| scheme.name()).collect()
}
