//! Signing, for senders and for tests of receivers.

use gatewright_webhook::{Outgoing, Scheme, Signer as CoreSigner};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::error::{unsignable, wrong_key};
use super::request::{now, with_body};
use super::settings::{Template, scheme, secrets};

/// Signs webhooks.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Signer(CoreSigner);

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(signature = (secret, *, scheme=None, template=None))]
    fn new(
        py: Python<'_>,
        secret: &Bound<'_, PyAny>,
        scheme: Option<&str>,
        template: Option<&Bound<'_, Template>>,
    ) -> PyResult<Self> {
        let template = template.map(Bound::get);
        let scheme = self::scheme(scheme, template)?;
        let made = made(scheme, template, &secrets(Some(secret))?);
        made.map(Self).map_err(|error| wrong_key(py, &error))
    }

    /// Its scheme.
    #[getter]
    fn scheme(&self) -> &'static str {
        self.0.scheme().name()
    }

    /// Signs a body: the three headers to send with it.
    #[pyo3(signature = (body, *, message_id, timestamp=None))]
    fn sign<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
        message_id: &str,
        timestamp: Option<f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        sign(py, &self.0, body, message_id, timestamp)
    }

    /// Signs a request of any scheme.
    #[pyo3(signature = (body, *, message_id=None, timestamp=None, url=None))]
    fn sign_request(
        &self,
        body: &Bound<'_, PyAny>,
        message_id: Option<&str>,
        timestamp: Option<f64>,
        url: Option<&str>,
    ) -> PyResult<SignedRequest> {
        sign_request(&self.0, body, message_id, timestamp, url)
    }

    fn __repr__(&self) -> String {
        format!("<Signer {}>", self.0.scheme())
    }
}

/// A signer of a scheme or by a template.
pub(super) fn made(
    scheme: Scheme,
    template: Option<&Template>,
    secrets: &[impl AsRef<str>],
) -> Result<CoreSigner, gatewright_webhook::KeyError> {
    match template {
        Some(template) => CoreSigner::by_template(&template.0, secrets),
        None => CoreSigner::of(scheme, secrets),
    }
}

pub(super) fn sign<'py>(
    py: Python<'py>,
    signer: &CoreSigner,
    body: &Bound<'py, PyAny>,
    message_id: &str,
    timestamp: Option<f64>,
) -> PyResult<Bound<'py, PyDict>> {
    let timestamp = now(timestamp)?;
    let signed = with_body(body, |bytes| signer.sign(message_id, timestamp, bytes))?
        .map_err(|error| unsignable(py, error))?;
    let headers = PyDict::new(py);
    for (name, value) in signed.headers() {
        headers.set_item(name, value)?;
    }
    Ok(headers)
}

pub(super) fn sign_request(
    signer: &CoreSigner,
    body: &Bound<'_, PyAny>,
    message_id: Option<&str>,
    timestamp: Option<f64>,
    url: Option<&str>,
) -> PyResult<SignedRequest> {
    let py = body.py();
    let timestamp = now(timestamp)?;
    let signed = with_body(body, |bytes| {
        let mut outgoing = Outgoing::new(bytes, timestamp);
        if let Some(id) = message_id {
            outgoing = outgoing.id(id);
        }
        if let Some(url) = url {
            outgoing = outgoing.url(url);
        }
        let signed = signer.sign_request(&outgoing)?;
        let body = PyBytes::new(py, signed.body.as_deref().unwrap_or(bytes));
        Ok((signed.headers, body.unbind(), signed.url))
    })?;
    let (pairs, body, changed) = signed.map_err(|error| unsignable(py, error))?;
    let headers = PyDict::new(py);
    for (name, value) in pairs {
        headers.set_item(name, value)?;
    }
    Ok(SignedRequest {
        headers: headers.unbind(),
        body,
        url: changed.or_else(|| url.map(str::to_owned)),
    })
}

/// What to send.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct SignedRequest {
    headers: Py<PyDict>,
    body: Py<PyBytes>,
    url: Option<String>,
}

#[pymethods]
impl SignedRequest {
    /// The headers that carry the signature, in lower case.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.headers.bind(py).clone()
    }

    /// The body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.body.bind(py).clone()
    }

    /// The URL.
    #[getter]
    fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Without the signature: whoever reads it in a log could send the message again.
    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "<SignedRequest>"
    }
}

/// An object that is no signer, when signing is asked of it.
pub(super) fn cannot_sign() -> PyErr {
    PyTypeError::new_err(
        "what verifies here does not sign: make a Signer with the key that the sender has",
    )
}
