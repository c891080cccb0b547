//! Discord: signs `timestamp` and `body` with nothing between, by Ed25519. A bad signature must be answered with status 401, which is
//! tried out when the endpoint is set up.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::envelope::Envelope;
use crate::error::VerifyError;
use crate::headers::{Found, find};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, Piece, TimestampAt};
use crate::received::Received;

const TIMESTAMP: Name = Cow::Borrowed("x-signature-timestamp");

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Discord,
    signature: Cow::Borrowed("x-signature-ed25519"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::Ed25519)]),
        encoding: Encoding::Hex,
    },
    timestamp: Some(TimestampAt::Header(TIMESTAMP)),
    id: None,
    pieces: Cow::Borrowed(&[Piece::Timestamp, Piece::Body]),
    key: KeyForm::Ed25519Hex,
    tolerance: 300,
};

pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let envelope = LAYOUT.read(request)?;
    ten_digits(request, TIMESTAMP)?;
    Ok(envelope)
}

/// Where nothing stands between timestamp and body, a digit could move from one to the other under the same signature. Timestamps
/// have ten digits from 2001 to 2286.
pub(super) fn ten_digits(request: &Received<'_>, name: Name) -> Result<(), VerifyError> {
    match find(request.headers, [&name]) {
        [Found::Once(digits)] if digits.len() == 10 => Ok(()),
        _ => Err(VerifyError::BadTimestamp { name }),
    }
}
