//! The headers of whatever framework, as the bytes that were on the wire: a mapping, pairs, `.raw` of Starlette, a WSGI environ.

use gatewright_webhook::Scheme;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// The fields of a request.
pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Which fields are read: verification of most schemes looks at a few, `explain` at any.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    All,
    /// Those whose names begin so, in lower case.
    Beginning(&'static [&'static [u8]]),
}

impl Kept {
    /// What verification by `scheme` looks at.
    pub(super) const fn for_verifying(scheme: Scheme) -> Self {
        Self::Beginning(match scheme {
            Scheme::StandardWebhooks => &[b"webhook-"],
            Scheme::Svix => &[b"svix-", b"webhook-"],
            Scheme::Stripe => &[b"stripe-"],
            Scheme::GitHub => &[b"x-hub-", b"x-github-"],
            Scheme::Slack => &[b"x-slack-"],
            Scheme::Zoom => &[b"x-zm-"],
            Scheme::Shopify => &[b"x-shopify-"],
            Scheme::Square => &[b"x-square-"],
            Scheme::Discord => &[b"x-signature-"],
            Scheme::Paddle => &[b"paddle-"],
            _ => return Self::All,
        })
    }

    fn keeps(self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Beginning(prefixes) => prefixes.iter().any(|prefix| {
                name.get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            }),
        }
    }
}

/// Reads the headers.
pub(super) fn fields(headers: &Bound<'_, PyAny>, kept: Kept) -> PyResult<Fields> {
    let mut fields = Vec::with_capacity(5);
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        for (name, value) in dict.iter() {
            field(&name, &value, kept, &mut fields)?;
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
        field(&name, &value, kept, &mut fields)?;
    }
    Ok(fields)
}

/// The names that CGI, and with it WSGI, gives to headers.
fn of_cgi(name: &[u8]) -> Option<Vec<u8>> {
    let name = match name {
        b"CONTENT_TYPE" | b"CONTENT_LENGTH" => name,
        _ => name.strip_prefix(b"HTTP_")?,
    };
    let dashed = |byte: &u8| if *byte == b'_' { b'-' } else { *byte };
    Some(name.iter().map(dashed).collect())
}

fn field(
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    kept: Kept,
    fields: &mut Fields,
) -> PyResult<()> {
    let mut name = wire_bytes(name);
    if let Some(header) = of_cgi(&name) {
        name = header;
    }
    if !kept.keeps(&name) {
        return Ok(());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        for each in value.try_iter()? {
            fields.push((name.clone(), wire_bytes(&each?)));
        }
    } else if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        fields.push((name, wire_bytes(value)));
    }
    // WSGI environs hold other things too; no header is among them.
    Ok(())
}

/// A header's text as the bytes that were on the wire: frameworks decode them as Latin-1.
fn wire_bytes(text: &Bound<'_, PyAny>) -> Vec<u8> {
    if let Ok(text) = text.cast::<PyString>() {
        let text = text.to_string_lossy();
        if text.is_ascii() {
            return text.as_bytes().to_vec();
        }
        let latin: Option<Vec<u8>> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect();
        return latin.unwrap_or_else(|| text.as_bytes().to_vec());
    }
    text.cast::<PyBytes>()
        .map_or_else(|_| Vec::new(), |bytes| bytes.as_bytes().to_vec())
}
