//! Stripe: signs `timestamp.body`; one header holds the timestamp and the signatures. The key is the whole text of the secret, `whsec_` with it, not decoded. `v0`, for test mode, is passed over.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece, TimestampAt};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Stripe,
    signature: Cow::Borrowed("stripe-signature"),
    form: Form {
        separator: Some(b','),
        prefixes: Cow::Borrowed(&[(Cow::Borrowed("v1="), Algorithm::HmacSha256)]),
        encoding: Encoding::Hex,
    },
    timestamp: Some(TimestampAt::Item(Cow::Borrowed("t="))),
    id: None,
    pieces: Cow::Borrowed(&[
        Piece::Timestamp,
        Piece::Text(Cow::Borrowed(".")),
        Piece::Body,
    ]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "whsec_",
        least: 8,
    },
    tolerance: 300,
};
