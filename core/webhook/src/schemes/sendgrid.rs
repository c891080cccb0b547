//! Twilio SendGrid's event webhook: signs `timestamp` and `body` with nothing between, by ECDSA. The body ends with CR and LF, which
//! belong to it.

use std::borrow::Cow;

use super::{Scheme, discord};
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::envelope::Envelope;
use crate::error::VerifyError;
use crate::key_form::KeyForm;
use crate::layout::{Layout, Name, Piece, TimestampAt};
use crate::received::Received;

const TIMESTAMP: Name = Cow::Borrowed("x-twilio-email-event-webhook-timestamp");

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::SendGrid,
    signature: Cow::Borrowed("x-twilio-email-event-webhook-signature"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::EcdsaP256Sha256)]),
        encoding: Encoding::Base64,
    },
    timestamp: Some(TimestampAt::Header(TIMESTAMP)),
    id: None,
    pieces: Cow::Borrowed(&[Piece::Timestamp, Piece::Body]),
    key: KeyForm::EcdsaSpki,
    tolerance: 300,
};

pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let envelope = LAYOUT.read(request)?;
    discord::ten_digits(request, TIMESTAMP)?;
    Ok(envelope)
}
