//! Webhooks: verification and signing, usable without any client.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gatewright_webhook::{Signer, Verified as Proof, Webhook as Verifier};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::{json, source};

/// The exception class of webhooks, declared in Python.
fn failed(py: Python<'_>, class: &str, code: &str, text: String) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || {
        PyResult::Ok(py.import("gatewright._errors")?.unbind())
    });
    match module.and_then(|module| module.bind(py).getattr(class)?.call1((code, text))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn now(given: Option<f64>) -> PyResult<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be a number; beyond i64 it saturates"
    )]
    match given {
        Some(seconds) if seconds.is_finite() => Ok(seconds.floor() as i64),
        Some(_) => Err(PyValueError::new_err("now= is no time; give unix seconds")),
        None => Ok(SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            })),
    }
}

/// The fields of a request, as the bytes that were on the wire.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads the headers of whatever framework: a mapping, pairs, `.raw` of Starlette, a WSGI environ.
/// Only what verification and `explain` look at is kept.
fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Fields> {
    let mut fields = Vec::with_capacity(5);
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        for (name, value) in dict.iter() {
            field(&name, &value, &mut fields)?;
        }
        return Ok(fields);
    }
    let pairs = match headers.getattr_opt("raw")? {
        Some(raw) if raw.is_instance_of::<PyList>() || raw.is_instance_of::<PyTuple>() => raw,
        _ if headers.hasattr("items")? => headers.call_method0("items")?,
        _ => headers.clone(),
    };
    for pair in pairs.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            pair?.extract().map_err(|_| {
                PyTypeError::new_err("headers are a mapping, or pairs of a name and a value")
            })?;
        field(&name, &value, &mut fields)?;
    }
    Ok(fields)
}

/// How names begin that verification or `explain` looks at.
const KEPT: [&[u8]; 4] = [b"webhook", b"content-", b"svix-", b"x-webhook"];

fn field(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, fields: &mut Fields) -> PyResult<()> {
    let mut name = wire_bytes(name)?;
    if let Some(cgi) = name.strip_prefix(b"HTTP_") {
        name = cgi
            .iter()
            .map(|byte| if *byte == b'_' { b'-' } else { *byte })
            .collect();
    }
    let kept = KEPT.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    if !kept {
        return Ok(());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        for each in value.try_iter()? {
            fields.push((name.clone(), wire_bytes(&each?)?));
        }
    } else {
        fields.push((name, wire_bytes(value)?));
    }
    Ok(())
}

/// A header's text as the bytes that were on the wire: frameworks decode them as Latin-1.
fn wire_bytes(text: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(text) = text.cast::<PyString>() {
        let text = text.to_str()?;
        if text.is_ascii() {
            return Ok(text.as_bytes().to_vec());
        }
        let latin: Option<Vec<u8>> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect();
        return Ok(latin.unwrap_or_else(|| text.as_bytes().to_vec()));
    }
    if let Ok(bytes) = text.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    // WSGI environs hold other things too; no header is among them.
    Ok(Vec::new())
}

fn with_body<T>(body: &Bound<'_, PyAny>, run: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(run(bytes.as_bytes()));
    }
    match source::bytes_of(body)? {
        Some(bytes) => Ok(run(&bytes)),
        None => Err(PyTypeError::new_err(format!(
            "the body is the raw bytes of the request, not {}; a body that was parsed is other bytes",
            body.get_type().name()?
        ))),
    }
}

/// Verifies webhooks by Standard Webhooks (v1 and v1a).
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Webhook {
    verifier: Option<Verifier>,
    signer: Option<Signer>,
}

#[pymethods]
impl Webhook {
    #[new]
    #[pyo3(signature = (secret, *, tolerance=300.0, max_body=1_048_576))]
    fn new(
        py: Python<'_>,
        secret: &Bound<'_, PyAny>,
        tolerance: f64,
        max_body: usize,
    ) -> PyResult<Self> {
        let secrets: Vec<String> = match secret.extract::<String>() {
            Ok(one) => vec![one],
            Err(_) => secret.extract()?,
        };
        let tolerance = Duration::try_from_secs_f64(tolerance).map_err(|_| {
            PyValueError::new_err("tolerance= is a number of seconds, zero or more")
        })?;
        let wrong = |error: gatewright_webhook::KeyError| {
            failed(py, "WebhookKeyError", error.code(), error.to_string())
        };
        // `whsk_` keys sign, `whpk_` keys verify, `whsec_` secrets do both.
        let of = |unfit: &str| -> Vec<&String> {
            secrets.iter().filter(|s| !s.starts_with(unfit)).collect()
        };
        let (verifying, signing) = (of("whsk_"), of("whpk_"));
        let verifier = if verifying.is_empty() && !secrets.is_empty() {
            None
        } else {
            let builder = Verifier::builder()
                .secrets(verifying)
                .tolerance(tolerance)
                .max_body(max_body);
            Some(builder.build().map_err(wrong)?)
        };
        let signer = if signing.is_empty() {
            None
        } else {
            Some(Signer::new(signing).map_err(wrong)?)
        };
        Ok(Self { verifier, signer })
    }

    /// Verifies a request's raw body and headers. Raises `WebhookVerificationError`.
    #[pyo3(signature = (body, headers, *, now=None))]
    fn verify(
        &self,
        py: Python<'_>,
        body: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        now: Option<f64>,
    ) -> PyResult<Verified> {
        let (verifier, fields, at) = (self.verifying(py)?, fields(headers)?, self::now(now)?);
        match with_body(body, |bytes| verifier.verify(bytes, &fields, at))? {
            Ok(proof) => Ok(Verified {
                proof,
                body: body.clone().unbind(),
            }),
            Err(error) => Err(failed(
                py,
                "WebhookVerificationError",
                error.code(),
                error.to_string(),
            )),
        }
    }

    /// Says why a request does not verify, in words for the developer. Never show it to the sender.
    #[pyo3(signature = (body, headers, *, now=None))]
    fn explain(
        &self,
        py: Python<'_>,
        body: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        now: Option<f64>,
    ) -> PyResult<String> {
        let (verifier, fields, at) = (self.verifying(py)?, fields(headers)?, self::now(now)?);
        with_body(body, |bytes| {
            verifier.explain(bytes, &fields, at).to_string()
        })
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
        let Some(signer) = &self.signer else {
            let text =
                "a whpk_ key is for verifying; sign with a whsec_ secret or a whsk_ key".to_owned();
            return Err(failed(
                py,
                "WebhookKeyError",
                "public_key_cannot_sign",
                text,
            ));
        };
        let at = now(timestamp)?;
        let signed = with_body(body, |bytes| signer.sign(message_id, at, bytes))?
            .map_err(|error| failed(py, "WebhookKeyError", error.code(), error.to_string()))?;
        let headers = PyDict::new(py);
        for (name, value) in signed.headers() {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "<Webhook>"
    }
}

impl Webhook {
    fn verifying(&self, py: Python<'_>) -> PyResult<&Verifier> {
        self.verifier.as_ref().ok_or_else(|| {
            let text = "a whsk_ key is for signing; verify with its whpk_ key".to_owned();
            failed(py, "WebhookKeyError", "signing_key_cannot_verify", text)
        })
    }
}

/// What was really proven about a request.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Verified {
    proof: Proof,
    body: Py<PyAny>,
}

#[pymethods]
impl Verified {
    /// The scheme: `standard-webhooks`.
    #[getter]
    fn scheme(&self) -> &'static str {
        self.proof.scheme.name()
    }

    /// `hmac-sha256` or `ed25519`.
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

    /// How the signature binds the body: `full`.
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

    /// The body decoded from JSON. Raises `ValueError` where it is none.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        with_body(self.body.bind(py), |bytes| json::decode(py, bytes))?
            .map_err(|why| PyValueError::new_err(format!("the body is no JSON: {why}")))
    }

    fn __repr__(&self) -> String {
        format!(
            "<Verified {} by key {}>",
            self.proof.message_id.as_deref().unwrap_or("?"),
            self.proof.key_index
        )
    }
}

/// A new `whsec_` secret with 32 random bytes.
#[pyfunction]
pub(crate) fn generate_secret(py: Python<'_>) -> PyResult<String> {
    let random: Vec<u8> = py
        .import("secrets")?
        .getattr("token_bytes")?
        .call1((32,))?
        .extract()?;
    let secret = gatewright_webhook::generate_secret(&random)
        .map_err(|error| failed(py, "WebhookKeyError", error.code(), error.to_string()))?;
    Ok(secret.expose().to_owned())
}
