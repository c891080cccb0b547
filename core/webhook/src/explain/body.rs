//! Undoes what commonly happens to a body on its way to the verifier, until a signature fits.

use std::borrow::Cow;

use super::BodyChange;
use super::{form, json};
use crate::base64::{self, Padding};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bodies that one kind of change turns into the given one.
type Before = fn(&[u8]) -> Vec<Cow<'_, [u8]>>;

/// Asks `fits` about each body the sender may have signed, and says what turned it into `body`.
pub(super) fn find_change(body: &[u8], fits: &mut dyn FnMut(&[u8]) -> bool) -> Option<BodyChange> {
    // Cheap and common first. Each row: what happened, and the body before it happened.
    let hypotheses: [(BodyChange, Before); 13] = [
        (BodyChange::NewlineAdded, without_newline),
        (BodyChange::NewlineRemoved, with_newline),
        (BodyChange::WhitespaceAdded, trimmed),
        (BodyChange::ByteOrderMarkAdded, |body| {
            body.strip_prefix(BYTE_ORDER_MARK)
                .map(Cow::from)
                .into_iter()
                .collect()
        }),
        (BodyChange::ByteOrderMarkRemoved, |body| {
            vec![[BYTE_ORDER_MARK, body].concat().into()]
        }),
        (BodyChange::LineEndingsChanged, other_line_ends),
        (BodyChange::Base64Encoded, |body| {
            decode_lenient(body.trim_ascii())
                .map(Cow::from)
                .into_iter()
                .collect()
        }),
        (BodyChange::Base64Decoded, |body| {
            let mut encoded = String::new();
            base64::encode_into(body, &mut encoded);
            vec![encoded.into_bytes().into()]
        }),
        (BodyChange::CharsetChanged, |body| {
            latin1(body).map(Cow::from).into_iter().collect()
        }),
        (BodyChange::JsonQuoted, |body| {
            json::unquote(body).map(Cow::from).into_iter().collect()
        }),
        (BodyChange::PythonBytes, |body| {
            python_bytes(body).map(Cow::from).into_iter().collect()
        }),
        (BodyChange::FormRewritten, form::rewritten),
        (BodyChange::FormToJson, |body| {
            json::flat_texts(body).map_or_else(Vec::new, |pairs| form::spellings(&pairs))
        }),
    ];
    let mut is_original = |original: &[u8]| original != body && fits(original);
    for (change, before) in hypotheses {
        if before(body).iter().any(|original| is_original(original)) {
            return Some(change);
        }
    }
    json::find_original(body, &mut is_original).then_some(BodyChange::JsonRewritten)
}

fn without_newline(body: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut shorter = Vec::new();
    for end in [b"\r\n".as_slice(), b"\n", b"\r"] {
        shorter.extend(body.strip_suffix(end).map(Cow::from));
    }
    shorter
}

fn with_newline(body: &[u8]) -> Vec<Cow<'_, [u8]>> {
    [b"\n".as_slice(), b"\r\n"]
        .map(|end| [body, end].concat().into())
        .into()
}

fn trimmed(body: &[u8]) -> Vec<Cow<'_, [u8]>> {
    vec![
        body.trim_ascii().into(),
        body.trim_ascii_start().into(),
        body.trim_ascii_end().into(),
    ]
}

fn other_line_ends(body: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut unix = Vec::with_capacity(body.len());
    let mut dos = Vec::with_capacity(body.len());
    for (index, byte) in body.iter().enumerate() {
        if *byte == b'\r' && body.get(index + 1) == Some(&b'\n') {
            continue;
        }
        if *byte == b'\n' {
            dos.push(b'\r');
        }
        unix.push(*byte);
        dos.push(*byte);
    }
    vec![unix.into(), dos.into()]
}

/// The bytes whose Latin-1 reading this UTF-8 text is.
fn latin1(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.chars()
        .map(|char| u8::try_from(u32::from(char)).ok())
        .collect()
}

/// The bytes Python prints as `b'…'` or `b"…"`.
fn python_bytes(body: &[u8]) -> Option<Vec<u8>> {
    let quoted = body.strip_prefix(b"b")?;
    let inner = match quoted {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

/// Decodes base64 in either alphabet, with or without padding.
pub(super) fn decode_lenient(text: &[u8]) -> Option<Vec<u8>> {
    let mut symbols = text.to_vec();
    // One text is in one alphabet.
    if !text.iter().any(|byte| matches!(byte, b'+' | b'/')) {
        for symbol in &mut symbols {
            *symbol = match *symbol {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            };
        }
    }
    let mut bytes = vec![0; text.len()];
    let len = base64::decode(&symbols, Padding::Any, &mut bytes)?;
    bytes.truncate(len);
    (!bytes.is_empty()).then_some(bytes)
}

/// Whether the body begins as gzip, zlib, zstd or any other binary format would.
pub(super) fn looks_compressed(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
        || body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || std::str::from_utf8(body).is_err()
}
