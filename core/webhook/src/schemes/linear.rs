//! Linear: signs the body alone, which holds the time in milliseconds (`webhookTimestamp`). The header with the time is not signed, and not read.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::envelope::{Envelope, Timestamp};
use crate::error::VerifyError;
use crate::json_members::{Value, members};
use crate::key_form::KeyForm;
use crate::layout::{Layout, MAX_TIMESTAMP, Piece};
use crate::received::Received;

/// The member of the body with unix milliseconds.
const TIMESTAMP: &str = "webhookTimestamp";

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Linear,
    signature: Cow::Borrowed("linear-signature"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::HmacSha256)]),
        encoding: Encoding::Hex,
    },
    timestamp: None,
    id: Some(Cow::Borrowed("linear-delivery")),
    pieces: Cow::Borrowed(&[Piece::Body]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 8,
    },
    tolerance: 60,
};

pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let mut envelope = LAYOUT.read(request)?;
    let text = std::str::from_utf8(request.body).map_err(|_| VerifyError::BodyMalformed)?;
    let [time] = members(text, [TIMESTAMP]).ok_or(VerifyError::BodyMalformed)?;
    let milliseconds = match time {
        Some(Value::Number(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse::<i64>().ok()
        }
        _ => None,
    };
    let seconds = milliseconds.map(|milliseconds| milliseconds / 1000);
    envelope.timestamp = Some(Timestamp {
        seconds: seconds.filter(|seconds| *seconds <= MAX_TIMESTAMP).ok_or(
            VerifyError::BadTimestamp {
                name: Cow::Borrowed(TIMESTAMP),
            },
        )?,
        name: Cow::Borrowed(TIMESTAMP),
    });
    envelope.assurance.timestamp_signed = true;
    Ok(envelope)
}
