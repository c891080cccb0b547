//! What was proven about a request.

use gatewright_webhook::Verified as Proof;
use gatewright_webhook::replay::ReplayKey;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::request::with_body;
use crate::json;

/// What was really proven about a request.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Verified {
    pub(super) proof: Proof,
    /// As it was handed in; none where it was verified as it arrived.
    pub(super) body: Option<Py<PyAny>>,
}

#[pymethods]
impl Verified {
    /// The scheme's name.
    #[getter]
    fn scheme(&self) -> &'static str {
        self.proof.scheme.name()
    }

    /// The algorithm that matched.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.proof.algorithm.name()
    }

    /// Which of the secrets fitted, 0 for the first.
    #[getter]
    const fn key_index(&self) -> usize {
        self.proof.key_index
    }

    /// When it was sent, in unix seconds.
    #[getter]
    const fn timestamp(&self) -> Option<i64> {
        self.proof.timestamp
    }

    /// The message's id; the same when it is sent again.
    #[getter]
    fn message_id(&self) -> Option<&str> {
        self.proof.message_id.as_deref()
    }

    /// How the signature binds the body.
    #[getter]
    fn body_bound(&self) -> &'static str {
        self.proof.body_bound.name()
    }

    /// Whether the timestamp was signed.
    #[getter]
    const fn timestamp_signed(&self) -> bool {
        self.proof.timestamp_signed
    }

    /// Whether the id was signed.
    #[getter]
    const fn id_signed(&self) -> bool {
        self.proof.id_signed
    }

    /// Whether the URL was signed.
    #[getter]
    const fn url_bound(&self) -> bool {
        self.proof.url_bound
    }

    /// The body's bytes.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(body) = &self.body else {
            return Ok(None);
        };
        let bytes = with_body(body.bind(py), |bytes| {
            pyo3::types::PyBytes::new(py, bytes).into_any()
        })?;
        Ok(Some(bytes))
    }

    /// The body decoded from JSON. Raises `ValueError` where it is none.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(body) = &self.body else {
            let what = "the body was verified as it arrived, and not kept";
            return Err(PyValueError::new_err(what));
        };
        with_body(body.bind(py), |bytes| json::decode(py, bytes))?
            .map_err(|why| PyValueError::new_err(format!("the body is no JSON: {why}")))
    }

    /// What a replay guard remembers of the message.
    #[pyo3(signature = (sender, *, message_id=None))]
    fn replay_key(&self, sender: &str, message_id: Option<&str>) -> String {
        let key = match message_id {
            Some(id) => ReplayKey::for_message(sender, self.proof.scheme, id),
            None => self.proof.replay_key(sender),
        };
        key.to_string()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Verified {} by key {}>",
            self.proof.message_id.as_deref().unwrap_or("?"),
            self.proof.key_index
        )
    }
}
