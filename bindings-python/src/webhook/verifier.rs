//! Verification of a body as it arrives.

use std::sync::{Mutex, PoisonError};

use gatewright_webhook::{Scheme, Verifier, VerifyError, Webhook as Core};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::error::refused;
use super::request::{Request, with_body};
use super::verified::Verified;
use super::{LARGE, Webhook};

/// Takes a body piece by piece.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct WebhookVerifier(Mutex<Option<Work>>);

enum Work {
    Running(Box<Verifier>),
    /// The certificate is asked for once the whole body is there.
    Keeping {
        webhook: Py<Webhook>,
        request: Request,
        body: Vec<u8>,
    },
}

impl WebhookVerifier {
    pub(super) fn begin(
        webhook: &Bound<'_, Webhook>,
        core: &Core,
        request: Request,
    ) -> PyResult<Self> {
        let work = if matches!(core.scheme(), Scheme::Sns | Scheme::PayPal) {
            Work::Keeping {
                webhook: webhook.clone().unbind(),
                request,
                body: Vec::new(),
            }
        } else {
            let verifier = core.verifier_of(&request.with(b""), request.now);
            Work::Running(Box::new(
                verifier.map_err(|error| refused(webhook.py(), &error))?,
            ))
        };
        Ok(Self(Mutex::new(Some(work))))
    }

    /// The state, for as long as something is done with it: another thread finds none.
    fn take(&self) -> PyResult<Work> {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.take()
            .ok_or_else(|| PyRuntimeError::new_err("this verifier has finished, or is in use"))
    }
}

#[pymethods]
impl WebhookVerifier {
    /// Takes the next piece of the body.
    fn update(&self, py: Python<'_>, chunk: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut work = self.take()?;
        let taken = with_body(chunk, |bytes| match &mut work {
            Work::Running(verifier) if bytes.len() < LARGE => verifier.update(bytes),
            Work::Running(verifier) => py.detach(|| verifier.update(bytes)),
            Work::Keeping { webhook, body, .. } => {
                let max = webhook.get().max_body;
                if body.len().saturating_add(bytes.len()) > max {
                    return Err(VerifyError::BodyTooLarge { max });
                }
                body.extend_from_slice(bytes);
                Ok(())
            }
        });
        let too_large = matches!(taken, Ok(Err(_)));
        if !too_large {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
        }
        taken?.map_err(|error| refused(py, &error))
    }

    /// The verdict over everything taken.
    fn finish(&self, py: Python<'_>) -> PyResult<Verified> {
        match self.take()? {
            Work::Running(verifier) => {
                let proof = verifier.finish().map_err(|error| refused(py, &error))?;
                Ok(Verified { proof, body: None })
            }
            Work::Keeping {
                webhook,
                request,
                body,
            } => {
                let (proof, body) = webhook.get().prove_bytes(py, &body, &request)?;
                Ok(Verified {
                    proof,
                    body: Some(body.into_any()),
                })
            }
        }
    }
}
