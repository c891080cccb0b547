//! The keyword arguments of a verifier and a signer.

use std::time::Duration;

use gatewright_webhook::{Algorithm, Encoding, Scheme, SecretEncoding, Template as CoreTemplate};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// How a provider signs that is not among the schemes.
#[pyclass(frozen, module = "gatewright.webhooks")]
pub(crate) struct Template(pub(super) CoreTemplate, pub(super) Algorithm);

#[pymethods]
impl Template {
    #[new]
    #[pyo3(signature = (signature_header, signed, *, algorithm="hmac-sha256", encoding="hex", timestamp_header=None,
        timestamp_item=None, id_header=None, prefix="", separator=None, secret_encoding="text"))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the keywords of a Python constructor"
    )]
    fn new(
        signature_header: &str,
        signed: &str,
        algorithm: &str,
        encoding: &str,
        timestamp_header: Option<&str>,
        timestamp_item: Option<&str>,
        id_header: Option<&str>,
        prefix: &str,
        separator: Option<char>,
        secret_encoding: &str,
    ) -> PyResult<Self> {
        let unknown = |what: &str, given: &str, expected: &str| {
            PyValueError::new_err(format!("{what}= is {given:?}; expected {expected}"))
        };
        let algorithm = Algorithm::from_name(algorithm).ok_or_else(|| {
            let expected = "hmac-sha1, hmac-sha256, hmac-sha512 or ed25519";
            unknown("algorithm", algorithm, expected)
        })?;
        let encoding = match encoding {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            other => return Err(unknown("encoding", other, "hex or base64")),
        };
        let secret_encoding = match secret_encoding {
            "text" => SecretEncoding::Text,
            "hex" => SecretEncoding::Hex,
            "base64" => SecretEncoding::Base64,
            other => return Err(unknown("secret_encoding", other, "text, hex or base64")),
        };
        if timestamp_header.is_some() && timestamp_item.is_some() {
            let what = "the timestamp is in a header or an item of the list, not in both";
            return Err(PyTypeError::new_err(what));
        }
        let mut template = CoreTemplate::new(signature_header, signed)
            .algorithm(algorithm)
            .encoding(encoding)
            .prefix(prefix)
            .secret_encoding(secret_encoding);
        if let Some(name) = timestamp_header {
            template = template.timestamp_header(name);
        }
        if let Some(item) = timestamp_item {
            template = template.timestamp_item(item);
        }
        if let Some(name) = id_header {
            template = template.id_header(name);
        }
        if let Some(separator) = separator {
            template = template.separator(separator);
        }
        Ok(Self(template, algorithm))
    }
}

/// One secret, several, or none.
pub(super) fn secrets(given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(given) = given else {
        return Ok(Vec::new());
    };
    if let Ok(one) = given.extract::<String>() {
        return Ok(vec![one]);
    }
    // What a wrong argument is stays hidden: it may be a secret.
    let wrong = || PyTypeError::new_err("secret is a str, or several of them");
    let each = given.try_iter().map_err(|_| wrong())?;
    each.map(|one| one?.extract().map_err(|_| wrong()))
        .collect()
}

/// The scheme of this name; a template's is `custom`.
pub(super) fn scheme(name: Option<&str>, template: Option<&Template>) -> PyResult<Scheme> {
    let scheme = match (name, template) {
        (None, None) => return Ok(Scheme::StandardWebhooks),
        (None, Some(_)) => return Ok(Scheme::Custom),
        (Some(name), _) => Scheme::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
            let names = names.join(", ");
            PyValueError::new_err(format!("scheme= is {name:?}; expected one of {names}"))
        })?,
    };
    if template.is_some() && scheme != Scheme::Custom {
        let what = format!("template= is for scheme=\"custom\"; {scheme} has its own form");
        return Err(PyTypeError::new_err(what));
    }
    Ok(scheme)
}

/// A time in seconds that was set.
pub(super) fn duration(name: &str, seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let read = |seconds| {
        Duration::try_from_secs_f64(seconds).map_err(|_| {
            PyValueError::new_err(format!("{name}= is a number of seconds, zero or more"))
        })
    };
    seconds.map(read).transpose()
}
