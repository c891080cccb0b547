//! Mailgun: the body has an object `signature` with `timestamp`, `token` and `signature`, over the former two. The rest of the body is
//! not signed. Events of a subaccount have `parent-signature` beside it, made with the key of the main account.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Candidates, Encoding, Form};
use crate::envelope::{Assurance, Envelope, Signed, SignedText, Timestamp};
use crate::error::VerifyError;
use crate::json_members::{Value, members};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, unix_seconds, usable_id};
use crate::received::Received;
use crate::verified::BodyBound;

/// What the body calls them, for errors.
const TIMESTAMP: Name = Cow::Borrowed("signature.timestamp");
const TOKEN: Name = Cow::Borrowed("signature.token");
const SIGNATURE: Name = Cow::Borrowed("signature.signature");

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Mailgun,
    signature: SIGNATURE,
    form: Form {
        separator: Some(b' '),
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::HmacSha256)]),
        encoding: Encoding::Hex,
    },
    timestamp: None,
    id: None,
    pieces: Cow::Borrowed(&[]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 8,
    },
    tolerance: 300,
};

/// Of the timestamp: no fewer and no more, since nothing separates it from the token in what is signed.
pub(crate) const DIGITS: usize = 10;

pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let (timestamp, token, signatures) =
        members_of(request.body).ok_or(VerifyError::BodyMalformed)?;
    if usable_id(token.as_bytes()).is_none() {
        return Err(VerifyError::BadMessageId { name: TOKEN });
    }
    let seconds = unix_seconds(timestamp.as_bytes()).filter(|_| timestamp.len() == DIGITS);
    let seconds = seconds.ok_or(VerifyError::BadTimestamp { name: TIMESTAMP })?;
    let candidates = Candidates::bounded(signatures.into_bytes(), &LAYOUT.form, &SIGNATURE)?;
    Ok(Envelope {
        certificate: None,
        scheme: Scheme::Mailgun,
        signed: Signed::Texts(vec![SignedText {
            text: [timestamp.as_bytes(), token.as_bytes()].concat(),
            candidates,
        }]),
        timestamp: Some(Timestamp {
            seconds,
            name: TIMESTAMP,
        }),
        message_id: Some(Cow::Owned(token)),
        assurance: Assurance {
            body_bound: BodyBound::None,
            timestamp_signed: true,
            id_signed: true,
            url_bound: false,
        },
    })
}

/// Timestamp, token, and the signatures with spaces between them.
fn members_of(body: &[u8]) -> Option<(String, String, String)> {
    let body = std::str::from_utf8(body).ok()?;
    let [Some(Value::Object(signature))] = members(body, ["signature"])? else {
        return None;
    };
    let names = ["timestamp", "token", "signature", "parent-signature"];
    let [timestamp, token, own, parent] = members(signature, names)?;
    let timestamp = match timestamp? {
        Value::Text(text) => text,
        Value::Number(digits) => digits.to_owned(),
        _ => return None,
    };
    // A space within one would make it a list; it is hexadecimal, or it is nothing.
    let one = |signature: &String| !signature.contains(' ');
    let mut signatures = Some(own?.text()?).filter(one).unwrap_or_default();
    if let Some(parent) = parent.and_then(Value::text).filter(one) {
        signatures.push(' ');
        signatures.push_str(&parent);
    }
    Some((timestamp, token?.text()?, signatures))
}

/// The body, a JSON object, with the member `signature` before its others.
pub(crate) fn with_signature(
    body: &[u8],
    timestamp: &str,
    token: &str,
    signature: &str,
    parent: Option<&str>,
) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let [None] = members(text, ["signature"])? else {
        return None;
    };
    let rest = text.trim_ascii_start().strip_prefix('{')?;
    let mut written = String::from("{\"signature\":{\"timestamp\":\"");
    written.push_str(timestamp);
    written.push_str("\",\"token\":\"");
    for char in token.chars() {
        if matches!(char, '"' | '\\') {
            written.push('\\');
        }
        written.push(char);
    }
    written.push_str("\",\"signature\":\"");
    written.push_str(signature);
    if let Some(parent) = parent {
        written.push_str("\",\"parent-signature\":\"");
        written.push_str(parent);
    }
    written.push_str("\"}");
    if !rest.trim_ascii_start().starts_with('}') {
        written.push(',');
    }
    written.push_str(rest);
    Some(written.into_bytes())
}
