//! Who fetches the certificates of AWS SNS and PayPal.

use gatewright_webhook::VerifyError;
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::error::{not_fetched, refused};
use super::request::with_body;

/// Who fetches certificates.
pub(super) enum Fetch {
    /// The package.
    Own,
    /// The user's function.
    By(Py<PyAny>),
    Nobody,
}

impl Fetch {
    pub(super) fn read(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(own) = given.cast::<PyBool>() {
            return Ok(if own.is_true() {
                Self::Own
            } else {
                Self::Nobody
            });
        }
        if given.is_callable() {
            return Ok(Self::By(given.clone().unbind()));
        }
        Err(PyTypeError::new_err(
            "fetch_certificate= is a function of a URL that gives the certificate's bytes, or True or False",
        ))
    }

    /// The certificate at a URL that passed the rules of its scheme.
    pub(super) fn fetch(&self, py: Python<'_>, url: &str) -> PyResult<Vec<u8>> {
        let answer = match self {
            Self::Own => py
                .import("gatewright._certificates")?
                .getattr("fetch")?
                .call1((url,)),
            Self::By(function) => function.bind(py).call1((url,)),
            Self::Nobody => return Err(refused(py, &missing(url))),
        };
        let pem = answer.and_then(|answer| with_body(&answer, <[u8]>::to_vec));
        pem.map_err(|why| {
            if why.is_instance_of::<PyException>(py) {
                not_fetched(py, url, why)
            } else {
                // Ctrl-C is no reason of the certificate's.
                why
            }
        })
    }
}

fn missing(url: &str) -> VerifyError {
    VerifyError::MissingCertificate {
        url: url.to_owned(),
    }
}
