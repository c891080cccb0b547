//! Twilio SendGrid's event webhook: signs `timestamp` and `body` with nothing between, by ECDSA. The body ends with CR and LF, which
//! belong to it.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece, TimestampAt};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::SendGrid,
    signature: Cow::Borrowed("x-twilio-email-event-webhook-signature"),
    form: Form {
        separator: None,
        prefixes: Cow::Borrowed(&[(Cow::Borrowed(""), Algorithm::EcdsaP256Sha256)]),
        encoding: Encoding::Base64,
    },
    timestamp: Some(TimestampAt::Header(Cow::Borrowed(
        "x-twilio-email-event-webhook-timestamp",
    ))),
    id: None,
    pieces: Cow::Borrowed(&[Piece::Timestamp, Piece::Body]),
    key: KeyForm::EcdsaSpki,
    tolerance: 300,
};
