//! Paddle: signs `timestamp:body`; one header holds the timestamp and the signatures, two of them during a rotation.

use std::borrow::Cow;

use super::Scheme;
use crate::algorithm::Algorithm;
use crate::candidates::{Encoding, Form};
use crate::key_form::KeyForm;
use crate::layout::{Layout, Piece, TimestampAt};

pub(crate) static LAYOUT: Layout = Layout {
    scheme: Scheme::Paddle,
    signature: Cow::Borrowed("paddle-signature"),
    form: Form {
        separator: Some(b';'),
        prefixes: Cow::Borrowed(&[(Cow::Borrowed("h1="), Algorithm::HmacSha256)]),
        encoding: Encoding::Hex,
    },
    timestamp: Some(TimestampAt::Item(Cow::Borrowed("ts="))),
    id: None,
    pieces: Cow::Borrowed(&[
        Piece::Timestamp,
        Piece::Text(Cow::Borrowed(":")),
        Piece::Body,
    ]),
    key: KeyForm::Text {
        algorithm: Algorithm::HmacSha256,
        prefix: "",
        least: 8,
    },
    tolerance: 5,
};
